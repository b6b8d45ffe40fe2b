"""What nobody should price by is refused, or said."""

import numpy as np
import pytest
import torch
from torch import nn

from offchain.mde.errors import NotConverged, Untrained
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.influence import InfluenceSettings
from offchain.mde.oracles import prepare
from offchain.mde.report import EfficacyReport
from offchain.mde.solvers import ConjugateGradients
from offchain.mde.training import Trainer
from tests.offchain.mde.small import small_task

SMALL = ExtractionSettings(leaves=8, points=200)


@pytest.mark.parametrize("settings", [SMALL, InfluenceSettings()])
def test_a_model_that_was_not_trained_on_the_task_is_refused(settings):
    task = small_task()
    torch.manual_seed(0)
    model = nn.Linear(8, 3)
    with pytest.raises(Untrained, match="it was not trained on them"):
        prepare(model, task, settings)
    prepare(Trainer(l2=task.l2).fit(task.train, 3), task, settings)


def test_a_solver_that_stopped_short_prices_nothing():
    task = small_task(l2=1e-4)
    model = Trainer(l2=task.l2).fit(task.train, 3)
    short = InfluenceSettings(solver=ConjugateGradients(tolerance=1e-6, iterations=1))
    with pytest.raises(NotConverged, match="stopped after 1 passes with a residual of"):
        prepare(model, task, short)
    prepare(model, task, InfluenceSettings())


def test_scores_on_either_side_of_nothing_are_undecided():
    def of(total, error):
        findings = None
        none = np.zeros(0)
        return EfficacyReport("m", "u", none, none, none, total, error, findings)

    assert of(1e-10, 1e-3).undecided
    assert of(-1e-10, 1e-3).undecided
    assert not of(0.1, 1e-3).undecided
