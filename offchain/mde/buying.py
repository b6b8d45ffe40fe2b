"""What purchases under a budget are worth, measured by really training on what was bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.budget import Chosen, affordable, at_random, best, choose
from offchain.mde.errors import MdeError
from offchain.mde.oracles import Settings
from offchain.mde.owner import Gain, Owner
from offchain.mde.samples import Samples

_LOOKS = 32
"""Choices after which the owner trains and makes an oracle, to choose by marginal efficacy."""


class TrueGains:
    """What purchases of `sets` truly bring the owner, who trains once for each asked for."""

    def __init__(self, owner: Owner, sets: Sequence[Samples]) -> None:
        self._owner, self.sets = owner, sets
        self._before = owner.performance()
        self._owners: dict[Chosen, Owner] = {}
        self._gains: dict[Chosen, Gain] = {}

    def owner(self, chosen: Chosen) -> Owner:
        """With the sets chosen, in whatever order."""
        key = tuple(sorted(chosen))
        if key not in self._owners:
            self._owners[key] = self._owner.with_bought([self.sets[i] for i in key])
        return self._owners[key]

    def of(self, chosen: Chosen) -> Gain:
        """What training on them brings, on the test set."""
        key = tuple(sorted(chosen))
        if key not in self._gains:
            after = self.owner(key).performance()
            self._gains[key] = Gain(
                self._before.loss - after.loss, after.accuracy - self._before.accuracy
            )
        return self._gains[key]


class MarginalEfficacy:
    """What a further set adds, by the oracle of the owner as it is after what it bought.

    Nothing is trained on the further set: its seller can say it, from the artefact that the owner
    publishes after each purchase.
    """

    def __init__(self, gains: TrueGains, settings: Settings) -> None:
        self._gains, self._settings = gains, settings
        self._scores: dict[Chosen, list[float]] = {}

    def __call__(self, chosen: Chosen, candidate: int) -> float:
        """In the oracle's unit."""
        key = tuple(sorted(chosen))
        if key not in self._scores:
            oracle = self._gains.owner(key).oracle(self._settings)
            self._scores[key] = [oracle.report(one).total for one in self._gains.sets]
        return self._scores[key][candidate]


@dataclass(frozen=True)
class Bought:
    """One way to spend a budget. chosen: sets in their order; cost: wei; gain: on the test set."""

    chosen: Chosen
    cost: int
    gain: Gain


@dataclass(frozen=True)
class Comparison:
    """Three ways to spend the same budget on the same sets at the same prices.

    by_efficacy: what marginal efficacy chooses. random: one for each order drawn. best: of all
    combinations by really training on each, on the test set, which nobody could do before a
    purchase; None where there are too many sets. combinations: how many the budget pays.
    """

    by_efficacy: Bought
    random: tuple[Bought, ...]
    best: Bought | None
    combinations: int

    @property
    def random_loss(self) -> float:
        """Mean fall of the loss of the random purchases."""
        return float(np.mean([one.gain.loss for one in self.random]))

    @property
    def random_accuracy(self) -> float:
        """Mean rise of the accuracy of the random purchases."""
        return float(np.mean([one.gain.accuracy for one in self.random]))


def compare(
    gains: TrueGains,
    prices: Sequence[int],
    budget: int,
    settings: Settings,
    *,
    orders: int = 20,
    exhaustive: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Spend `budget` on the sets of `gains` at `prices`, in wei, in three ways.

    orders: random purchases drawn. exhaustive: try all combinations, each a training.
    progress: called as (done, total) combinations. Raises MdeError for too many sets to try.
    """
    if len(prices) != len(gains.sets) or orders < 1:
        raise MdeError(f"{len(prices)} prices for {len(gains.sets)} sets, {orders} random orders")

    def bought(chosen: Chosen) -> Bought:
        return Bought(chosen, sum(prices[i] for i in chosen), gains.of(chosen))

    rng = generator(seed, "mde random purchases")
    by_chance = tuple(bought(at_random(prices, budget, rng)) for _ in range(orders))
    efficacy = MarginalEfficacy(gains, settings)
    by_efficacy = bought(choose(prices, budget, efficacy, _LOOKS).chosen)
    found, combinations = None, 0
    if exhaustive:
        combinations = len(affordable(prices, budget))
        found = bought(best(prices, budget, lambda c: gains.of(c).loss, progress))
    return Comparison(by_efficacy, by_chance, found, combinations)


def rank_correlation(prices: Sequence[int], gains: Sequence[float]) -> float:
    """Spearman's rho between prices and true gains. Raises MdeError where either are all equal."""
    from scipy.stats import spearmanr  # type: ignore[import-untyped, unused-ignore]

    if len(prices) != len(gains) or len(prices) < 3:
        raise MdeError(f"a rank correlation needs 3 sets or more: {len(prices)}, {len(gains)}")
    if len(set(prices)) == 1 or len(set(gains)) == 1:
        raise MdeError("a rank correlation needs prices and gains that differ")
    return float(spearmanr([float(price) for price in prices], gains).statistic)
