"""Ways to train and to evaluate participants on a CPU: threads against processes, and shared work.

    python -m benchmarks.seccl_paths [--dataset mnist --root DIR] [--limit 20000]
                                     [--participants 20] [--repeats 5] [--part evaluation]

Every way does the same: all participants train once (SmallCnn, the default settings), and their
updates, the tenth of the parameters that changed most, are evaluated on all validation sets. Ways
take turns, and of each the least of the repeats is told: other work on the machine only ever adds.
Predictions that differ are counted against the plain loop's, channels last.

Besides the engines of `offchain`, two ways that are no engines: evaluation that shares what the
candidates have in common with the global model in its first convolution and adds the difference of
each (the paper's updates are sparse), and evaluation in bfloat16.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from benchmarks.seccl_rounds import cpu_seconds
from offchain.data.datasets import load_dataset
from offchain.data.imageset import split
from offchain.runs.processes import cores
from offchain.seccl import stacked
from offchain.seccl.engine import Engine, LoopEngine
from offchain.seccl.evaluation import confusion, count_predictions
from offchain.seccl.networks import SmallCnn, default_factory
from offchain.seccl.parameters import Layout, initial_model
from offchain.seccl.partition import partition
from offchain.seccl.processes import ProcessEngine
from offchain.seccl.threads import ThreadEngine
from offchain.seccl.training import LocalData, Task, to_inputs
from offchain.seccl.updates import applied, largest_changes

LAST = torch.channels_last
Way = Callable[[], torch.Tensor]


def first_layer_differences(
    base: torch.Tensor, models: torch.Tensor, validation: list[LocalData], batch: int = 128
) -> torch.Tensor:
    """Counts (V, K, C, C): of each image the base's first convolution once, of each model the rest.

    A model's first layer is the base's plus a convolution by the difference of their weights, over
    those output channels alone where they differ at all.
    """
    net = SmallCnn().to(memory_format=LAST).eval()
    layout, counts = Layout.of(net), torch.zeros(len(validation), len(models), 10, 10).long()
    names = "conv1.weight", "conv1.bias"
    ours = [layout.views(base)[name] for name in names]
    with torch.inference_mode():
        for v, part in enumerate(validation):
            for images, labels in zip(
                torch.split(part.images, batch), torch.split(part.labels, batch), strict=True
            ):
                x = (to_inputs(images, LAST) - net.mean) * net.scale
                shared = functional.conv2d(x, ours[0].contiguous(memory_format=LAST), ours[1])
                for k, model in enumerate(models):
                    theirs = [layout.views(model)[name] for name in names]
                    weight, bias = (new - old for new, old in zip(theirs, ours, strict=True))
                    differs = weight.flatten(1).any(1) | (bias != 0)
                    hidden = shared.clone()
                    hidden[:, differs] += functional.conv2d(x, weight[differs], bias[differs])
                    layout.load(net, model)
                    h = torch.relu(functional.max_pool2d(hidden, 2))
                    h = torch.relu(functional.max_pool2d(net.conv2(h), 2))
                    logits = net.dense2(torch.relu(net.dense1(h.flatten(1))))
                    counts[v, k] += count_predictions(logits, labels, 10)
    return counts


class Halved(nn.Module):
    """A model that computes in bfloat16."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model.to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(x.to(torch.bfloat16))
        return logits


def halved(models: torch.Tensor, validation: list[LocalData]) -> torch.Tensor:
    """Counts (V, K, C, C) in bfloat16."""
    layout, columns = Layout.of(SmallCnn()), []
    for model in models:
        net = SmallCnn()
        layout.load(net, model)
        half = Halved(net).to(memory_format=LAST)
        columns.append(torch.stack([confusion(half, part, 10, LAST) for part in validation]))
    return torch.stack(columns, dim=1)


def stacks_of(size: int, models: torch.Tensor, validation: list[LocalData]) -> torch.Tensor:
    """Counts (V, K, C, C), `size` models a pass."""
    net = SmallCnn().to(memory_format=LAST)
    return torch.cat(
        [
            stacked.stacked_confusions(net, part, validation, 10, LAST)
            for part in torch.split(models, size)
        ],
        dim=1,
    )


