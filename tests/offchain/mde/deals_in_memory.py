"""A market of datasets without a chain: turns actions into events under the contract's rules.

One action is one block. Proofs are taken at their word, as tests on the chain hold them against the
contract; everything else is refused where the contract would refuse it.
"""

from __future__ import annotations

from collections.abc import Callable

from offchain.mde import events as ev
from offchain.mde.deals import Account, Dataset, Deal, DealState, Order, Place, Quote, Side
from offchain.mde.letters import Letter, Tell
from offchain.mde.session import DealSession, Sale
from offchain.roles import Action, Clock
from tests.kit.wallets import recover

PLACE = Place(31337, "0x" + "c0" * 20)
START = 1_000_000
PROOFS: dict[str, Callable[[bytes], ev.Proof]] = {
    "proveWrongKey": ev.WrongKeyProved,
    "proveSpoiltChunk": lambda pair: ev.SpoiltChunkProved(pair, 0),
    "proveWrongScore": lambda pair: ev.WrongScoreProved(pair, 0),
    "proveRepeatedSample": lambda pair: ev.RepeatedSampleProved(pair, 0, 1),
    "proveWrongPrice": lambda pair: ev.WrongPriceProved(pair, 0),
}


class Refused(Exception):
    """The contract would revert; says why."""


def need(condition: bool, reason: str) -> None:
    """What `require` is in Solidity."""
    if not condition:
        raise Refused(reason)


class Deals:
    """One DatasetSale, and the mail beside it. now: Unix seconds of the next block."""

    def __init__(self) -> None:
        self.now = START
        self.log: list[tuple[ev.Event, int]] = []
        self.letters: list[Letter] = []
        self.calls: list[str] = []

    def read(self) -> DealSession:
        """All from its events and letters, anew."""
        session = DealSession(PLACE)
        for event, time in self.log:
            session.apply(event, time)
        for letter in self.letters:
            session.hear(Letter.read(letter.sender, letter.body()))
        return session

    @property
    def clock(self) -> Clock:
        return Clock(self.now, len(self.log))

    def do(self, action: Action | Tell, sender: str) -> None:
        """One action of `sender`. Raises Refused."""
        if isinstance(action, Tell):
            assert all(letter.sender == sender for letter in action.letters)
            self.letters += action.letters
            return
        event = self._event(self.read(), action, sender)
        self.calls.append(action.call)
        self.log.append((event, self.now))
        self.now += 1

    def _event(self, session: DealSession, action: Action, sender: str) -> ev.Event:
        first, *rest = action.arguments
        if action.call in ("post", "register"):
            kind = Order if action.call == "post" else Dataset
            id_ = kind(*first).account.id(PLACE)
            need(id_ not in session.books, "AccountExists")
            need(first[0] == sender, "NotBuyer or NotSeller")
            need(action.pays == rest[0], "WrongPayment")
            event = ev.Posted if action.call == "post" else ev.Registered
            return event(id_, sender, first, rest[0])
        if action.call in ("close", "withdraw"):
            account = Account(Side(first[0]), *first[1:])
            id_ = account.id(PLACE)
            need(account.owner == sender, "NotOwner")
            if action.call == "close":
                need(session.is_open(id_), "AccountIsClosed")
                return ev.Closed(id_)
            need(0 < rest[0] <= session.books[id_].free, "FundsTooLow")
            return ev.Withdrawn(id_, rest[0])
        deal = Deal(Order(*first[0]), Dataset(*first[1]), Quote(*first[2]))
        ids = deal.order.account.id(PLACE), deal.dataset.account.id(PLACE)
        if action.call == "quote":
            need(all(map(session.is_open, ids)), "AccountIsClosed")
            need(deal.pair not in session.sales, "AlreadyQuoted")
            need(self.now < deal.quote.expiry, "QuoteExpired")
            typed = deal.typed_data(PLACE)
            signers = [recover(typed, signature) for signature in rest]
            need(signers == [deal.order.buyer, deal.dataset.seller], "WrongSigner")
            return ev.Quoted(deal.pair, *ids, deal.quote.args())
        sale = session.sales[deal.pair]
        need(sale.deal.args() == deal.args(), "WrongDeal")
        return self._dealt(session, action, sender, sale)

    def _dealt(self, session: DealSession, action: Action, sender: str, sale: Sale) -> ev.Event:
        """What follows a quote."""
        pair, order, call = sale.deal.pair, sale.deal.order, action.call
        _, *rest = action.arguments
        if call == "purchase":
            need(sender == order.buyer, "NotBuyer")
            need(sale.state is DealState.QUOTED and self.now < sale.deadline, "QuoteExpired")
            need(session.is_open(sale.order) and session.is_open(sale.dataset), "AccountIsClosed")
            need(0 < sale.price <= session.books[sale.order].free, "FundsTooLow")
            need(order.stake <= session.books[sale.dataset].free, "FundsTooLow")
            return ev.Purchased(pair, rest[0], self.now + order.delivery_time)
        need(rest[0] == sale.purchase.args(), "WrongDeal")
        if call in ("publishKey", "sealKey"):
            need(sale.state is DealState.PAID and self.now < sale.deadline, "TooLate")
            until = self.now + order.dispute_time
            if call == "sealKey":
                return ev.KeySealed(pair, rest[1], rest[2], until)
            need(
                session.domain(sale.dataset).key_hash(rest[1]) == sale.deal.dataset.key_hash, "key"
            )
            return ev.KeyPublished(pair, rest[1], until)
        if call == "settle":
            need(sale.running and self.now >= sale.deadline, "TooEarly")
            return ev.Lapsed(pair) if sale.state is DealState.PAID else ev.Settled(pair)
        need(sender == order.buyer and sale.state is DealState.DELIVERED, "NotBuyer")
        if call == "accept":
            return ev.Settled(pair)
        need(self.now < sale.deadline, "TooLate")
        return PROOFS[call](pair)
