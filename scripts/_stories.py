"""The stories `ape run trade --story` can play: who misbehaves, and what must come of it.

Every story is the honest one with one party replaced. What must come of it stands beside it and is
checked against the chain after the last call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offchain.hyperx.terms import Terms


@dataclass(frozen=True)
class Story:
    """One course of events.

    Attributes:
        title: one line for people.
        collector: class of `offchain.hyperx.adversaries` that the collector is, if not honest.
        culprit: class of `offchain.hyperx.adversaries` that one provider is, if one misbehaves.
        worst: whether that is the most corrupted provider; else the least corrupted.
        deal: whether the session must end in one, with the best provider that is left.
        culprit_gains: what the culprit must end up with besides gas, in the smallest unit, once it
            was asked for a review.
        asked: whether the culprit must be asked for a review; if not, it must not be.
        clean: whether the data of one provider is uncorrupted unless a plan says otherwise.
        jilted: whether the best provider disclosed its samples in vain and must be compensated.
        further_reviews: how many the terms allow after a refusal.
        providers: False where nobody comes.
    """

    title: str
    collector: str | None = None
    culprit: str | None = None
    worst: bool = False
    deal: bool = True
    culprit_gains: Callable[[Terms], int] = lambda terms: 0
    asked: Callable[[Terms], bool] = lambda terms: True
    clean: bool = True
    jilted: bool = False
    further_reviews: int = 0
    providers: bool = True


STORIES = {
    "honest": Story("everyone keeps to the rules"),
    "other-features": Story(
        "the worst provider submits features of better data; its review unmasks it",
        culprit="OtherFeatures",
        worst=True,
        # The features of clean data score best only where nobody else's are.
        clean=False,
        # It opened the samples that were asked for, so it gets what the terms promise for them.
        culprit_gains=lambda terms: terms.compensation,
        further_reviews=1,
    ),
    "silent-candidate": Story(
        "the best provider opens no review; the next best is asked",
        culprit="SilentCandidate",
        culprit_gains=lambda terms: -terms.penalty,
    ),
    "no-claim": Story(
        "the chosen provider never claims; the reward goes back",
        culprit="NeverClaims",
        culprit_gains=lambda terms: -terms.deposit,
        deal=False,
    ),
    "vanishing-collector": Story(
        "the collector vanishes after the review; the candidate is compensated",
        collector="VanishingCollector",
        jilted=True,
        deal=False,
    ),
    "idle-collector": Story(
        "the collector never evaluates; all take back what they paid in",
        collector="IdleCollector",
        deal=False,
    ),
    "no-providers": Story(
        "nobody comes until the session expires; the reward goes back",
        collector="IdleCollector",
        deal=False,
        providers=False,
    ),
    "copied-root": Story(
        "a provider registers another's roots as its own; it is neither reviewed nor paid",
        culprit="RootCopier",
        worst=True,
        asked=lambda terms: False,
    ),
    "missing-shard": Story(
        "a sampled shard of the best provider cannot be fetched; the next best is asked",
        culprit="ShardMissing",
        # Published shards are fetched before anybody is asked.
        asked=lambda terms: not terms.published_addresses,
        culprit_gains=lambda terms: terms.compensation,
        further_reviews=1,
    ),
    "wrong-key": Story(
        "the best provider seals a wrong key; the contract takes its whole deposit",
        culprit="WrongKey",
        culprit_gains=lambda terms: -terms.deposit,
    ),
}
