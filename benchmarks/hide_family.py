"""What a family of eight levels costs beside eight families of one level each.

    python -m benchmarks.hide_family [DATASET] [--images N] [--free images] [--epochs N] [--seed S]

DATASET is a name or a directory, the digits unless given, of which a fifth is held out to test on.

Both make masks, search every level and verify it with another network under another seed; both
verify the published data and the data without masks, by which levels are read. Eight separate runs
share nothing, as eight calls of `ape run hide` for one level do. The levels are spread evenly
between what masked and clean data reach, which a run before finds. Prints trainings and CPU seconds
of either, the ratio, and how many levels are reached.
"""

from __future__ import annotations

import time

import click
import torch

from offchain.data.datasets import load_dataset
from offchain.hide.family import SECRET_BYTES, Secret
from offchain.hide.judging import Split, with_held_out
from offchain.hide.making import Made, Plan, make_family
from offchain.hide.masks import MaskSettings
from offchain.hide.training import TrainingSettings

COUNT = 8


def measured(split: Split, plan: Plan, secret: Secret) -> tuple[Made, float]:
    """The family and its CPU seconds."""
    cpu = time.process_time()
    made = make_family(split, plan, secret)
    return made, time.process_time() - cpu


def told(name: str, made: list[Made], cpu: float) -> None:
    """One line of the table."""
    trainings = sum(one.cost.trainings for one in made)
    masks = sum(one.cost.mask_seconds for one in made)
    reached = sum(len(one.family.levels) for one in made)
    print(f"| {name} | {reached} | {trainings} | {masks:.0f} | {cpu:.0f} |", flush=True)


@click.command()
@click.argument("dataset", default="digits")
@click.option("--images", type=int, default=1_500, show_default=True)
@click.option("--free", "order", default="classes", show_default=True)
@click.option("--epochs", type=int, default=3, show_default=True)
@click.option("--tolerance", type=float, default=0.045, show_default=True)
@click.option("--network", default="plain", show_default=True)
@click.option("--check", default="small-resnet", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def main(
    dataset: str,
    images: int,
    order: str,
    epochs: int,
    tolerance: float,
    network: str,
    check: str,
    seed: int,
) -> None:
    """Measure both and print a table."""
    torch.set_num_threads(1)
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

    secret = Secret(bytes(SECRET_BYTES))
    points = measured(split, plan(0.45, 0.5), secret)[0].points
    low, high = points[0.0], points[1.0]
    wanted = [low + (high - low) * (k + 0.5) / COUNT for k in range(COUNT)]
    print(f"masked {low:.3f}, clean {high:.3f}; levels {', '.join(f'{one:.3f}' for one in wanted)}")
    print(
        "| | levels reached | trainings | masks, wall s | CPU s |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    family, together = measured(split, plan(tolerance, *wanted), secret)
    told("a family of eight", [family], together)
    alone = [measured(split, plan(tolerance, level), secret) for level in wanted]
    apart = sum(cpu for _, cpu in alone)
    told("eight families of one", [made for made, _ in alone], apart)
    count = sum(made.cost.trainings for made, _ in alone)
    print(f"\nCPU seconds: {together / apart:.3f}; trainings: {family.cost.trainings / count:.3f}")


if __name__ == "__main__":
    main()
