"""`ape run watch`: the events of an order or a dataset, each once, and what is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offchain.mde import events as ev
from offchain.mde.deals import DealState
from offchain.mde.session import DealSession, Sale
from offchain.roles import Clock
from scripts._mde.chain import deal_logs, first_of, read_deals, windows
from scripts._mde.seats import CONTRACT, known
from scripts._stage.chain import event_of
from scripts._stage.content import Content
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.party import PartyTelling
from scripts._stage.table import Pause
from scripts._stage.watching import watch


class WatchedDeals:
    """What happens about one order or dataset, by its id."""

    def __init__(self, sale: Deployed, id_: bytes) -> None:
        self._sale, self._id = sale, id_

    def events(self) -> Sequence[Any]:
        """All about it, in the chain's order."""
        pairs: set[bytes] = set()
        found = []
        for log in deal_logs(self._sale.contract, self._sale.block):
            event = event_of(log, ev)
            if isinstance(event, ev.Quoted) and self._id in (event.order, event.dataset):
                pairs.add(event.pair)
            if getattr(event, "id", None) == self._id or getattr(event, "pair", None) in pairs:
                found.append(event)
        return found

    def read(self) -> DealSession:
        """All deals."""
        return read_deals(self._sale.contract, self._sale.block)

    def pause(self, session: DealSession, clock: Clock) -> Pause | None:
        """The next end of a window, or what others do; None once its money is gone from there."""
        sales = self.sales(session)
        if session.books[self._id].funds == 0 and not any(sale.running for sale in sales):
            return None
        orders = {sale.order for sale in sales}
        return first_of(windows(session, orders), clock) or Pause(None)

    def sales(self, session: DealSession) -> list[Sale]:
        """What was quoted about it."""
        return [one for one in session.sales.values() if self._id in (one.order, one.dataset)]


def run_watch(
    reference: str,
    once: bool,
    deployments: Path,
    as_json: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come, until an order's budget or a dataset's funds are gone."""
    sale = deployed(CONTRACT, deployments)
    watched = WatchedDeals(sale, known(reference, sale)[0])

    def over(session: DealSession) -> dict[str, Any]:
        settled = [one for one in watched.sales(session) if one.state is DealState.SETTLED]
        return {"sold": len(settled)}

    watch(watched, PartyTelling(as_json=as_json), over, once=once, content=content)
