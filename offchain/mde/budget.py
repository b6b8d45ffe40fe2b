"""Which sets to buy under a budget, when sets that are good apart may be worth little together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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


LOOKS = 1024
"""Choices after which `choose` asks what else would add, unless told otherwise."""


@dataclass(frozen=True)
class Choice:
    """What to buy. worth: of all chosen together; at_most: what no choice can exceed, in one unit.

    Where a further set never adds more to more, `at_most` holds, and a choice whose worth it is, is
    the best there is.
    """

    chosen: Chosen
    worth: float
    at_most: float


def choose(prices: Sequence[int], budget: int, marginal: Marginal, looks: int = LOOKS) -> Choice:
    """The affordable sets that are worth most together, by branch and bound.

    prices: in wei; a set of price 0 does harm and is never bought. marginal: what a further set
    adds to what was chosen. It is asked about all affordable sets after at most `looks` choices, 1
    or more: enough for the best of a few sets. Of many, what is chosen is at least as good as the
    best single set and, with as many looks as that takes, as buying by the highest rate of worth
    for the price until the budget is spent; `Choice.at_most` says how far off the best may be.
    """
    _check(prices, budget)
    if looks < 1:
        raise MdeError(f"looks must be 1 or more, not {looks}")
    found = Choice((), 0.0, 0.0)
    root = _looked(prices, budget, marginal, (), 0.0, frozenset())
    open_, spent = [root], 1
    for i, gain in root.gains.items():
        if gain > found.worth:
            found = Choice((i,), gain, gain)
    while open_:
        node = open_.pop()
        if node.worth > found.worth:
            found = Choice(node.chosen, node.worth, node.worth)
        if node.reach <= found.worth or not node.gains:
            continue
        if spent >= looks:
            open_.append(node)
            break
        best = max(node.gains, key=lambda i: (node.gains[i] / prices[i], -i))
        rest = {i: gain for i, gain in node.gains.items() if i != best}
        left = budget - sum(prices[i] for i in node.chosen)
        reach = node.worth + _fractional(prices, left, rest)
        open_.append(_Node(node.chosen, node.worth, reach, rest, node.out | {best}))
        more, worth = (*node.chosen, best), node.worth + node.gains[best]
        open_.append(_looked(prices, budget, marginal, more, worth, node.out))
        spent += 1
    return replace(found, at_most=max([found.worth, *(node.reach for node in open_)]))


def next_best(
    prices: Sequence[int],
    left: int,
    marginal: Marginal,
    chosen: Chosen,
    refused: frozenset[int] = frozenset(),
) -> int | None:
    """The set to buy next with what is `left`, after those `chosen`; None if none is worth it.

    What a set adds after a purchase its seller says after it: until then each counts as if it
    would add to others what it adds now, and the first of the best such choice is bought.

    refused: sets that are out of the question.
    """
    out = {*chosen, *refused}
    free = [0 if i in out else price for i, price in enumerate(prices)]
    adds = {i: marginal(chosen, i) for i, price in enumerate(free) if 0 < price <= left}
    found = choose(free, left, lambda _, i: adds[i]).chosen
    return found[0] if found else None


@dataclass(frozen=True)
class _Node:
    """A choice and all that go on from it: `reach` bounds their worth, `gains` are what each set
    that may follow adds to `chosen`, `out` are sets that none of them has."""

    chosen: Chosen
    worth: float
    reach: float
    gains: dict[int, float]
    out: frozenset[int]


def _looked(
    prices: Sequence[int],
    budget: int,
    marginal: Marginal,
    chosen: Chosen,
    worth: float,
    out: frozenset[int],
) -> _Node:
    left = budget - sum(prices[i] for i in chosen)
    adds = {
        i: marginal(chosen, i)
        for i, price in enumerate(prices)
        if i not in chosen and i not in out and 0 < price <= left
    }
    gains = {i: gain for i, gain in adds.items() if gain > 0}
    return _Node(chosen, worth, worth + _fractional(prices, left, gains), gains, out)


def _fractional(prices: Sequence[int], left: int, gains: dict[int, float]) -> float:
    """What `gains` would come to if parts of sets could be bought: at least what sets come to."""
    reach = 0.0
    for i in sorted(gains, key=lambda i: gains[i] / prices[i], reverse=True):
        if prices[i] >= left:
            return reach + gains[i] * left / prices[i]
        reach, left = reach + gains[i], left - prices[i]
    return reach


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
