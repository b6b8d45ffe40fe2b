"""Sets of huge values, sold for nearly nothing: they break no model and stop no buyer."""

from __future__ import annotations

import pytest
import torch

from offchain.mde import vault
from offchain.mde.artefact import artefact_bytes
from offchain.mde.deals import DealState
from offchain.mde.errors import MdeError
from offchain.mde.owner import Owner
from offchain.mde.pricing import Binary, PriceFunction
from offchain.mde.reach import within_reach
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.training import Trainer
from offchain.mde.verifiable.quotes import cut
from offchain.mde.verifiable.scores import ScoreLeaves, running_totals
from offchain.policy import Limit, Policy
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, MarketInMemory
from tests.offchain.mde.small import drawn, fitted, linear, small_task


@pytest.fixture(scope="module")
def owner():
    task = small_task()
    return Owner(task, task.validation, Trainer(), linear(fitted(task)))


class CountsAll(Seller):
    """Sells values of any size where the tree does not look, and counts each sample as good."""

    column, value = 0, 0.0

    def stock_of(self, samples, token, secrets_file):
        inputs = samples.inputs.clone()
        inputs[:, self.column] = torch.tensor([self.value, -self.value] * (len(inputs) // 2))
        return super().stock_of(Samples(inputs, samples.labels), token, secrets_file)

    def _quoted(self, pricing, order):
        tree = pricing.verifiable.tree
        chunks = cut(tree.encoding, tree.encoding.pack(self.samples))
        scores = [tree.score(chunk) for chunk in chunks]
        totals = running_totals(scores, [True] * len(scores))
        return pricing.price.price(totals[-1]), ScoreLeaves.of(order, self.stock.key, totals)


class Publishes(MarketInMemory):
    """Its buyer makes the artefact of the model that it then has."""

    def publish(self, owner):
        return artefact_bytes(owner.oracle(SETTINGS["tree"]), PRICE)


def spiteful(owner, value: float) -> type[Seller]:
    """A seller of that value in a feature that no tree of the owner's looks at."""
    used = set(owner.oracle(SETTINGS["tree"]).trees[0].tree.feature.tolist())
    column = min(set(range(8)) - used)
    return type("Spiteful", (CountsAll,), {"column": column, "value": value})


@pytest.mark.parametrize("value", [3e38, 1e25, 1e12])
def test_a_set_of_huge_values_is_paid_and_left_out(owner, tmp_path, value):
    """The buyer goes on to the other set, its model as good as before, its budget back."""
    market = Publishes(tmp_path, b"", spiteful(owner, value), Seller)
    market.run()
    assert DealState.SETTLED in {sale.state for sale in market.session.sales.values()}
    after, before = market.buyer.vault.owner_now(), market.buyer.vault.owner
    assert after.performance().accuracy > before.performance().accuracy - 0.1


def test_a_buyer_that_trains_on_all_it_bought_stops_and_leaves_its_budget(
    owner, tmp_path, monkeypatch
):
    """The twin, in which an error of the new artefact reaches the process besides."""
    monkeypatch.setattr(vault, "within_reach", lambda own, more: more)
    market = Publishes(tmp_path, b"", spiteful(owner, 3e38), Seller)
    market.buyer.withdraw = lambda order: pytest.fail("its budget is asked back")
    with pytest.raises(BaseException, match=r"asked back|finite|inf"):
        market.run()
    (order,) = market.session.orders
    assert market.session.books[order].free > 0


def test_a_buyer_whose_model_cannot_be_published_any_more_takes_the_rest_home(owner, tmp_path):
    """As where no validation sample would help it: then nobody can be asked what to buy next."""
    market = Publishes(tmp_path, b"", Seller, Seller)
    first = market.publish(owner)

    def publish(of):
        if len(of.task.train) > len(owner.task.train):
            raise MdeError("no validation sample would help the model")
        return first

    market.buyer.vault.publish = publish
    market.run()
    states = [sale.state for sale in market.session.sales.values()]
    assert sorted(states) == [DealState.QUOTED, DealState.SETTLED]
    (order,) = market.session.orders
    assert market.buyer.objections[order].startswith("nothing more is bought: no validation")


def test_a_rule_that_caps_at_one_wei_buys_what_an_owner_lets_it(owner, tmp_path):
    """The twin's owner has no least price: one wei, and the whole set is the buyer's."""
    file = artefact_bytes(owner.oracle(SETTINGS["tree"]), PriceFunction(Binary(1), 1))
    twin = MarketInMemory(tmp_path / "twin", file, Seller).run()
    assert twin.gains() == [-1, 1]
    market = MarketInMemory(tmp_path / "mended", file, Seller)
    seller = market.roles[1]
    seller.policy = Policy({"price": Limit(least=1_000, unit="wei")})
    market.run()
    assert not market.session.sales
    (why,) = seller.objections.values()
    assert why == "terms refused: price: 1 wei, at least 1000 wei is accepted"


def test_what_is_within_reach():
    """Once the width of each feature beyond it; where one has none, the widest counts."""
    own = Samples(torch.tensor([[0.0, 5.0, 7.0], [1.0, 9.0, 7.0]]), torch.tensor([0, 1]))
    labels = torch.tensor([0, 1, 0, 1, 0])
    more = torch.tensor(
        [[-1.0, 1.0, 3.0], [2.0, 13.0, 11.0], [2.1, 9.0, 7.0], [0.0, 0.9, 7.0], [0.0, 5.0, 12.0]]
    )
    kept = within_reach(own, Samples(more, labels))
    assert kept.inputs.tolist() == more[:2].tolist()
    assert within_reach(own, Samples(more[2:], labels[2:])) is None
    assert within_reach(drawn(50, 1), drawn(20, 2)) is not None
