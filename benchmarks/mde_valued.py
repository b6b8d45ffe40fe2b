"""Runs of benchmarks/mde_valuation.py: values of data with wrong labels, by ours and peers."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.mde_models import LOGISTIC_L2, Case, images, layer_of, logistic, pooled, reviews
from benchmarks.peers import of_peer
from offchain.data.seeds import generator
from offchain.knn_shapley import knn_shapley
from offchain.mde.extraction import ExtractionSettings, TreeEfficacy
from offchain.mde.influence import GradientEfficacy, InfluenceSettings
from offchain.mde.neighbours import labelled
from offchain.mde.oracles import Settings, prepare
from offchain.mde.out_of_bag import OutOfBagSettings, out_of_bag
from offchain.mde.projected import ProjectedSettings
from offchain.mde.samples import Bools, Floats, Samples, Task

VERSION = 1
"""Raised when the same run would give other numbers."""

TRAIN, JUDGED, TEST = 400, 200, 500
WRONG = 0.2
NEIGHBOURS = 10
LEARNERS = 200
SUBSETS = 100

GRADIENTS: dict[str, Settings] = {
    "influence, CG": InfluenceSettings(),
    "TRAK, 512 dims": ProjectedSettings(weighted=False),
    "TRAK, 512 dims, weighted": ProjectedSettings(),
    "extraction, 1 tree": ExtractionSettings(),
}
BUDGETS = {"learners": (25, 100, 400), "dims": (8, 32, 128, 512, 1024)}


@dataclass(frozen=True)
class Valued:
    """All values that `who` gives: "souk", "pydvl" or "opendataval", the latter by `python`.

    budgets: by methods that take longer the better they are, at several budgets, instead of all.
    """

    dataset: str
    seed: int
    who: str
    python: str | None = None
    budgets: bool = False


@dataclass(frozen=True)
class Truth:
    """What training on parts of the data does; see `retrained`."""

    dataset: str
    seed: int


@dataclass(frozen=True)
class Values:
    """values: of the training samples, more is better, or empty. pairs: of each training and judged
    sample, (N, V), or empty. cpu: seconds of the processor for `values`."""

    method: str
    values: Floats
    pairs: Floats
    cpu: float


@dataclass(frozen=True)
class Retrained:
    """subsets: (S, N), which samples were trained on. losses: (S, V), of the judged samples."""

    subsets: Bools
    losses: Floats


@dataclass(frozen=True)
class Setting:
    """One dataset and seed. wrong: which training labels are. case: trained on those labels."""

    case: Case
    wrong: Bools
    test: Samples


@lru_cache(maxsize=2)
def setting(dataset: str, seed: int) -> Setting:
    """TRAIN samples of which WRONG have another class's label, JUDGED and TEST clean ones."""
    if dataset == "imdb":
        own, rest = reviews(TRAIN, JUDGED + TEST, seed)
    else:
        parts = images(dataset, None, TRAIN, JUDGED + TEST, seed)
        own, rest = (pooled(part, 14) for part in parts)
    classes = 1 + int(rest.labels.max())
    rng = generator(seed, "mde wrong labels")
    wrong = np.zeros(TRAIN, dtype=bool)
    wrong[rng.permutation(TRAIN)[: round(WRONG * TRAIN)]] = True
    shift = torch.from_numpy(np.where(wrong, rng.integers(1, classes, TRAIN), 0))
    noisy = Samples(own.inputs, (own.labels + shift) % classes)
    judged, test = rest.subset(list(range(JUDGED))), rest.subset(list(range(JUDGED, len(rest))))
    return Setting(logistic(Task(noisy, judged, classes, LOGISTIC_L2)), wrong, test)


def measure(run: Valued | Truth) -> list[Values] | Retrained:
    """Do one run."""
    torch.set_num_threads(1)
    chosen = setting(run.dataset, run.seed)
    if isinstance(run, Truth):
        return retrained(chosen.case.task, run.seed)
    if run.who == "souk":
        return _budgets(chosen.case, run.seed) if run.budgets else _ours(chosen.case, run.seed)
    assert run.python is not None
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), chosen, run)
        found = of_peer(run.python, f"benchmarks.mde_{run.who}_values", folder)
    values = [_told(name, one) for name, one in found.items()]
    for one in values:
        own = found[one.method].get("f1")
        # OpenDataVal's own figure, so that ours is what its users know.
        if own is not None and abs(f1(one.values, chosen.wrong) - own) > 1e-9:
            sys.exit(f"{one.method}: F1 is {f1(one.values, chosen.wrong)}, it says {own}")
    return values


def fitted(samples: Samples, l2: float) -> Any:
    """The learner of every retraining, with the l2 term as `Task` has it for TRAIN samples."""
    model = LogisticRegression(C=1 / (l2 * TRAIN), max_iter=500)
    return model.fit(samples.inputs.numpy(), samples.labels.numpy())


