"""The adapter between the roles of a market and DatasetSale: events and letters in, transactions
and letters out."""

from __future__ import annotations

from collections.abc import Container
from functools import cache

import ape
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.types import ContractLog

from offchain.mde import events as ev
from offchain.mde.deals import DealState, Place
from offchain.mde.letters import Question, Tell
from offchain.mde.session import DealSession
from offchain.roles import Action, Clock
from scripts._mde.mail import Mail
from scripts._stage.chain import (
    ActionRefused,
    Receipt,
    decoded,
    event_of,
    logs_of,
)
from scripts._stage.money import balance_of
from scripts._stage.sender import Sender
from scripts._stage.table import Pause


class DealChain(Sender):
    """A DatasetSale on the connected chain, and the mail of those who deal there.

    Attributes:
        mail: of the parties.
        patience: seconds that the buyer waits for quotes after it posted.
        first: block from which on there may be deals.
        parties: accounts whose windows are waited for; None for everybody's.
        until: when sellers take their money home, Unix seconds.
    """

    def __init__(
        self,
        contract: ContractInstance,
        token: str,
        mail: Mail,
        first: int,
        patience: int,
        until: int,
        parties: frozenset[str] | None = None,
    ) -> None:
        super().__init__(contract, token)
        self.mail = mail
        self.patience = patience
        self.until = until
        self.first = first
        self.parties = parties

    @property
    def place(self) -> Place:
        """Which contract on which chain."""
        return place_of(self.contract)

    def read(self) -> DealSession:
        """As events and letters tell it, read anew: a reorganisation changes what they say."""
        session = read_deals(self.contract, self.first)
        for letter in self.mail.read():
            session.hear(letter)
        return session

    def send(self, action: Action | Tell, account: AccountAPI) -> Receipt | None:
        """Does what a role wants done; None where nothing goes to the chain.

        Raises ActionRefused with the contract's reason.
        """
        if isinstance(action, Tell):
            for letter in action.letters:
                if letter.sender != str(account.address):
                    raise ActionRefused(f"{account.address} signs a letter as {letter.sender}")
                self.mail.carry(letter)
            return None
        self.call(action.call, action.arguments, account, action.pays)
        return self.receipts[-1]

    def pause(self, session: DealSession, clock: Clock) -> Pause | None:
        """The next end of a window, the buyer's decision, or the sellers' way home."""
        orders = [id_ for id_, order in session.orders.items() if self._plays(order.buyer)]
        datasets = [id_ for id_, one in session.datasets.items() if self._plays(one.seller)]
        ends = windows(session, orders)
        ends += [
            (session.books[id_].opened + self.patience, "the buyer decides")
            for id_ in orders
            if session.books[id_].free
        ]
        if any(session.books[id_].funds for id_ in datasets):
            ends.append((self.until, "sellers close"))
        return first_of(ends, clock)

    def _plays(self, account: str) -> bool:
        return self.parties is None or account in self.parties

    # ---------------------------------------------------------------- views

    def held(self) -> int:
        """What the contract holds of everybody's."""
        return balance_of(self.token, self.place.contract)


def place_of(contract: ContractInstance) -> Place:
    """Which contract on which chain."""
    return Place(int(ape.chain.chain_id), str(contract.address))


def read_deals(contract: ContractInstance, first: int) -> DealSession:
    """All deals of a DatasetSale as its events tell them, from block `first` on."""
    session = DealSession(place_of(contract))
    for log in deal_logs(contract, first):
        session.apply(event_of(log, ev), _time(str(log.block_hash), log.block_number))
    return session


def deal_logs(contract: ContractInstance, first: int) -> list[ContractLog]:
    """All events of a DatasetSale from block `first` on, decoded."""
    return decoded(contract, logs_of(str(contract.address), first, []))


def windows(session: DealSession, orders: Container[bytes]) -> list[tuple[int, str]]:
    """When which window of these orders ends, in Unix seconds."""
    ends: list[tuple[int, str]] = []
    for sale in session.sales.values():
        if sale.order not in orders:
            continue
        if sale.state is DealState.PAID:
            ends.append((sale.deadline, "a key is overdue"))
        elif sale.state is DealState.DELIVERED:
            ends.append((sale.deadline, "the time for disputes ends"))
        elif sale.state is DealState.QUOTED and session.books[sale.order].free:
            ends.append((sale.deadline, "a quote expires"))
    for letter in session.letters:
        said = letter.message
        if (
            isinstance(said, Question)
            and said.order in orders
            and said.order in session.orders_of(letter.sender)
            and session.books[said.order].free
        ):
            ends.append((said.until, "answers are due"))
    return ends


def first_of(ends: list[tuple[int, str]], clock: Clock) -> Pause | None:
    """The next of what ends when, in Unix seconds; None where nothing is ahead."""
    ahead = [(time, what) for time, what in ends if time > clock.now]
    return Pause(*min(ahead)) if ahead else None


@cache
def _time(block: str, number: int) -> int:
    """When the block with this hash was made; another of its height may take its place."""
    return int(ape.chain.blocks[number].timestamp)
