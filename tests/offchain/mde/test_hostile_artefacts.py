"""Artefacts made to stop whoever reads them: refused in one line before they cost anything."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from offchain.mde import artefact_reading, gradients
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.errors import ArtefactError, TooLarge
from offchain.mde.extraction import Leaves
from offchain.mde.gradients import LinearGradients
from offchain.mde.influence import GradientEfficacy
from offchain.mde.letters import Invitation
from offchain.mde.owner import Owner
from offchain.mde.quoting import MAX_NUMBERS, Pricing
from offchain.mde.samples import Kind, Samples
from offchain.mde.seller import Seller
from offchain.mde.setlevel import SetReference
from offchain.mde.training import Trainer
from offchain.mde.trees import Tree
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, MarketInMemory
from tests.offchain.mde.small import fitted, linear, small_task


@pytest.fixture(scope="module")
def oracle():
    """An extracted tree, ready to be spoilt."""
    task = small_task()
    return Owner(task, task.validation, Trainer(), linear(fitted(task))).oracle(SETTINGS["tree"])


def with_leaves(oracle, **changes) -> bytes:
    (leaves,) = oracle.trees
    return artefact_bytes(replace(oracle, trees=(replace(leaves, **changes),)), PRICE)


def read(file: bytes) -> Pricing:
    return Pricing.read(file, artefact_digest(file))


def refusal(file: bytes) -> str:
    with pytest.raises(ArtefactError) as refused:
        read(file)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("value", [1e308, -1.7e308, 1.1e6])
def test_scores_beyond_any_loss_are_refused(oracle, value):
    table = np.full_like(oracle.trees[0].table, value)
    assert f"scores up to {abs(value):g}, at most 1e+06" in refusal(
        with_leaves(oracle, table=table)
    )


def test_a_seller_goes_on_where_an_artefact_has_huge_scores(oracle, tmp_path, monkeypatch):
    """It quotes nothing and takes its money home; the twin without the bound dies of a sum."""
    file = with_leaves(oracle, table=np.full_like(oracle.trees[0].table, 1.7e308))
    monkeypatch.setattr(artefact_reading, "MAX_TABLE", float("inf"))
    market = MarketInMemory(tmp_path / "twin", file, Seller)
    with pytest.raises(OverflowError):
        market.run()
    monkeypatch.undo()
    mended = MarketInMemory(tmp_path / "mended", file, Seller)
    with monkeypatch.context() as own:  # its maker reads it
        own.setattr(artefact_reading, "MAX_TABLE", float("inf"))
        while not any(isinstance(one.message, Invitation) for one in mended.deals.letters):
            assert mended.round(0) or mended.round(1)
    assert not mended.round(1)
    (why,) = mended.roles[1].objections.values()
    assert why == "tree0 has scores up to 1.7e+308, at most 1e+06"
    mended.deals.now = mended.stall.until
    assert mended.round(1)
    assert mended.deals.calls[-1] == "withdraw"


def test_a_tree_deeper_than_any_that_is_extracted_is_refused(oracle):
    depth = artefact_reading.MAX_DEPTH + 1
    inner = np.arange(depth)
    tree = Tree(
        np.concatenate([np.zeros(depth), np.full(depth + 1, -1)]).astype(np.int32),
        np.zeros(2 * depth + 1, np.float32),
        np.concatenate([depth + inner, inner, [depth]]).astype(np.int32),
        np.concatenate([inner[:-1] + 1, [2 * depth], np.full(depth + 1, -1)]).astype(np.int32),
    )
    assert tree.depth == depth
    table = np.zeros((depth + 1, *oracle.trees[0].table.shape[1:]))
    leaves = Leaves(tree, np.full(table.shape[:2], 0.3), table)
    file = artefact_bytes(replace(oracle, trees=(leaves,)), PRICE)
    assert f"{depth} comparisons deep, at most {depth - 1}" in refusal(file)


def test_folds_and_headers_have_bounds(oracle):
    sizes = np.full(len(oracle.fold_sizes), 1e300)
    assert "1 to 1e+09 samples" in refusal(artefact_bytes(replace(oracle, fold_sizes=sizes), PRICE))
    text = json.dumps({"__metadata__": {"souk": " " * artefact_reading.MAX_HEADER_BYTES}}).encode()
    assert "header has at most" in refusal(len(text).to_bytes(8, "little") + text)


def wide(classes: int, folds: int) -> GradientEfficacy:
    """Two features, and very many numbers for each sample."""
    model = LinearGradients(
        torch.zeros(classes, 2), torch.zeros(classes), None, classes, "cross-entropy"
    )
    reference = SetReference(
        torch.zeros(2),
        torch.eye(2),
        torch.zeros(2, 2),
        torch.zeros(2, dtype=torch.int64),
        1.0,
        2.0,
        np.full(classes, 2.0),
    )
    directions = torch.arange(folds * model.size).view(folds, -1) / (folds * model.size)
    kind = Kind((2,), False, classes)
    return GradientEfficacy(
        "influence", "nats", model, directions, np.ones(folds), reference, kind, {}
    )


def test_few_features_by_many_classes_and_folds_take_no_more_memory_than_a_batch(monkeypatch):
    """Scores do not depend on the batch; what is held does, where one product held all samples."""
    efficacy = wide(50, 40)
    values = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
    samples = Samples(values, torch.arange(64) % 50)
    whole = efficacy.fold_scores(samples)
    held: list[int] = []
    product = torch.einsum

    def watched(*words):
        held.append((made := product(*words)).numel())
        return made

    monkeypatch.setattr(torch, "einsum", watched)
    monkeypatch.setattr(gradients, "_BATCH_VALUES", 5_000)
    assert efficacy.fold_scores(samples) == pytest.approx(whole, rel=1e-5, abs=1e-9)
    assert sum(held) == 64 * 40 * 50 > 25 * max(held)
    assert max(held) <= 5_000


def test_what_pricing_takes_is_known_before_it_is_done(oracle):
    """By counts alone, so that a refusal tells nothing of the samples."""
    pricing = read(artefact_bytes(wide(5_000, 100), PRICE))
    pricing.require_room(MAX_NUMBERS // 5_000)
    with pytest.raises(TooLarge, match="53689 samples by 5000 classes or folds"):
        pricing.require_room(MAX_NUMBERS // 5_000 + 2)
    small = read(artefact_bytes(oracle, PRICE))
    small.require_room(1_000_000)
    large = replace(small, size=64 << 20)
    with pytest.raises(TooLarge, match="100000 samples by an artefact of 67108864 bytes"):
        large.require_room(100_000)
