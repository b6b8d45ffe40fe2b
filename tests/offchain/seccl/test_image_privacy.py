"""DP-SGD is what it claims: sampled, clipped, noised and accounted, by every engine alike."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from offchain.seccl.accountant import PrivacyError, image_epsilon, noise_for
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.comparison import play_runs
from offchain.seccl.engine import LoopEngine
from offchain.seccl.image_privacy import ImagePrivacy, Sampling
from offchain.seccl.parameters import initial_model
from offchain.seccl.privacy import UpdatePrivacy
from offchain.seccl.processes import ProcessEngine
from offchain.seccl.run import Run
from offchain.seccl.training import LocalTrainer, TrainingSettings, to_inputs
from tests.offchain.seccl.made_images import made_images
from tests.offchain.seccl.small import Tiny, WithDropout, small, tiny_task

QUIET = 1e-9
"""Noise that changes no float32."""


def settings(**changes):
    privacy = ImagePrivacy(changes.pop("clip", 0.5), changes.pop("noise", QUIET))
    given = {"batch": 16, "learning_rate": 0.1, "image_privacy": privacy, **changes}
    return TrainingSettings(**given)


def test_a_step_is_the_mean_of_gradients_clipped_one_by_one():
    """Against torch's own gradients, image by image; some are shorter than the clip."""
    task, part = tiny_task(settings=settings(clip=4.0), seed=2), small()[0][1]
    samples = replace(part, images=part.images[:60], labels=part.labels[:60])
    start = initial_model(Tiny, 2)
    change = LocalTrainer(task).train(start, 3, samples)

    model, flat, clipped = Tiny(), start.clone(), 0
    sampling = task.settings.sampling(len(samples))
    for rows in sampling.chosen(task.seed, 3, samples.owner):
        nn.utils.vector_to_parameters(flat, model.parameters())
        total = torch.zeros_like(flat)
        for row in rows:
            logits = model(to_inputs(samples.images[row : row + 1]))
            loss = nn.functional.cross_entropy(logits, samples.labels[row : row + 1])
            gradient = nn.utils.parameters_to_vector(
                torch.autograd.grad(loss, list(model.parameters()))
            )
            clipped += int(gradient.norm() > 4)
            total += gradient * min(1, 4 / gradient.norm())
        flat = flat - 0.1 * total / 16
    drawn = sum(map(len, sampling.chosen(task.seed, 3, samples.owner)))
    assert 0.05 * drawn < clipped < 0.95 * drawn
    torch.testing.assert_close(change, flat - start, atol=1e-6, rtol=0)


def test_no_image_moves_a_model_by_more_than_its_clip():
    """With one image more or less, a step's sum differs by no more than the clip."""
    start, (part, *_) = initial_model(Tiny, 0), small()[0]
    privacy, trainer = ImagePrivacy(0.3, 1.0), LocalTrainer(tiny_task())
    images, labels = to_inputs(part.images[:8]), part.labels[:8]
    weights = torch.ones(8)
    whole = privacy.clipped_sum(trainer._loss, start, images, labels, weights)
    for left_out in range(8):
        weights = torch.ones(8)
        weights[left_out] = 0
        less = privacy.clipped_sum(trainer._loss, start, images, labels, weights)
        assert (whole - less).norm() < 0.3 + 1e-5


def test_the_noise_is_the_clip_times_the_multiple_over_the_mean_batch():
    """Of a step in which no gradient moves anything: none of the images is drawn."""
    part = small()[0][0]
    given = settings(clip=0.5, noise=3.0, batch=20, learning_rate=1.0)
    silent = replace(part, labels=part.labels[:40], images=part.images[:40])
    start = initial_model(Tiny, 0)
    quiet = LocalTrainer(tiny_task(settings=replace(given, image_privacy=ImagePrivacy(0.5, QUIET))))
    noised = LocalTrainer(tiny_task(settings=given))
    steps = given.steps(40)
    rest = noised.train(start, 0, silent) - quiet.train(start, 0, silent)
    # The noise also moves where later gradients are taken, which clipping bounds.
    assert float(rest.std()) == pytest.approx(math.sqrt(steps) * 3.0 * 0.5 / 20, rel=0.05)


