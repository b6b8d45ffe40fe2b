"""How well evaluation heads choose the best of five datasets, and how accurate they look doing it.

    python -m benchmarks.head_selection [--seeds 5] [--samples 70,200] [--workers N] [--ray local]

What is measured: offchain/hyperx/head_selection.py. Every seed, kind of corruption, number of
samples and head is a run of its own, on one thread; what is finished is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import fmean, stdev

from benchmarks.spreading import add_spread, finished_of, spread_of, told
from offchain.hyperx.head_selection import (
    LEVELS,
    STEPS,
    VERSION,
    Selection,
    choose,
    shared_extractor,
)
from offchain.runs.finish import finish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--samples", default="70,200", help="per provider, separated by commas")
    parser.add_argument("--heads", default="few,fast,paper-mnist,paper-cifar10", help="presets")
    add_spread(parser, "head_selection", ray=True)
    given = parser.parse_args()
    counts = [int(n) for n in given.samples.split(",")]
    heads = given.heads.split(",")
    runs = [
        Selection(seed, kind, max(counts), count, head)
        for seed in range(given.seeds)
        for kind in STEPS
        for count in counts
        for head in heads
    ]
    finished = finished_of(given, VERSION)
    found = finish(choose, runs, lambda run: run, finished, spread_of(given), told)
    table = dict(zip(runs, found, strict=True))

    extractor = shared_extractor()
    print("# Choosing the best of five\n")
    print(f"Made by `python -m benchmarks.head_selection --seeds {given.seeds}`: MNIST digits,")
    print(
        f"{extractor.backbone} at {extractor.cut}, {LEVELS} providers with disjoint data, mean and"
    )
    print(f"deviation over {given.seeds} seeds, 1 thread(s).\n")
    print("| samples | head |", " | ".join(STEPS), "| clean accuracy | seconds |")
    print("| ---: | --- |", " | ".join("---:" for _ in STEPS), "| ---: | ---: |")
    for count in counts:
        for head in heads:
            own = {run: one for run, one in table.items() if (run.count, run.head) == (count, head)}
            cells = [
                _cell([one.rate for run, one in own.items() if run.kind == kind]) for kind in STEPS
            ]
            print(
                f"| {count} | {head} |",
                " | ".join(cells),
                f"| {_cell([one.clean for one in own.values()])} "
                f"| {fmean(one.seconds for one in own.values()):.2f} |",
            )


def _cell(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


if __name__ == "__main__":
    main()
