"""The batched heads: the maths of training each alone, at the limits and on real digits."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from offchain.data.corruptions import Corruption, corrupt
from offchain.data.datasets import load_dataset, split
from offchain.hyperx import heads as heads_module
from offchain.hyperx.heads import (
    PRESETS,
    Head,
    HeadScorer,
    HeadSettings,
    Standardisation,
    train_heads,
)
from offchain.hyperx.quality import LabelledInputs, choose, epoch_orders, torch_generator

SMALL = HeadSettings(hidden=16, dropout=0.5, learning_rate=1e-2, batch=16, epochs=3)
SIZES = (10, 77, 64, 33, 100, 33, 1)  # below, at and between multiples of the batch; unsorted


def random_samples(sizes: Sequence[int], width: int = 12, seed: int = 0) -> list[LabelledInputs]:
    rng = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(n, width, generator=rng), torch.randint(3, (n,), generator=rng)) for n in sizes
    ]


def blobs(n: int, seed: int) -> LabelledInputs:
    """Three classes 10 deviations apart along each of 150 features: linearly separable."""
    labels = torch.arange(n) % 3
    centres = 10 * torch.eye(3).repeat(1, 50)
    return centres[labels] + torch.randn(
        n, 150, generator=torch.Generator().manual_seed(seed)
    ), labels


@functools.cache
def digits() -> tuple[LabelledInputs, dict[str, LabelledInputs]]:
    """Validation pixels, and one part of the digits under several corruptions; 14x14 pixels."""
    part, held_out = split(load_dataset("digits", size=14), [400, 500], seed=0)
    levels = ("clean", "mislabel:0.3", "mislabel:0.6", "mislabel:1", "noise:0.2", "noise:0.6")
    sets = {level: corrupt(part, Corruption.parse(level), seed=1) for level in levels}
    pixels = {k: (s.images.flatten(1) / 255, s.labels) for k, s in sets.items()}
    return (held_out.images.flatten(1) / 255, held_out.labels), pixels


def trained_by_modules(samples: LabelledInputs, settings: HeadSettings, seed: int) -> nn.Sequential:
    """The same training written with torch.nn, one provider, one mini-batch at a time."""
    features, labels = samples
    first = Head.initial(features.shape[1], settings.hidden, 3, seed)
    network = nn.Sequential(nn.Linear(*first.w1.shape), nn.ReLU(), nn.Linear(*first.w2.shape))
    with torch.no_grad():
        network[0].weight.copy_(first.w1.T)
        network[2].weight.copy_(first.w2.T)
        network[0].bias.zero_()
        network[2].bias.zero_()
    adam = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, eps=1e-7)
    draws = torch_generator(seed, "dropout")
    for order in epoch_orders(seed, len(labels), settings.epochs):
        for chosen in order.split(settings.batch):
            mask = torch.rand(settings.batch, settings.hidden, generator=draws) >= settings.dropout
            hidden = network[1](network[0](features[chosen]))
            kept = hidden * mask[: len(chosen)] / (1 - settings.dropout)
            adam.zero_grad()
            nn.functional.cross_entropy(network[2](kept), labels[chosen]).backward()
            adam.step()
    return network


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_training_together_is_training_each_alone_with_plain_modules(dropout):
    """Different sizes share the batch; padding and early leavers change no weight."""
    settings = dataclasses.replace(SMALL, dropout=dropout)
    providers = random_samples(SIZES)
    for samples, head in zip(providers, train_heads(providers, 3, settings, 5), strict=True):
        network = trained_by_modules(samples, settings, 5)
        torch.testing.assert_close(head.w1.T, network[0].weight, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(head.b1, network[0].bias, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(head.w2.T, network[2].weight, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(head.b2, network[2].bias, rtol=1e-4, atol=1e-5)


def test_a_score_does_not_depend_on_who_else_is_scored_nor_on_the_order():
    providers = random_samples(SIZES)
    validation = random_samples([200], seed=1)[0]
    scorer = HeadScorer(SMALL)
    together = scorer.score(providers, validation, 3, seed=2)
    alone = [scorer.score([one], validation, 3, seed=2)[0] for one in providers]
    backwards = scorer.score(providers[::-1], validation, 3, seed=2)
    assert together == alone
    assert together == backwards[::-1]


def test_a_provider_cannot_spoil_the_scores_of_others():
    """Not even with the largest values that a float holds."""
    honest = random_samples([40, 50])
    validation = random_samples([100], seed=1)[0]
    huge = torch.full((60, 12), torch.finfo(torch.float32).max)
    huge[::2] *= -1
    scorer = HeadScorer(SMALL)
    scores = scorer.score(
        [honest[0], (huge, torch.arange(60) % 3), honest[1]], validation, 3, seed=0
    )
    assert [scores[0], scores[2]] == scorer.score(honest, validation, 3, seed=0)
    assert 0 <= scores[1].accuracy <= 1


def test_groups_bound_the_memory_and_change_no_score(monkeypatch):
    providers = random_samples(SIZES)
    validation = random_samples([200], seed=1)[0]
    together = HeadScorer(SMALL).score(providers, validation, 3, seed=2)
    monkeypatch.setitem(heads_module._GROUP_BYTES, "cpu", 16 * SMALL.hidden * 17 * 3)
    assert 1 < SMALL.group_size(12, 3, torch.device("cpu")) < len(providers)
    seen: list[tuple[int, int]] = []
    grouped = HeadScorer(SMALL).score(
        providers, validation, 3, seed=2, progress=lambda *at: seen.append(at)
    )
    assert grouped == together
    total = seen[-1][1]
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_the_same_seed_gives_the_same_scores_and_the_global_generator_is_left_alone():
    validation, pixels = digits()
    before = torch.get_rng_state()
    first, again, other = (
        HeadScorer().score([pixels["clean"]], validation, 10, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("preset", PRESETS)
def test_separable_classes_are_learnt_perfectly(preset):
    """And the interval says that 300 right out of 300 is not yet certainty."""
    (score,) = HeadScorer(PRESETS[preset]).score([blobs(300, 0)], blobs(300, 1), 3, seed=0)
    assert (score.accuracy, score.macro_f1, score.high, score.n) == (1, 1, 1, 300)
    assert score.low == pytest.approx(300 / (300 + 1.959964**2))


def test_random_labels_score_at_chance():
    """Ten classes: 0.1, within four deviations of a binomial of 1,000 draws."""
    rng = torch.Generator().manual_seed(0)
    features, labels = (
        torch.randn(1400, 20, generator=rng),
        torch.randint(10, (1400,), generator=rng),
    )
    (score,) = HeadScorer().score(
        [(features[:400], labels[:400])], (features[400:], labels[400:]), 10, seed=0
    )
    assert abs(score.accuracy - 0.1) < 4 * math.sqrt(0.1 * 0.9 / 1000)


def test_on_real_digits_the_score_falls_with_shuffled_labels_and_with_noise():
    validation, pixels = digits()
    by_level = dict(
        zip(pixels, HeadScorer().score(list(pixels.values()), validation, 10, seed=0), strict=True)
    )
    for family in (
        ["clean", "mislabel:0.3", "mislabel:0.6", "mislabel:1"],
        ["clean", "noise:0.2", "noise:0.6"],
    ):
        accuracies = [by_level[level].accuracy for level in family]
        assert accuracies == sorted(accuracies, reverse=True), family
        assert choose([by_level[level] for level in family])[0] == 0
    assert by_level["clean"].low > by_level["mislabel:0.6"].high
    assert by_level["mislabel:1"].accuracy < 0.2


def test_the_unit_of_the_features_does_not_matter_but_a_providers_own_shift_does():
    """Standardised by the validation set: by its own, a provider's shift would go unseen."""
    validation, pixels = digits()
    features, labels = pixels["clean"]
    plain = HeadScorer().score([(features, labels)], validation, 10, seed=0)[0]
    rescaled = HeadScorer().score(
        [(features * 256 + 512, labels)], (validation[0] * 256 + 512, validation[1]), 10, seed=0
    )[0]
    assert rescaled.accuracy == pytest.approx(plain.accuracy, abs=0.01)
    darker = HeadScorer().score([(features * 0.1, labels)], validation, 10, seed=0)[0]
    assert darker.high < plain.low


def test_standardised_validation_features_have_mean_zero_and_deviation_one():
    features = 5 + 3 * torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    features[:, 2] = 0.1  # constant: nothing to learn, so nothing to inject either
    scale = Standardisation.of(features)
    done = scale.apply(features)
    kept = done[:, [0, 1, 3]]
    torch.testing.assert_close(kept.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(kept.std(0, correction=0), torch.ones(3), atol=1e-4, rtol=0)
    assert not scale.apply(torch.full((1, 4), 1e30))[:, 2].any()
    assert scale.apply(torch.full((1, 4), 1e30)).abs().max() <= 10.001


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 0}, "hidden must be 1 or more, not 0"),
        ({"batch": -1}, "batch must be 1 or more, not -1"),
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"dropout": 1.0}, "below 1, not 1.0"),
        ({"learning_rate": math.nan}, "not nan"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **change)
