"""How SecCL's roles come to life at a table, each in a process of its own."""

from __future__ import annotations

from typing import Any, Protocol

from ape.api import AccountAPI

from offchain.roles import Clock
from offchain.seccl import actions as do
from offchain.seccl.messages import MessageKind, SessionTerms
from offchain.seccl.server_role import ServerRole
from offchain.seccl.session import Session
from scripts._seccl.chain import FederationChain
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


def next_end(terms: SessionTerms, now: int) -> Pause:
    """What ends next in a session, and when."""
    if now < terms.start:
        return Pause(terms.start, "the first round starts")
    if now < terms.end:
        round_ = (now - terms.start) // (terms.upload_time + terms.evaluation_time)
        for kind in MessageKind:
            if now < (end := terms.window(round_, kind)[1]):
                return Pause(end, f"round {round_}: {kind.name.lower()}s end")
    return Pause(max(terms.accusation_end, now + 1), "accusations end")
