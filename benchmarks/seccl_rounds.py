"""What seccl_speed and seccl_flower share: the sets as files, and rounds that are timed."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import torch
from safetensors.torch import load_file, save_file

from offchain.seccl.engine import Engine
from offchain.seccl.federation import Federation
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.training import LocalData, Task, TrainingSettings

SELECTED = 4


@dataclass(frozen=True)
class Timed:
    """An engine's rounds. start: seconds until it stood ready; wall, cpu: seconds a round.
    accuracy: on the test set after the last."""

    name: str
    start: float
    wall: float
    cpu: float
    accuracy: float


def write_sets(
    where: Path, task: Task, training: list[LocalData], validation: list[LocalData], test: LocalData
) -> None:
    """Write to `where` all that another process needs to do the same rounds."""
    tensors = {}
    for kind, sets in (("training", training), ("validation", validation), ("test", [test])):
        for number, part in enumerate(sets):
            tensors[f"{kind}.{number}.images"] = part.images.contiguous()
            tensors[f"{kind}.{number}.labels"] = part.labels.contiguous()
    save_file(tensors, where / "sets.safetensors")
    told = {"participants": len(training), "classes": task.class_count, "seed": task.seed}
    (where / "task.json").write_text(json.dumps({**told, "settings": asdict(task.settings)}))


def read_sets(where: Path) -> tuple[Task, list[LocalData], list[LocalData], LocalData]:
    """The task, the training, the validation and the test sets that `write_sets` wrote to
    `where`."""
    told = json.loads((where / "task.json").read_text())
    tensors = load_file(where / "sets.safetensors")

    def part(kind: str, number: int) -> LocalData:
        key = f"{kind}.{number}"
        return LocalData(number, tensors[f"{key}.images"], tensors[f"{key}.labels"])

    training, validation = (
        [part(kind, number) for number in range(told["participants"])]
        for kind in ("training", "validation")
    )
    c, h, w = training[0].images.shape[1:]
    factory = default_factory(told["classes"], (c, h, w))
    settings = TrainingSettings(**told["settings"])
    task = Task(factory, told["classes"], settings, told["seed"])
    return task, training, validation, part("test", 0)


def best_on_average(scores: torch.Tensor) -> list[int]:
    """An election that costs nothing: the greatest mean scores win."""
    best: list[int] = scores.mean(dim=0).topk(min(SELECTED, scores.shape[1])).indices.tolist()
    return best


def measured_rounds(
    engine: Engine, task: Task, test: LocalData, rounds: int, began: float
) -> Timed:
    """Seconds of so many rounds, after a first message that starts workers and loads data.

    Counted: training of all, choice of the sparse parts, the N x N evaluation, the election, the
    new model and its accuracy on the test set. began: when the engine was asked for. CPU seconds
    are those of this process and all it started.
    """
    start = initial_model(task.factory, task.seed)
    federation = Federation(task, engine, test, best_on_average, start)
    engine.confusions(start.repeat(2, 1))
    ready, used = time.perf_counter(), cpu_seconds()
    federation.run(rounds)
    wall, cpu = time.perf_counter() - ready, cpu_seconds() - used
    return Timed(
        engine.name, ready - began, wall / rounds, cpu / rounds, federation.history[-1].accuracy
    )


def cpu_seconds() -> float:
    """CPU seconds of this process and all that it started and that still live."""
    me = psutil.Process()
    total = 0.0
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it ended in between
            continue
        total += times.user + times.system
    return total
