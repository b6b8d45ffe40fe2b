"""Quotes that a contract can check: the integer tree, the encoding, the audit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from eth_hash.auto import keccak
from sklearn.linear_model import LogisticRegression

from offchain.crypto.errors import FileError
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.deals import Order
from offchain.mde.errors import (
    ArtefactError,
    ArtefactMismatch,
    FeatureMismatch,
    MdeError,
    PriceError,
    UnknownLabel,
)
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.pricing import Binary, Piecewise, PriceFunction
from offchain.mde.samples import Kind, Samples, Task
from offchain.mde.verifiable.encoding import Encoding, ordered
from offchain.mde.verifiable.quotes import (
    RepeatedSample,
    WrongPrice,
    WrongScore,
    cut,
    find_fault,
    require_order,
    verifiable_quote,
)
from offchain.mde.verifiable.rules import rule_hash
from offchain.mde.verifiable.scores import ScoreLeaves, running_totals
from offchain.mde.verifiable.tree import load_verifiable

ORDER, KEY = keccak(b"order"), keccak(b"key")
RULE = PriceFunction(Piecewise(((0, 10), (10**9, 10**6))), budget=10**6, floor=5)
FEATURES, CLASSES = 6, 3


def drawn(count, seed, images):
    """Three overlapping classes, as features or as images."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=count)
    values = rng.normal(size=(count, FEATURES)) + np.eye(CLASSES, FEATURES)[labels] * 2
    if images:
        pixels = np.clip(values * 40 + 100, 0, 255).astype(np.uint8).reshape(count, 1, 2, 3)
        return Samples(torch.from_numpy(pixels), torch.from_numpy(labels))
    return Samples(torch.from_numpy(values.astype(np.float32)), torch.from_numpy(labels))


def artefact_file(images, trees=1):
    """An extracted tree's artefact."""
    train = drawn(200, 0, images)
    flat = train.inputs.flatten(1).numpy()
    model = LogisticRegression(max_iter=500).fit(flat, train.labels.numpy())
    settings = ExtractionSettings(trees=trees, leaves=20, depth=6, points=300)

    def ask(inputs):
        return model.predict_proba(np.asarray(inputs).reshape(len(inputs), -1))

    return artefact_bytes(
        extraction(ask, Task(train, drawn(120, 1, images), CLASSES), settings), RULE
    )


@pytest.fixture(scope="module", params=[False, True], ids=["features", "images"])
def sold(request):
    """An artefact and data for it."""
    data = artefact_file(request.param)
    return load_verifiable(data, artefact_digest(data)), drawn(60, 2, request.param)


def chunks_of(verifiable, samples):
    encoding = verifiable.tree.encoding
    return cut(encoding, encoding.pack(samples))


def fault(verifiable, samples, leaves, price):
    data = verifiable.tree.encoding.pack(samples)
    return find_fault(verifiable.tree, RULE, data, ORDER, KEY, leaves, price)


def test_the_whole_numbered_tree_walks_as_the_artefacts_does(sold):
    """Leaf for leaf, on samples it never saw; and the scores agree to a unit."""
    verifiable, samples = sold
    (leaves,) = verifiable.artefact.efficacy.trees
    chunks = chunks_of(verifiable, samples)
    values = samples.inputs.flatten(1).float().numpy()
    ends = [verifiable.tree.left[verifiable.tree.way(chunk)[-1]] for chunk in chunks]
    assert ends == leaves.tree.leaf_of(values).tolist()
    said = verifiable.artefact.quote(samples).scores.tolist()
    given = [verifiable.tree.score(chunk) for chunk in chunks]
    assert max(abs(a - b) for a, b in zip(said, given, strict=True)) <= 1


def test_floats_compare_as_their_images_do():
    """Thresholds themselves, their neighbours, both zeros and the ends of the range."""
    edge = np.float32([0.0, -0.0, 1.5, -1.5, 3e38, -3e38, 1e-45, -1e-45])
    values = np.concatenate([edge, np.nextafter(edge, np.float32(np.inf))])
    images = ordered(values).astype(np.int64)
    assert ((values[:, None] <= values) == (images[:, None] <= images)).all()


def test_samples_come_back_as_they_were_packed(sold):
    verifiable, samples = sold
    kind = verifiable.artefact.efficacy.kind
    encoding = Encoding.of(kind)
    again = encoding.unpack(encoding.pack(samples), kind)
    assert torch.equal(again.inputs, samples.inputs)
    assert torch.equal(again.labels, samples.labels)
    with pytest.raises(FeatureMismatch):
        encoding.unpack(encoding.pack(samples)[:-1], kind)
    with pytest.raises(FeatureMismatch):
        Encoding(FEATURES + 1, encoding.value_bytes).pack(samples)
    with pytest.raises(UnknownLabel):
        encoding.unpack(encoding.pack(samples), Kind(kind.shape, kind.images, 2))
    with pytest.raises(UnknownLabel, match="65536"):
        encoding.pack(Samples(samples.inputs, samples.labels + 65536))