def believed(model: Any, samples: Samples, classes: int) -> Floats:
    """float64 (N, C); no chance below 1e-7, as a class may be left out of a small training set."""
    proba = np.full((len(samples), classes), 1e-7)
    proba[:, model.classes_] = np.maximum(model.predict_proba(samples.inputs.numpy()), 1e-7)
    return proba


def retrained(task: Task, seed: int) -> Retrained:
    """Training anew on SUBSETS random halves."""
    rng = generator(seed, "mde halves")
    subsets = np.zeros((SUBSETS, TRAIN), dtype=bool)
    losses = []
    for subset in subsets:
        subset[rng.permutation(TRAIN)[: TRAIN // 2]] = True
        model = fitted(task.train.subset(np.flatnonzero(subset)), task.l2)
        proba = believed(model, task.validation, task.classes)
        losses.append(-np.log(proba[np.arange(len(proba)), task.validation.labels.numpy()]))
    return Retrained(subsets, np.array(losses))


def f1(values: Floats, wrong: Bools) -> float:
    """Of calling wrong the lower of the two clusters of values that leave the least variance."""
    order = values.argsort(kind="stable")
    near = values[order] - values.mean()
    n = len(near)
    sums, squares = (np.array(list(accumulate(part))) for part in (near, near**2))
    left = np.arange(1, n)
    low = squares[:-1] - sums[:-1] ** 2 / left
    high = squares[-1] - squares[:-1] - (sums[-1] - sums[:-1]) ** 2 / (n - left)
    called = order[: 1 + int((low + high).argmin())]
    hits = int(wrong[called].sum())
    return 2 * hits / (len(called) + int(wrong.sum()))


def _ours(case: Case, seed: int) -> list[Values]:
    task = case.task
    own, judged = labelled(task.train), labelled(task.validation)
    found = [
        _timed("KNN-Shapley", lambda: knn_shapley(own, judged, NEIGHBOURS)),
        _timed(f"Data-OOB, {LEARNERS} trees", lambda: _bagged(task, LEARNERS, seed)),
    ]
    found[1] = replace(found[1], pairs=np.empty((0, 0)))  # its parts judge no samples
    for name, settings in GRADIENTS.items():
        timed = _timed(name, lambda settings=settings: _scores(case, settings))  # type: ignore[misc]
        # Each judged sample a fold of its own, in the order of `validation_folds`.
        each = _scores(case, replace(settings, folds=JUDGED))
        pairs = each[:, task.validation_folds(JUDGED).numpy()]
        found.append(replace(timed, pairs=pairs))
    return found


def _budgets(case: Case, seed: int) -> list[Values]:
    found = []
    for count in BUDGETS["learners"]:
        made = _timed(f"Data-OOB, {count} trees", lambda n=count: _bagged(case.task, n, seed))  # type: ignore[misc]
        found.append(made)
    for dims in BUDGETS["dims"]:
        settings = ProjectedSettings(dims=dims)
        found.append(_timed(f"TRAK, {dims} dims, weighted", lambda s=settings: _scores(case, s)))  # type: ignore[misc]
    return [replace(one, pairs=np.empty((0, 0))) for one in found]


def _bagged(task: Task, learners: int, seed: int) -> Floats:
    return out_of_bag(task.train, OutOfBagSettings(learners=learners, seed=seed))


def _scores(case: Case, settings: Settings) -> Floats:
    ready = prepare(case.model, case.task, settings)
    assert isinstance(ready, GradientEfficacy | TreeEfficacy)
    return ready.fold_scores(case.task.train)


def _timed(method: str, work: Callable[[], Floats]) -> Values:
    began = time.process_time()
    by_part = work()
    return Values(method, by_part.mean(1), by_part, time.process_time() - began)


def _told(name: str, found: dict[str, Any]) -> Values:
    pairs = np.array(found.get("pairs", []))
    return Values(name, np.array(found["values"]), pairs, found["cpu"])


def _write(folder: Path, chosen: Setting, run: Valued) -> None:
    """For benchmarks/mde_pydvl_values.py and benchmarks/mde_opendataval_values.py."""
    task, layer = chosen.case.task, layer_of(chosen.case)
    np.savez(
        folder / "case.npz",
        x=task.train.inputs.numpy(),
        y=task.train.labels.numpy(),
        vx=task.validation.inputs.numpy(),
        vy=task.validation.labels.numpy(),
        wrong=np.flatnonzero(chosen.wrong),
        weight=layer.weight.numpy(),
        bias=layer.bias.numpy(),
        classes=task.classes,
        l2=task.l2,
        neighbours=NEIGHBOURS,
        learners=BUDGETS["learners"] if run.budgets else LEARNERS,
        seed=run.seed,
        budgets=run.budgets,
    )
