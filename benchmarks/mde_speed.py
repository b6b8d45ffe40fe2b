"""Seconds to value data by influence: ours, pyDVL's, and real retraining, on one model and data.

    python -m benchmarks.mde_speed --pydvl-python PYTHON [--dataset digits] [--train 600]
                                   [--validation 400]

One run, one machine, one thread. The task is logistic regression at its optimum; what is asked for
is a score for each training sample, by its effect on the mean validation loss. Truth is leaving
each sample out and training anew, for 100 of them. pyDVL gives an influence for every pair of a
validation and a training sample, whose mean over the validation samples is the score: it solves
for every validation sample, where we solve for the mean of each of eight folds, which gives the
scores and their uncertainty. Both have the same l2, and conjugate gradients the same tolerance.
PYTHON is one that has pydvl[dask], zarr and what `offchain` needs. Start-up, imports and training
are not counted. Seconds of the CPU are what to compare where the machine has other work.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.mde_models import (
    LOGISTIC_L2,
    Case,
    images,
    layer_of,
    logistic,
    pooled,
    reviews,
)
from benchmarks.peers import of_peer
from offchain.data.seeds import generator
from offchain.mde.ekfac import Ekfac
from offchain.mde.influence import InfluenceSettings, Solver, influence
from offchain.mde.samples import Task
from offchain.mde.solvers import ConjugateGradients, Exact

RETRAINED = 100
TOLERANCE = 1e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pydvl-python", help="a Python with pydvl[dask] and zarr")
    parser.add_argument("--dataset", default="digits", choices=["digits", "imdb"])
    parser.add_argument("--train", type=int, default=600)
    parser.add_argument("--validation", type=int, default=400)
    given = parser.parse_args()
    torch.set_num_threads(1)
    case = the_case(given.dataset, given.train, given.validation)

    rows = generator(0, "mde singles").permutation(len(case.task.train))[:RETRAINED]
    everything = np.arange(len(case.task.train))
    began = time.perf_counter(), time.process_time()
    sets = [everything, *(np.delete(everything, row) for row in rows)]
    losses = case.retrain(sets, 0)
    spent = time.perf_counter() - began[0], time.process_time() - began[1]
    truth = losses[1:] - losses[0]
    every = len(everything) / (RETRAINED + 1)
    print(
        f"{given.dataset}: {len(everything)} samples valued by {len(case.task.validation)}, "
        f"logistic regression of {layer_of(case).weight.numel() + case.task.classes} parameters; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    print("| method | s | CPU s | rho to retraining |\n| --- | ---: | ---: | ---: |", flush=True)
    line("retraining, all samples (from 100)", spent[0] * every, spent[1] * every, 1.0)
    ours = {}
    solvers: dict[str, Solver] = {
        "CG": ConjugateGradients(TOLERANCE),
        "exact": Exact(),
        "EK-FAC": Ekfac(draws=4),
    }
    for name, solver in solvers.items():
        began = time.perf_counter(), time.process_time()
        oracle = influence(case.model, case.task, InfluenceSettings(solver=solver))
        scores = oracle.fold_scores(case.task.train).mean(1)
        spent = time.perf_counter() - began[0], time.process_time() - began[1]
        ours[name] = spent[1]
        line(f"ours, {name}", *spent, spearmanr(scores[rows], truth).statistic)
    if given.pydvl_python:
        with tempfile.TemporaryDirectory() as folder:
            write_case(Path(folder), case)
            for name, found in of_peer(given.pydvl_python, "benchmarks.mde_pydvl", folder).items():
                scores = np.array(found["scores"])
                rho = spearmanr(scores[rows], truth).statistic
                line(f"pyDVL, {name}", found["wall"], found["cpu"], rho)
                same = name.split(",")[0]
                print(
                    f"| ours, {same}: so many times faster | | {found['cpu'] / ours[same]:.1f} | |"
                )


def the_case(dataset: str, train: int, validation: int) -> Case:
    if dataset == "imdb":
        own, judged = reviews(train, validation, 0)
    else:
        own, judged = (pooled(p, 14) for p in images(dataset, None, train, validation, 0))
    return logistic(Task(own, judged, 1 + int(judged.labels.max()), LOGISTIC_L2))


def line(name: str, wall: float, cpu: float, rho: float) -> None:
    print(f"| {name} | {wall:.2f} | {cpu:.2f} | {rho:.3f} |", flush=True)


def write_case(folder: Path, case: Case) -> None:
    """For benchmarks/mde_pydvl.py."""
    task = case.task
    np.savez(
        folder / "case.npz",
        x=task.train.inputs.numpy(),
        y=task.train.labels.numpy(),
        vx=task.validation.inputs.numpy(),
        vy=task.validation.labels.numpy(),
        weight=layer_of(case).weight.numpy(),
        bias=layer_of(case).bias.numpy(),
        l2=task.l2,
        tolerance=TOLERANCE,
    )


if __name__ == "__main__":
    main()
