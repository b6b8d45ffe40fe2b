"""MDE's part of `ape run browse`: the orders of its sale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts._mde.chain import deal_logs, read_deals
from scripts._mde.seats import CONTRACT, id_of
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open


def listed(deployments: Path) -> Sequence[Open]:
    """All orders, also those whose budget is gone; none where there is no sale."""
    sale = find(CONTRACT, deployments_path(deployments))
    if sale is None:
        return ()
    session = read_deals(sale.contract, sale.block)
    blocks = {
        bytes(log.event_arguments["id"]): log.block_number
        for log in deal_logs(sale.contract, sale.block)
        if log.event_name == "Posted"
    }
    found = []
    for id_, order in session.orders.items():
        book = session.books[id_]
        takes = session.is_open(id_) and book.funds > 0
        found.append(
            Open(
                mechanism="mde",
                address=f"0x{id_.hex()}",
                block=blocks[id_],
                author=order.buyer,
                task=order.artefact,
                reward=book.free,
                deposit=order.stake,
                token=order.token,
                # An order ends when its buyer took the budget home.
                until=None if takes else book.opened,
                joined=len(session.sales_under(id_)),
            )
        )
    return found


def knows(reference: str, deployments: Path) -> bool:
    """Whether it is the id of an order or a dataset."""
    sale = find(CONTRACT, deployments_path(deployments))
    id_ = id_of(reference)
    if sale is None or id_ is None:
        return False
    return id_ in read_deals(sale.contract, sale.block).books
