"""The stories `ape run trade --story` can play: who misbehaves, and what must come of it.

Every story is the honest one with one party replaced. What must come of it stands beside it and is
checked against the chain after the last call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offchain.crypto.settlement import Settlement
from offchain.hyperx import adversaries
from offchain.hyperx.collector import Collector
from offchain.hyperx.provider import Provider
from offchain.hyperx.terms import Terms


@dataclass(frozen=True)
class Story:
    """One course of events.

    Attributes:
        title: one line for people.
        collector: what the collector is.
        culprit: what one provider is, if one misbehaves.
        worst: whether that is the most corrupted provider; else the least corrupted.
        deal: whether the session must end in one, with the best provider that is left.
        culprit_gains: what the culprit must end up with besides gas, in the smallest unit, once it
            was asked for a review.
        asked: whether the culprit must be asked for a review; if not, it must not be.
        clean: whether the data of one provider is uncorrupted unless a plan says otherwise.
        burns: whether the collector declares rubbish what it does not accept, unless told to
            refuse it; if not, it refuses and compensates it.
        jilted: whether the best provider disclosed its samples in vain and must be compensated.
        further_reviews: how many the terms allow after a refusal.
        sealed: whether it can happen under sealed settlement alone.
        refused: a call that somebody tries and the contract must refuse; None if there is none.
        providers: False where nobody comes.
    """

    title: str
    collector: type[Collector] = Collector
    culprit: type[Provider] | None = None
    worst: bool = False
    deal: bool = True
    culprit_gains: Callable[[Terms], int] = lambda terms: 0
    asked: Callable[[Terms], bool] = lambda terms: True
    clean: bool = True
    burns: bool = True
    jilted: bool = False
    further_reviews: int = 0
    sealed: bool = False
    refused: str | None = None
    providers: bool = True

    def settlement(self, wanted: str | None) -> Settlement:
        """What the terms say, where `wanted` is open, sealed or None for whatever it needs."""
        return Settlement[(wanted or ("sealed" if self.sealed else "open")).upper()]

    def fits(self, wanted: str | None) -> bool:
        """Whether it can happen under that settlement."""
        return wanted != "open" or not self.sealed


STORIES = {
    "honest": Story("everyone keeps to the rules"),
    "other-features": Story(
        "the worst provider submits features of better data; its review is refused",
        culprit=adversaries.OtherFeatures,
        worst=True,
        # The features of clean data score best only where nobody else's are.
        clean=False,
        # It opened the samples that were asked for, so it gets what the terms promise for them.
        culprit_gains=lambda terms: terms.compensation,
        burns=False,
        further_reviews=1,
    ),
    "rubbish": Story(
        "the same, and the collector declares its review rubbish; both lose",
        culprit=adversaries.OtherFeatures,
        worst=True,
        clean=False,
        culprit_gains=lambda terms: -terms.burn,
        further_reviews=1,
    ),
    "silent-candidate": Story(
        "the best provider opens no review; the next best is asked",
        culprit=adversaries.SilentCandidate,
        culprit_gains=lambda terms: -terms.penalty,
    ),
    "no-claim": Story(
        "the chosen provider never claims; the reward goes back",
        culprit=adversaries.NeverClaims,
        culprit_gains=lambda terms: -terms.deposit,
        deal=False,
    ),
    "vanishing-collector": Story(
        "the collector vanishes after the review; the candidate is compensated",
        collector=adversaries.VanishingCollector,
        jilted=True,
        deal=False,
    ),
    "idle-collector": Story(
        "the collector never evaluates; all take back what they paid in",
        collector=adversaries.IdleCollector,
        deal=False,
    ),
    "no-providers": Story(
        "nobody comes until the session expires; the reward goes back",
        collector=adversaries.IdleCollector,
        deal=False,
        providers=False,
    ),
    "copied-root": Story(
        "a provider registers another's roots as its own; it is neither reviewed nor paid",
        culprit=adversaries.RootCopier,
        worst=True,
        asked=lambda terms: False,
    ),
    "missing-shard": Story(
        "a sampled shard of the best provider cannot be fetched; the next best is asked",
        culprit=adversaries.ShardMissing,
        # Published shards are fetched before anybody is asked.
        asked=lambda terms: not terms.published_addresses,
        # Who withholds a shard and who is kept away look the same: nothing is burned for either.
        culprit_gains=lambda terms: terms.compensation,
        further_reviews=1,
    ),
    "wrong-key": Story(
        "the best provider seals a wrong key; the contract takes its whole deposit",
        culprit=adversaries.WrongKey,
        culprit_gains=lambda terms: -terms.deposit,
    ),
    "wrong-delivery": Story(
        "the chosen provider delivers a wrong key; the contract takes its whole deposit",
        culprit=adversaries.WrongDelivery,
        culprit_gains=lambda terms: -terms.deposit,
        deal=False,
        sealed=True,
    ),
    "false-dispute": Story(
        "the collector disputes a right key; the contract refuses, and the provider is paid",
        collector=adversaries.FalseAccuser,
        refused="proveWrongDelivery",
        sealed=True,
    ),
}
