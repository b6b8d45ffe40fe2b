"""What data valuation is judged by: ours beside pyDVL and OpenDataVal, on the same data in one run.

    python -m benchmarks.mde_valuation [noisy curves lds time] [--datasets digits,imdb] [--seeds 3]
        [--pydvl-python PYTHON] [--opendataval-python PYTHON] [--workers N] [--kept FOLDER]

400 training samples, a fifth of them under another class's label, are valued by 200 clean ones;
500 others are the test. Every method is given the same arrays. Ours and pyDVL's influence are of
softmax regression, trained on the wrong labels too; so is what is retrained.

noisy: how well low values tell wrong labels. AUROC; F1 as OpenDataVal's `noisy_detection` has it,
    where the lower of two clusters of values is called wrong; found: share of the wrong labels
    among the fifth of the samples with the least values.
curves: test accuracy after training without the least or the most valuable share (removal), and
    with the most or the least valuable share alone (addition).
lds: linear datamodeling score (Park et al., 2023): Spearman's rho over 100 random halves of the
    training data, of the sum of values and what training on the half truly does: to each judged
    sample's loss, rho's mean over the samples, or to their mean loss.
time: AUROC by seconds of the CPU, for methods that are better the longer they take.

What is told is the mean over seeds and, behind it, the standard deviation. Seconds are of the CPU,
one thread, what the libraries load not counted. The pythons are ones that have pydvl[dask] and
zarr, or opendataval; beside what `offchain` needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks.mde_valued import (
    TRAIN,
    VERSION,
    Retrained,
    Setting,
    Truth,
    Valued,
    Values,
    believed,
    f1,
    fitted,
    measure,
    setting,
)
from benchmarks.spreading import add_spread, finished_of, spread_of, told
from offchain.data.seeds import generator
from offchain.mde.samples import Bools
from offchain.report.text import markdown
from offchain.runs.finish import finish

MEASURES = ("noisy", "curves", "lds", "time")
SHARES = (0.1, 0.2, 0.3, 0.5)
FEW = (0.05, 0.1, 0.2)
NAMES = {"souk": "Souk", "pydvl": "pyDVL", "opendataval": "OpenDataVal"}

Rows = dict[tuple[str, str], list[tuple[float, ...]]]
"""By project and method, figures for each seed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("measures", nargs="*", choices=[*MEASURES, []], help="all unless given")
    parser.add_argument("--datasets", default="digits,imdb", help="by commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pydvl-python", help="a Python with pydvl[dask] and zarr")
    parser.add_argument("--opendataval-python", help="a Python with opendataval")
    add_spread(parser, "mde_valuation")
    given = parser.parse_args()
    whose = {"souk": None, "pydvl": given.pydvl_python, "opendataval": given.opendataval_python}
    present = {who: python for who, python in whose.items() if who == "souk" or python}
    for who in whose.keys() - present.keys():
        print(f"{NAMES[who]} is not here: --{who}-python names none.\n")
    asked = given.measures or list(MEASURES)
    runs: list[Valued | Truth] = []
    for dataset in given.datasets.split(","):
        for seed in range(given.seeds):
            if set(asked) - {"time"}:
                runs += [Valued(dataset, seed, who, python) for who, python in present.items()]
            if "lds" in asked:
                runs.append(Truth(dataset, seed))
            if "time" in asked:
                runs += [Valued(dataset, seed, who, p, True) for who, p in present.items()]
    kept = finished_of(given, VERSION)
    found = finish(measure, runs, lambda run: run, kept, spread_of(given), told)
    results = dict(zip(runs, found, strict=True))
    for dataset in given.datasets.split(","):
        for name in asked:
            chosen = {
                run: cast(list[Values], made)
                for run, made in results.items()
                if isinstance(run, Valued)
                and run.dataset == dataset
                and run.budgets == (name == "time")
            }
            truths = {
                run.seed: cast(Retrained, made)
                for run, made in results.items()
                if isinstance(run, Truth) and run.dataset == dataset
            }
            print(f"## {dataset}: {name}\n\n{TABLES[name](chosen, truths)}\n")


def by_method(
    chosen: dict[Valued, list[Values]], figures: Callable[[Valued, Values], tuple[float, ...]]
) -> Rows:
    rows: Rows = {}
    for run, made in chosen.items():
        for one in made:
            rows.setdefault((NAMES[run.who], one.method), []).append(figures(run, one))
    return rows


def table(heads: Sequence[str], rows: Rows, places: Sequence[int]) -> str:
    """Means and deviations, with so many decimal places."""
    lines = []
    for (who, method), figures in rows.items():
        values = np.array(figures)  # (seeds, figures)
        cells = [
            "-" if np.isnan(column).any() else f"{column.mean():.{k}f} ± {column.std():.{k}f}"
            for column, k in zip(values.T, places, strict=True)
        ]
        lines.append((who, method, *cells))
    return markdown(("by", "method", *heads), lines, 2)


