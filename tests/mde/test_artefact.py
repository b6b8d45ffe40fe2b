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
from tests.mde.deal_driver import make_deal

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
    sale = make_deal(
        contract, buyer, seller, tree=verifiable.tree, rule=RULE, settlement=settlement,
        chunks=cut(encoding, encoding.pack(samples)), artefact=verifiable.digest,
    )  # fmt: skip
    terms = order_terms(verifiable)
    assert terms == {name: getattr(sale.order, name) for name in terms}
    require_order(sale.order, verifiable)
    sale.post()
    sale.register()
    return verifiable, samples, sale


def quote_as(sale, price, leaves):
    """The seller's words, which the buyer signs: it holds the leaves and the encrypted file."""
    sale.leaves = leaves
    quote = replace(sale.deal.quote, price=price, scores=leaves.root)
    sale.deal = replace(sale.deal, quote=quote)
    require_registered(sale.dataset, sale.place, sale.file)
    leaves.require_quoted(quote.scores, sale.dataset.count)
    sale.quote()
    sale.buy()
    return sale.received(sale.deliver())


def audit(sale, key):
    """What the buyer finds with the key it received."""
    data = open_chunks(sale.domain, key, sale.file)
    order = sale.order.account.id(sale.place)
    return find_fault(sale.tree, RULE, data, order, key, sale.leaves, sale.price)


def test_an_honest_quote_is_paid(parties):
    verifiable, samples, sale = parties
    order = sale.order.account.id(sale.place)
    fair = verifiable_quote(verifiable, samples, order, sale.key)
    key = quote_as(sale, fair.price, fair.leaves)
    assert audit(sale, key) is None
    for i in range(0, SAMPLES, 13):
        evidence = sale.score_evidence(i, fair.totals[i - 1] if i else 0)
        outcome = sale.refusal("proveWrongScore", *sale.both, key, evidence)
        assert outcome == refused("ScoreIsRight", i)
    sale.accept()
    assert sale.funds == (PLENTY + fair.price, 0)


@pytest.mark.parametrize("at", [0, 17, SAMPLES - 1])
def test_one_misreported_score_is_found_and_proved(parties, at):
    """The buyer shows its own finding; stake and price are in its budget."""
    verifiable, samples, sale = parties
    order = sale.order.account.id(sale.place)
    fair = verifiable_quote(verifiable, samples, order, sale.key)
    totals = [t + (10**8 if i >= at else 0) for i, t in enumerate(fair.totals)]
    lied = ScoreLeaves.of(order, sale.key, totals)
    key = quote_as(sale, RULE.price(totals[-1]), lied)
    found = audit(sale, key)
    assert found == WrongScore(at, fair.totals[at - 1] if at else 0)
    evidence = sale.score_evidence(found.index, found.before)
    sale.contract.proveWrongScore(*sale.both, key, evidence, sender=sale.buyer)
    assert sale.state is DealState.CHEATED
    assert sale.budget == (PLENTY + STAKE, 0)


def test_an_order_that_does_not_follow_from_the_artefact_is_not_signed(parties, file):
    """The file must have the order's digest, and the order all that follows from the file."""
    verifiable, _, sale = parties
    changed = file[:-1] + bytes([file[-1] ^ 1])
    with pytest.raises(ArtefactMismatch):
        load_verifiable(changed, sale.order.artefact)
    with pytest.raises(ArtefactMismatch, match="tree"):
        require_order(replace(sale.order, tree=bytes(32)), verifiable)
