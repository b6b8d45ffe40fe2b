"""EK-FAC on networks: against the exact matrix, in bounded memory, and refused at once."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from offchain.mde import ekfac_blocks, influence
from offchain.mde.ekfac import Ekfac
from offchain.mde.errors import MdeError, TooLarge
from offchain.mde.influence import InfluenceSettings
from offchain.mde.samples import Samples, Task
from offchain.mde.solvers import Exact
from tests.offchain.mde.small import drawn, small_task


def scores(model, task, candidate, **settings):
    made = influence.influence(model, task, InfluenceSettings(**{"damping": 0.05, **settings}))
    return made.report(candidate).scores


def pictures(count, seed, side=6):
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    pixels = torch.randint(0, 100, (count, 1, side, side), generator=rng, dtype=torch.uint8)
    pixels[torch.arange(count), 0, labels * 2] += 100
    return Samples(pixels, labels)


@pytest.fixture(scope="module")
def task():
    return Task(pictures(60, 1), pictures(30, 2), 3)


@pytest.fixture(scope="module")
def candidate():
    return pictures(20, 3)


def with_batch_norm(seed=0):
    """Its running statistics and its maps are none that a new one has."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = nn.Sequential(
            *(nn.Conv2d(1, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
            *(nn.Conv2d(4, 3, (3, 2), padding=(2, 1), dilation=(2, 1)), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(36, 3, bias=False), nn.BatchNorm1d(3)),
        )
        for norm in (made[1], made[7]):
            for values in (norm.weight, norm.running_var):
                nn.init.uniform_(values, 0.5, 2)
            for values in (norm.bias, norm.running_mean):
                nn.init.normal_(values, 0, 0.3)
        return made


def test_a_network_with_batch_norm_is_near_its_exact_gauss_newton_scores(task, candidate):
    network = with_batch_norm()
    both = [scores(network, task, candidate, solver=s) for s in (Exact(), Ekfac(draws=20))]
    assert spearmanr(*both).statistic > 0.9


def test_the_block_of_a_batch_norm_is_whole():
    # All that is lost is what random draws cost.
    task = small_task()
    norm = nn.BatchNorm1d(8)
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    model = nn.Sequential(norm, nn.Linear(8, 3))
    both = [
        scores(model, task, drawn(40, 3), solver=solver, layers=("0",))
        for solver in (Exact(), Ekfac(draws=200))
    ]
    assert np.abs(both[0] - both[1]).max() < 0.1 * np.abs(both[0]).max()


def test_scores_do_not_hang_on_how_samples_places_and_layers_are_taken_apart(
    task, candidate, monkeypatch
):
    network = with_batch_norm()
    whole = scores(network, task, candidate, solver=Ekfac())
    largest = 60_000  # bytes of the largest block: each layer is a group of its own
    apart = scores(network, task, candidate, solver=Ekfac(memory=largest))
    monkeypatch.setattr(ekfac_blocks, "VALUES", 40)
    small = scores(network, task, candidate, solver=Ekfac())
    for found in (apart, small):
        assert found == pytest.approx(whole, rel=1e-3, abs=1e-6 * np.abs(whole).max())


def test_a_span_of_few_inputs_gives_what_the_whole_basis_gives(candidate, monkeypatch):
    few = Task(pictures(20, 1), pictures(30, 2), 3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.ReLU(), nn.Linear(5, 3))
    spanned = scores(network, few, candidate, solver=Ekfac())
    expect = ekfac_blocks.Kronecker.expect

    def fully(block, given, made, uses):
        expect(block, given, made, 10_000)
        assert block.rank == block.width

    monkeypatch.setattr(ekfac_blocks.Kronecker, "expect", fully)
    assert spanned == pytest.approx(scores(network, few, candidate, solver=Ekfac()), rel=1e-3)


class Largest(TorchDispatchMode):
    """Numbers in the largest tensor that is made meanwhile."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, list | tuple) else [made]:
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


def test_no_picture_is_unfolded_whole(monkeypatch):
    monkeypatch.setattr(ekfac_blocks, "VALUES", 1 << 14)
    layer = ekfac_blocks.Kronecker(nn.Conv2d(8, 8, 3, padding=1), "a layer")
    given, slope = torch.randn(2, 3, 8, 64, 64)
    layer.expect(given[:1], slope[:1], 3)
    layer.begin(given)
    with Largest() as largest:
        layer.first(given, slope)
        layer.turn()
        layer.second(given, slope)
    whole = 64 * 64 * (8 * 9 + 1)  # of one picture
    assert largest.numbers < 8 * 66 * 66 * 3 + (1 << 14) < whole


class Counted(nn.Module):
    """Counts the samples that go through it."""

    def __init__(self, *layers):
        super().__init__()
        self.inner, self.samples = nn.Sequential(*layers), 0

    def forward(self, x):
        self.samples += len(x)
        return self.inner(x)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(2, 2, 3, padding=1, groups=2), "inner.1 is none of them"),
        (nn.GroupNorm(1, 2), "inner.1 is none of them"),
        (nn.BatchNorm2d(2, track_running_stats=False), "inner.1 keeps none"),
    ],
)
def test_a_layer_that_it_does_not_take_is_refused_before_any_work(task, layer, words, monkeypatch):
    network = Counted(nn.Conv2d(1, 2, 3, padding=1), layer, nn.Flatten(), nn.Linear(72, 3))
    seen = []
    monkeypatch.setattr(influence, "differentiate", counted(influence.differentiate, seen))
    with pytest.raises(MdeError, match=words):
        scores(network, task, task.train, solver=Ekfac())
    assert seen[0].module.samples <= 6


def counted(differentiate, seen):
    def doing(*args):
        seen.append(differentiate(*args))
        return seen[0]

    return doing


def test_factors_that_do_not_fit_are_refused_before_any_work(task):
    with pytest.raises(TooLarge, match=r"EK-FAC's factors of 0 take 0.\d MiB, 0.0 MiB are allowed"):
        scores(with_batch_norm(), task, task.train, solver=Ekfac(memory=1000))