def test_every_image_is_drawn_for_itself_with_the_accounted_probability():
    sampling = Sampling(samples=200, batch=20, steps=2_000)
    taken = torch.zeros(2_000, 200)
    for step, rows in enumerate(sampling.chosen(0, 0, 0)):
        taken[step, rows] = 1
    assert float(taken.mean()) == pytest.approx(sampling.rate, rel=0.02)
    sizes = taken.sum(dim=1)
    assert float(sizes.var()) == pytest.approx(200 * 0.1 * 0.9, rel=0.1), "binomial, not fixed"
    assert taken.mean(dim=0).max() < 0.14, "no image is drawn more often than others"
    assert Sampling(10, 32, 1).rate == 1


def test_draws_and_noise_differ_by_round_owner_and_secret():
    sampling = Sampling(100, 10, 1)
    drawn = {
        (tuple(sampling.chosen(*key)[0].tolist()), *next(sampling.noises(*key, 3)).tolist())
        for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    }
    assert len(drawn) == 4


def test_who_knows_only_the_agreed_seed_does_not_know_the_noise():
    start, (part, *_) = initial_model(Tiny, 0), small()[0]
    changes = [
        LocalTrainer(tiny_task(settings=settings(noise=1.0), noise_seed=secret)).train(
            start, 0, part
        )
        for secret in (None, 0, 2**127, 2**127)
    ]
    assert torch.equal(changes[0], changes[1])
    assert torch.equal(changes[2], changes[3])
    assert not torch.equal(changes[1], changes[2])


@pytest.mark.parametrize(
    "make",
    [partial(LoopEngine, channels_last=True), BatchedEngine, partial(ProcessEngine, workers=2)],
    ids=["channels last", "batched", "processes"],
)
def test_every_engine_draws_clips_and_noises_as_the_loop_does(make):
    """Parts of unequal size, drawn from a secret."""
    task, sets = tiny_task(settings=settings(noise=0.7), noise_seed=77), small("dirichlet:1")
    start = initial_model(Tiny, 0)
    expected = LoopEngine(task, *sets).train(start, 1, [2, 0, 3])
    made = make(task, *sets)
    got = made.train(start, 1, [2, 0, 3])
    made.close()
    apart = (got - expected).norm(dim=1) / expected.norm(dim=1)
    assert float(apart.max()) < 1e-3
    assert len(got.unique(dim=0)) == 3


def test_few_images_and_steps_without_any_are_trained_too():
    """A batch of one of ten images: about a third of the steps draw none."""
    part = small()[0][0]
    few = replace(part, images=part.images[:10], labels=part.labels[:10])
    task = tiny_task(settings=settings(batch=1, noise=0.1))
    sampling = task.settings.sampling(10)
    assert any(len(rows) == 0 for rows in sampling.chosen(task.seed, 0, few.owner))
    start = initial_model(Tiny, 0)
    alone = LoopEngine(task, [few], [few]).train(start, 0)
    together = BatchedEngine(task, [few], [few]).train(start, 0)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_a_model_with_dropout_drops_otherwise_for_every_image():
    task = tiny_task(factory=WithDropout, settings=settings(clip=10.0))
    start, (part, *_) = initial_model(WithDropout, 0), small()[0]
    one = LocalTrainer(task).train(start, 0, part)
    assert torch.equal(one, LocalTrainer(task).train(start, 0, part))
    trainer = LocalTrainer(task)
    trainer.model.train()
    same = to_inputs(part.images[:1]).repeat(2, 1, 1, 1)
    sums = [
        ImagePrivacy(1e9, 1.0).clipped_sum(
            trainer._loss, start, same, part.labels[:1].repeat(2), torch.tensor(which), "different"
        )
        for which in ([1.0, 0.0], [0.0, 1.0])
    ]
    assert not torch.allclose(*sums)


