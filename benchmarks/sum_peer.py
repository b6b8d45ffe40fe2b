"""Seconds per seed of the SUM simulation, beside 0xDeCA10B's own, on the same reviews in one run.

    python -m benchmarks.sum_peer --checkout DIR --python PEER/bin/python
        [--seeds 1] [--submissions 18400] [--dot]

DIR is the folder `simulation` of a checkout of https://github.com/microsoft/0xDeCA10B, and PEER an
environment with the packages that the peer's simulation needs once its plots are left out:

    python3.11 -m venv PEER
    PEER/bin/pip install injector==0.24.0 tqdm==4.70.1 scikit-learn==1.9.1 numpy==1.26.4

Both train the first model on the same reviews and let the agents of Table I submit the others in
the same order; their random draws differ. Time is that of the simulation, training of the first
model and all measurements of accuracy included, loading of the reviews not; compare processor
seconds, since others may use the machine. How the peer is run, and what is left out of its time:
benchmarks/peer_simulation.py. In what the rules differ: offchain/sum/simulation.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import sklearn

from benchmarks.sum_speed import split_of
from offchain.sum.metrics import outcome
from offchain.sum.reviews import ReviewSet, Split, load_reviews
from offchain.sum.setting import Setting
from offchain.sum.simulation import simulate

RUNNER = Path(__file__).with_name("peer_simulation.py")


@dataclass(frozen=True)
class Run:
    """What one simulation took and gave: seconds, shares of the test set and of start balances."""

    cpu: float
    wall: float
    before: float
    after: float
    balances: list[float]
    days: float
    versions: dict[str, str]

    def row(self, seed: int, who: str) -> str:
        """The Markdown row of one run."""
        good, bad = self.balances
        return (
            f"| {seed} | {who} | {self.cpu:.2f} | {self.wall:.2f} | {self.before:.1%} "
            f"| {self.after:.1%} | {good:.1%} | {bad:.1%} | {self.days:.1f} |"
        )


def run_ours(parts: Split, setting: Setting, seed: int) -> Run:
    """Our simulation, as `simulate` is called everywhere."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = simulate(parts, setting, seed)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    what = outcome(result)
    versions = {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
    return Run(
        cpu,
        wall,
        what.accuracy_before,
        what.accuracy_after,
        list(what.balances),
        what.days,
        versions,
    )


def run_peer(
    parts: Split, setting: Setting, seed: int, *, checkout: Path, python: Path, dot: bool
) -> Run:
    """The peer's, in a process of its own; its progress goes to this program's standard error."""
    agents = [
        {
            "address": agent.name,
            "start_balance": agent.start_balance,
            "mean_deposit": agent.mean_deposit,
            "stdev_deposit": agent.stdev_deposit,
            "mean_update_wait_s": agent.mean_update_wait_s,
            "stdev_update_wait_time": agent.stdev_update_wait_s,
            "good": not agent.malicious,
            "prob_mistake": agent.prob_mistake,
        }
        for agent in setting.agents
    ]
    train = ReviewSet.joined(parts.initial, parts.stream)
    with tempfile.TemporaryDirectory() as folder:
        task, reviews, result = (Path(folder, n) for n in ("task.json", "reviews.npz", "run.json"))
        task.write_text(
            json.dumps({"agents": agents, "initial": len(parts.initial), "seed": seed, "dot": dot})
        )
        np.savez_compressed(
            reviews,
            x_train=train.dense(),
            y_train=train.labels,
            x_test=parts.test.dense(),
            y_test=parts.test.labels,
        )
        done = subprocess.run(
            [python, RUNNER, checkout, task, reviews, result],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
        if done.returncode:
            sys.exit(f"0xDeCA10B's simulation failed under {python}; its error is above")
        return Run(**json.loads(result.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, required=True, help="the peer's folder simulation")
    parser.add_argument("--python", type=Path, default=sys.executable, help="with its packages")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--submissions", type=int, default=18_400, help="length of the stream")
    parser.add_argument(
        "--dot", action="store_true", help="replace the peer's prediction by a dot product"
    )
    given = parser.parse_args()
    # Not resolved: a virtual environment's Python is a link that knows where it lies.
    checkout, python = given.checkout.resolve(), given.python.absolute()
    if not (checkout / "decai/simulation/simulate.py").is_file():
        parser.error(f"{given.checkout} holds no decai/simulation/simulate.py")
    if given.seeds < 1 or given.submissions < 1:
        parser.error("there must be 1 seed and 1 submission or more")
    reviews, setting = load_reviews(), Setting()
    ratios = []
    name = "0xDeCA10B, dot product" if given.dot else "0xDeCA10B"
    print("| seed | simulation | CPU s | wall s | before | after | good | bad | days |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for seed in range(given.seeds):
        parts = split_of(reviews, seed, given.submissions)
        ours = run_ours(parts, setting, seed)
        print(ours.row(seed, "ours"), flush=True)
        peer = run_peer(parts, setting, seed, checkout=checkout, python=python, dot=given.dot)
        print(peer.row(seed, name), flush=True)
        ratios.append(peer.cpu / ours.cpu)
    spread = f" ({min(ratios):.0f} to {max(ratios):.0f})" if len(ratios) > 1 else ""
    print(f"\nOurs is {fmean(ratios):.0f} times as fast{spread}, in CPU seconds.\n")
    for who, run in (("Ours", ours), (name, peer)):
        print(f"{who}: {', '.join(f'{what} {v}' for what, v in run.versions.items())}.")


if __name__ == "__main__":
    main()
