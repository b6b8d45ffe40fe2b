"""Influence functions against closed forms, against one another, and against real retraining."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from offchain.mde import gradients
from offchain.mde.differentiate import differentiate
from offchain.mde.ekfac import Ekfac
from offchain.mde.errors import (
    FeatureMismatch,
    MdeError,
    NotConverged,
    NotDifferentiable,
    SingularHessian,
    TooLarge,
)
from offchain.mde.gradients import data_of
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.samples import Samples, Task
from offchain.mde.solvers import Arnoldi, ConjugateGradients, Exact, Lissa
from tests.offchain.mde.small import drawn, fitted, linear, loss_of, objective, small_task


def scores(model, task, candidate, **settings):
    return influence(model, task, InfluenceSettings(**settings)).report(candidate).scores


@pytest.fixture(scope="module")
def candidate():
    return drawn(40, 3)


@pytest.fixture(scope="module")
def exact(task, model, candidate):
    return scores(model, task, candidate, solver=Exact())


def test_ridge_influence_is_the_closed_form(candidate):
    task = small_task(l2=0.05, loss="squared")
    weights = fitted(task)
    x, v, z = (
        torch.cat([s.inputs, torch.ones(len(s), 1)], 1).double()
        for s in (task.train, task.validation, candidate)
    )
    eye = torch.eye(task.classes, dtype=torch.float64)
    matrix = x.T @ x / len(x) + task.l2 * torch.eye(x.shape[1], dtype=torch.float64)
    slope = v.T @ (v @ weights - eye[task.validation.labels]) / len(v)  # (D + 1, C)
    rest = z @ weights - eye[candidate.labels]  # (N, C)
    expected = ((z @ torch.linalg.solve(matrix, slope)) * rest).sum(1) / len(x)
    found = scores(linear(weights, double=True), task, candidate, solver=Exact())
    assert found == pytest.approx(expected.numpy(), rel=1e-6, abs=1e-10)


def test_leaving_one_out_of_least_squares_is_influence_over_one_minus_leverage():
    # Least squares is its own second order: removing sample i moves the weights by exactly
    # H^-1 grad_i / (n (1 - h_i)), h_i its leverage; so does the loss to first order.
    task = small_task(l2=0.0, loss="squared")
    weights, n = fitted(task), len(task.train)
    x = torch.cat([task.train.inputs, torch.ones(n, 1)], 1).double()
    leverage = (x @ torch.linalg.inv(x.T @ x) * x).sum(1)
    slope = torch.func.grad(objective)(weights, task.validation, task)
    found = scores(linear(weights, double=True), task, task.train, solver=Exact())
    for i in range(0, n, 10):
        without = fitted(task, task.train.subset([j for j in range(n) if j != i]), weights)
        true = float((slope * (without - weights)).sum())
        assert found[i] / (1 - float(leverage[i])) == pytest.approx(true, rel=1e-5, abs=1e-9)


def test_logistic_scores_rank_as_really_leaving_one_out(task, model):
    weights, n = fitted(task), len(task.train)
    found = scores(model, task, task.train, solver=Exact())
    before = loss_of(weights, task.validation, task)
    rows = list(range(0, n, 5))
    parts = [task.train.subset([j for j in range(n) if j != i]) for i in rows]
    same_sum = replace(task, l2=task.l2 * n / (n - 1))
    true = np.array(
        [loss_of(fitted(same_sum, part, weights), task.validation, task) - before for part in parts]
    )
    assert spearmanr(found[rows], true).statistic > 0.98
    assert np.median(found[rows] / true) == pytest.approx(1, abs=0.2)


def test_a_sample_that_scores_high_does_lower_the_validation_loss(task, candidate, exact):
    before = loss_of(fitted(task), task.validation, task)
    for i, helps in ((int(exact.argmax()), True), (int(exact.argmin()), False)):
        more = fitted(task, task.train.joined(candidate.subset([i])), fitted(task))
        assert (loss_of(more, task.validation, task) < before) is helps


@pytest.mark.parametrize(
    ("solver", "near"),
    [
        (ConjugateGradients(tolerance=1e-6), 1e-3),
        (Lissa(depth=2000), 1e-3),
        (Arnoldi(steps=27, rank=27), 1e-3),
        (ConjugateGradients(iterations=3), 1.0),
    ],
)
def test_solvers_agree_with_the_exact_inverse(task, model, candidate, exact, solver, near):
    found = influence(model, task, InfluenceSettings(solver=solver)).report(candidate)
    assert np.abs(found.scores - exact).max() <= near * np.abs(exact).max()
    # What is reported of convergence is the truth of it.
    assert (found.diagnostics["residual"] < 1e-2) == (near < 1)


def test_lissa_on_mini_batches_comes_near_the_exact_scores(task, model, candidate, exact):
    solver = Lissa(depth=800, scale=3.0, repeats=3)
    found = scores(model, task, candidate, solver=solver, batch=16)
    assert spearmanr(found, exact).statistic > 0.9


def test_ekfac_of_one_dense_layer_is_near_and_of_one_output_basis_exact(
    task, model, candidate, exact
):
    found = scores(model, task, candidate, solver=Ekfac(draws=50))
    assert spearmanr(found, exact).statistic > 0.85
    # With a squared loss the curvature is a Kronecker product, so that EK-FAC loses nothing but
    # what its random draws cost.
    squared = small_task(l2=0.05, loss="squared")
    ridge = linear(fitted(squared))
    both = [scores(ridge, squared, candidate, solver=s) for s in (Exact(), Ekfac(draws=200))]
    assert np.abs(both[0] - both[1]).max() < 0.1 * np.abs(both[0]).max()


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return nn.Sequential(
            nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(27, 3)
        )


@pytest.fixture(scope="module")
def pictures():
    def some(count, seed):
        rng = torch.Generator().manual_seed(seed)
        labels = torch.arange(count) % 3
        pixels = torch.randint(0, 100, (count, 1, 6, 6), generator=rng, dtype=torch.uint8)
        pixels[torch.arange(count), 0, labels * 2] += 100
        return Samples(pixels, labels)

    return Task(some(60, 1), some(30, 2), 3), some(20, 3)


def test_a_networks_products_are_those_of_its_gauss_newton_matrix(network, pictures):
    task, _ = pictures
    model = differentiate(network, task)
    inputs, labels = data_of(model, task.train)
    chosen = model.chosen

    def outputs(flat):
        return torch.func.functional_call(network, model._named(flat), inputs.float() / 255)

    flat = model._flat(chosen)
    jacobian = torch.func.jacrev(outputs)(flat)  # (N, C, P)
    p = outputs(flat).softmax(1)
    inner = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    matrix = torch.einsum("ncp,ncd,ndq->pq", jacobian, inner, jacobian) / len(labels)
    vectors = torch.randn(2, model.size, generator=torch.Generator().manual_seed(0))
    found = model.products(vectors, inputs, labels)
    assert torch.allclose(found, vectors @ matrix, rtol=1e-4, atol=1e-5)


def test_a_networks_products_are_those_of_its_hessian_where_asked(network, pictures):
    task, _ = pictures
    model = differentiate(network, task, curvature="hessian")
    inputs, labels = data_of(model, task.train)

    def loss(flat):
        outputs = torch.func.functional_call(network, model._named(flat), inputs.float() / 255)
        return nn.functional.cross_entropy(outputs, labels)

    matrix = torch.func.hessian(loss)(model._flat(model.chosen))
    vectors = torch.randn(2, model.size, generator=torch.Generator().manual_seed(0))
    found = model.products(vectors, inputs, labels)
    assert torch.allclose(found, vectors @ matrix, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("share", [0, 1000])
def test_alignments_are_inner_products_of_each_samples_own_gradient(
    network, pictures, share, monkeypatch
):
    """Whether those gradients are made or not."""
    monkeypatch.setattr(gradients, "OWN_SHARE", share)
    task, candidate = pictures
    vectors = torch.randn(
        2, differentiate(network, task).size, generator=torch.Generator().manual_seed(0)
    )
    model = differentiate(network, task)
    inputs, labels = data_of(model, candidate)
    own = torch.stack([model.gradient(inputs[i, None], labels[i, None]) for i in range(20)])
    found = model.alignments(vectors, inputs, labels)
    assert torch.allclose(found, own @ vectors.T, rtol=1e-4, atol=1e-5)


def test_ekfac_is_near_the_exact_gauss_newton_scores_of_a_small_network(network, pictures):
    task, candidate = pictures
    both = [
        scores(network, task, candidate, solver=solver, damping=0.05)
        for solver in (Exact(), Ekfac(draws=20))
    ]
    assert spearmanr(*both).statistic > 0.9


def test_the_last_layer_by_closed_form_is_the_last_layer_by_autograd(network, pictures):
    task, candidate = pictures
    found = [
        scores(network, task, candidate, layers=layers, damping=0.1) for layers in ("last", ("3",))
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-3, abs=1e-8)


def test_the_errors_of_scores_cover_what_another_validation_set_says(task, model, candidate):
    found = influence(model, task).report(candidate)
    other = Task(task.train, drawn(4000, 9), 3, task.l2)
    truth = influence(model, other).report(candidate)
    apart = np.abs(found.scores - truth.scores) / found.errors
    assert 0.4 < np.median(apart) < 1.2  # 0.67 for normal errors of that size
    assert abs(found.total - truth.total) < 4 * found.total_error


def test_the_model_is_left_as_it_was(network, pictures):
    task, candidate = pictures
    before = {name: p.clone() for name, p in network.state_dict().items()}
    network.train()
    scores(network, task, candidate, solver=Ekfac(), damping=0.1)
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert all(torch.equal(p, before[name]) for name, p in network.state_dict().items())


class Stump:
    def predict_proba(self, x):
        return np.full((len(x), 3), 1 / 3)


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (NotDifferentiable, "Stump has no gradients", {"model": Stump()}),
        (NotDifferentiable, "no parameters", {"model": nn.Flatten()}),
        (FeatureMismatch, "does not take samples of", {"model": nn.Linear(5, 3)}),
        (FeatureMismatch, "of 3 classes", {"model": nn.Linear(8, 4)}),
        (SingularHessian, "state a damping", {"l2": 0.0}),
        (SingularHessian, "smallest eigenvalue", {"l2": 0.0, "solver": Exact()}),
        (SingularHessian, "EK-FAC", {"l2": 0.0, "solver": Ekfac()}),
        (NotConverged, "below the largest", {"solver": Lissa(scale=0.01)}),
        (TooLarge, "27 parameters", {"solver": Exact(memory=1000)}),
        (
            MdeError,
            "no layer 'conv'",
            {"model": nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 3)), "layers": ("conv",)},
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_line(model, error, words, change):
    task = small_task(l2=change.pop("l2", 1e-2))
    with pytest.raises(error, match=words) as refused:
        influence(change.pop("model", model), task, InfluenceSettings(**change))
    assert "\n" not in str(refused.value)


def test_a_singular_hessian_is_taken_once_it_is_damped(model, candidate):
    task = small_task(l2=0.0)
    for solver in (ConjugateGradients(), Exact(), Ekfac()):
        assert np.isfinite(scores(model, task, candidate, solver=solver, damping=1e-2)).all()
