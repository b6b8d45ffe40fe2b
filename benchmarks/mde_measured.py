"""Runs of benchmarks/mde_fidelity.py: real retraining, and the scores of every method."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.mde_models import (
    CNN_L2,
    LOGISTIC_L2,
    Case,
    Rows,
    boosted,
    cnn,
    images,
    logistic,
    pooled,
    reviews,
    sellers,
)
from offchain.data.seeds import generator
from offchain.mde.compression import CompressionSettings, StudentEfficacy
from offchain.mde.ekfac import Ekfac
from offchain.mde.extraction import ExtractionSettings, TreeEfficacy
from offchain.mde.influence import GradientEfficacy, InfluenceSettings
from offchain.mde.oracles import Settings, prepare
from offchain.mde.samples import Samples, Task
from offchain.mde.solvers import Arnoldi, ConjugateGradients, Exact, Lissa
from offchain.mde.students import Distilled, Pruned, Quantised

VERSION = 1
"""Raised when the same run would give other numbers."""

VALIDATION = 500
SINGLE = 100
GROUPS, WORST = 16, 0.5

BLACK_BOX: dict[str, Settings] = {
    "extraction, 1 tree": ExtractionSettings(),
    "extraction, 10 trees": ExtractionSettings(trees=10),
    "distilled, one step": CompressionSettings(student=Distilled(), rate=0.1),
    "distilled, 5 steps": CompressionSettings(student=Distilled(), steps=5, rate=0.1),
    "distilled, linearised": CompressionSettings(student=Distilled(), linearised=True),
}
COPIES: dict[str, Settings] = {
    "pruned 80 %, one step": CompressionSettings(student=Pruned(), rate=0.01),
    "8 bits, one step": CompressionSettings(student=Quantised(), rate=0.01),
}
METHODS: dict[str, dict[str, Settings]] = {
    "logistic regression": {
        "influence, exact": InfluenceSettings(solver=Exact()),
        "influence, CG": InfluenceSettings(solver=ConjugateGradients()),
        "influence, LiSSA": InfluenceSettings(solver=Lissa(depth=500)),
        "influence, Arnoldi": InfluenceSettings(solver=Arnoldi(steps=200, rank=150)),
        "influence, EK-FAC": InfluenceSettings(solver=Ekfac(draws=4)),
        **BLACK_BOX,
        **COPIES,
    },
    "CNN": {
        "influence, EK-FAC": InfluenceSettings(solver=Ekfac(draws=2), damping=1e-2),
        "influence, CG, last layer": InfluenceSettings(layers="last", damping=1e-2),
        "influence, Arnoldi": InfluenceSettings(
            solver=Arnoldi(steps=30, rank=20), damping=1e-2, folds=2
        ),
        **BLACK_BOX,
        **COPIES,
    },
    "boosted trees": BLACK_BOX,
}


@dataclass(frozen=True)
class Setup:
    """What is measured: a model of a dataset, and what is left out of its training.

    left_out: "one" for samples one at a time, or "group" for what each seller would bring. samples:
    to train with. cifar: the folder of CIFAR-10's classes. groups: among how many sellers the
    samples are dealt out. worst: share of labels that are shuffled at the worst of them.
    draw: seed of which samples there are and who has which.
    """

    dataset: str
    model: str
    left_out: str
    samples: int
    cifar: str | None = None
    groups: int = GROUPS
    worst: float = WORST
    draw: int = 0

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.dataset} / {self.model} / {self.left_out}"


def setups(
    datasets: list[str],
    cifar: Path | None,
    samples: int,
    groups: int = GROUPS,
    worst: float = WORST,
    draw: int = 0,
) -> list[Setup]:
    """All that is measured of the datasets, in the table's order."""
    found = []
    for dataset in datasets:
        kinds = [("logistic regression", "one"), ("logistic regression", "group")]
        kinds += [] if dataset == "imdb" else [("CNN", "group")]
        kinds.append(("boosted trees", "group"))
        folder = str(cifar) if dataset == "cifar10" else None
        found += [
            Setup(dataset, model, left, samples, folder, groups, worst, draw)
            for model, left in kinds
        ]
    return found


