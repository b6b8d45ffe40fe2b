"""SUM's part of `ape run watch`: what happens to a shared model, each event once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.roles import Clock
from offchain.sum import events as ev
from scripts._stage.content import Content
from scripts._stage.deployments import deployed
from scripts._stage.party import PartyTelling
from scripts._stage.table import Pause
from scripts._stage.watching import watch
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY


@dataclass(frozen=True)
class WatchedModel:
    """A model, which has no end."""

    model: ModelOnChain

    def events(self) -> Sequence[ev.Event]:
        """All events so far."""
        return [event for event, _ in self.model.events()]

    def read(self) -> None:
        """Nothing is waited for, so that nothing need be known."""

    def pause(self, session: None, clock: Clock) -> Pause:
        """The next block may bring something."""
        return Pause(None)


def run_watch(
    address: str,
    once: bool,
    deployments: Path,
    as_json: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come."""
    telling = PartyTelling(as_json=as_json)
    model = ModelOnChain.resume(deployed(FACTORY, deployments), address)
    watch(WatchedModel(model), telling, lambda _: {}, once=once, content=content)
