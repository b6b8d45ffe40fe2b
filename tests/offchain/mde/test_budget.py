"""Purchases under a budget, on additive and on overlapping worths."""

from itertools import product

import numpy as np
import pytest

from offchain.mde.budget import affordable, at_random, best, choose, next_best
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
        choose(prices, budget, marginal(value)).chosen,
        at_random(prices, budget, np.random.default_rng(seed)),
        best(prices, budget, value),
    ]
    for chosen in ways:
        assert sum(prices[i] for i in chosen) <= budget
        assert len(set(chosen)) == len(chosen)
        assert all(prices[i] > 0 for i in chosen)
        assert value(ways[2]) >= value(chosen), "none is better than the best"


def test_it_does_not_buy_the_same_content_twice():
    value = overlapping([{1, 2, 3}, {1, 2, 3}, {4}])
    assert choose([2, 2, 2], 100, marginal(value)).chosen == (0, 2)


def test_what_adds_most_for_its_price_comes_first_where_the_budget_pays_both():
    value = overlapping([set(range(10)), set(range(10, 16))])
    assert choose([10, 3], 10, marginal(value)).chosen == (0,)
    assert choose([10, 3], 13, marginal(value)).chosen == (1, 0)


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
        choose([1], -1, lambda chosen, i: 1.0)


def additive(gains):
    return lambda chosen, i: gains[i]


def test_a_cheap_set_of_a_better_rate_does_not_keep_the_large_one_out():
    gains = [1.01, 100.0]
    assert choose([1, 100], 100, additive(gains)).chosen == (1,)
    assert next_best([1, 100], 100, additive(gains), ()) == 1
    assert choose([1, 100], 101, additive(gains)).chosen == (0, 1)


@pytest.mark.parametrize("seed", range(40))
def test_few_sets_are_chosen_as_by_trying_all(seed):
    prices, budget, value = random_market(seed)
    found = choose(prices, budget, marginal(value))
    assert found.worth == value(found.chosen) == value(best(prices, budget, value))
    assert found.at_most == found.worth


@pytest.mark.parametrize("seed", range(40))
def test_prices_in_wei_and_worths_apart_are_chosen_as_by_trying_all(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 12))
    gains = rng.normal(1, 1, count).tolist()
    prices = (10**18 * rng.lognormal(0, 1, count)).astype(object).tolist()
    prices = [int(price) for price in prices]
    budget = int(sum(prices) * rng.uniform(0, 1))
    found = choose(prices, budget, additive(gains))
    most = max(sum(gains[i] for i in c) for c in affordable(prices, budget))
    assert found.worth == pytest.approx(most)
    assert sum(gains[i] for i in found.chosen) == pytest.approx(found.worth)


@pytest.mark.parametrize("seed", range(10))
def test_of_many_sets_the_bound_holds_and_few_looks_are_taken(seed):
    rng = np.random.default_rng(seed)
    covers = [set(rng.integers(0, 60, size=8).tolist()) for _ in range(12)]
    prices = rng.integers(3, 12, size=12).tolist()
    value, asked = overlapping(covers), set()

    def counted(chosen, i):
        asked.add(chosen)
        return marginal(value)(chosen, i)

    found = choose(prices, 30, counted, looks=12)
    most = value(best(prices, 30, value))
    assert len(asked) <= 12
    assert most <= found.at_most + 1e-9
    assert found.worth >= (1 - np.exp(-1)) / 2 * most
    single = max(value((i,)) for i in range(12))
    assert found.worth >= single


def test_the_next_set_is_not_one_that_was_bought_or_refused():
    gains = [5.0, 4.0, 3.0]
    assert next_best([1, 1, 1], 2, additive(gains), (0,)) == 1
    assert next_best([1, 1, 1], 2, additive(gains), (0,), frozenset({1})) == 2
    assert next_best([1, 1, 1], 0, additive(gains), ()) is None
    assert next_best([1, 1], 5, additive([0.0, -1.0]), ()) is None
