"""`ape run watch`: the events of a session, each once, and what everybody waits for."""

from __future__ import annotations

from pathlib import Path

from scripts._hyperx.chain import ChainSession, deployed_factory
from scripts._stage.content import Content
from scripts._stage.party import PartyTelling
from scripts._stage.watching import watch


def run_watch(
    address: str,
    once: bool,
    deployments: Path,
    as_json: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come, until the session is over."""
    factory = deployed_factory(deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    telling = PartyTelling(as_json=as_json)
    if content is not None:
        # Here: manifests load torch, which who looks at events alone does not need.
        from offchain.hyperx.safekeeping import promised_by_members

        content.more = promised_by_members
    watch(
        chain,
        telling,
        lambda session: {"deal": session.deal is not None},
        once=once,
        content=content,
    )
