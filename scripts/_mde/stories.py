"""The stories `ape run price --story` can play: who misbehaves, and what must come of it.

The one that misbehaves is the first seller, unless it is the buyer.
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from offchain.crypto.settlement import Settlement
from offchain.mde import events as ev
from offchain.mde.adversaries import (
    AsksTwice,
    FalsePrice,
    FalseScore,
    LateBuyer,
    MovesOn,
    NeverDelivers,
    SwapsData,
    WrongKey,
)
from offchain.mde.buyer import Buyer
from offchain.mde.seller import Seller
from scripts._mde.options import PriceOptions


@dataclass(frozen=True)
class Story:
    """One course of events.

    Attributes:
        title: one line for people.
        seller: what the first seller is. buyer: what the buyer is.
        proof: the event by which the contract must convict the first seller.
        silent: whether the first seller delivers no key.
        pays: whether the buyer buys at all.
        orders: how many the buyer posts.
        refused: a call that somebody tries and the contract must refuse; None if there is none.
        settlement: the only one under which it can happen; None for both.
        checked: whether it needs quotes that the contract can check.
        sellers: how many it needs.
    """

    title: str
    seller: type[Seller] = Seller
    buyer: type[Buyer] = Buyer
    proof: type[ev.Proof] | None = None
    silent: bool = False
    pays: bool = True
    orders: int = 1
    refused: str | None = None
    settlement: str | None = None
    checked: bool = False
    sellers: int = 1

    def fits(self, options: PriceOptions) -> bool:
        """Whether it can happen under these options."""
        settled = options.settlement is None or self.settlement in (None, options.settlement)
        return settled and not (self.checked and options.method != "tree")

    def agreed(self, options: PriceOptions) -> Settlement:
        """The settlement of the order. Raises ClickException where the story cannot happen."""
        if not self.fits(options):
            needs = "--method tree" if self.checked else f"--settlement {self.settlement}"
            raise click.ClickException(f"the story needs {needs}")
        return Settlement[(options.settlement or self.settlement or "open").upper()]


STORIES = {
    "honest": Story("everyone keeps to the rules"),
    "swapped-data": Story(
        "the best seller encrypted other data than it quoted; a chunk proves it",
        seller=SwapsData,
        proof=ev.SpoiltChunkProved,
    ),
    "asks-twice": Story(
        "the best seller asks for a second quote of the same data; the contract refuses",
        seller=AsksTwice,
        refused="quote",
    ),
    "refuses-to-pay": Story(
        "the buyer has its quotes and buys nothing; they expire, and no key was shown",
        buyer=LateBuyer,
        pays=False,
        refused="purchase",
    ),
    "stale-model": Story(
        "the buyer's model moves on; old quotes cannot be bought, new ones are made",
        buyer=MovesOn,
        orders=2,
        sellers=2,
        refused="purchase",
    ),
    "false-score": Story(
        "the best seller misreports one score; the contract walks the tree and takes its stake",
        seller=FalseScore,
        proof=ev.WrongScoreProved,
        checked=True,
    ),
    "false-price": Story(
        "the best seller asks more than its scores give; the contract counts again",
        seller=FalsePrice,
        proof=ev.WrongPriceProved,
        checked=True,
    ),
    "wrong-key": Story(
        "the best seller seals another key to the buyer; the contract takes its stake",
        seller=WrongKey,
        proof=ev.WrongKeyProved,
        settlement="sealed",
    ),
    "no-key": Story(
        "the best seller delivers no key; the price goes back into the budget",
        seller=NeverDelivers,
        silent=True,
    ),
}