@lru_cache(maxsize=1)
def prepared(setup: Setup) -> tuple[Case, list[Rows]]:
    """The case and the groups left out, made once in each process."""
    if setup.dataset == "imdb":
        own, judged = reviews(setup.samples, VALIDATION, setup.draw)
    else:
        folder = None if setup.cifar is None else Path(setup.cifar)
        pixels = images(setup.dataset, folder, setup.samples, VALIDATION, setup.draw)
        side = 14 if setup.dataset == "digits" else 8
        own, judged = pooled(pixels[0], side), pooled(pixels[1], side)
    task = Task(own, judged, 1 + int(judged.labels.max()), LOGISTIC_L2)
    if setup.left_out == "one":
        chosen = generator(0, "mde singles").permutation(len(own))[:SINGLE]
        return logistic(task), [np.array([i]) for i in chosen]
    labels, groups = sellers(own, setup.groups, setup.worst, setup.draw)
    if setup.model == "CNN":
        raw = Samples(pixels[0].images, labels)
        return cnn(Task(raw, Samples.of(pixels[1]), task.classes, CNN_L2)), groups
    mixed = replace(task, train=Samples(own.inputs, labels))
    return (boosted if setup.model == "boosted trees" else logistic)(mixed), groups


@dataclass(frozen=True)
class Retrained:
    """Training anew with one seed: without group `left` - 1, or with all for 0; None for all of
    these at once, which logistic regression can."""

    setup: Setup
    seed: int
    left: int | None


@dataclass(frozen=True)
class Valued:
    """The scores that a method gives to all groups."""

    setup: Setup
    method: str


@dataclass(frozen=True)
class Found:
    """values: mean validation losses, or scores by group. seconds: of the processor."""

    values: tuple[float, ...]
    seconds: float


def runs_of(setup: Setup, seeds: int) -> list[Retrained | Valued]:
    """All that a row of tables takes; seeds: of trainings that are random."""
    places: list[int | None] = [None]
    if setup.model != "logistic regression":
        places = list(range(setup.groups + 1))
    retrained = [Retrained(setup, seed, left) for seed in seeds_of(setup, seeds) for left in places]
    return [*retrained, *(Valued(setup, method) for method in METHODS[setup.model])]


def seeds_of(setup: Setup, seeds: int) -> range:
    """Logistic regression has one optimum, whatever the seed."""
    return range(1 if setup.model == "logistic regression" else seeds)


def measure(run: Retrained | Valued) -> Found:
    """Do one run."""
    case, groups = prepared(run.setup)
    began = time.process_time()
    if isinstance(run, Valued):
        values = _scores(case, METHODS[run.setup.model][run.method], groups)
    else:
        everything = np.arange(len(case.task.train))
        sets = [everything, *(np.setdiff1d(everything, group) for group in groups)]
        chosen = sets if run.left is None else [sets[run.left]]
        values = tuple(case.retrain(chosen, run.seed).tolist())
    return Found(values, time.process_time() - began)


def _scores(case: Case, settings: Settings, groups: list[Rows]) -> tuple[float, ...]:
    ready = prepare(case.model, case.task, settings)
    if isinstance(ready, StudentEfficacy):
        found = ready.group_scores(case.task.train, [group.tolist() for group in groups])
        return tuple(found.mean(1).tolist())
    assert isinstance(ready, GradientEfficacy | TreeEfficacy)
    rows = np.unique(np.concatenate(groups))
    score = np.zeros(len(case.task.train))
    score[rows] = ready.fold_scores(case.task.train.subset(rows)).mean(1)
    return tuple(float(score[group].sum()) for group in groups)