@pytest.mark.parametrize("images", [False, True], ids=["features", "images"])
def test_harm_counts_even_in_what_the_owner_has(images):
    """The report pays nothing for such samples and forgives their harm; the contract would not."""
    data = artefact_file(images)
    verifiable, samples = load_verifiable(data, artefact_digest(data)), drawn(200, 0, images)
    samples = samples.subset(np.unique(samples.hashes(), return_index=True)[1])
    report = verifiable.artefact.efficacy.report(samples)
    assert ((report.weights == 0) & (report.scores < 0)).any()
    quote = verifiable_quote(verifiable, samples, ORDER, KEY)
    assert quote.totals[-1] < 0
    assert fault(verifiable, samples, quote.leaves, quote.price) is None


def test_an_honest_quote_has_no_fault_and_the_rules_price(sold):
    verifiable, samples = sold
    quote = verifiable_quote(verifiable, samples, ORDER, KEY)
    assert quote.price == RULE.price(quote.totals[-1])
    assert fault(verifiable, samples, quote.leaves, quote.price) is None
    quote.leaves.require_quoted(quote.leaves.root, len(samples))
    with pytest.raises(FileError):
        quote.leaves.require_quoted(quote.leaves.root, len(samples) - 1)


def test_every_lie_is_found_at_its_place(sold):
    verifiable, samples = sold
    quote = verifiable_quote(verifiable, samples, ORDER, KEY)
    for at in (0, 31, 59):
        raised = [t + (i >= at) for i, t in enumerate(quote.totals)]
        found = fault(verifiable, samples, ScoreLeaves.of(ORDER, KEY, raised), quote.price)
        assert found == WrongScore(at, quote.totals[at - 1] if at else 0)
    total = quote.totals[-1]
    found = fault(verifiable, samples, quote.leaves, quote.price + 1)
    assert found == WrongPrice(total, quote.price)
    twice = samples.joined(samples.subset([7]))
    scores = [verifiable.tree.score(chunk) for chunk in chunks_of(verifiable, twice)]
    leaves = ScoreLeaves.of(ORDER, KEY, running_totals(scores, [True] * 61))
    assert fault(verifiable, twice, leaves, 0) == RepeatedSample(7, 60)
    with pytest.raises(MdeError, match="samples 7 and 60"):
        verifiable_quote(verifiable, twice, ORDER, KEY)


def test_a_label_the_tree_has_not_is_a_fault(sold):
    verifiable, samples = sold
    quote = verifiable_quote(verifiable, samples, ORDER, KEY)
    labels = samples.labels.clone()
    labels[5] = CLASSES
    wrong = Samples(samples.inputs, labels)
    found = fault(verifiable, wrong, quote.leaves, quote.price)
    assert found == WrongScore(5, quote.totals[4])


def test_harm_is_never_left_out():
    assert running_totals([5, -3, 0, 4], [False, True, False, True]) == [0, -3, -3, 1]
    with pytest.raises(MdeError, match="sample 1"):
        running_totals([5, -3], [True, False])


def test_a_seller_refuses_an_order_that_does_not_follow_from_the_artefact(sold):
    verifiable, _ = sold
    tree = verifiable.tree
    order = Order(
        NATIVE, 1, NATIVE, 1, 1, tree.encoding.features, verifiable.digest, rule_hash(RULE),
        tree.root, tree.depth, tree.encoding.value_bytes, Settlement.OPEN,
    )  # fmt: skip
    require_order(order, verifiable)
    for name, value in {
        "rule": rule_hash(replace(RULE, floor=6)),
        "tree": keccak(tree.root),
        "depth": tree.depth + 1,
        "features": 5,
        "value_bytes": 2,
    }.items():
        with pytest.raises(ArtefactMismatch, match=f"order's {name} is"):
            require_order(replace(order, **{name: value}), verifiable)


def test_only_one_tree_can_be_checked():
    data = artefact_file(False, trees=2)
    with pytest.raises(ArtefactError, match="single"):
        load_verifiable(data, artefact_digest(data))


def test_leaves_with_equal_scores_do_not_show_it(sold):
    """Each has a salt of its own, which only readers of the file know."""
    verifiable, _ = sold
    tree = verifiable.tree
    same = replace(tree, scores=tuple(tree.scores[0] for _ in tree.scores))
    leaf_hashes = [same._hashes[n] for n, feature in enumerate(same.feature) if feature < 0]
    assert len(set(leaf_hashes)) == len(leaf_hashes)
    assert replace(same, secret=bytes(32)).root != same.root


def test_prices_that_no_word_of_the_contract_holds_are_refused():
    with pytest.raises(PriceError, match=r"2\*\*96"):
        rule_hash(PriceFunction(Binary(2**96), budget=2**97))
    with pytest.raises(PriceError, match=r"2\*\*63"):
        rule_hash(PriceFunction(Piecewise(((2**63, 1),)), budget=1))
