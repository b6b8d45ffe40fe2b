"""What anybody may do in MDE: settle deals whose time is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts._mde.chain import read_deals
from scripts._mde.seats import CONTRACT
from scripts._stage.chain import clock
from scripts._stage.deployments import deployments_path, find
from scripts._stage.keeping import Duty


def duties(deployments: Path) -> Iterator[Duty]:
    """One for each deal that is paid for or lapsed and not settled; none where there is no sale."""
    sale = find(CONTRACT, deployments_path(deployments))
    if sale is None:
        return
    now = clock().now
    for one in read_deals(sale.contract, sale.block).sales.values():
        if one.running and now >= one.deadline:
            reference, what = f"0x{one.order.hex()}", "settled a deal whose time is over"
            yield Duty(reference, what, sale.contract.settle, one.args())
