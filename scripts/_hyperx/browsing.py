"""HyperX's part of `ape run browse`: the sessions that its factory made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ape

from scripts._hyperx.chain import FACTORY, ChainSession
from scripts._stage.chain import ActionRefused, decoded, logs_of
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open


def listed(deployments: Path) -> Sequence[Open]:
    """All sessions, whether or not they still take providers; none where there is no factory."""
    factory = find(FACTORY, deployments_path(deployments))
    if factory is None:
        return ()
    logs = decoded(factory.contract, logs_of(str(factory.contract.address), factory.block, []))
    return [_open(log.event_arguments, log.block_number) for log in logs]


def knows(address: str, deployments: Path) -> bool:
    """Whether it is the address of a session that the factory made."""
    factory = find(FACTORY, deployments_path(deployments))
    if factory is None:
        return False
    try:
        ChainSession.resume(factory.contract, factory.block, address)
    except ActionRefused:
        return False
    return True


def _open(said: dict[str, Any], block: int) -> Open:
    chain = ChainSession(ape.project.TradingSession.at(said["session"]), block)
    terms = chain.terms
    return Open(
        mechanism="hyperx",
        address=chain.address,
        block=block,
        author=terms.collector,
        task=terms.task,
        reward=terms.reward,
        deposit=terms.deposit,
        token=terms.token,
        until=terms.registration_end,
        joined=len(chain.read().members),
    )
