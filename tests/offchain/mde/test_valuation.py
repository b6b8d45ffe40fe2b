"""The oracles that users of pyDVL, OpenDataVal and TRAK expect, against closed forms."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from offchain.knn_shapley import knn_shapley
from offchain.mde.artefact import artefact_bytes, artefact_digest, load_artefact
from offchain.mde.errors import (
    FeatureMismatch,
    MdeError,
    NotDifferentiable,
    NotFinite,
    SingularHessian,
)
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.neighbours import NeighbourSettings, labelled
from offchain.mde.oracles import prepare
from offchain.mde.out_of_bag import OutOfBagSettings, out_of_bag
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.projected import ProjectedSettings, projected
from offchain.mde.pydvl_methods import PydvlSettings
from offchain.mde.samples import Samples
from offchain.mde.solvers import Exact
from tests.offchain.mde.small import drawn, fitted, linear, small_task


@pytest.fixture(scope="module")
def candidate():
    """Fresh samples, of which the first third has wrong labels."""
    fresh = drawn(60, 3)
    labels = fresh.labels.clone()
    labels[:20] = (labels[:20] + 1) % 3
    return Samples(fresh.inputs, labels)


def apart(scores):
    """How often a right sample's score is above a wrong one's."""
    return (scores[20:, None] > scores[None, :20]).mean()


def test_a_report_says_knn_shapley_values_of_each_sample_among_the_owners(task, model, candidate):
    report = prepare(model, task, NeighbourSettings(k=5)).report(candidate)
    for i in (0, 25, 59):
        both = task.train.joined(candidate.subset([i]))
        values = knn_shapley(labelled(both), labelled(task.validation), 5)
        assert report.scores[i] == pytest.approx(values[-1].mean(), abs=1e-12)
    assert apart(report.scores) > 0.95
    assert report.scores[:20].mean() < 0 < report.scores[20:].mean()
    assert (report.errors > 0).all()


def test_together_a_set_and_the_owners_data_are_worth_what_their_votes_are(task, model, candidate):
    settings = NeighbourSettings(k=5, together=True)
    report = prepare(model, task, settings).report(candidate)
    both = task.train.joined(candidate)
    values = knn_shapley(labelled(both), labelled(task.validation), 5).mean(1)
    assert report.scores == pytest.approx(values[len(task.train) :], abs=1e-12)
    # Ever more of the same is worth ever less a sample, and never more than there is to gain.
    ten = prepare(model, task, settings).report(drawn(900, 5)).scores.sum()
    one = prepare(model, task, settings).report(drawn(90, 5)).scores.sum()
    assert one < ten < min(1, 5 * one)


def test_neighbours_are_looked_for_in_an_embedding(task, model, candidate):
    plain = prepare(model, task, NeighbourSettings()).report(candidate).scores
    blind = prepare(model, task, NeighbourSettings(), embed=lambda x: x[:, :1]).report(candidate)
    assert apart(blind.scores) < apart(plain)


def test_data_oob_is_the_share_of_learners_that_never_saw_the_sample(candidate):
    """Beside a loop over bootstraps, by a learner that knows only labels it was given."""
    settings = OutOfBagSettings(learner=GaussianNB(), learners=40, seed=2)
    by_part = out_of_bag(candidate, settings)
    assert by_part.shape == (60, 8)
    from sklearn.ensemble import BaggingClassifier

    from offchain.data.seeds import generator

    seed = int(generator(2, "mde out of bag").integers(2**31))
    x, y = candidate.inputs.numpy(), candidate.labels.numpy()
    bagged = BaggingClassifier(GaussianNB(), 40, random_state=seed).fit(x, y)
    right, asked = np.zeros(60), np.zeros(60)
    for one, chosen in zip(bagged.estimators_, bagged.estimators_samples_, strict=True):
        for i in set(range(60)) - set(chosen.tolist()):
            right[i] += one.predict(x[i : i + 1])[0] == y[i]
            asked[i] += 1
    assert (by_part.mean(1) + 1) / 2 == pytest.approx(right / asked)


def test_learners_that_agree_leave_no_error_and_labels_need_not_begin_at_0():
    sure = Samples(torch.arange(40.0)[:, None] // 20 * 100, 3 + 2 * (torch.arange(40) // 20))
    assert np.allclose(out_of_bag(sure, OutOfBagSettings(learners=60)), 1)


def test_data_oob_tells_wrong_labels_and_says_how_sure_it_is(task, model, candidate):
    few, many = (
        prepare(model, task, OutOfBagSettings(learners=count)).report(candidate)
        for count in (24, 120)
    )
    assert apart(many.scores) > 0.95
    assert many.scores[:20].mean() < 0 < many.scores[20:].mean()
    assert np.abs(many.scores).max() <= 1
    assert many.errors.mean() < few.errors.mean() / 1.7  # by the root of 5 it should be


def test_a_sample_in_every_bootstrap_is_refused_by_name(candidate):
    with pytest.raises(MdeError, match=r"sample \d+ is in every one of 2 bootstraps"):
        out_of_bag(candidate, OutOfBagSettings(learners=2, folds=2))


def test_trak_without_projection_is_the_influence_function_of_a_binary_classifier():
    task = small_task(classes=2, l2=0.02)
    model, candidate = linear(fitted(task), double=True), drawn(30, 3, classes=2)
    exact = influence(model, task, InfluenceSettings(solver=Exact())).report(candidate)
    whole = projected(model, task, ProjectedSettings(dims=10**6)).report(candidate)
    assert whole.scores == pytest.approx(exact.scores, rel=1e-6, abs=1e-12)
    assert whole.errors == pytest.approx(exact.errors, rel=1e-6, abs=1e-12)
    assert whole.diagnostics["dims"] == whole.diagnostics["parameters"] == 18


@pytest.mark.parametrize("dims", [7, 10**6])
@pytest.mark.parametrize("weighted", [False, True])
def test_trak_is_its_closed_form_on_a_linear_model(dims, weighted, monkeypatch):
    """A binary one, whose margins' gradients are the inputs and their negatives."""
    task = small_task(classes=2, l2=0.02)
    weights = fitted(task)
    model, candidate = linear(weights, double=True), drawn(30, 3, classes=2)
    settings = ProjectedSettings(dims=dims, weighted=weighted, seed=4)
    monkeypatch.setattr("offchain.mde.projected._VALUES", 60)  # three rows at a time
    found = projected(model, task, settings).report(candidate).scores
    from offchain.data.seeds import generator

    rng = generator(4, "mde projected")
    size = weights.numel()
    rows = np.eye(size)
    if dims < size:
        parts = [rng.standard_normal((n, size), dtype=np.float32) for n in (3, 3, 1)]
        rows = np.concatenate(parts) / np.sqrt(dims)

    def margins(samples):
        x = torch.cat([samples.inputs, torch.ones(len(samples), 1)], 1).double().numpy()
        sign = np.where(samples.labels.numpy() == 0, 1.0, -1.0)[:, None]
        # As the model has its parameters: a row of weights for each class, then the biases.
        slope = [sign * x[:, :-1], -sign * x[:, :-1], sign, -sign]
        margin = (x @ (weights[:, :1] - weights[:, 1:]).numpy()) * sign
        return np.concatenate(slope, 1) @ rows.T, 1 / (1 + np.exp(margin))

    own, wrong = margins(task.train)
    kernel = (own * (wrong * (1 - wrong) if weighted else 1)).T @ own
    kernel += len(own) * task.l2 * np.eye(len(rows))
    judged, missed = margins(task.validation)
    offered, off = margins(candidate)
    expected = off * (offered @ np.linalg.solve(kernel, (missed * judged).mean(0)[:, None]))
    assert found == pytest.approx(expected[:, 0], rel=1e-5, abs=1e-9)


