"""How well each efficacy oracle ranks data, beside really retraining without it.

    python -m benchmarks.mde_fidelity [--cifar FOLDER] [--only digits,imdb] [--models CNN]
                                      [--samples 800] [--groups 16] [--worst 0.5]
                                      [--draw 0] [--seeds 4] [--method NAME]
                                      [--workers N] [--kept FOLDER]

Truth: the rise of the mean validation loss when samples are left out and the model is trained anew.
Samples are left out one at a time (logistic regression, which has one optimum), or by the group
that one seller would bring: of seller g's samples a share between nothing and `worst` have shuffled
labels. CNNs and boosted trees are retrained with several seeds and the losses averaged; `ceiling`
estimates what rho a perfect method would reach against that average: the root of its reliability,
from Spearman's rho between seeds by the formula of Spearman and Brown. rho: Spearman's, of a
method's scores (summed over a group) against the truth, with its 95 % interval by bootstrap.
Seconds are of the CPU, one thread. CIFAR-10 is read from FOLDER, a directory of class folders as
torchvision's ImageFolder reads it. Every training and every method is a run of its own; what is
finished is kept, so that an interrupted benchmark goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, spearmanr

from benchmarks.mde_measured import (
    GROUPS,
    METHODS,
    VERSION,
    WORST,
    Found,
    Retrained,
    Setup,
    Valued,
    measure,
    runs_of,
    seeds_of,
    setups,
)
from benchmarks.spreading import add_spread, finished_of, spread_of, told
from offchain.data.seeds import generator
from offchain.mde.samples import Floats
from offchain.runs.finish import finish

TRAIN = 800

Results = dict[Retrained | Valued, Found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cifar", type=Path, help="folder of CIFAR-10's class folders")
    parser.add_argument("--only", default="digits,imdb,cifar10", help="datasets, by commas")
    parser.add_argument("--models", default="", help="model kinds, by commas; all unless given")
    parser.add_argument("--seeds", type=int, default=2, help="trainings that are averaged")
    parser.add_argument("--samples", type=int, default=TRAIN, help="training samples")
    parser.add_argument("--groups", type=int, default=GROUPS, help="sellers' groups")
    parser.add_argument("--worst", type=float, default=WORST, help="share of shuffled labels")
    parser.add_argument("--draw", type=int, default=0, help="seed of samples and groups")
    parser.add_argument("--method", action="append", help="what its name begins with; else all")
    add_spread(parser, "mde_fidelity")
    given = parser.parse_args()
    datasets = [d for d in given.only.split(",") if d != "cifar10" or given.cifar is not None]
    models = given.models.split(",") if given.models else list(METHODS)
    asked = datasets, given.cifar, given.samples, given.groups, given.worst, given.draw
    wanted = [s for s in setups(*asked) if s.model in models]
    begin = tuple(given.method or [""])
    runs = [
        run
        for setup in wanted
        for run in runs_of(setup, given.seeds)
        if isinstance(run, Retrained) or run.method.startswith(begin)
    ]
    found = finish(
        measure, runs, lambda run: run, finished_of(given, VERSION), spread_of(given), told
    )
    print_table(wanted, given.seeds, dict(zip(runs, found, strict=True)))


def gains_of(setup: Setup, seeds: int, results: Results) -> Floats:
    """Rise of the validation loss without each group, float64 (S, G)."""
    rows = [
        [
            value
            for run, found in results.items()
            if isinstance(run, Retrained) and (run.setup, run.seed) == (setup, seed)
            for value in found.values
        ]
        for seed in seeds_of(setup, seeds)
    ]
    losses = np.array(rows)  # (S, 1 + G), with all samples first
    gains: Floats = losses[:, 1:] - losses[:, :1]
    return gains


def ceiling_of(gains: Floats) -> float | None:
    """The rho that a perfect method would reach; None for a single seed."""
    seeds = len(gains)
    if seeds == 1:
        return None
    pairs = spearmanr(gains, axis=1).statistic
    mean = float(np.mean(pairs[np.triu_indices(seeds, 1)])) if seeds > 2 else float(pairs)
    return float(max(0.0, seeds * mean / (1 + (seeds - 1) * mean)) ** 0.5)


def interval(scores: Floats, truth: Floats) -> tuple[float, float]:
    """Of Spearman's rho, 95 % by bootstrap."""
    rows = generator(0, "mde bootstrap").integers(len(truth), size=(1000, len(truth)))
    one, other = (rankdata(values[rows], axis=1) for values in (scores, truth))
    one, other = (r - r.mean(axis=1, keepdims=True) for r in (one, other))
    found = (one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def print_table(wanted: list[Setup], seeds: int, results: Results) -> None:
    print("| data / model / left out | ceiling | method | rho | 95 % | CPU s | retraining, CPU s |")
    print("| --- | ---: | --- | ---: | --- | ---: | ---: |")
    for setup in wanted:
        gains = gains_of(setup, seeds, results)
        truth, best = gains.mean(0), ceiling_of(gains)
        ceiling = "" if best is None else f"{best:.2f}"
        retraining = sum(
            found.seconds
            for run, found in results.items()
            if isinstance(run, Retrained) and run.setup == setup
        )
        for method in METHODS[setup.model]:
            if (found := results.get(Valued(setup, method))) is None:
                continue
            scores = np.array(found.values)
            rho = spearmanr(scores, truth).statistic
            low, high = interval(scores, truth)
            print(
                f"| {setup.name} | {ceiling} | {method} | {rho:.2f} | {low:.2f} to {high:.2f} | "
                f"{found.seconds:.1f} | {retraining:.1f} |"
            )


if __name__ == "__main__":
    main()
