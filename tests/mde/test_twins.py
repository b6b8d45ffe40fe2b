"""The Solidity of verifiable quotes and deals, and its Python twins, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ape
import numpy as np
import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import encrypt_chunks, open_chunks
from offchain.crypto.errors import FileError
from offchain.crypto.settlement import Settlement
from offchain.mde.deals import Deal, Quote, dataset_domain
from offchain.mde.pricing import Binary, Menu, Piecewise, PriceFunction
from offchain.mde.verifiable.encoding import Encoding, label_of
from offchain.mde.verifiable.quotes import require_registered
from offchain.mde.verifiable.rules import price_rule, rule_hash
from offchain.mde.verifiable.scores import ScoreLeaves, running_totals, score_leaf
from offchain.mde.verifiable.tree import CommittedTree
from tests.kit.refusals import refusal
from tests.kit.sale import spoil
from tests.kit.solidity import compile_contracts
from tests.mde.deal_driver import chunk_of, make_deal, place_of

HARNESS = "tests/invariants/QuotesHarness.sol"
SEEDS = range(6)


@pytest.fixture(scope="module")
def harness(project, deployer):
    """The libraries' internal functions, callable."""
    source = (Path(project.path) / HARNESS).read_text()
    containers = compile_contracts({"QuotesHarness": HARNESS}, {HARNESS: source})
    return deployer.deploy(containers["QuotesHarness"])


@pytest.fixture
def rng(seed):
    """Random inputs that depend on the seed alone."""
    return np.random.default_rng(seed)


def drawn_tree(rng, encoding, classes):
    """A random tree of any shape, a single leaf included."""
    feature, threshold, left, right, scores = [], [], [], [], []
    most = 256**encoding.value_bytes

    def grow(depth):
        node = len(feature)
        for row in (feature, threshold, left, right):
            row.append(-1)
        if depth == 0 or rng.random() < 0.2:
            left[node] = len(scores)
            scores.append(tuple(int(s) for s in rng.integers(-(2**62), 2**62, size=classes)))
            threshold[node] = 0
            return node
        feature[node] = int(rng.integers(encoding.features))
        threshold[node] = int(rng.integers(most))
        left[node], right[node] = grow(depth - 1), grow(depth - 1)
        return node

    grow(int(rng.integers(0, 7)))
    rows = (tuple(row) for row in (feature, threshold, left, right))
    return CommittedTree(encoding, *rows, tuple(scores), rng.bytes(32))


