"""How SecCL's roles come to life at a table, each in a process of its own."""

from __future__ import annotations

from typing import Any, Protocol

from ape.api import AccountAPI

from offchain.roles import Clock
from offchain.seccl import actions as do
from offchain.seccl.server_role import ServerRole
from offchain.seccl.session import Session
from scripts._seccl.chain import FederationChain
from scripts._seccl.on_chain import next_end
from scripts._stage.chain import Receipt
from scripts._stage.table import Pause


class Ends(Protocol):
    """A role that knows when nothing is left to do."""

    def is_over(self, now: int) -> bool:
        """Whether that is now, in Unix seconds."""


class PartyTable:
    """One party's view of a session: it is over when that party has nothing left to do."""

    def __init__(self, chain: FederationChain, role: Ends) -> None:
        self._chain, self._role = chain, role

    def read(self) -> Session:
        """The session as its events tell it."""
        return self._chain.refresh()

    def send(self, action: do.Action, account: AccountAPI) -> Receipt:
        """Does it. Raises ActionRefused with the contract's reason."""
        receipt = self._chain.send(action, account)
        if isinstance(self._role, ServerRole):
            self._role.sent(action)
        return receipt

    def pause(self, session: Any, clock: Clock) -> Pause | None:
        """The next end of a window; None where it is over."""
        if self._role.is_over(clock.now):
            return None
        return next_end(session.terms, clock.now)
