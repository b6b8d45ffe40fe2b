"""The adapter between HyperX's roles and chain: events in, transactions out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path

import ape
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from eth_utils.address import is_hex_address

from offchain.crypto.settlement import Settlement
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.session import Session
from offchain.hyperx.terms import Terms
from offchain.roles import Clock
from scripts._stage.chain import (
    ActionRefused,
    Receipt,
    decoded,
    entry_of,
    event_of,
    logs_of,
    native,
    plain,
    snake,
)
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.permit import transact_paying
from scripts._stage.sender import Sender
from scripts._stage.table import Pause

FACTORY = "TradingSessionFactory"


def deployed_factory(deployments: Path) -> Deployed:
    """The factory on the connected chain. Raises ClickException where there is none."""
    return deployed(FACTORY, deployments)


class ChainSession(Sender):
    """One TradingSession on the connected chain.

    Attributes:
        created: block in which it was made. terms: its terms.
    """

    def __init__(self, contract: ContractInstance, created: int) -> None:
        self.terms = read_terms(contract)
        super().__init__(contract, self.terms.token)
        self.created = created

    def paid(self) -> dict[str, int]:
        """What was taken out so far, by the account that it was owed to."""
        paid = {
            event.provider: event.paid
            for event in self.events()
            if isinstance(event, ev.DepositClaimed)
        }
        for event in self.events():
            if isinstance(event, ev.EscrowReclaimed):
                paid[self.terms.collector] = event.paid
        return paid

    @classmethod
    def create(
        cls, factory: ContractInstance, terms: Terms, nonce: int, collector: AccountAPI
    ) -> ChainSession:
        """Creates a session under `terms` and pays its escrow.

        nonce: keeps sessions of equal terms apart; there is one session of terms and nonce. Raises
        ActionRefused with the contract's reason.
        """
        arguments = plain(terms)
        escrow = factory.escrowOf(arguments)
        words = arguments, nonce
        receipts = transact_paying(factory, "createSession", words, collector, terms.token, escrow)
        receipt = receipts[-1][1]
        (event,) = factory.SessionCreated.from_receipt(receipt)
        session = cls(ape.project.TradingSession.at(event.session), receipt.block_number)
        session.receipts += [entry_of(*one) for one in receipts]
        return session

    @classmethod
    def resume(cls, factory: ContractInstance, first: int, address: str) -> ChainSession:
        """A session that the factory made in block `first` or later.

        Raises ActionRefused if this factory did not make it.
        """
        if is_hex_address(address):
            topics = [None, "0x" + address[2:].lower().rjust(64, "0")]
            for log in decoded(factory, logs_of(str(factory.address), first, topics)):
                session = ape.project.TradingSession.at(log.event_arguments["session"])
                return cls(session, log.block_number)
        raise ActionRefused(f"{address} is no session of the factory at {factory.address}")

    def read(self) -> Session:
        """The session as its events tell it, read anew: a reorganisation changes what they say."""
        session = Session(ape.chain.chain_id, self.address, self.terms)
        for event in self.events():
            session.apply(event)
        return session

    def events(self) -> list[ev.Event]:
        """All events of the session so far, in the order of the chain."""
        return [
            event_of(log, ev)
            for log in decoded(self.contract, logs_of(self.address, self.created, []))
        ]

    def send(self, action: do.Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        name = type(action).__name__
        call = name[0].lower() + name[1:]
        pays = self.terms.deposit if isinstance(action, do.Register) else 0
        self.call(call, plain(action), account, pays)
        return self.receipts[-1]

    def pause(self, session: Session, clock: Clock) -> Pause | None:
        """The next block while a draw waits for one, else the next end of a window."""
        drawing = any(member.draw_pending(clock.block) for member in session.members.values())
        if drawing and clock.now < session.terms.sampling_end:
            return Pause(None)
        ahead = [(time, what) for what, time in _ends(session).items() if time > clock.now]
        return None if session.is_over(clock.now) or not ahead else Pause(*min(ahead))


def _ends(session: Session) -> dict[str, int]:
    """What ends in a session, and when, in Unix seconds."""
    terms = session.terms
    return {
        "registration ends": terms.registration_end,
        "submission ends": terms.submission_end,
        "the collector's time to look for what is missing ends": session.last_look or 0,
        "the collector's time to choose ends": terms.selection_end,
        "the provider's time to answer ends": session.deadline,
        "the session expires": terms.expiry,
    }


def read_terms(contract: ContractInstance) -> Terms:
    """The terms of a session, in one call."""
    # Traced, as `ape test --gas` does with views, a call that returns a struct yields nothing.
    values = contract.terms(skip_trace=True)
    names = [snake(name) for name in values.__dataclass_fields__] if is_dataclass(values) else []
    if not names:
        names = [field.name for field in fields(Terms)]
    fields_ = {n: native(v) for n, v in zip(names, values, strict=True)}
    return Terms(**fields_ | {"settlement": Settlement(fields_["settlement"])})
