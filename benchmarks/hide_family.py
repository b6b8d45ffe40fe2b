"""What a family of eight levels costs beside eight families of one level each.

    python -m benchmarks.hide_family [DATASET] [--images N] [--free images] [--epochs N] [--seed S]
                                     [--workers N]

DATASET is a name or a directory, the digits unless given, of which a fifth is held out to test on.

Both make masks, search every level and verify it with another network under another seed; both
verify the published data and the data without masks, by which levels are read. Eight separate runs
share nothing, as eight calls of `ape run hide` for one level do. The levels are spread evenly
between what masked and clean data reach, which a run before finds. Prints trainings and CPU seconds
of either, the ratio, and how many levels are reached.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import click

from benchmarks.spreading import click_spread, told
from offchain.data.datasets import load_dataset
from offchain.hide.family import SECRET_BYTES, Secret
from offchain.hide.judging import Split, with_held_out
from offchain.hide.making import VERSION, Plan, make_family
from offchain.hide.masks import MaskSettings
from offchain.hide.training import TrainingSettings
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread, single_threaded

COUNT = 8
SECRET = Secret(bytes(SECRET_BYTES))


def spent(split: Split, plan: Plan) -> tuple[int, int, float, float]:
    """The fields of `Spent`, which other processes cannot find in this module when it is run."""
    cpu = time.process_time()
    made = make_family(split, plan, SECRET)
    cpu = time.process_time() - cpu
    return len(made.family.levels), made.cost.trainings, made.cost.mask_seconds, cpu


@dataclass(frozen=True)
class Spent:
    """What a family took: levels reached, trainings, wall seconds of masks, CPU seconds of all."""

    reached: int
    trainings: int
    masks: float
    cpu: float

    @classmethod
    def together(cls, parts: Sequence[Spent]) -> Spent:
        """What several families took together, field by field."""
        return cls(*(sum(column) for column in zip(*map(astuple, parts), strict=True)))

    def row(self, name: str) -> str:
        """The Markdown row of the family `name`; masks and cpu in seconds."""
        return f"| {name} | {self.reached} | {self.trainings} | {self.masks:.0f} | {self.cpu:.0f} |"


@click.command()
@click.argument("dataset", default="digits")
@click.option("--images", type=int, default=1_500, show_default=True)
@click.option("--free", "order", default="classes", show_default=True)
@click.option("--epochs", type=int, default=3, show_default=True)
@click.option("--tolerance", type=float, default=0.045, show_default=True)
@click.option("--network", default="plain", show_default=True)
@click.option("--check", default="small-resnet", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click_spread("hide_family")
def main(
    dataset: str,
    images: int,
    order: str,
    epochs: int,
    tolerance: float,
    network: str,
    check: str,
    seed: int,
    workers: int | None,
    kept: Path,
) -> None:
    """Measure both and print a table."""
    split = with_held_out(load_dataset(dataset, limit=images), 0.2, seed)

    def plan(within: float, *these: float) -> Plan:
        return Plan(
            these,
            within,
            MaskSettings(patch=4),
            TrainingSettings(epochs, batch=64),
            network,
            check,
            order,
            seed,
        )

    with single_threaded():
        points = make_family(split, plan(0.45, 0.5), SECRET).points
    low, high = points[0.0], points[1.0]
    wanted = [low + (high - low) * (k + 0.5) / COUNT for k in range(COUNT)]
    print(f"masked {low:.3f}, clean {high:.3f}; levels {', '.join(f'{one:.3f}' for one in wanted)}")
    print(
        "| | levels reached | trainings | masks, wall s | CPU s |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    found = finish(
        partial(spent, split),
        [plan(tolerance, *wanted), *(plan(tolerance, level) for level in wanted)],
        lambda one: (one, split.digests()),
        Finished(kept, VERSION),
        Spread.of(workers),
        told,
    )
    family, *alone = (Spent(*one) for one in found)
    apart = Spent.together(alone)
    print(family.row("a family of eight"))
    print(apart.row("eight families of one"))
    print(
        f"\nCPU seconds: {family.cpu / apart.cpu:.3f}; "
        f"trainings: {family.trainings / apart.trainings:.3f}"
    )


if __name__ == "__main__":
    main()
