"""`ape run watch`: the events of a session of SecCL, each once, and what everybody waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offchain.seccl.session import FAULTS
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import Happened, session_named
from scripts._stage.content import Content
from scripts._stage.party import PartyTelling
from scripts._stage.watching import watch


def run_watch(
    reference: str,
    once: bool,
    deployments: Path,
    as_json: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come, until nothing can happen any more but payouts."""
    telling = PartyTelling(as_json=as_json)
    watched = session_named(Contracts.on(deployments), reference)
    telling.event(
        "session",
        id="0x" + watched.id.hex(),
        server=watched.terms.server,
        members=len(watched.members),
        rounds=watched.terms.rounds,
    )

    def over(session: Happened) -> dict[str, Any]:
        fault = session.fault
        return {
            "rounds_closed": session.closed,
            "convicted": FAULTS[fault.fault] if fault else False,
            "stake_back": session.withdrawn,
        }

    watch(watched, telling, over, once=once, content=content)
