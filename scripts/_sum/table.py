"""Roles of a shared model at a table: each in a process of its own, or several in a rehearsal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ape.api import AccountAPI

from offchain.files import write_whole
from offchain.roles import Action, Clock
from offchain.sum.model import SharedModelState
from offchain.sum.reporter import Reporter
from scripts._stage.chain import Receipt, waits
from scripts._stage.table import Pause, Seat
from scripts._sum.model import ModelOnChain


@dataclass
class ModelTable:
    """A model, and who plays on it.

    seats: whose being done ends it. kept: folder in which is written what is about to be taught;
    None where nobody is killed.
    """

    chain: ModelOnChain
    seats: Sequence[Seat]
    kept: Path | None = None

    def read(self) -> SharedModelState:
        """The model as its events tell it."""
        return self.chain.read()

    def send(self, action: Any, account: AccountAPI) -> Receipt:
        """Does it. Raises ActionRefused."""
        if action.call == "addData" and self.kept:
            action = self._as_begun(action, account, self.kept)
        return self.chain.send(action, account)

    def pause(self, session: SharedModelState, clock: Clock) -> Pause | None:
        """The next time at which one of them has something to do."""
        roles = [seat.role for seat in self.seats if isinstance(seat.role, Reporter)]
        if all(role.is_done(clock.now) for role in roles):
            return None
        ahead = [due for role in roles if (due := role.next_time(clock.now)) is not None]
        return Pause(*min(ahead)) if ahead else Pause(None)

    def _as_begun(self, action: Action, account: AccountAPI, folder: Path) -> Action:
        """With the payment of a killed process's call that may still come into the chain.

        The deposit falls with time, so that the same lesson a second later is another call, which
        would be sent beside the first.
        """
        path = folder / f"{self.chain.address}-{account.address}.lesson"
        said = {"lesson": [list(action.arguments[0]), action.arguments[1]]}
        begun = json.loads(path.read_bytes()) if path.exists() else {}
        if begun.get("lesson") == said["lesson"] and waits(account):
            payment, cost = int(begun["payment"]), int(begun["cost"])
            return replace(action, arguments=(*action.arguments[:2], payment, cost), pays=payment)
        payment, cost = action.arguments[2:]
        write_whole(path, json.dumps({**said, "payment": payment, "cost": cost}).encode())
        return action
