"""What influence functions will take is told before they begin."""

import pytest
import torch
from torch import nn

from offchain.mde.ekfac import Ekfac
from offchain.mde.errors import SingularHessian
from offchain.mde.influence import InfluenceSettings
from offchain.mde.outlook import Outlook, outlook
from offchain.mde.solvers import Arnoldi, ConjugateGradients, Exact, Lissa
from tests.offchain.mde.small import small_task


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, 3))


def test_more_iterations_take_longer_and_more_parameters_more_memory():
    task = small_task()

    def of(solver, layers="all"):
        return outlook(network(), task, InfluenceSettings(solver=solver, layers=layers))

    few, many = (of(ConjugateGradients(iterations=n)) for n in (10, 10_000))
    assert many.seconds > 20 * few.seconds
    assert many.memory == few.memory
    part = of(ConjugateGradients(iterations=10), ("2",))
    assert part.memory < few.memory
    assert of(Arnoldi(steps=100, rank=10)).memory > few.memory
    for solver in (Lissa(), Exact(), Ekfac()):
        said = of(solver)
        assert said.seconds > 0 < said.each


def test_the_factors_are_in_the_memory():
    task, settings = small_task(), InfluenceSettings(solver=Ekfac())
    wide = nn.Sequential(nn.Linear(8, 2_000), nn.ReLU(), nn.Linear(2_000, 3))
    assert outlook(wide, task, settings).memory > 4 * 2_000**2


def test_what_is_refused_at_once_is_refused_here():
    with pytest.raises(SingularHessian, match="state a damping"):
        outlook(network(), small_task(l2=0.0), InfluenceSettings(solver=Ekfac()))


def test_it_is_one_line_for_people():
    said = str(Outlook(754.0, 0.02, 3 << 29))
    assert said == (
        "about 13 min of the processor and 1.5 GiB of memory, then 20 s for 1,000 samples"
    )
    assert str(Outlook(0.1, 0, 1 << 20)).startswith("about a second of the processor and 1 MiB")
