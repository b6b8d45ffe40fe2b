"""Train-Whole and Scratch-Subset: CNNs on raw images behind the scorers' one interface."""

import functools

import pytest
import torch

from offchain.data.corruptions import Corruption, corrupt
from offchain.data.datasets import load_dataset, split
from offchain.hyperx.baselines import CNN_PRESETS, CnnSettings, ScratchSubset, TrainWhole
from offchain.hyperx.heads import HeadScorer
from offchain.hyperx.quality import BadFeatures, LabelledInputs, Scorer

QUICK = CnnSettings(widths=(8,), hidden=64, learning_rate=5e-3, batch=16, epochs=8)


@functools.cache
def digits() -> tuple[LabelledInputs, LabelledInputs, LabelledInputs]:
    """Validation, a clean set and the same set with 80 % of its labels shuffled; 10x10 pixels."""
    part, held_out = split(load_dataset("digits", size=10), [300, 300], seed=0)
    shuffled = corrupt(part, Corruption("mislabel", 0.8), seed=1)
    return tuple((s.images, s.labels) for s in (held_out, part, shuffled))


@pytest.mark.parametrize("scorer", [TrainWhole(QUICK), ScratchSubset(QUICK)])
def test_a_cnn_ranks_clean_digits_above_heavily_mislabelled_ones(scorer):
    validation, clean, shuffled = digits()
    good, bad = scorer.score([clean, shuffled], validation, 10, seed=0)
    assert good.low > bad.high
    assert good.accuracy > 0.6


def test_more_of_the_same_data_scores_higher():
    """Why the paper calls Train-Whole the bound that Scratch-Subset falls short of."""
    validation, (images, labels), _ = digits()
    (whole,) = TrainWhole(QUICK).score([(images, labels)], validation, 10, seed=0)
    (subset,) = ScratchSubset(QUICK).score([(images[:60], labels[:60])], validation, 10, seed=0)
    assert whole.low > subset.high


def test_a_score_depends_on_the_seed_and_on_nobody_else():
    validation, (images, labels), shuffled = digits()
    small = images[:50], labels[:50]
    before = torch.get_rng_state()
    together = TrainWhole(QUICK).score([shuffled, small], validation, 10, seed=3)
    (alone,) = TrainWhole(QUICK).score([small], validation, 10, seed=3)
    (other,) = TrainWhole(QUICK).score([small], validation, 10, seed=4)
    assert together[1] == alone
    assert other != alone
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 8, 8), (3, 1, 1)])
@pytest.mark.parametrize("preset", CNN_PRESETS)
def test_images_of_any_size_and_both_channel_counts_are_scored(preset, shape):
    settings = CnnSettings(CNN_PRESETS[preset].widths, 16, epochs=2)
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (9, *shape), dtype=torch.uint8, generator=rng)
    samples = (images, torch.arange(9) % 3)
    seen: list[tuple[int, int]] = []
    scores = ScratchSubset(settings).score(
        [samples, samples], samples, 3, seed=0, progress=lambda *at: seen.append(at)
    )
    assert scores[0] == scores[1]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_bad_images_are_refused_before_any_training():
    validation, (images, labels), _ = digits()
    cases = [
        ((images.float(), labels), r"torch.uint8, not torch.float32"),
        ((images[:, :, 1:], labels), r"\(1, 10, 10\), not \(1, 9, 10\)"),
        ((images, labels + 9), r"0\.\.9, found 9\.\.18"),
    ]
    for bad, message in cases:
        with pytest.raises(BadFeatures, match=f"^provider 1: .*{message}"):
            TrainWhole(QUICK).score([(images, labels), bad], validation, 10, seed=0)


def test_all_scorers_share_one_interface_and_have_names_of_their_own():
    scorers: list[Scorer] = [HeadScorer(), TrainWhole(), ScratchSubset()]
    assert [s.name for s in scorers] == ["HyperX", "Train-Whole", "Scratch-Subset"]