def test_trak_of_a_dense_network_fits_into_an_artefact(task, model, candidate):
    oracle = prepare(model, task, ProjectedSettings(dims=20))
    file = artefact_bytes(oracle, PriceFunction(Piecewise(((0, 0), (10**9, 10**6))), 10**6))
    read = load_artefact(file, artefact_digest(file)).efficacy.report(candidate)
    assert read.scores == pytest.approx(oracle.report(candidate).scores, rel=1e-4, abs=1e-7)


def test_projected_gradients_rank_a_network_as_influence_does():
    task = small_task()
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=200)

    def closure():
        optimiser.zero_grad()
        size = sum(p.square().sum() for p in network.parameters())
        outputs = network(task.train.inputs)
        loss = torch.nn.functional.cross_entropy(outputs, task.train.labels) + 5e-3 * size
        loss.backward()
        return loss

    optimiser.step(closure)
    candidate = drawn(80, 3)
    exact = prepare(network, task, InfluenceSettings(solver=Exact())).report(candidate).scores
    close = prepare(network, task, ProjectedSettings(dims=150)).report(candidate).scores
    rough = prepare(network, task, ProjectedSettings(dims=4)).report(candidate).scores
    assert np.corrcoef(exact, close)[0, 1] > 0.9
    assert np.corrcoef(exact, rough)[0, 1] < np.corrcoef(exact, close)[0, 1]


