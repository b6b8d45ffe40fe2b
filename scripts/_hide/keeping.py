"""What anybody may do in a listing for others: settle what is due, so that stakes are free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from offchain.hide.sale.listings import SETTLED, due
from scripts._hide.browsing import listed
from scripts._hide.chain import SALE, SaleChain
from scripts._stage.chain import clock
from scripts._stage.deployments import deployments_path, find
from scripts._stage.keeping import Duty


def duties(deployments: Path) -> Iterator[Duty]:
    """One for each listing with sales whose windows are over."""
    sale = find(SALE, deployments_path(deployments))
    if sale is None:
        return
    now = clock().now
    for one in listed(deployments):
        id_ = bytes.fromhex(one.address[2:])
        session = SaleChain(sale.contract, id_, one.token, one.block).read()
        if sales := session.due(now)[:SETTLED]:
            words = due([(purchase.buyer, purchase.sale) for purchase in sales])
            what = f"settled {len(sales)} sales whose windows are over"
            arguments = (session.listed.args(), words)
            yield Duty(one.address, what, sale.contract.settle, arguments)
