"""Hide-and-Seek's part of `ape run browse`: the listings of its sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ape
import click

from offchain.hide.sale import events as ev
from scripts._hide.chain import SALE, SaleChain
from scripts._stage.chain import decoded, event_of, logs_of
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open


def listed(deployments: Path) -> Sequence[Open]:
    """All listings, closed ones included; none where there is no sale."""
    sale = find(SALE, deployments_path(deployments))
    if sale is None:
        return ()
    found: dict[bytes, Open] = {}
    buyers: dict[bytes, set[str]] = {}
    closed: dict[bytes, int] = {}
    for log in decoded(sale.contract, logs_of(str(sale.contract.address), sale.block, [])):
        match event_of(log, ev):
            case ev.Listed() as event:
                found[event.id] = _open(event, log.block_number)
            case ev.Bought() as event:
                buyers.setdefault(event.id, set()).add(event.buyer)
            case ev.ListingClosed() as event:
                closed[event.id] = int(ape.chain.blocks[log.block_number].timestamp)
    return [
        replace(one, joined=len(buyers.get(id_, ())), until=closed.get(id_))
        for id_, one in found.items()
    ]


def knows(reference: str, deployments: Path) -> bool:
    """Whether it is the id of a listing."""
    sale = find(SALE, deployments_path(deployments))
    if sale is None:
        return False
    try:
        SaleChain.resume(sale, reference)
    except click.ClickException:
        return False
    return True


def _open(event: ev.Listed, block: int) -> Open:
    seller, token, *_ = event.terms
    return Open(
        mechanism="hide",
        address=f"0x{event.id.hex()}",
        block=block,
        author=str(seller),
        task=event.task,
        reward=0,
        deposit=event.levels[0][1],
        token=str(token),
        until=None,
        joined=0,
    )
