"""`ape run watch`: the events of a listing, each once, and what everybody waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.session import SaleSession
from scripts._hide.chain import SALE, SaleChain
from scripts._stage.content import Content
from scripts._stage.deployments import deployed
from scripts._stage.party import PartyTelling
from scripts._stage.watching import watch


def run_watch(
    reference: str,
    once: bool,
    deployments: Path,
    as_json: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come, until the listing is closed and no window runs."""
    chain = SaleChain.resume(deployed(SALE, deployments), reference)
    watch(chain, PartyTelling(as_json=as_json), _over, once=once, content=content)


def _over(session: SaleSession) -> dict[str, Any]:
    owned = sum(one.state is SaleState.OWNED for one in session.purchases.values())
    return {"buyers": owned}
