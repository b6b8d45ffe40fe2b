"""EK-FAC on a ResNet-18: time, memory, and how well it finds what is known to be wrong.

    python -m benchmarks.mde_resnet --dataset FOLDER [--samples 2000] [--seeds 3] [--epochs 8]
                                    [--image-size 32] [--reference 0] [--workers 1] [--kept DIR]

torchvision's ResNet-18 is trained from random weights on `samples` pictures that 16 sellers would
bring; of seller g's labels a share between nothing and half was shuffled. Then all its parameters'
influence is computed by EK-FAC, batch norm included, and that of its last layer alone. To train it
anew without each seller, with several seeds, would take hours; so the references are

- `groups`: Spearman's rho of a seller's score and its share of labels that are as they were,
- `AUC`: how well single scores tell a label that was changed from one that was not,
- `CG`, with `--reference N`: Spearman's rho of the scores of all samples by EK-FAC and by conjugate
  gradients on all parameters, both on the curvature of N training samples.

What is not over yet is told by lines on standard error, with an estimate first. Seconds are of the
CPU, one thread; `MiB` is the most that the process held in all.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.mde_models import cnn, resnet18, sellers
from benchmarks.spreading import add_spread, finished_of, spread_of, told
from offchain.data.datasets import load_dataset
from offchain.data.imageset import split
from offchain.mde.ekfac import Ekfac
from offchain.mde.influence import GradientEfficacy, InfluenceSettings, Solver, influence
from offchain.mde.samples import Floats, Samples, Task
from offchain.mde.solvers import ConjugateGradients
from offchain.runs.finish import finish

VERSION = 1
VALIDATION, GROUPS, WORST = 500, 16, 0.5
L2, DAMPING, FOLDS = 1e-4, 1e-2, 4
CG_ITERATIONS = 40
SAID_SECONDS = 10.0


@dataclass(frozen=True)
class Run:
    """Of one seed. reference: training samples of the comparison with CG; 0 for none."""

    dataset: str
    samples: int
    epochs: int
    side: int
    reference: int
    seed: int


@dataclass(frozen=True)
class Found:
    """accuracy: on the validation set. cpu: seconds by what was done. rest: figures by name."""

    accuracy: float
    mebibytes: int
    cpu: dict[str, float]
    rest: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True, help="digits, or a folder of class folders")
    parser.add_argument("--samples", type=int, default=2_000, help="training samples")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--reference", type=int, default=0, help="samples to compare with CG on")
    add_spread(parser, "mde_resnet")
    given = parser.parse_args()
    runs = [
        Run(
            *(given.dataset, given.samples, given.epochs, given.image_size),
            given.reference if seed == 0 else 0,
            seed,
        )
        for seed in range(given.seeds)
    ]
    found = finish(
        measure, runs, lambda run: run, finished_of(given, VERSION), spread_of(given), told
    )
    names = list(dict.fromkeys(name for one in found for name in one.rest))
    times = list(dict.fromkeys(name for one in found for name in one.cpu))
    print(f"| seed | accuracy | MiB | {' | '.join([*(f'CPU s, {t}' for t in times), *names])} |")
    print(f"| {' | '.join(['---:'] * (3 + len(times) + len(names)))} |")
    for run, one in zip(runs, found, strict=True):
        cells = [f"{one.cpu[name]:.0f}" if name in one.cpu else "" for name in times]
        cells += [f"{one.rest[name]:.2f}" if name in one.rest else "" for name in names]
        print(f"| {run.seed} | {one.accuracy:.2f} | {one.mebibytes} | {' | '.join(cells)} |")
    print("\nmean and standard deviation over the seeds:")
    for name in names:
        values = np.array([one.rest[name] for one in found if name in one.rest])
        spread = f" +- {values.std(ddof=1):.2f}" if len(values) > 1 else ""
        print(f"- {name}: {values.mean():.2f}{spread}, {len(values)} seeds")


def measure(run: Run) -> Found:
    """Trains and values."""
    whole = load_dataset(run.dataset, limit=run.samples + VALIDATION, size=run.side)
    own, judged = split(whole, [run.samples, VALIDATION], run.seed)
    labels, groups = sellers(own, GROUPS, WORST, run.seed)
    right = (labels == own.labels).numpy()
    classes = 1 + int(max(own.labels.max(), judged.labels.max()))
    task = Task(Samples(own.images, labels), Samples.of(judged), classes, L2)
    cpu: dict[str, float] = {}
    began = time.process_time()
    case = cnn(task, run.epochs, resnet18, run.seed)
    cpu["training"] = time.process_time() - began
    rest: dict[str, float] = {}
    full = InfluenceSettings(solver=Ekfac(), damping=DAMPING, folds=FOLDS)
    kinds = {"EK-FAC": full, "last layer": InfluenceSettings(layers="last", damping=DAMPING)}
    accuracy = 0.0
    for name, settings in kinds.items():
        scores, made, seconds = valued(case.model, task, task.train, settings, name)
        cpu |= {f"{name}, directions": seconds[0], f"{name}, scores": seconds[1]}
        said = made.proba(task.validation.inputs)
        accuracy = float((said.argmax(1) == judged.labels.numpy()).mean())
        totals = [scores[group].sum() for group in groups]
        shares = [right[group].mean() for group in groups]
        rest[f"groups, {name}"] = float(spearmanr(totals, shares).statistic)
        rest[f"AUC, {name}"] = float(roc_auc_score(right, scores))
        if name == "EK-FAC":
            rest["residual"] = made.diagnostics["residual"]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    if run.reference:
        few = replace(task, train=task.train.subset(list(range(run.reference))))
        solvers: dict[str, Solver] = {
            "EK-FAC": Ekfac(),
            "CG": ConjugateGradients(1e-3, CG_ITERATIONS),
        }
        both = {}
        for name, solver in solvers.items():
            settings = InfluenceSettings(solver=solver, damping=DAMPING, folds=2)
            both[name], made, seconds = valued(case.model, few, task.train, settings, name)
            cpu[f"{name} on {run.reference}, directions"] = seconds[0]
        rest["CG's residual"] = made.diagnostics["residual"]
        rest["rho to CG"] = float(spearmanr(*both.values()).statistic)
    return Found(accuracy, most, cpu, rest)


def valued(
    model: object, task: Task, candidate: Samples, settings: InfluenceSettings, what: str
) -> tuple[Floats, GradientEfficacy, tuple[float, float]]:
    """Scores, the oracle, and seconds of the CPU for directions and for scores."""
    began = time.process_time()
    made = influence(model, task, settings, progress=partial(say, what, [time.monotonic()]))
    between = time.process_time()
    scores = made.fold_scores(candidate, partial(say, f"{what}, scores", [time.monotonic()])).mean(
        1
    )
    return scores, made, (between - began, time.process_time() - between)


def say(what: str, last: list[float], done: int, total: int) -> None:
    """A line every ten seconds at most."""
    if time.monotonic() - last[0] > SAID_SECONDS:
        last[0] = time.monotonic()
        print(f"{what}: {done:,} of {total:,}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
