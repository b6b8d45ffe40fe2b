"""How fast all providers' heads train together, against one after another, in the same run.

    python -m benchmarks.quality_heads [--providers 20] [--features 112,672] [--samples 100]

The loop is what one would write without batching: an nn.Sequential per provider, trained with
PyTorch's fused Adam on mini-batches of the same size. `together` is our scorer, its validation
included; `alone` is our scorer given one provider at a time. All three take the same steps; the
best of several rounds counts, and the rounds take turns, so that a busy machine slows each alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn

from offchain.hyperx.heads import PRESETS, HeadScorer, HeadSettings
from offchain.hyperx.quality import LabelledInputs, epoch_orders

CLASSES = 10

Way = Callable[[list[LabelledInputs], HeadSettings], None]


def on(providers: list[LabelledInputs]) -> torch.device:
    return providers[0][0].device


def together(providers: list[LabelledInputs], settings: HeadSettings) -> None:
    HeadScorer(settings).score(providers, providers[0], CLASSES, seed=0, device=on(providers))


def alone(providers: list[LabelledInputs], settings: HeadSettings) -> None:
    for samples in providers:
        together([samples], settings)


def loop(providers: list[LabelledInputs], settings: HeadSettings) -> None:
    for features, labels in providers:
        network = nn.Sequential(
            nn.Linear(features.shape[1], settings.hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, CLASSES),
        ).to(features.device)
        adam = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
        for order in epoch_orders(0, len(labels), settings.epochs).to(features.device):
            for chosen in order.split(settings.batch):
                adam.zero_grad()
                loss = nn.functional.cross_entropy(network(features[chosen]), labels[chosen])
                torch.autograd.backward(loss)
                adam.step()


def seconds(way: Way, providers: list[LabelledInputs], settings: HeadSettings) -> float:
    start = time.perf_counter()
    way(providers, settings)
    if on(providers).type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--providers", type=int, default=20)
    parser.add_argument("--features", default="112,672", help="widths, separated by commas")
    parser.add_argument("--samples", type=int, default=100, help="per provider")
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    given = parser.parse_args()
    settings = PRESETS[given.preset]
    rng = torch.Generator().manual_seed(0)
    print(f"{given.preset}: {settings}")
    print(f"{given.providers} providers of {given.samples} samples, {given.device}, ", end="")
    print(f"{torch.get_num_threads()} thread(s), best of {given.rounds}, seconds")
    print("features  together   alone    loop   loop/together")
    for width in map(int, given.features.split(",")):
        providers = [
            (
                torch.randn(given.samples, width, generator=rng).to(given.device),
                torch.randint(CLASSES, (given.samples,), generator=rng).to(given.device),
            )
            for _ in range(given.providers)
        ]
        best = [float("inf")] * 3
        for _ in range(given.rounds):
            for k, way in enumerate((together, alone, loop)):
                best[k] = min(best[k], seconds(way, providers, settings))
        print(f"{width:8} {best[0]:9.2f} {best[1]:7.2f} {best[2]:7.2f} {best[2] / best[0]:12.1f}x")


if __name__ == "__main__":
    main()
