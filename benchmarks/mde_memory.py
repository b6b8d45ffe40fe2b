"""Memory and time of influence functions on convolutional networks.

    python -m benchmarks.mde_memory [--only NAMES] [--timeout SECONDS]

Each case is a process of its own, on one thread: random pictures, a network of random weights, the
directions along which scores lie for eight folds of a validation set, and the scores of as many
candidates as there are training samples. Neither memory nor time hangs on what the values are.
`MiB` is the most that the process held beyond what it held when all was loaded; `stated` is what
`outlook` says beforehand. Seconds of the CPU are what to compare where the machine has other work.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from offchain.hide.networks import cifar_resnet18
from offchain.mde.ekfac import Ekfac
from offchain.mde.errors import MdeError
from offchain.mde.influence import InfluenceSettings, Solver, influence
from offchain.mde.outlook import outlook
from offchain.mde.samples import Samples, Task
from offchain.mde.solvers import ConjugateGradients

DAMPING = 1e-2


@dataclass(frozen=True)
class Case:
    """A network on `samples` pictures of `side` pixels, 64 to judge by, and a solver."""

    network: Callable[[], nn.Module]
    side: int
    samples: int
    solver: Solver


def plain_cnn() -> nn.Module:
    """10,210 parameters, whatever the pictures' size."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 2)),
    )


def resnet18() -> nn.Module:
    """torchvision's own, for 10 classes."""
    from torchvision.models import resnet18  # type: ignore[import-untyped, unused-ignore]

    made: nn.Module = resnet18(weights=None, num_classes=10)
    return made


def small_stem() -> nn.Module:
    """Its stem for small pictures: 15 times the work at 32 pixels."""
    return cifar_resnet18(10, 3)


CASES = {
    "cnn-96": Case(plain_cnn, 96, 300, Ekfac()),
    "cnn-192": Case(plain_cnn, 192, 100, Ekfac()),
    "resnet-32": Case(resnet18, 32, 500, Ekfac()),
    "resnet-96": Case(resnet18, 96, 150, Ekfac()),
    "resnet-small-stem": Case(small_stem, 32, 150, Ekfac()),
    "resnet-small-stem-cg": Case(small_stem, 32, 150, ConjugateGradients(iterations=5)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=",".join(CASES), help="cases, by commas")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for each case")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measured(CASES[given.case])))
        return
    print("| case | parameters | samples | MiB | stated | CPU s | stated | outcome |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
    for name in given.only.split(","):
        row = alone(name, given.timeout)
        cells = ("parameters", "samples", "mebibytes", "stated", "cpu", "stated_cpu", "outcome")
        print(f"| {name} | {' | '.join(str(row.get(cell, '')) for cell in cells)} |", flush=True)


def alone(name: str, timeout: float) -> dict[str, Any]:
    """A case in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.mde_memory", "--case", name]
    once = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=once)
    except subprocess.TimeoutExpired:
        return {"outcome": f"not over after {timeout:.0f} s"}
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(case: Case) -> dict[str, Any]:
    """Its figures, in this process."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = case.network().eval()
    classes = 2 if case.network is plain_cnn else 10
    task = Task(pictures(case, case.samples, 1, classes), pictures(case, 64, 2, classes), classes)
    settings = InfluenceSettings(solver=case.solver, damping=DAMPING)
    found: dict[str, Any] = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "samples": case.samples,
    }
    held, began = most_held(), time.process_time()
    try:
        said = outlook(model, task, settings)
        found |= {"stated": said.memory >> 20, "stated_cpu": f"{said.seconds:.0f}"}
        began = time.process_time()
        influence(model, task, settings).fold_scores(task.train)
        found["outcome"] = "done"
    except MdeError as error:
        found["outcome"] = str(error)
    return {
        **found,
        "mebibytes": (most_held() - held) >> 20,
        "cpu": f"{time.process_time() - began:.0f}",
    }


def pictures(case: Case, count: int, seed: int, classes: int) -> Samples:
    rng = torch.Generator().manual_seed(seed)
    shape = (count, 3, case.side, case.side)
    pixels = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8)
    return Samples(pixels, torch.arange(count) % classes)


def most_held() -> int:
    """Bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main()
