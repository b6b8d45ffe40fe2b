"""A market of real digits, small: prices follow the truth, and purchases what they promise."""

import pytest

from offchain.data.datasets import load_dataset
from offchain.mde.artefact import artefact_digest, load_artefact
from offchain.mde.buying import TrueGains, compare, rank_correlation
from offchain.mde.errors import MdeError
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.owner import Owner
from offchain.mde.partition import Owned, Plan, lay_out
from offchain.mde.publishing import METHODS, Purse, publish
from offchain.mde.training import Trainer
from tests.kit.units import ETHER

PURSE = Purse(ETHER, ETHER // 100)
PLAN = "useful,mixed,ordinary,redundant,mislabelled,irrelevant"
SETTINGS = ExtractionSettings(points=2_000)


@pytest.fixture(scope="module")
def market():
    owned = Owned(plenty=150, lacking=4, validation=300, test=500)
    data = lay_out(load_dataset("digits", size=8), Plan.parse(PLAN, 40), owned)
    return data, Owner.of(data, Trainer(steps=60))


@pytest.fixture(scope="module")
def prices(market):
    data, owner = market
    file = publish(owner, SETTINGS, PURSE, 40)
    artefact = load_artefact(file, artefact_digest(file))
    return {one.kind: artefact.quote(one.samples).price for one in data.holdings}


def test_redundant_is_at_the_floor_harmful_at_nothing_useful_above_both(prices):
    assert prices["redundant"] == PURSE.floor
    assert prices["irrelevant"] == prices["mislabelled"] == 0
    assert prices["useful"] > prices["mixed"] > PURSE.floor
    assert max(prices.values()) <= PURSE.most


def test_prices_rank_sets_as_really_training_on_them_does(market, prices):
    data, owner = market
    gains = [owner.gain([one.samples]).loss for one in data.holdings]
    assert rank_correlation(list(prices.values()), gains) > 0.5


def test_under_a_tight_budget_efficacy_beats_chance_and_none_beats_the_best(market, prices):
    data, owner = market
    sets = [one.samples for one in data.holdings]
    budget = prices["useful"] + PURSE.floor
    gains = TrueGains(owner, sets)
    found = compare(gains, list(prices.values()), budget, SETTINGS, orders=6)
    assert found.best is not None
    ways = [found.by_efficacy, found.best, *found.random]
    assert all(way.cost <= budget for way in ways)
    assert all(way.gain.loss <= found.best.gain.loss for way in ways)
    assert found.by_efficacy.gain.loss > found.random_loss
    without = compare(gains, list(prices.values()), budget, SETTINGS, orders=1, exhaustive=False)
    assert without.best is None
    assert without.by_efficacy == found.by_efficacy


def test_buying_nothing_changes_nothing_and_order_does_not_matter(market):
    data, owner = market
    gains = TrueGains(owner, [one.samples for one in data.holdings])
    nothing = gains.of(())
    assert (nothing.loss, nothing.accuracy) == (0, 0)
    assert gains.of((1, 0)) is gains.of((0, 1))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_an_artefact_that_prices_useful_above_redundant(market, method):
    data, owner = market
    file = publish(owner, METHODS[method], PURSE, 40)
    artefact = load_artefact(file, artefact_digest(file))
    useful, redundant = (artefact.quote(data.holdings[i].samples).price for i in (0, 3))
    assert useful > redundant == PURSE.floor


def test_a_correlation_of_equal_prices_is_refused():
    with pytest.raises(MdeError, match="prices and gains that differ"):
        rank_correlation([1, 1, 1], [0.1, 0.2, 0.3])
    with pytest.raises(MdeError, match="3 sets or more: 2, 2"):
        rank_correlation([1, 2], [0.1, 0.2])
