"""How well the screen for copies tells free-riders from honest participants, by split.

    python -m benchmarks.seccl_screen [--seeds 3] [--rounds 10] [--rate 0.05] [--epochs 2]
                                      [--workers N]

Ten honest participants train on 4,000 digits; three updates a round, at random, move the model. Of
every update of every round but the first it is asked whether the screen takes it for a copy; and
then, for two participants a round, whether it finds each disguise that one could post last instead.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from benchmarks.spreading import add_spread, finished_of, spread_of, told
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.data.seeds import generator
from offchain.runs.finish import finish
from offchain.seccl.attacks import blurred
from offchain.seccl.engine import LoopEngine
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import partition
from offchain.seccl.similarity import copies
from offchain.seccl.training import LocalData, Task, TrainingSettings
from offchain.seccl.updates import SparseUpdate, largest_changes, mean_update

PARTICIPANTS, WINNERS, RIDERS, SHARE = 10, 3, 2, 0.1
SPLITS = ("equal", "dirichlet:0.5", "classes:2")
VERSION = 1
"""Raised when the same run would give other counts."""

BLURS, DROPS = (0.0, 0.1, 0.5, 1.0, 3.0), (0.1, 0.3, 0.5)


def strongest(update: SparseUpdate, kept: float) -> SparseUpdate:
    """The share `kept` of `update` with the largest changes."""
    order = update.values.abs().argsort(descending=True)[: round(kept * len(update))]
    order = order.sort().values
    return replace(update, indices=update.indices[order], values=update.values[order])


def moved(update: SparseUpdate, share: float, rng: np.random.Generator) -> SparseUpdate:
    """`update` whose least changes, so large a share of it, are on other parameters instead."""
    kept = strongest(update, 1 - share)
    free = np.setdiff1d(np.arange(update.total), update.indices.numpy())
    new = rng.permutation(free)[: len(update) - len(kept)]
    small = update.values.abs().sort().values[: len(new)]
    indices = torch.cat([kept.indices, torch.from_numpy(new).to(torch.int32)])
    order = indices.argsort()
    return SparseUpdate(indices[order], torch.cat([kept.values, small])[order], update.total)


def disguises(
    victim: SparseUpdate,
    other: SparseUpdate,
    old: SparseUpdate,
    change: torch.Tensor,
    rng: np.random.Generator,
) -> dict[str, SparseUpdate]:
    """What a free-rider may post instead of training."""
    last = largest_changes(change[None], SHARE)[0]
    mixed = largest_changes(((victim.dense() + other.dense()) / 2)[None], SHARE)[0]
    return {
        **{f"copy, noise {level:g}": blurred(victim, level, rng) for level in BLURS},
        **{f"copy without its least {d:.0%}": strongest(victim, 1 - d) for d in DROPS},
        "mean of two others": mixed,
        "mean of two, noise 0.2": blurred(mixed, 0.2, rng),
        "mean of two, noise 0.5": blurred(mixed, 0.5, rng),
        "copy, 20% elsewhere, noise 0.2": blurred(moved(victim, 0.2, rng), 0.2, rng),
        "copy, 20% elsewhere, noise 0.5": blurred(moved(victim, 0.2, rng), 0.5, rng),
        "another's of the last round": old,
        **{f"last change, noise {level:g}": blurred(last, level, rng) for level in (0.1, 0.5, 1)},
    }


def rates(spec: str, train: ImageSet, seed: int, rounds: int, settings: TrainingSettings) -> Counts:
    """How often honest updates, and disguises, were taken for copies, and of how many."""
    factory = default_factory(len(train.classes), train.shape)
    task = Task(factory, len(train.classes), settings, seed)
    parts = partition(train, PARTICIPANTS, spec, seed=seed)
    engine = LoopEngine(
        task,
        [LocalData.of(part.training, i) for i, part in enumerate(parts)],
        [LocalData.of(part.validation, i) for i, part in enumerate(parts)],
        channels_last=True,
    )
    rng = generator(seed, f"screen {spec}")
    model, found, asked = initial_model(factory, seed), Counter[str](), Counter[str]()
    earlier: Sequence[SparseUpdate] = ()
    change = None
    for number in range(rounds):
        updates = largest_changes(engine.train(model, number), SHARE)
        if change is not None:
            order = rng.permutation(PARTICIPANTS).tolist()
            asked["honest"] += PARTICIPANTS
            found["honest"] += len(copies(updates, order, earlier, change))
            for who in rng.permutation(PARTICIPANTS)[:RIDERS].tolist():
                first, second = rng.permutation([i for i in range(PARTICIPANTS) if i != who])[:2]
                posted = updates[first], updates[second], earlier[first], change
                for name, forged in disguises(*posted, rng).items():
                    shown = [*updates[:who], forged, *updates[who + 1 :]]
                    last = [*(i for i in order if i != who), who]
                    asked[name] += 1
                    found[name] += any(
                        copy.author == who for copy in copies(shown, last, earlier, change)
                    )
        chosen = rng.permutation(PARTICIPANTS)[:WINNERS]
        change = mean_update([updates[i] for i in chosen])
        earlier, model = updates, model + change
    return found, asked


Counts = tuple[Counter[str], Counter[str]]


@dataclass(frozen=True)
class Run:
    """One federation that is screened."""

    split: str
    seed: int
    rounds: int
    settings: TrainingSettings


def screened(run: Run) -> Counts:
    """The `rates` of one run on digits, 4,000 to train on."""
    train, _ = split(load_dataset("digits"), [4000, 1000], run.seed)
    return rates(run.split, train, run.seed, run.rounds, run.settings)


def main() -> None:
    """Print how many copies and how many honest updates the screen takes for copies."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--epochs", type=int, default=2)
    add_spread(parser, "seccl_screen")
    given = parser.parse_args()
    settings = TrainingSettings(learning_rate=given.rate, epochs=given.epochs, share=SHARE)
    table: dict[str, list[str]] = {}
    runs = [
        Run(spec, seed, given.rounds, settings) for spec in SPLITS for seed in range(given.seeds)
    ]
    counted = finish(
        screened, runs, lambda run: run, finished_of(given, VERSION), spread_of(given), told
    )
    for spec in SPLITS:
        found, asked = Counter[str](), Counter[str]()
        for run, more in zip(runs, counted, strict=True):
            if run.split == spec:
                found.update(more[0])
                asked.update(more[1])
        for name, count in asked.items():
            table.setdefault(name, []).append(f"{found[name] / count:.1%} of {count}")
    print(f"{'taken for copies':<34}" + "".join(f"{spec:>18}" for spec in SPLITS))
    for name, cells in table.items():
        print(f"{name:<34}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
