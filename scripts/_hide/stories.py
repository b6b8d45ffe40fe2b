"""The stories `ape run sell --story` can play: who misbehaves, and what must come of it.

The story is about the last buyer: the seller cheats it, or it misbehaves itself. What must come of
it is checked against the chain after the last call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offchain.crypto.settlement import Settlement
from offchain.hide.sale import adversaries
from offchain.hide.sale.buyer import Buyer


@dataclass(frozen=True)
class Story:
    """One course of events.

    Attributes:
        title: one line for people.
        seller: what the seller is, if it cheats the last buyer. buyer: what the last buyer is.
        spoils: whether the file of the level that the last buyer wants has a spoilt chunk.
        punished: whether those who are cheated get a stake besides their money.
        buys: whether the last buyer comes to own anything where nobody cheats it.
        upgrade: whether the first buyer buys a better level later.
        pools: whether two buyers share what they bought.
        refused: call that the contract must refuse, by settlement; none where there is none.
        sealed: whether it can happen under sealed settlement alone.
    """

    title: str
    seller: type[adversaries.Cheat] | None = None
    buyer: type[Buyer] = Buyer
    spoils: bool = False
    punished: bool = False
    buys: bool = True
    upgrade: bool = True
    pools: bool = False
    refused: Callable[[Settlement], str | None] = lambda settlement: None
    sealed: bool = False

    def settlement(self, wanted: str | None) -> Settlement:
        """What the terms say, where `wanted` is open, sealed or None for sealed."""
        return Settlement[(wanted or "sealed").upper()]

    def fits(self, wanted: str | None) -> bool:
        """Whether it can happen under that settlement."""
        return wanted != "open" or not self.sealed

    def cheated(self, wants: Sequence[Sequence[int]]) -> list[set[int]]:
        """For each buyer, given what each wants: the levels at which the seller cheats it."""
        last, level = len(wants) - 1, wants[-1][0]
        return [
            {one for one in wanted if (self.spoils and one == level) or (self.seller and i == last)}
            for i, wanted in enumerate(wants)
        ]


def _dispute(settlement: Settlement) -> str:
    return "proveWrongKey" if settlement is Settlement.SEALED else "proveSpoiltChunk"


STORIES = {
    "honest": Story("everyone keeps to the rules"),
    "never-delivers": Story(
        "the seller sends the last buyer no key; the buyer takes its money back",
        seller=adversaries.NeverDelivers,
    ),
    "wrong-key": Story(
        "the seller seals a wrong key to the last buyer, who proves it and gets the stake",
        seller=adversaries.WrongKey,
        punished=True,
        sealed=True,
    ),
    "spoilt-chunk": Story(
        "the keys are right, but a chunk of a file is spoilt; one chunk proves it",
        spoils=True,
        punished=True,
    ),
    "false-dispute": Story(
        "the last buyer disputes a right delivery; the contract refuses, and the seller is paid",
        buyer=adversaries.FalseAccuser,
        refused=_dispute,
    ),
    "pays-after-closing": Story(
        "the last buyer pays once the listing is closed; it is refused and keeps its money",
        buyer=adversaries.LateBuyer,
        buys=False,
        refused=lambda settlement: "buy",
    ),
    "collusion": Story(
        "two buyers of weak levels pool what they bought; they have the better of the two",
        upgrade=False,
        pools=True,
    ),
}
