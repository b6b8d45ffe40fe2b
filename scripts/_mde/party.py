"""DatasetSale as one party plays on it: its letters alone are its own to send, it is asked before
anything binds it, and told what others do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import click
from ape.api import AccountAPI

from offchain.mde.letters import Agreement, Answer, Invitation, Letter, Offer, Proposal, Tell
from offchain.mde.session import DealSession
from offchain.post import PostFull
from offchain.report.text import amount
from offchain.roles import Action, Clock
from scripts._mde.chain import DealChain, first_of, read_deals, windows
from scripts._mde.mail import Mail
from scripts._stage.chain import Receipt
from scripts._stage.deployments import Deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling
from scripts._stage.table import Pause

_SAID = {
    Offer: "offered",
    Invitation: "invited",
    Proposal: "proposed",
    Agreement: "countersigned",
    Answer: "answered",
}
"""What a letter is called once it was sent."""
_ASKED = {
    "fund": "Add {pays} to your stake?",
    "purchase": "Buy dataset {dataset} for {price}?",
    "quote": "Record that your data fetches {price}?",
    "publishKey": "Publish the key of your data, which was bought for {price}?",
    "sealKey": "Give the buyer the key of your data, which it bought for {price}?",
    "accept": "Accept dataset {dataset} and pay {price}? All of it follows from its quote.",
    "withdraw": "Take out {amount}?",
}
"""Before a call; of others it is asked by their names."""
_AGREED = ("post", "register")
"""What terms were shown for and agreed to; a proof of a fault is not asked for either."""


@dataclass
class Voice:
    """Asks one party and tells it. coin, decimals: of what pays. yes: nothing is asked."""

    telling: PartyTelling
    coin: str
    decimals: int
    yes: bool
    told: dict[Any, str] = field(default_factory=dict)

    def money(self, units: int) -> str:
        """An amount of the coin that pays."""
        return f"{amount(units, self.decimals)} {self.coin}"

    def confirm(self, question: str) -> None:
        """Raises Abort where the answer is no: nothing is lost, the same command asks again."""
        if not self.yes:
            click.confirm(question, abort=True, err=self.telling.as_json)

    def objections(self, said: dict[Any, str]) -> None:
        """What the role objects to, each once."""
        for about, reason in said.items():
            if self.told.get(about) != reason:
                name = f"0x{about.hex()}" if isinstance(about, bytes) else str(about)
                self.telling.event("refused", what=name, reason=reason)
        self.told = dict(said)


class Party(Protocol):
    """What a table asks of the party that plays on it."""

    def order(self, session: DealSession) -> bytes | None:
        """Id of the one order that it is about; None where it is not posted yet."""

    def is_over(self, session: DealSession, clock: Clock) -> bool:
        """Whether nothing is left for it to do."""

    def ends(self, session: DealSession) -> list[tuple[int, str]]:
        """What ends of its own, and when, in Unix seconds."""

    def admitted(self, session: DealSession) -> set[str]:
        """0x accounts whose letters it takes."""

    def objections(self) -> dict[Any, str]:
        """Of its role, as they are now."""

    def doubt(self, proposal: Proposal) -> str:
        """What it has to know of a price before it proposes it; "" for nothing."""

    def hush(self) -> None:
        """Its post is full: it writes no letters any more."""


class PartyDeals(DealChain):
    """Of the party that `voice` speaks to.

    post: opens the letters about an order, given whose are taken, by 0x account in lower case.
    """

    def __init__(
        self,
        sale: Deployed,
        token: str,
        party: Party,
        voice: Voice,
        post: Callable[[bytes, Callable[[str], bool]], Mail],
    ) -> None:
        super().__init__(sale.contract, token, Mail(), sale.block, patience=0, until=0)
        self.party, self.voice = party, voice
        self._post, self._admitted = post, set[str]()

    def read(self) -> DealSession:
        """As DealChain; letters come from where the order is there."""
        session = read_deals(self.contract, self.first)
        order = self.party.order(session)
        if order is None:
            return session
        self._admitted = {one.lower() for one in self.party.admitted(session)}
        if self.mail.is_empty:
            self.mail = self._post(order, lambda account: account in self._admitted)
        for letter in self.mail.read():
            session.hear(letter)
        return session

    def send(self, action: Action | Tell, account: AccountAPI) -> Receipt | None:
        """As DealChain, once the party agreed."""
        if isinstance(action, Tell):
            for letter in action.letters:
                self._ask_for_letter(letter)
            try:
                super().send(action, account)
            except PostFull as error:
                self.party.hush()
                self.voice.telling.event("post_full", reason=str(error))
                return None
            for letter in action.letters:
                self._tell_of_letter(letter)
            return None
        self._ask(action)
        return super().send(action, account)

    def pause(self, session: DealSession, clock: Clock) -> Pause | None:
        """The next end of a window, or the next block, in which others may act."""
        self.voice.objections(self.party.objections())
        if self.party.is_over(session, clock):
            return None
        order = self.party.order(session)
        ends = self.party.ends(session)
        if order is not None:
            ends += windows(session, {order})
        return first_of(ends, clock) or Pause(None)

    def _ask(self, action: Action) -> None:
        if self.voice.yes or action.call in _AGREED or action.call.startswith("prove"):
            return
        words = {"pays": self.voice.money(action.pays)}
        first = action.arguments[0]
        if action.call == "withdraw":
            words["amount"] = self.voice.money(action.arguments[1])
        elif action.call not in ("fund", "close"):
            words["price"] = self.voice.money(first[2][0])
            words["dataset"] = self._dataset(first)
        question = _ASKED.get(action.call, f"Send {action.call}?")
        self.voice.confirm(question.format(**words))

    def _dataset(self, deal: Any) -> str:
        """Id of a deal's dataset, as calls have the deal."""
        for id_, one in self.read().datasets.items():
            if one.args() == deal[1]:
                return f"0x{id_.hex()}"
        return "that is not registered"

    def _ask_for_letter(self, letter: Letter) -> None:
        if self.voice.yes:
            return
        said = letter.message
        if isinstance(said, Proposal):
            doubt = self.party.doubt(said)
            question = f"Propose {self.voice.money(said.price)} to the buyer?"
            self.voice.confirm(f"{question} But {doubt}." if doubt else question)
        elif isinstance(said, Agreement):
            price = self._proposed(said)
            self.voice.confirm(f"Countersign {price} for dataset 0x{said.dataset.hex()}?")

    def _tell_of_letter(self, letter: Letter) -> None:
        said = letter.message
        values: dict[str, Any] = {"to": letter.to, "dataset": f"0x{said.dataset.hex()}"}
        if isinstance(said, Proposal):
            values["price"] = self.voice.money(said.price)
            if doubt := self.party.doubt(said):
                values["undecided"] = doubt
        elif isinstance(said, Agreement):
            values["price"] = self._proposed(said)
        self.voice.telling.event(_SAID.get(type(said), "asked"), **values)

    def _proposed(self, said: Agreement) -> str:
        """The price that an agreement is about: the dataset's seller's, whatever others propose."""
        seller = self.read().datasets[said.dataset].seller
        proposals = (
            one.message
            for one in self.mail.read()
            if isinstance(one.message, Proposal)
            and (one.message.order, one.message.dataset) == (said.order, said.dataset)
            and one.sender == seller
        )
        return self.voice.money(next(proposals).price)


def voice_of(telling: PartyTelling, token: str, yes: bool) -> Voice:
    """Speaks to a party in the coin that pays."""
    coin, decimals = currency(token)
    return Voice(telling, coin, decimals, yes)
