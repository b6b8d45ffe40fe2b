"""Which dial of a mask turns accuracy smoothly: amplitude, pixels, classes or images.

    python -m benchmarks.hide_dial DIRECTORY TEST_DIRECTORY [--images N] [--epochs N] [--seed S]
                                   [--workers N]

Masks by class are made once. Each dial then weakens them in its own way, and a fresh model is
trained at each setting. Prints a table: the dial, the share of it that is left, and the accuracy on
clean images; for images also what training on the clean ones alone reaches, which any buyer can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import torch

from benchmarks.spreading import click_spread, told
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet
from offchain.data.seeds import generator
from offchain.hide.masks import Masks, MaskSettings, generate, with_room
from offchain.hide.networks import ModelFactory, factory
from offchain.hide.training import TrainingSettings, train
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread, single_threaded

AMPLITUDES = (0.125, 0.25, 0.5, 1.0)
PIXELS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
IMAGES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.98)

VERSION = 1
"""Raised when the same run would give another accuracy."""


def dials(roomy: ImageSet, masks: Masks, seed: int) -> Iterator[tuple[str, float, ImageSet]]:
    """Name of the dial, its setting, and the dataset masked so."""
    rng = generator(seed, "hide dial")
    values, classes = masks.values, len(roomy.classes)

    def worn(changed: torch.Tensor) -> ImageSet:
        return Masks(changed.to(torch.int8), masks.rows, masks.epsilon).added_to(roomy)

    for share in AMPLITUDES:
        yield "amplitude", share, worn((values.float() * share).round())
    places = torch.from_numpy(rng.random((classes, 1, *roomy.shape[1:])))
    for share in PIXELS:
        yield "pixels", share, worn(values * (places < share))
    for count in range(classes // 5, classes, max(1, classes // 5)):
        on = torch.arange(classes).view(-1, 1, 1, 1) < count
        yield "classes", count / classes, worn(values * on)
    drawn = torch.from_numpy(rng.random(len(roomy)))
    masked = masks.added_to(roomy)
    for share in IMAGES:
        on = (drawn < share).view(-1, 1, 1, 1)
        images = torch.where(on, masked.images, roomy.images)
        yield "images", share, ImageSet(images, roomy.labels, roomy.classes, roomy.name)
        yield "images, clean alone", share, roomy.subset((drawn >= share).nonzero().flatten())


@dataclass(frozen=True, eq=False)
class Training:
    """What all trainings have in common."""

    make: ModelFactory
    test: ImageSet
    settings: TrainingSettings
    seed: int

    def accuracy(self, masked: ImageSet) -> float:
        """On clean images, of a fresh model trained on `masked`."""
        return train(self.make, masked, self.settings, self.seed).accuracy(self.test)


@click.command()
@click.argument("directory")
@click.argument("test_directory")
@click.option("--images", type=int, default=5_000, show_default=True)
@click.option("--epochs", type=int, default=10, show_default=True)
@click.option("--network", default="small-resnet", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click_spread("hide_dial")
def main(
    directory: str,
    test_directory: str,
    images: int,
    epochs: int,
    network: str,
    seed: int,
    workers: int | None,
    kept: Path,
) -> None:
    """Measure every dial and print a table."""
    data = load_dataset(directory, limit=images)
    test = load_dataset(test_directory, limit=2_000)
    make = factory(network, len(data.classes), data.shape)
    with single_threaded():
        masks = generate(data, data.labels, make, MaskSettings(moving=False, steps=60), seed)
    turned = list(dials(with_room(data, masks.epsilon), masks, seed))
    training = Training(make, test, TrainingSettings(epochs=epochs), seed + 1)
    digests = [data.digest(), test.digest()]
    accuracies = finish(
        training.accuracy,
        [masked for _, _, masked in turned],
        lambda masked: [masked.digest(), *digests, network, training.settings, training.seed],
        Finished(kept, VERSION),
        Spread.of(workers),
        told,
    )
    print(f"{'dial':<20} {'left':>6} {'accuracy':>9}")
    for (name, share, _), accuracy in zip(turned, accuracies, strict=True):
        print(f"{name:<20} {share:6.3f} {accuracy:9.3f}")


if __name__ == "__main__":
    main()