def drawn_chunk(rng, encoding, classes):
    """A random sample."""
    values = [int(v) for v in rng.integers(256**encoding.value_bytes, size=encoding.features)]
    return chunk_of(int(rng.integers(classes)), values, encoding)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_read_a_sample_and_walk_a_tree_alike(harness, rng):
    encoding = Encoding(int(rng.integers(1, 60)), int(rng.choice([1, 2, 4])))
    classes = int(rng.integers(1, 12))
    tree = drawn_tree(rng, encoding, classes)
    shape = (encoding.features, encoding.value_bytes)
    for _ in range(4):
        chunk = drawn_chunk(rng, encoding, classes)
        assert harness.label(chunk) == label_of(chunk)
        values = encoding.values(chunk)
        for feature in {0, encoding.features // 2, encoding.features - 1}:
            assert harness.value(chunk, feature, *shape) == values[feature]
        path = tree.path(chunk)
        args = (tree.root, tree.depth, *shape, chunk, path)
        assert refusal(harness.requireWay, *args, sender=harness) is None
        known, score = harness.scoreOf(path[2], label_of(chunk))
        assert (known, score) == (True, tree.score(chunk))
        assert not harness.scoreOf(path[2], classes)[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_both_bind_a_sample_to_its_file(harness, rng):
    encoding = Encoding(int(rng.integers(1, 60)), int(rng.choice([1, 4])))
    count, key = int(rng.integers(1, 40)), rng.bytes(32)
    domain = dataset_domain(place_of(harness), harness.address, rng.bytes(32))
    chunks = [drawn_chunk(rng, encoding, 3) for _ in range(count)]
    file = encrypt_chunks(domain, key, b"".join(chunks), encoding.chunk_bytes)
    head = (domain.digest, file.commitment(domain), count, encoding.chunk_bytes, key)
    root = cm.root_of(file.cipher_leaves(domain))
    for i in {0, count // 2, count - 1}:
        sample = (i, chunks[i], cm.path(file.plain_leaves, i))
        assert refusal(harness.requireIn, *head, root, sample, sender=harness) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_both_total_scores_alike(harness, rng):
    """The contract calls each of the leaves of the twin right, and any other wrong."""
    encoding, classes = Encoding(3, 1), 4
    tree = drawn_tree(rng, encoding, classes)
    count, order, key = int(rng.integers(1, 30)), rng.bytes(32), rng.bytes(32)
    chunks = [drawn_chunk(rng, encoding, classes) for _ in range(count)]
    scores = [tree.score(chunk) for chunk in chunks]
    counted = [score < 0 or rng.random() < 0.7 for score in scores]
    totals = running_totals(scores, counted)
    leaves = ScoreLeaves.of(order, key, totals)
    for i in {0, count // 2, count - 1}:
        assert harness.leafOf(order, key, i, totals[i]) == score_leaf(order, key, i, totals[i])
        before = leaves.path(i - 1) if i else []
        evidence = (
            bytes(32), (i, chunks[i], []), tree.path(chunks[i]), totals[i - 1] if i else 0, before,
            leaves.leaves[i], leaves.path(i),
        )  # fmt: skip
        args = (leaves.root, order, count, key, evidence)
        assert refusal(harness.requireMisreported, *args, sender=harness).name == "ScoreIsRight"
        lied = [
            *leaves.leaves[:i],
            score_leaf(order, key, i, totals[i] + 1),
            *leaves.leaves[i + 1 :],
        ]
        wrong = ScoreLeaves(tuple(lied))
        before = wrong.path(i - 1) if i else []
        evidence = (*evidence[:4], before, lied[i], wrong.path(i))
        args = (wrong.root, order, count, key, evidence)
        assert refusal(harness.requireMisreported, *args, sender=harness) is None


def drawn_rule(rng):
    """A random price function of any kind."""
    scores = sorted({int(s) for s in rng.integers(-(10**9), 10**9, size=rng.integers(1, 9))})
    prices = sorted(int(p) for p in rng.integers(10**6, 10**18, size=len(scores)))
    points = tuple(zip(scores, prices, strict=True))
    kind = rng.integers(3)
    curve = Binary(prices[0]) if kind == 0 else (Piecewise if kind == 1 else Menu)(points)
    cap = int(rng.integers(10**6, 10**18))
    return PriceFunction(
        curve,
        budget=10**18,
        floor=int(rng.integers(10**6)),
        cap=cap,
        harmful=-int(rng.integers(10**9)),
        useful=int(rng.integers(10**9)),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_both_price_alike(harness, rng):
    rule = drawn_rule(rng)
    given = price_rule(rule)
    assert harness.ruleHash(given) == rule_hash(rule)
    knees = [rule.harmful, rule.useful, *(score for score, _ in rule.curve.points())]
    scores = [k + d for k in knees for d in (-1, 0, 1)]
    for score in [*scores, *(int(s) for s in rng.integers(-(2 * 10**9), 2 * 10**9, size=6))]:
        assert harness.priceOf(given, score) == rule.price(score), score


@pytest.mark.parametrize("seed", SEEDS)
def test_both_name_and_sign_deals_alike(contract, buyer, seller, rng):
    sale = make_deal(contract, buyer, seller)
    order = replace(
        sale.order,
        artefact=rng.bytes(32), rule=rng.bytes(32), tree=rng.bytes(32),
        depth=int(rng.integers(256)), features=int(rng.integers(2**32)),
        value_bytes=int(rng.integers(256)), stake=int.from_bytes(rng.bytes(12), "big"),
        settlement=Settlement(int(rng.integers(2))), delivery_time=int(rng.integers(2**32)),
        dispute_time=int(rng.integers(2**32)),
    )  # fmt: skip
    dataset = replace(
        sale.dataset, name=rng.bytes(32), file=rng.bytes(32), key_hash=rng.bytes(32),
        count=int(rng.integers(2**32)), chunk_bytes=int(rng.integers(2**32)),
        chunks=int(rng.integers(2**32)),
    )  # fmt: skip
    quote = Quote(int.from_bytes(rng.bytes(12), "big"), int(rng.integers(2**40)), rng.bytes(32))
    deal, place = Deal(order, dataset, quote), place_of(contract)
    assert contract.orderId(order.args()) == order.account.id(place)
    assert contract.datasetId(dataset.args()) == dataset.account.id(place)
    assert contract.quoteDigest(deal.args()) == deal.digest(place)
    pair = contract.pairId(order.buyer, order.artefact, dataset.seller, dataset.file)
    assert pair == deal.pair
    assert place.chain_id == ape.chain.chain_id


def test_a_buyer_signs_only_for_what_it_can_dispute(contract, buyer, seller):
    """Another file, another count and other scores than the ones it was handed are each refused."""
    sale = make_deal(contract, buyer, seller)
    dataset, place, leaves = sale.dataset, sale.place, sale.leaves
    require_registered(dataset, place, sale.file)
    leaves.require_quoted(sale.deal.quote.scores, dataset.count)
    assert open_chunks(sale.domain, sale.key, sale.file) == b"".join(sale.chunks)
    with pytest.raises(FileError, match="registered are 256"):
        require_registered(replace(dataset, chunks=4), place, sale.file)
    with pytest.raises(FileError, match="committed"):
        require_registered(dataset, place, spoil(sale.file, 1))
    with pytest.raises(FileError, match="scores"):
        ScoreLeaves(leaves.leaves[::-1]).require_quoted(sale.deal.quote.scores, dataset.count)
