"""SecCL's part of `ape run browse`: what servers announced on the board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from offchain.crypto.settlement import NATIVE
from scripts._seccl.chain import id_of
from scripts._seccl.finding import BOARD, CONSENSUS, Contracts, announced_on
from scripts._seccl.on_chain import SessionOnChain
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open


def listed(deployments: Path) -> Sequence[Open]:
    """All announcements, each once; none where there is no board."""
    contracts = contracts_there(deployments)
    if contracts is None:
        return ()
    found: dict[tuple[bytes, str], Open] = {}
    for told in announced_on(contracts.board):
        found.setdefault(
            (told.id, told.server),
            Open(
                mechanism="seccl",
                address="0x" + told.id.hex(),
                block=told.block,
                author=told.server,
                task=told.task,
                # A member pays nothing, and is paid nothing.
                reward=0,
                deposit=0,
                token=NATIVE,
                until=told.until,
                joined=0,
            ),
        )
    return list(found.values())


def knows(reference: str, deployments: Path) -> bool:
    """Whether it is the id of an announcement or of a session."""
    contracts = contracts_there(deployments)
    if contracts is None:
        return False
    try:
        id_ = id_of(reference)
        if all(told.id != id_ for told in announced_on(contracts.board)):
            SessionOnChain(contracts, id_)
    except click.ClickException:
        return False
    return True


def contracts_there(deployments: Path) -> Contracts | None:
    """This version's on the connected chain; None where they are not."""
    path = deployments_path(deployments)
    board, factory = find(BOARD, path), find(CONSENSUS, path)
    return None if board is None or factory is None else Contracts(board, factory)
