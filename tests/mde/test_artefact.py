"""From an artefact file to the money: a real tree, real data, and what each side does by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from offchain.crypto.disputable import open_chunks
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.deals import DealState
from offchain.mde.errors import ArtefactMismatch
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.samples import Samples, Task
from offchain.mde.verifiable.quotes import (
    WrongScore,
    cut,
    find_fault,
    order_terms,
    require_order,
    require_registered,
    verifiable_quote,
)
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.mde.verifiable.tree import load_verifiable
from tests.kit.refusals import refused
from tests.kit.sale import PLENTY, STAKE
from tests.mde.deal_driver import make_market

FEATURES, CLASSES, SAMPLES = 8, 3, 40
RULE = PriceFunction(Piecewise(((0, 10), (10**9, 10**5))), budget=10**5, floor=5)


def drawn(count, seed):
    """Three overlapping classes of features."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    values = rng.normal(size=(count, FEATURES)) + np.eye(CLASSES, FEATURES)[labels]
    return Samples(torch.from_numpy(values.astype(np.float32)), torch.from_numpy(labels))


@pytest.fixture(scope="module")
def file():
    """The buyer's artefact file: a tree extracted from its model."""
    task = Task(drawn(300, 0), drawn(150, 1), CLASSES)
    model = LogisticRegression(max_iter=500).fit(task.train.inputs.numpy(), task.train.labels)
    oracle = extraction(
        lambda inputs: model.predict_proba(inputs), task, ExtractionSettings(leaves=24, points=400)
    )
    return artefact_bytes(oracle, RULE)


@pytest.fixture
def parties(contract, buyer, seller, settlement, file):
    """The buyer's order and the seller's dataset; the seller has the file and checked the order."""
    verifiable = load_verifiable(file, artefact_digest(file))
    samples = drawn(SAMPLES, 2)
    encoding = verifiable.tree.encoding
    market = make_market(
        contract, buyer, seller, tree=verifiable.tree, rule=RULE, settlement=settlement,
        chunks=cut(encoding, encoding.pack(samples)), artefact=verifiable.digest,
    )  # fmt: skip
    terms = order_terms(verifiable)
    assert terms == {name: getattr(market.order, name) for name in terms}
    require_order(market.order, verifiable)
    market.post()
    market.register()
    return verifiable, samples, market


def quote_as(market, price, leaves):
    """The seller's words, which the buyer signs: it holds the leaves and the encrypted file."""
    market.leaves = leaves
    quote = replace(market.deal.quote, price=price, scores=leaves.root)
    market.deal = replace(market.deal, quote=quote)
    require_registered(market.dataset, market.place, market.file)
    leaves.require_quoted(quote.scores, market.dataset.count)
    market.quote()
    market.buy()
    return market.received(market.deliver())


def audit(market, key):
    """What the buyer finds with the key it received."""
    data = open_chunks(market.domain, key, market.file)
    order = market.order.account.id(market.place)
    return find_fault(market.tree, RULE, data, order, key, market.leaves, market.price)


def test_an_honest_quote_is_paid(parties):
    verifiable, samples, market = parties
    order = market.order.account.id(market.place)
    fair = verifiable_quote(verifiable, samples, order, market.key)
    key = quote_as(market, fair.price, fair.leaves)
    assert audit(market, key) is None
    for i in range(0, SAMPLES, 13):
        evidence = market.score_evidence(i, fair.totals[i - 1] if i else 0)
        outcome = market.refusal("proveWrongScore", *market.both, key, evidence)
        assert outcome == refused("ScoreIsRight", i)
    market.accept()
    assert market.funds == (PLENTY + fair.price, 0)


@pytest.mark.parametrize("at", [0, 17, SAMPLES - 1])
def test_one_misreported_score_is_found_and_proved(parties, at):
    """The buyer shows its own finding; stake and price are in its budget."""
    verifiable, samples, market = parties
    order = market.order.account.id(market.place)
    fair = verifiable_quote(verifiable, samples, order, market.key)
    totals = [t + (10**8 if i >= at else 0) for i, t in enumerate(fair.totals)]
    lied = ScoreLeaves.of(order, market.key, totals)
    key = quote_as(market, RULE.price(totals[-1]), lied)
    found = audit(market, key)
    assert found == WrongScore(at, fair.totals[at - 1] if at else 0)
    evidence = market.score_evidence(found.index, found.before)
    market.contract.proveWrongScore(*market.both, key, evidence, sender=market.buyer)
    assert market.state is DealState.CHEATED
    assert market.budget == (PLENTY + STAKE, 0)


def test_an_order_that_does_not_follow_from_the_artefact_is_not_signed(parties, file):
    """The file must have the order's digest, and the order all that follows from the file."""
    verifiable, _, market = parties
    changed = file[:-1] + bytes([file[-1] ^ 1])
    with pytest.raises(ArtefactMismatch):
        load_verifiable(changed, market.order.artefact)
    with pytest.raises(ArtefactMismatch, match="tree"):
        require_order(replace(market.order, tree=bytes(32)), verifiable)
