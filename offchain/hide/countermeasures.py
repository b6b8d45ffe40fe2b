"""What anybody may do to masked data for nothing, and the accuracy it regains.

The paper does not test this. A level is worth the gap above the best of these.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from offchain.data.folder import as_picture
from offchain.data.imageset import ImageSet, Progress
from offchain.data.pixels import to_channels
from offchain.hide.augmentation import Adversarial, cut_out, flipped_and_shifted, mixed_up
from offchain.hide.errors import HideError
from offchain.hide.inference import averaged_away
from offchain.hide.networks import factory
from offchain.hide.training import Augment, TrainingSettings, train
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread

JPEG_QUALITY = 10
"""As in "image shortcut squeezing" (Liu et al., 2023), which found it to work best."""


def compressed(imageset: ImageSet) -> ImageSet:
    """Every image through JPEG at `JPEG_QUALITY`."""
    with ThreadPoolExecutor() as pool:  # PIL leaves the interpreter lock while it works.
        images = list(pool.map(_through_jpeg, imageset.images))
    return replace(imageset, images=torch.stack(images))


def _through_jpeg(image: torch.Tensor) -> torch.Tensor:
    file = io.BytesIO()
    as_picture(image).save(file, "JPEG", quality=JPEG_QUALITY)
    pixels = torch.from_numpy(np.array(Image.open(file)))  # (H, W) or (H, W, 3)
    return pixels.view(*image.shape[1:], len(image)).permute(2, 0, 1).contiguous()


def greyed(imageset: ImageSet) -> ImageSet:
    """Every image in grey, with as many channels as before."""
    grey = to_channels(imageset.images, 1)
    return replace(imageset, images=to_channels(grey, imageset.shape[0]).contiguous())


@dataclass(frozen=True)
class Countermeasure:
    """One way to train on masked data.

    prepare: changes the training data first. both: whether test data is changed in the same way.
    augment: changes every batch. network: another than the masks were made on. effort: about how
    many times as long as plain training it takes.
    """

    name: str
    prepare: Callable[[ImageSet], ImageSet] | None = None
    both: bool = False
    augment: Augment | None = None
    network: str | None = None
    effort: int = 1


def countermeasures(epsilon: int, other_network: str) -> tuple[Countermeasure, ...]:
    """All that are tested; the first is none at all."""
    return (
        Countermeasure("none"),
        Countermeasure("augmentation", augment=flipped_and_shifted),
        Countermeasure("JPEG", compressed, both=True),
        Countermeasure("grey-scale", greyed, both=True),
        Countermeasure("cutout", augment=cut_out),
        Countermeasure("mixup", augment=mixed_up),
        Countermeasure("adversarial training", augment=Adversarial(epsilon / 2), effort=8),
        Countermeasure("averaging", lambda masked: averaged_away(masked, epsilon)),
        Countermeasure(f"network {other_network}", network=other_network, effort=2),
    )


@dataclass(frozen=True)
class Regained:
    """The accuracy on clean test data that a counter-measure reaches on masked data."""

    name: str
    accuracy: float


def regained(
    masked: ImageSet,
    test: ImageSet,
    measures: Iterable[Countermeasure],
    network: str,
    settings: TrainingSettings,
    seed: int,
    *,
    device: torch.device | None = None,
    progress: Progress | None = None,
    finished: Finished | None = None,
    spread: Spread | None = None,
) -> list[Regained]:
    """What each of `measures` regains, in their order. progress: called in counter-measures.

    network: trained unless a counter-measure names another. finished: keeps each result, None none.
    spread: over which processes they are tried, default this one. Each computes on one thread, so
    that the results are the same wherever. Raises HideError without `measures`.
    """
    todo = list(measures)
    if not todo:
        raise HideError("name at least one counter-measure")
    attempt = _Attempt(masked, test, network, settings, seed, device)
    about = attempt.about() if finished else {}
    # The longest begin first, so that all processes end together.
    order = sorted(range(len(todo)), key=lambda place: -todo[place].effort)
    tried = finish(
        attempt.accuracy,
        [todo[place] for place in order],
        lambda one: about | {"counter-measure": one.name},
        finished,
        spread or Spread(),
        progress,
    )
    found = dict(zip(order, tried, strict=True))
    return [Regained(one.name, found[place]) for place, one in enumerate(todo)]


@dataclass(frozen=True, eq=False)
class _Attempt:
    """What counter-measures are tried on, and how."""

    masked: ImageSet
    test: ImageSet
    network: str
    settings: TrainingSettings
    seed: int
    device: torch.device | None

    def about(self) -> dict[str, object]:
        """What decides the accuracy of each counter-measure, beside its name."""
        return {
            "learned": self.masked.digest(),
            "test": self.test.digest(),
            "training": self.settings,
            "seed": self.seed,
            "network": self.network,
        }

    def accuracy(self, one: Countermeasure) -> float:
        data = one.prepare(self.masked) if one.prepare else self.masked
        judged = one.prepare(self.test) if one.prepare and one.both else self.test
        make = factory(one.network or self.network, len(data.classes), data.shape)
        trained = train(
            make, data, self.settings, self.seed, device=self.device, augment=one.augment
        )
        return trained.accuracy(judged)


def best(rows: Iterable[Regained]) -> Regained:
    """The one that regains most: what stands beside every price."""
    return max(rows, key=lambda row: row.accuracy)