def noisy(chosen: dict[Valued, list[Values]], truths: dict[int, Retrained]) -> str:
    def figures(run: Valued, one: Values) -> tuple[float, ...]:
        wrong = setting(run.dataset, run.seed).wrong
        least = one.values.argsort(kind="stable")[: int(wrong.sum())]
        return auroc(one, wrong), f1(one.values, wrong), float(wrong[least].mean()), one.cpu

    rows = by_method(chosen, figures)
    return table(("AUROC", "F1", "found", "CPU s"), rows, (3, 3, 2, 2)) + exactly(chosen)


def exactly(chosen: dict[Valued, list[Values]]) -> str:
    """How far the KNN-Shapley values of all projects, which are exact, lie apart."""
    apart: dict[str, float] = {}
    for run, made in chosen.items():
        (ours,) = chosen[replace(run, who="souk", python=None)][:1]
        for one in made:
            if run.who != "souk" and one.method.startswith(ours.method):
                name = f"{NAMES[run.who]}'s {one.method}"
                far = float(np.abs(one.values - ours.values).max())
                apart[name] = max(far, apart.get(name, 0.0))
    return "".join(
        f"\n\n{name}: within {far:.1g} of ours, sample by sample." for name, far in apart.items()
    )


def auroc(one: Values, wrong: Bools) -> float:
    return float(roc_auc_score(wrong, -one.values))


def curves(chosen: dict[Valued, list[Values]], truths: dict[int, Retrained]) -> str:
    def figures(run: Valued, one: Values) -> tuple[float, ...]:
        at, order = setting(run.dataset, run.seed), one.values.argsort(kind="stable")
        cut = [round(share * TRAIN) for share in SHARES]
        few = [round(share * TRAIN) for share in FEW]
        parts = [order[k:] for k in cut] + [order[:-k] for k in cut]
        parts += [order[-k:] for k in few] + [order[:k] for k in few]
        return tuple(100 * accuracy(at, part) for part in parts)

    rows = by_method(chosen, figures)
    for run in {(run.dataset, run.seed): run for run in chosen}.values():
        values = generator(run.seed, "mde at random").permutation(TRAIN).astype(float)
        at_random = figures(run, Values("at random", values, values[None], 0.0))
        rows.setdefault(("-", "at random"), []).append(at_random)
    whole = [accuracy(setting(run.dataset, run.seed), np.arange(TRAIN)) for run in chosen]
    pieces = [
        ("Removal: test accuracy in % without the share", SHARES, 0),
        ("Addition: test accuracy in % with the share alone", FEW, 2 * len(SHARES)),
    ]
    text = f"With all samples: {100 * np.mean(whole):.1f} %.\n"
    for title, shares, start in pieces:
        ends = start + 2 * len(shares)
        words = ("least", "most") if start == 0 else ("most", "least")
        heads = [f"{word} {100 * share:.0f} %" for word in words for share in shares]
        part = {name: [line[start:ends] for line in lines] for name, lines in rows.items()}
        text += f"\n{title}\n\n{table(heads, part, [1] * len(heads))}\n"
    return text.rstrip()


def accuracy(at: Setting, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """On the test set, of what is trained on these rows alone."""
    task = at.case.task
    chosen = task.train.subset(rows)
    if int(chosen.labels.min()) == int(chosen.labels.max()):
        return float((at.test.labels == chosen.labels[0]).double().mean())
    proba = believed(fitted(chosen, task.l2), at.test, task.classes)
    return float((proba.argmax(1) == at.test.labels.numpy()).mean())


def lds(chosen: dict[Valued, list[Values]], truths: dict[int, Retrained]) -> str:
    def figures(run: Valued, one: Values) -> tuple[float, ...]:
        truth = truths[run.seed]
        kept = truth.subsets.astype(float)
        mean = float(spearmanr(kept @ one.values, -truth.losses.mean(1)).statistic)
        if not one.pairs.size:
            return float("nan"), mean, one.cpu
        said, each = kept @ one.pairs, []
        for v in range(said.shape[1]):
            # A sample to which all halves are the same is told nothing of.
            even = np.ptp(said[:, v]) == 0
            each.append(0.0 if even else spearmanr(said[:, v], -truth.losses[:, v]).statistic)
        return float(np.mean(each)), mean, one.cpu

    rows = by_method(chosen, figures)
    return table(("LDS, each judged sample", "LDS, mean loss", "CPU s"), rows, (3, 3, 2))


def timed(chosen: dict[Valued, list[Values]], truths: dict[int, Retrained]) -> str:
    def figures(run: Valued, one: Values) -> tuple[float, ...]:
        return one.cpu, auroc(one, setting(run.dataset, run.seed).wrong)

    return table(("CPU s", "AUROC"), by_method(chosen, figures), (2, 3))


TABLES = {"noisy": noisy, "curves": curves, "lds": lds, "time": timed}


if __name__ == "__main__":
    main()
