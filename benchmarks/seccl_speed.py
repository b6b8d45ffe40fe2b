"""Seconds a round of collaborative training: loop, batched, processes, chosen, and Flower.

    python -m benchmarks.seccl_speed [--dataset mnist --root DIR] [--limit 20000]
                                     [--participants 20] [--rounds 1] [--skip loop,batched]
                                     [--flower-python PYTHON]

One run, one machine, the same round for all: the same model (SmallCnn), images, mini-batches,
epochs and participants, the N x N evaluation included for everyone. Flower's clients run the very
code of the plain loop, on one core each, as many at a time as there are cores; PYTHON is one that
has flwr[simulation] and what `offchain` needs, and without it Flower is left out. All single
processes compute on one thread. Start-up and loading are listed apart, and not counted in a round.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.seccl_rounds import Timed, measured_rounds, write_sets
from offchain.data.datasets import load_dataset
from offchain.data.imageset import split
from offchain.runs.processes import cores
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.choose import choose_engine
from offchain.seccl.engine import Engine, LoopEngine
from offchain.seccl.networks import default_factory
from offchain.seccl.partition import partition
from offchain.seccl.processes import ProcessEngine
from offchain.seccl.training import LocalData, Task, TrainingSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--root", type=Path, help="where torchvision keeps its files")
    parser.add_argument("--limit", type=int, help="images taken of the dataset")
    parser.add_argument("--participants", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--flower-python", help="a Python with flwr[simulation]")
    parser.add_argument("--skip", default="", help="engines left out, by commas: batched,loop")
    given = parser.parse_args()
    torch.set_num_threads(1)

    data = load_dataset(given.dataset, root=given.root, limit=given.limit)
    test, rest = split(data, [len(data) // 10, len(data) - len(data) // 10], seed=0)
    parts = partition(rest, given.participants, "equal")
    training = [LocalData.of(part.training, i) for i, part in enumerate(parts)]
    validation = [LocalData.of(part.validation, i) for i, part in enumerate(parts)]
    task = Task(
        default_factory(len(data.classes), data.shape),
        len(data.classes),
        TrainingSettings(epochs=given.epochs),
    )
    judged = LocalData.of(test, 0)
    print(
        f"{data.name}: {given.participants} participants, {len(training[0])} images to train on "
        f"and {len(validation[0])} to judge by, each; {cores()} cores, load "
        f"{os.getloadavg()[0]:.1f} before\n"
    )
    print("| engine | start, s | round, s | round, CPU s | test accuracy |", flush=True)
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    sets = task, training, validation
    makers: dict[str, Callable[[], Engine]] = {
        "loop": partial(LoopEngine, *sets),
        "loop-last": partial(LoopEngine, *sets, channels_last=True),
        "batched": partial(BatchedEngine, *sets),
        "processes": partial(ProcessEngine, *sets, channels_last=True),
    }
    for name, make in makers.items():
        if name not in given.skip.split(","):
            began = time.perf_counter()
            engine = make()
            _row(measured_rounds(engine, task, judged, given.rounds, began))
            engine.close()
    began = time.perf_counter()
    choice = choose_engine(*sets, rounds=100)
    chosen = measured_rounds(choice.engine, task, judged, given.rounds, began)
    choice.engine.close()
    _row(replace(chosen, name=f"chosen: {chosen.name}"))
    if given.flower_python:
        with tempfile.TemporaryDirectory() as folder:
            write_sets(Path(folder), *sets, judged)
            flowers = [_flower(given.flower_python, folder, given.rounds, last) for last in "01"]
        for flower, kind in zip(flowers, ("plain", "channels-last"), strict=True):
            wall, cpu = flower.wall / chosen.wall, flower.cpu / chosen.cpu
            print(f"\nChosen against Flower, {kind} clients: {wall:.1f} x wall, {cpu:.1f} x CPU.")
    print(f"\nThe trial behind the choice:\n{choice.report()}")


def _flower(python: str, folder: str, rounds: int, last: str) -> Timed:
    code = "from benchmarks.seccl_flower import main; main()"
    command = [python, "-c", code, folder, str(rounds), last]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"Flower gave no result:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    result = Timed(**json.loads(lines[-1]))
    _row(result)
    return result


def _row(measured: Timed) -> None:
    print(
        f"| {measured.name} | {measured.start:.1f} | {measured.wall:.2f} | {measured.cpu:.2f} "
        f"| {measured.accuracy:.4f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