@pytest.mark.parametrize(
    ("noise", "batch", "steps"), [(1.1, 256, 14_063), (1.3, 250, 3_600), (0.7, 32, 450)]
)
def test_epsilon_is_that_of_the_published_formulas(noise, batch, steps):
    """Whole orders alone, by Mironov et al., section 3.3, and Balle et al. 2020, theorem 21, give
    a little more than all orders do."""
    sampling, delta, best = Sampling(60_000, batch, steps), 1e-5, math.inf
    for order in range(2, 65):
        terms = [
            math.log(math.comb(order, k))
            + (order - k) * math.log1p(-sampling.rate)
            + k * math.log(sampling.rate)
            + k * (k - 1) / (2 * noise**2)
            for k in range(order + 1)
        ]
        divergence = steps * float(torch.tensor(terms, dtype=torch.float64).logsumexp(0))
        rest = math.log((order - 1) / order) - math.log(delta * order) / (order - 1)
        best = min(best, divergence / (order - 1) + rest)
    assert 0.93 * best < image_epsilon(noise, sampling, 1, delta) <= best + 1e-9


def test_with_every_image_in_every_step_epsilon_is_that_of_the_plain_mechanism():
    """Just above the exact value, which another module computes in another way."""
    exact = UpdatePrivacy(1.0, 2 * 5.0).epsilon(30, 1e-5)
    bound = image_epsilon(5.0, Sampling(32, 32, 1), 30, 1e-5)
    assert exact < bound < 1.1 * exact


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 1, 2, 8])
def test_the_noise_found_keeps_within_epsilon_and_hardly_below(epsilon):
    sampling = Sampling(160, 32, 5)
    noise = noise_for(epsilon, sampling, 10, 1e-5)
    assert 0.98 * epsilon < image_epsilon(noise, sampling, 10, 1e-5) <= epsilon


def test_more_rounds_and_fewer_images_cost_more():
    cost = [image_epsilon(1.0, Sampling(320, 32, 10), rounds, 1e-5) for rounds in (0, 1, 5, 25)]
    assert cost == sorted(cost)
    assert cost[0] == 0
    few = image_epsilon(1.0, Sampling(64, 32, 2), 1, 1e-5)
    assert few > image_epsilon(1.0, Sampling(640, 32, 20), 1, 1e-5)


def test_what_cannot_be_had_is_named():
    sampling = Sampling(100, 10, 10)
    for wrong, why in (
        ((0.0, sampling, 1, 1e-5), "noise must be above 0 and finite, not 0"),
        ((1.0, sampling, 1, 1.0), "delta must be above 0 and below 1, not 1"),
    ):
        with pytest.raises(PrivacyError, match=why):
            image_epsilon(*wrong)
    with pytest.raises(PrivacyError, match="epsilon must be above 0 and finite, not -1"):
        noise_for(-1.0, sampling, 1, 1e-5)
    with pytest.raises(PrivacyError, match="epsilon 1e-06 at delta 1e-30 is out of reach"):
        noise_for(1e-6, sampling, 1, 1e-30)
    for clip, noise, why in ((0, 1, "clip must be"), (1, math.nan, "noise must be")):
        with pytest.raises(ValueError, match=why):
            ImagePrivacy(clip, noise)


def test_a_run_with_it_is_another_and_is_read_again(tmp_path):
    run = Run(participants=3, winners=0.4, rounds=1, settings=settings(noise=30.0, batch=4))
    data = made_images(60), made_images(20, seed=1), tmp_path
    results = play_runs([run, replace(run, settings=TrainingSettings())], *data,
                        make_engine=LoopEngine)  # fmt: skip
    assert results[0].accuracy != results[1].accuracy
    assert play_runs([run], *data) == results[:1]
