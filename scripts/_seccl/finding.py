"""What the board tells of federations: what was announced, and which sessions came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from offchain.crypto.commitments import word
from offchain.seccl.announcement import Announcement, fetch_announcement
from offchain.seccl.messages import BoardError
from offchain.storage import Datastore
from scripts._seccl.chain import CREATED, FederationChain, NoConsensus, id_of, of_word
from scripts._stage.accounts import is_local
from scripts._stage.chain import decoded, logs_of, topic
from scripts._stage.deployments import Deployed, deployed, deployments_path, find

BOARD, CONSENSUS = "BulletinBoard", "BordaConsensusFactory"
ANNOUNCED = "Announced(address,bytes32,bytes32,uint256)"


@dataclass(frozen=True)
class Contracts:
    """This version's, on the connected chain."""

    board: Deployed
    factory: Deployed

    @classmethod
    def on(cls, deployments: Path) -> Contracts:
        """Raises ClickException where they are not there."""
        return cls(deployed(BOARD, deployments), deployed(CONSENSUS, deployments))


def board_there(deployments: Path) -> Deployed | None:
    """This version's board, off a local chain, where nobody asks all contracts for a session; None
    on a local one, or where there is none."""
    return None if is_local() else find(BOARD, deployments_path(deployments))


@dataclass(frozen=True)
class Told:
    """An event: the announcement's id, who announced it, of which task, until when, in which
    block."""

    id: bytes
    server: str
    task: bytes
    until: int
    block: int


def announced_on(board: Deployed, server: str | None = None) -> Iterator[Told]:
    """What was announced, oldest first; server: a 0x address, by that one alone."""
    by = None if server is None else of_word(word(server))
    address = str(board.contract.address)
    for log in decoded(board.contract, logs_of(address, board.block, [topic(ANNOUNCED), by])):
        said = log.event_arguments
        id_, task = bytes(said["document"]), bytes(said["task"])
        yield Told(id_, str(said["server"]), task, said["until"], log.block_number)


def announcement(board: Deployed, reference: str, store: Datastore) -> tuple[Announcement, Told]:
    """What a server announced under an id, and that it did.

    Raises ClickException where nobody, or somebody else, announced it; what fetching it raises.
    """
    id_ = id_of(reference)
    told = [one for one in announced_on(board) if one.id == id_]
    if not told:
        raise click.ClickException(f"nobody announced {reference} on this chain")
    found = fetch_announcement(store, id_)
    for one in told:
        known = found.server.lower(), found.task, found.until
        if (one.server.lower(), one.task, one.until) == known:
            return found, one
    raise click.ClickException(
        f"{reference} is not what its event says: {found.server} did not announce it so"
    )


def sessions_of(board: Deployed, server: str, first: int) -> list[tuple[bytes, dict[str, Any]]]:
    """Ids, and what their events say, of the sessions that a server opened from a block on."""
    logs = logs_of(
        str(board.contract.address), first, [topic(CREATED), None, of_word(word(server))]
    )
    return [
        (bytes(log.event_arguments["session"]), log.event_arguments)
        for log in decoded(board.contract, logs)
    ]


def session_for(
    contracts: Contracts, announced: Announcement, told: Told, store: Datastore
) -> FederationChain | None:
    """The first session that follows from an announcement; None while there is none.

    Raises DatastoreUnavailable, BoardError where all that start then have other terms.
    """
    board, other = contracts.board, None
    for id_, said in sessions_of(board, announced.server, told.block):
        if said["terms"][4] != announced.start:
            continue
        try:
            chain = FederationChain.find("0x" + id_.hex(), store, board=board)
            announced.check(chain.session)
        except NoConsensus:
            continue
        except BoardError as error:  # perhaps another federation of the same server's
            other = error
            continue
        return chain
    if other is not None:
        raise other
    return None
