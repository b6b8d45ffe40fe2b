"""Purchases under a budget, on additive and on overlapping worths."""

from itertools import product

import numpy as np
import pytest

from offchain.mde.budget import affordable, at_random, best, greedy
from offchain.mde.errors import MdeError


def overlapping(covers):
    """The worth of a choice is how many things it covers."""
    return lambda chosen: float(len(set().union(*(covers[i] for i in chosen))))


def marginal(value):
    return lambda chosen, i: value((*chosen, i)) - value(chosen)


def random_market(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 8))
    covers = [set(rng.integers(0, 12, size=4).tolist()) for _ in range(count)]
    prices = rng.integers(0, 9, size=count).tolist()
    return prices, int(rng.integers(0, 25)), overlapping(covers)


@pytest.mark.parametrize("seed", range(30))
def test_no_way_exceeds_the_budget_buys_twice_or_buys_harm(seed):
    prices, budget, value = random_market(seed)
    ways = [
        greedy(prices, budget, marginal(value)),
        at_random(prices, budget, np.random.default_rng(seed)),
        best(prices, budget, value),
    ]
    for chosen in ways:
        assert sum(prices[i] for i in chosen) <= budget
        assert len(set(chosen)) == len(chosen)
        assert all(prices[i] > 0 for i in chosen)
        assert value(ways[2]) >= value(chosen), "none is better than the best"


def test_greedy_does_not_buy_the_same_content_twice():
    value = overlapping([{1, 2, 3}, {1, 2, 3}, {4}])
    assert greedy([2, 2, 2], 100, marginal(value)) == (0, 2)


def test_greedy_goes_by_what_is_added_for_the_price():
    value = overlapping([set(range(10)), set(range(10, 16))])
    assert greedy([10, 3], 10, marginal(value)) == (1,)
    assert greedy([10, 3], 13, marginal(value)) == (1, 0)


def test_affordable_is_every_combination_that_the_budget_pays():
    prices = [3, 0, 5, 4]
    found = set(affordable(prices, 8))
    by_hand = set()
    for taken in product((False, True), repeat=4):
        chosen = tuple(i for i in range(4) if taken[i])
        if 1 not in chosen and sum(prices[i] for i in chosen) <= 8:
            by_hand.add(chosen)
    assert found == by_hand


def test_of_equal_values_the_smallest_purchase_is_best():
    assert best([1, 1], 2, lambda chosen: 0.0) == ()


def test_too_many_sets_and_negative_money_are_refused():
    with pytest.raises(MdeError, match="at most 12 sets are tried in all ways, not 13"):
        affordable([1] * 13, 5)
    with pytest.raises(MdeError, match="0 or more: -1"):
        greedy([1], -1, lambda chosen, i: 1.0)
