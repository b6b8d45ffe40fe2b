"""What anybody may do in HyperX: apply the consequence of a window that lapsed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ape

from scripts._hyperx.browsing import listed
from scripts._hyperx.chain import ChainSession
from scripts._stage.chain import clock
from scripts._stage.keeping import Duty


def duties(deployments: Path) -> Iterator[Duty]:
    """One for each session where somebody let a window lapse."""
    now = clock().now
    for one in listed(deployments):
        chain = ChainSession(ape.project.TradingSession.at(one.address), one.block)
        session = chain.read()
        if session.settled(now) is not session:
            what = f"settled that {session.candidate} or the collector let a window lapse"
            yield Duty(one.address, what, chain.contract.settle)