def measured(ways: dict[str, Way], repeats: int) -> dict[str, tuple[float, float, torch.Tensor]]:
    """Of each way the least wall and CPU seconds, and what it gave; a first call is not counted."""
    results = {name: way() for name, way in ways.items()}
    best = {name: (float("inf"), float("inf")) for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            cpu, began = cpu_seconds(), time.perf_counter()
            way()
            took = time.perf_counter() - began, cpu_seconds() - cpu
            best[name] = min(best[name][0], took[0]), min(best[name][1], took[1])
    return {name: (*best[name], results[name]) for name in ways}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--root", type=Path, help="where torchvision keeps its files")
    parser.add_argument("--limit", type=int, help="images taken of the dataset")
    parser.add_argument("--participants", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--part", choices=("training", "evaluation"), help="measure this alone")
    given = parser.parse_args()
    torch.set_num_threads(1)

    data = load_dataset(given.dataset, root=given.root, limit=given.limit)
    _, rest = split(data, [len(data) // 10, len(data) - len(data) // 10], seed=0)
    parts = partition(rest, given.participants, "equal")
    training = [LocalData.of(part.training, i) for i, part in enumerate(parts)]
    validation = [LocalData.of(part.validation, i) for i, part in enumerate(parts)]
    task = Task(default_factory(10, (1, 28, 28)), 10)
    sets = task, training, validation
    start = initial_model(task.factory, task.seed)

    engines: dict[str, Engine] = {
        "loop": LoopEngine(*sets, channels_last=True),
        "loop, stacked": LoopEngine(*sets, channels_last=True, stacked=True),
        f"{cores()} threads, stacked": ThreadEngine(*sets, channels_last=True, stacked=True),
        f"{cores()} threads": ThreadEngine(*sets, channels_last=True),
        f"{cores()} processes": ProcessEngine(*sets, channels_last=True),
        f"{cores()} processes, stacked": ProcessEngine(*sets, channels_last=True, stacked=True),
    }
    trains: dict[str, Way] = {
        name: partial(engine.train, start, 0)
        for name, engine in engines.items()
        if "stacked" not in name
    }
    changes = engines["loop"].train(start, 0)
    updates = largest_changes(changes, task.settings.share)
    models = applied(start, updates)
    evaluates: dict[str, Way] = {
        name: partial(engine.confusions, models) for name, engine in engines.items()
    }
    for size in (2, 4, 10, 20):
        evaluates[f"one core, {size} models a pass"] = partial(stacks_of, size, models, validation)
    evaluates["one core, first layer as differences"] = partial(
        first_layer_differences, start, models, validation
    )
    evaluates["one core, bfloat16"] = partial(halved, models, validation)

    first = Layout.of(SmallCnn()).views(models - start)["conv1.weight"].flatten(2)  # (K, 16, 25)
    print(
        f"{data.name}: {given.participants} participants, {len(training[0])} images to train on "
        f"and {len(validation[0])} to judge by, each; {cores()} cores. Of the first layer's "
        f"weights {float((first != 0).float().mean()):.0%} changed, in "
        f"{float((first != 0).any(2).float().mean()):.0%} of its channels.\n"
    )
    images = given.participants * sum(map(len, validation))
    for title, ways in (("training", trains), ("evaluation", evaluates)):
        if given.part not in (None, title):
            continue
        results = measured(ways, given.repeats)
        reference = results["loop"][2]
        print(f"| {title}, channels last | wall, s | CPU, s | differs from the loop |")
        print("| --- | ---: | ---: | ---: |")
        for name, (wall, cpu, result) in results.items():
            if title == "training":
                apart = f"{float((result - reference).abs().max()):.1e}"
            else:
                apart = f"{int((result - reference).abs().sum()) // 2} of {images}"
            print(f"| {name} | {wall:.2f} | {cpu:.2f} | {apart} |", flush=True)
        print()
    for engine in engines.values():
        engine.close()


if __name__ == "__main__":
    main()
