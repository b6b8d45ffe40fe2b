"""How well each efficacy oracle ranks data, beside really retraining without it.

    python -m benchmarks.mde_fidelity [--cifar FOLDER] [--only digits,imdb] [--models CNN]
                                      [--samples 800] [--seeds 4] [--state mde_fidelity.json]

Truth: the rise of the mean validation loss when samples are left out and the model is trained anew.
Samples are left out one at a time (logistic regression, which has one optimum), or by the group
that one seller would bring: of seller g's samples a share between nothing and half have shuffled
labels. CNNs and boosted trees are retrained with several seeds and the losses averaged; `ceiling`
estimates what rho a perfect method would reach against that average: the root of its reliability,
from Spearman's rho between seeds by the formula of Spearman and Brown. rho: Spearman's, of a
method's scores (summed over a group) against the truth, with its 95 % interval by bootstrap.
Seconds are of the CPU, one thread. CIFAR-10 is read from FOLDER, a directory of class folders as
torchvision's ImageFolder reads it. What is done is kept in the state file, so that an interrupted
run goes on where it was; a changed setting needs another file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata, spearmanr

from benchmarks.mde_models import (
    CNN_L2,
    LOGISTIC_L2,
    Case,
    boosted,
    cnn,
    images,
    logistic,
    pooled,
    reviews,
    sellers,
)
from offchain.data.seeds import generator
from offchain.mde.compression import CompressionSettings, StudentEfficacy, compression
from offchain.mde.ekfac import Ekfac
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.samples import Samples, Task
from offchain.mde.solvers import Arnoldi, ConjugateGradients, Exact, Lissa
from offchain.mde.students import Distilled, Pruned, Quantised

Oracle = Callable[[Case], object]

TRAIN, VALIDATION = 800, 500
SINGLE = 100
GROUPS = 16


def of_influence(**settings) -> Oracle:
    return lambda case: influence(case.model, case.task, InfluenceSettings(**settings))


def of_extraction(**settings) -> Oracle:
    return lambda case: extraction(case.model, case.task, ExtractionSettings(**settings))


def of_compression(**settings) -> Oracle:
    return lambda case: compression(case.model, case.task, CompressionSettings(**settings))


BLACK_BOX = {
    "extraction, 1 tree": of_extraction(),
    "extraction, 10 trees": of_extraction(trees=10),
    "distilled, one step": of_compression(student=Distilled(), rate=0.1),
    "distilled, 5 steps": of_compression(student=Distilled(), steps=5, rate=0.1),
    "distilled, linearised": of_compression(student=Distilled(), linearised=True),
}
COPIES = {
    "pruned 80 %, one step": of_compression(student=Pruned(), rate=0.01),
    "8 bits, one step": of_compression(student=Quantised(), rate=0.01),
}
ORACLES: dict[str, dict[str, Oracle]] = {
    "logistic regression": {
        "influence, exact": of_influence(solver=Exact()),
        "influence, CG": of_influence(solver=ConjugateGradients()),
        "influence, LiSSA": of_influence(solver=Lissa(depth=500)),
        "influence, Arnoldi": of_influence(solver=Arnoldi(steps=200, rank=150)),
        "influence, EK-FAC": of_influence(solver=Ekfac(draws=4)),
        **BLACK_BOX,
        **COPIES,
    },
    "CNN": {
        "influence, EK-FAC": of_influence(solver=Ekfac(draws=2), damping=1e-2),
        "influence, CG, last layer": of_influence(layers="last", damping=1e-2),
        "influence, Arnoldi": of_influence(
            solver=Arnoldi(steps=30, rank=20), damping=1e-2, folds=2
        ),
        **BLACK_BOX,
        **COPIES,
    },
    "boosted trees": BLACK_BOX,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cifar", type=Path, help="folder of CIFAR-10's class folders")
    parser.add_argument("--only", default="digits,imdb,cifar10", help="datasets, by commas")
    parser.add_argument("--models", default="", help="model kinds, by commas; all unless given")
    parser.add_argument("--seeds", type=int, default=2, help="trainings that are averaged")
    parser.add_argument("--state", type=Path, default=Path("mde_fidelity.json"))
    parser.add_argument("--samples", type=int, default=TRAIN, help="training samples")
    given = parser.parse_args()
    torch.set_num_threads(1)
    datasets = [d for d in given.only.split(",") if d != "cifar10" or given.cifar is not None]
    state = json.loads(given.state.read_text()) if given.state.exists() else {}
    for name, make in cases(datasets, given.cifar, given.samples):
        if given.models and name.split(" / ")[1] not in given.models.split(","):
            continue
        case, groups = make()
        kept = state.setdefault(name, {"n": len(case.task.train), "methods": {}})
        seeds = 1 if case.name == "logistic regression" else given.seeds
        measure_truth(case, groups, seeds, kept, lambda: save(given.state, state), name)
        for method, oracle in ORACLES[case.name].items():
            if method not in kept["methods"]:
                say(f"{name}: {method}")
                kept["methods"][method] = measure(case, oracle, groups)
                save(given.state, state)
    print_table(state)


def cases(datasets: list[str], cifar: Path | None, samples: int) -> Iterator[tuple[str, Callable]]:
    """What is measured: a name, and what makes the case and the groups left out."""
    for dataset in datasets:
        if dataset == "imdb":
            own, judged = reviews(samples, VALIDATION, 0)
            pixels = None
        else:
            pixels = images(dataset, cifar, samples, VALIDATION, 0)
            own, judged = (pooled(part, 14 if dataset == "digits" else 8) for part in pixels)
        classes = 1 + int(judged.labels.max())
        task = Task(own, judged, classes, LOGISTIC_L2)
        yield f"{dataset} / logistic regression / one", lambda t=task: (logistic(t), singles(t))
        labels, groups = sellers(own, GROUPS, 0.5, 0)
        mixed = replace(task, train=Samples(own.inputs, labels))
        yield f"{dataset} / logistic regression / group", lambda t=mixed, g=groups: (logistic(t), g)
        if pixels is not None:
            raw = Task(Samples(pixels[0].images, labels), Samples.of(pixels[1]), classes, CNN_L2)
            yield f"{dataset} / CNN / group", lambda t=raw, g=groups: (cnn(t), g)
        yield f"{dataset} / boosted trees / group", lambda t=mixed, g=groups: (boosted(t), g)


def singles(task: Task) -> list[np.ndarray]:
    chosen = generator(0, "mde singles").permutation(len(task.train))[:SINGLE]
    return [np.array([i]) for i in chosen]


def measure_truth(case: Case, groups, seeds: int, kept: dict, keep: Callable, name: str) -> None:
    """Rise of the validation loss without each group, by seed; adds to what was kept."""
    everything = np.arange(len(case.task.train))
    for seed in range(seeds):
        known = kept.setdefault("losses", {}).setdefault(str(seed), [])
        began = time.process_time()
        if case.name == "logistic regression" and not known:
            sets = [everything, *(np.setdiff1d(everything, group) for group in groups)]
            known.extend(case.retrain(sets, seed).tolist())
        while len(known) < len(groups) + 1:
            say(f"{name}: seed {seed}, training {len(known) + 1} of {len(groups) + 1}")
            left = everything if not known else np.setdiff1d(everything, groups[len(known) - 1])
            known.append(float(case.retrain([left], seed)[0]))
            keep()
        kept["seconds"] = kept.get("seconds", 0.0) + time.process_time() - began
        keep()
    losses = np.array([kept["losses"][str(seed)] for seed in range(seeds)])  # (S, 1 + G)
    gains = losses[:, 1:] - losses[:, :1]
    kept["truth"] = gains.mean(0).tolist()
    if seeds > 1:
        pairs = spearmanr(gains, axis=1).statistic
        mean = float(np.mean(pairs[np.triu_indices(seeds, 1)])) if seeds > 2 else float(pairs)
        kept["ceiling"] = max(0.0, seeds * mean / (1 + (seeds - 1) * mean)) ** 0.5


def measure(case: Case, oracle: Oracle, groups) -> dict:
    """Scores of all groups, and the seconds that they took."""
    began = time.process_time()
    ready = oracle(case)
    rows = np.unique(np.concatenate(groups))
    if isinstance(ready, StudentEfficacy):
        scores = ready.group_scores(case.task.train, [group.tolist() for group in groups]).mean(1)
    else:
        score = np.zeros(len(case.task.train))
        score[rows] = ready.fold_scores(case.task.train.subset(rows)).mean(1)
        scores = np.array([score[group].sum() for group in groups])
    return {
        "scores": scores.tolist(),
        "seconds": time.process_time() - began,
        "diagnostics": ready.diagnostics,
    }


def interval(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    rows = generator(0, "mde bootstrap").integers(len(truth), size=(1000, len(truth)))
    one, other = (rankdata(values[rows], axis=1) for values in (scores, truth))
    one, other = (r - r.mean(axis=1, keepdims=True) for r in (one, other))
    found = (one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def print_table(state: dict) -> None:
    print("| data / model / left out | ceiling | method | rho | 95 % | CPU s | retraining, CPU s |")
    print("| --- | ---: | --- | ---: | --- | ---: | ---: |")
    for name, kept in state.items():
        truth = np.array(kept["truth"])
        ceiling = f"{kept['ceiling']:.2f}" if "ceiling" in kept else ""
        for method, found in kept["methods"].items():
            scores = np.array(found["scores"])
            rho = spearmanr(scores, truth).statistic
            low, high = interval(scores, truth)
            print(
                f"| {name} | {ceiling} | {method} | {rho:.2f} | {low:.2f} to {high:.2f} | "
                f"{found['seconds']:.1f} | {kept['seconds']:.1f} |"
            )


def save(path: Path, state: dict) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state))
    os.replace(part, path)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
