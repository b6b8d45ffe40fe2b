"""Local training: plain SGD, the same for the same seed, round and participant."""

import math

import pytest
import torch
from torch import nn

from offchain.seccl.networks import SmallCnn, default_factory
from offchain.seccl.parameters import Layout, ModelError, initial_model, model_digest
from offchain.seccl.training import (
    LocalData,
    LocalTrainer,
    TrainingSettings,
    epoch_orders,
    to_inputs,
)
from tests.offchain.seccl.small import Tiny, WithDropout, small, tiny_task


def test_training_is_torchs_own_sgd():
    settings = TrainingSettings(batch=32, learning_rate=0.05, epochs=2)
    task, samples = tiny_task(settings=settings, seed=5), small()[0][1]
    start = initial_model(Tiny, 5)
    change = LocalTrainer(task).train(start, 3, samples)

    model = Tiny()
    nn.utils.vector_to_parameters(start.clone(), model.parameters())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    for order in epoch_orders(5, 3, samples.owner, len(samples), 2):
        for batch in order.split(32):
            optimiser.zero_grad()
            logits = model(to_inputs(samples.images[batch]))
            nn.functional.cross_entropy(logits, samples.labels[batch]).backward()
            optimiser.step()
    expected = nn.utils.parameters_to_vector(model.parameters()) - start
    torch.testing.assert_close(change, expected.detach(), atol=1e-6, rtol=0)
    assert change.abs().max() > 0.01


@pytest.mark.parametrize("factory", [Tiny, WithDropout])
def test_a_round_is_repeatable_whoever_trained_before(factory):
    task, (one, other, *_) = tiny_task(factory=factory), small()[0]
    start = initial_model(factory, 0)
    trainer = LocalTrainer(task)
    first = trainer.train(start, 0, one)
    state = torch.random.get_rng_state()
    trainer.train(start, 0, other)
    torch.rand(3)
    assert torch.equal(trainer.train(start, 0, one), first)
    assert torch.equal(LocalTrainer(task).train(start, 0, one), first)
    assert not torch.equal(trainer.train(start, 1, one), first)
    torch.random.set_rng_state(state)


def test_training_leaves_torchs_random_state_alone():
    before = torch.random.get_rng_state()
    start = initial_model(WithDropout, 0)
    trainer = LocalTrainer(tiny_task(factory=WithDropout))
    between = torch.random.get_rng_state()
    trainer.train(start, 0, small()[0][0])
    assert torch.equal(between, torch.random.get_rng_state())
    torch.random.set_rng_state(before)


def test_an_owner_trains_poisoned_images_in_its_own_order():
    own = small()[0][2]
    assert not torch.equal(epoch_orders(0, 0, 1, len(own), 1), epoch_orders(0, 0, 2, len(own), 1))
    flipped = LocalData(own.owner, own.images, 9 - own.labels)
    trainer, start = LocalTrainer(tiny_task()), initial_model(Tiny, 0)
    assert not torch.equal(trainer.train(start, 0, own), trainer.train(start, 0, flipped))


def test_the_default_network_is_small_and_learns():
    factory = default_factory(10, (1, 28, 28))
    start = initial_model(factory, 0)
    assert len(start) == 46_730
    task = tiny_task(factory=factory, settings=TrainingSettings(epochs=3))
    samples = small()[0][0]
    model = LocalTrainer(task)
    before, after = (
        nn.functional.cross_entropy(_logits(model, flat, samples), samples.labels)
        for flat in (start, start + model.train(start, 0, samples))
    )
    assert after < 0.8 * before


def _logits(trainer, flat, samples):
    trainer.layout.load(trainer.model, flat)
    with torch.no_grad():
        return trainer.model(to_inputs(samples.images))


def test_views_are_the_parameters_of_each_model():
    model = Tiny()
    layout = Layout.of(model)
    flats = torch.stack([layout.flat(model), torch.zeros(layout.total)])
    for name, parameter in model.named_parameters():
        assert torch.equal(layout.views(flats)[name][0], parameter)
        assert not layout.views(flats)[name][1].any()
    assert layout.total == sum(math.prod(p.shape) for p in model.parameters())


def test_a_digest_tells_models_apart():
    layout, flat = Layout.of(Tiny()), initial_model(Tiny, 0)
    changed = flat.clone()
    changed[-1] += 1e-6
    digests = {model_digest(layout, f) for f in (flat, flat.clone(), changed)}
    assert len(digests) == 2


class Scaled(Tiny):
    def __init__(self):
        super().__init__()
        self.double()


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)), "1 is BatchNorm2d"),
        (lambda: nn.Flatten(), "Flatten has no parameters"),
        (Scaled, "conv.weight must be float32"),
    ],
)
def test_models_that_no_update_can_carry_are_refused(factory, said):
    with pytest.raises(ModelError, match=said):
        LocalTrainer(tiny_task(factory=factory))


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"epochs": 0}, {"learning_rate": 0}, {"share": 0}, {"share": 1.1}]
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        TrainingSettings(**wrong)


def test_the_network_names_images_it_cannot_take():
    with pytest.raises(ValueError, match=r"not 10 classes of images \(1, 8, 8\)"):
        SmallCnn(10, (1, 8, 8))
