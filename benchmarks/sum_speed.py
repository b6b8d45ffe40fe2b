"""Seconds per seed of the SUM simulation, beside the plain one that scans all open claims.

    python -m benchmarks.sum_speed [--seeds 3] [--plain-seeds 1] [--submissions 18400]

Both run the paper's default parameters (Table I) on the same reviews in one process, on one core
(OMP_NUM_THREADS=1), and must give the same events. Time is the processor's, training of the first
model and all measurements of accuracy included, loading of the reviews not.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import fmean

from benchmarks.sum_scanning import simulate_by_scanning
from offchain.sum.metrics import outcome
from offchain.sum.reviews import ReviewSet, Split, load_reviews, split
from offchain.sum.setting import Setting
from offchain.sum.simulation import simulate


def split_of(reviews: ReviewSet, seed: int, submissions: int) -> Split:
    """The paper's split, with no more than so many reviews to submit."""
    parts = split(reviews, seed)
    stream = parts.stream.subset(range(min(submissions, len(parts.stream))))
    return Split(parts.initial, stream, parts.test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain-seeds", type=int, default=1, help="seeds of the plain one")
    parser.add_argument("--submissions", type=int, default=18_400, help="length of the stream")
    given = parser.parse_args()
    reviews, setting = load_reviews(), Setting()
    fast, plain = [], []
    print("| seed | ours, s | plain, s | before | after | good | bad | days |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in range(given.seeds):
        parts = split_of(reviews, seed, given.submissions)
        compared = seed < given.plain_seeds
        start = time.process_time()
        result = simulate(parts, setting, seed, log=compared)
        fast.append(time.process_time() - start)
        if compared:
            start = time.process_time()
            events = simulate_by_scanning(parts, setting, seed)
            plain.append(time.process_time() - start)
            if events != list(result.events):
                sys.exit(f"seed {seed}: the two simulations differ")
        what = outcome(result)
        print(
            f"| {seed} | {fast[-1]:.2f} | {f'{plain[-1]:.1f}' if compared else ''} "
            f"| {what.accuracy_before:.1%} | {what.accuracy_after:.1%} "
            f"| {what.balances[0]:.0%} | {what.balances[1]:.0%} | {what.days:.0f} |",
            flush=True,
        )
    if plain:
        print(f"\nOurs is {fmean(plain) / fmean(fast[: len(plain)]):.0f} times as fast.")


if __name__ == "__main__":
    main()
