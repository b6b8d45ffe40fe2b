"""Which sets to buy under a budget, when sets that are good apart may be worth little together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from offchain.data.imageset import Progress
from offchain.mde.errors import MdeError

MAX_EXHAUSTIVE = 12
"""Most sets that are tried in all combinations: 4,096 of them."""

Chosen = tuple[int, ...]
"""Indices of sets, in the order in which they are bought."""

Marginal = Callable[[Chosen, int], float]
"""What a further set would add to what was chosen, in any unit; above 0 is worth money."""


def greedy(prices: Sequence[int], budget: int, marginal: Marginal) -> Chosen:
    """Buys, as long as it can, the set that adds most for its price.

    prices: in wei; a set of price 0 does harm and is never bought. marginal: is asked for every
    affordable set before each purchase, so that what the chosen ones have already counts.
    """
    _check(prices, budget)
    chosen: Chosen = ()
    left = budget
    while (found := next_best(prices, left, marginal, chosen)) is not None:
        chosen += (found,)
        left -= prices[found]
    return chosen


def next_best(
    prices: Sequence[int],
    left: int,
    marginal: Marginal,
    chosen: Chosen,
    refused: frozenset[int] = frozenset(),
) -> int | None:
    """The set to buy next with what is `left`, after those `chosen`; None if none is worth it.

    refused: sets that are out of the question.
    """
    rates = {
        i: marginal(chosen, i) / price
        for i, price in enumerate(prices)
        if i not in chosen and i not in refused and 0 < price <= left
    }
    best = max(rates, key=lambda i: (rates[i], -i), default=None)
    return None if best is None or rates[best] <= 0 else best


def at_random(prices: Sequence[int], budget: int, rng: np.random.Generator) -> Chosen:
    """Buys in random order whatever it still can. Sets of price 0 are left out, as by all here."""
    _check(prices, budget)
    chosen: Chosen = ()
    left = budget
    for i in rng.permutation(len(prices)).tolist():
        if 0 < prices[i] <= left:
            chosen += (i,)
            left -= prices[i]
    return chosen


def affordable(prices: Sequence[int], budget: int) -> list[Chosen]:
    """All combinations that the budget pays, the empty one among them, indices ascending.

    Raises MdeError for more than MAX_EXHAUSTIVE sets with a price.
    """
    _check(prices, budget)
    offered = [i for i, price in enumerate(prices) if price > 0]
    if len(offered) > MAX_EXHAUSTIVE:
        raise MdeError(f"at most {MAX_EXHAUSTIVE} sets are tried in all ways, not {len(offered)}")
    return [
        chosen
        for size in range(len(offered) + 1)
        for chosen in combinations(offered, size)
        if sum(prices[i] for i in chosen) <= budget
    ]


def best(
    prices: Sequence[int],
    budget: int,
    value: Callable[[Chosen], float],
    progress: Progress | None = None,
) -> Chosen:
    """The affordable combination of the highest `value`; of equal ones the smallest.

    progress: called as (done, total) combinations.
    """
    found = affordable(prices, budget)
    values = []
    for chosen in found:
        values.append(value(chosen))
        if progress is not None:
            progress(len(values), len(found))
    return found[int(np.argmax(values))]


def _check(prices: Sequence[int], budget: int) -> None:
    if budget < 0 or any(price < 0 for price in prices):
        raise MdeError(f"budget and prices are 0 or more: {budget}, {min(prices, default=0)}")
