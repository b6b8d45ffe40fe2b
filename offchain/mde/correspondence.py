"""The letters about one dataset under one order, as both sides read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from offchain.mde.deals import Deal, Quote
from offchain.mde.letters import Agreement, Answer, Invitation, Proposal, Question
from offchain.mde.session import DealSession

About = TypeVar("About", Invitation, Proposal, Agreement, Question, Answer)


@dataclass(frozen=True)
class Correspondence:
    """What buyer and seller said to each other. order, dataset: ids that the session knows."""

    session: DealSession
    order: bytes
    dataset: bytes

    @property
    def buyer(self) -> str:
        """0x account of whose order it is."""
        return self.session.orders[self.order].buyer

    @property
    def seller(self) -> str:
        """0x account of whose dataset it is."""
        return self.session.datasets[self.dataset].seller

    def by_buyer(self, kind: type[About]) -> list[About]:
        """What the buyer said, of one kind."""
        return self._about(kind, self.buyer, self.seller)

    def by_seller(self, kind: type[About]) -> list[About]:
        """What the seller said, of one kind."""
        return self._about(kind, self.seller, self.buyer)

    def deal(self, proposal: Proposal) -> Deal:
        """What is proposed, as both sign it."""
        quote = Quote(proposal.price, proposal.expiry, proposal.scores)
        return Deal(self.session.orders[self.order], self.session.datasets[self.dataset], quote)

    def agreement(self, proposal: Proposal) -> Agreement | None:
        """The buyer's signature of a proposal, if it gave one."""
        deal = self.deal(proposal)
        if not deal.quote.fits:
            return None
        digest = deal.digest(self.session.place)
        found = (one for one in self.by_buyer(Agreement) if one.digest == digest)
        return next(found, None)

    def signed(self) -> Proposal | None:
        """The proposal that the buyer signed."""
        found = (one for one in self.by_seller(Proposal) if self.agreement(one) is not None)
        return next(found, None)

    def question(self, bought: int) -> Question | None:
        """What the buyer asked after so many purchases."""
        found = (one for one in self.by_buyer(Question) if one.bought == bought)
        return next(found, None)

    def answer(self, bought: int) -> Answer | None:
        """What the seller says that its dataset would add after so many purchases."""
        found = (one for one in self.by_seller(Answer) if one.bought == bought)
        return next(found, None)

    def _about(self, kind: type[About], sender: str, to: str) -> list[About]:
        said = self.session.said(kind, sender, to)
        return [one for one in said if (one.order, one.dataset) == (self.order, self.dataset)]