class Given:
    """pyDVL's `Dataset`, as far as it is used."""

    def __init__(self, x, y):
        self.x, self.y = x, y


class Counting:
    """A valuation that says how many judged samples have the player's label; the last first."""

    def __init__(self, players, judged, silent=0):
        self.players, self.judged, self.silent = players, judged, silent

    def fit(self, data):
        assert data is self.players
        return self

    @property
    def result(self):
        indices = np.arange(len(self.players.y))[self.silent :][::-1]
        same = [(self.judged.y == self.players.y[i]).sum() for i in indices]
        return SimpleNamespace(indices=indices, values=same)


@pytest.fixture
def pydvl(monkeypatch):
    package, valuation = ModuleType("pydvl"), ModuleType("pydvl.valuation")
    valuation.Dataset = Given
    monkeypatch.setitem(sys.modules, "pydvl", package)
    monkeypatch.setitem(sys.modules, "pydvl.valuation", valuation)


def test_a_method_of_pydvl_values_the_candidate_among_the_owners(task, model, candidate, pydvl):
    report = prepare(model, task, PydvlSettings(Counting, unit="labels")).report(candidate)
    shares = np.bincount(task.validation.labels.numpy()) / 2
    assert report.scores == pytest.approx(shares[candidate.labels.numpy()], abs=1)
    assert report.unit == "labels"


def test_a_sample_that_pydvl_gives_no_value_is_refused(task, model, candidate, pydvl):
    silent = PydvlSettings(lambda *given: Counting(*given, silent=len(task.train) + 1))
    with pytest.raises(NotFinite, match="the score of sample 0 is not finite"):
        prepare(model, task, silent).report(candidate)


def test_where_pydvl_is_not_installed_one_line_says_so(task, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydvl", None)
    with pytest.raises(MdeError, match=r"need pyDVL \(pip install pydvl\)") as refused:
        prepare(model, task, PydvlSettings(Counting))
    assert "\n" not in str(refused.value)


def test_black_boxes_are_valued_by_what_needs_no_gradient(task, candidate):
    learner = LogisticRegression().fit(task.train.inputs.numpy(), task.train.labels.numpy())
    for settings in (NeighbourSettings(), OutOfBagSettings(learners=40)):
        assert apart(prepare(learner, task, settings).report(candidate).scores) > 0.9
    with pytest.raises(NotDifferentiable, match="LogisticRegression has no gradients"):
        prepare(learner, task, ProjectedSettings())


@pytest.mark.parametrize(
    ("error", "words", "make"),
    [
        (MdeError, "k must be 1 or more, not 0", lambda task, model: NeighbourSettings(k=0)),
        (
            MdeError,
            "folds must lie in 2..90",
            lambda t, m: prepare(m, t, NeighbourSettings(folds=1)),
        ),
        (MdeError, "folds must lie in 2..9", lambda t, m: OutOfBagSettings(learners=9, folds=10)),
        (MdeError, "dims must be 1 or more, not 0", lambda t, m: ProjectedSettings(dims=0)),
        (MdeError, "damping must be 0 or more", lambda t, m: ProjectedSettings(damping=-1.0)),
        (
            SingularHessian,
            "120 samples do not span 27 dimensions",
            lambda t, m: projected(m, replace(t, l2=0.0)),
        ),
        (
            NotDifferentiable,
            "of classifiers by cross-entropy, not squared",
            lambda t, m: projected(m, replace(t, loss="squared")),
        ),
        (
            FeatureMismatch,
            r"\(7,\)",
            lambda t, m: prepare(m, t, NeighbourSettings()).report(drawn(9, 1, width=7)),
        ),
    ],
)
def test_what_gives_no_values_is_refused_by_name(error, words, make, task, model):
    with pytest.raises(error, match=words):
        make(task, model)
