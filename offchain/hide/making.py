"""Making a family: masks once, one curve for all levels, a check by a model that had no part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from offchain.data.imageset import ImageSet, Progress
from offchain.hide.errors import LevelError
from offchain.hide.family import Family, FamilyLevel, Secret, dressed, slices_of
from offchain.hide.judging import Split
from offchain.hide.levels import Curve, Found, check_levels, find_levels
from offchain.hide.masks import Masks, MaskSettings, with_room
from offchain.hide.networks import factory
from offchain.hide.slices import ORDERS, free_images
from offchain.hide.strongest import strongest
from offchain.hide.training import TrainingSettings, train
from offchain.runs.finished import Finished

VERSION = 2
"""Raised when equal data, masks and settings no longer give equal accuracies: those that were kept
before count no longer."""


@dataclass(frozen=True)
class Plan:
    """How a family is made and judged.

    levels: accuracies, each in (0, 1). tolerance: how far from a level the search may stop.
    network: on which masks are made and levels searched; held_out: by which they are verified,
    under another seed too. order: what a level frees more of, see `slices.ORDERS`. On easy data a
    handful of clean images teaches all there is, and "images" jumps over levels that "classes"
    reaches. The network counts: masks made on "plain" keep both small networks from learning
    digits, those made on "small-resnet" only itself. seed: of the trainings; masks and slices draw
    from the owner's secret. joint: further networks that masks are made on, so that they fool those
    too.
    """

    levels: tuple[float, ...]
    tolerance: float = 0.03
    masks: MaskSettings = field(default_factory=MaskSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    network: str = "plain"
    held_out: str = "small-resnet"
    order: str = "images"
    seed: int = 0
    resolution: float = 0.01
    joint: tuple[str, ...] = ()

    @property
    def made_on(self) -> tuple[str, ...]:
        """Every network that masks are made on."""
        return (self.network, *self.joint)

    @property
    def groups(self) -> int:
        """Parts of the data with masks of their own: a slice for each level, and what stays."""
        return len(self.levels) + 1

    def __post_init__(self) -> None:
        check_levels(self.levels)
        if self.order not in ORDERS:
            raise LevelError(f"levels free more {' or '.join(ORDERS)}, not {self.order!r}")


@dataclass
class Cost:
    """What was spent: trainings that were run, others that were kept, and seconds of both parts."""

    trainings: int = 0
    kept: int = 0
    training_seconds: float = 0.0
    mask_seconds: float = 0.0


@dataclass(frozen=True)
class MadeFamily:
    """A family and how it came about.

    found: what the search found for every level asked for, those out of reach included.
    points: every point of the curve, dial to accuracy. clean, masked: accuracies that the held-out
    network reaches on unmasked data with room, and on the published data.
    """

    family: Family
    found: tuple[Found, ...]
    points: dict[float, float]
    clean: float
    masked: float
    cost: Cost


def make_family(
    split: Split,
    plan: Plan,
    secret: Secret,
    *,
    device: torch.device | None = None,
    kept: Finished | None = None,
    strong: Masks | None = None,
    telling: Callable[[str], Progress] | None = None,
) -> MadeFamily:
    """The masked dataset, with a slice for each level that can be reached.

    kept: where measured accuracies are looked up and kept. strong: the masks, if they were made
    before, as `strongest_of` makes them. telling: called with what begins, gives what is called
    with its progress. The same arguments give the same family.

    Raises LevelError when no level can be reached.
    """
    return _Making(split, plan, secret, device, kept, telling).make(strong)


def strongest_of(
    split: Split,
    plan: Plan,
    secret: Secret,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> Masks:
    """The masks of every slice of the family that `plan` makes, and of the images never freed."""
    return strongest(
        split.data,
        plan.masks,
        plan.made_on,
        plan.groups,
        secret,
        device=device,
        progress=progress,
    )


class _Making:
    """What the steps of `make_family` share."""

    def __init__(
        self,
        split: Split,
        plan: Plan,
        secret: Secret,
        device: torch.device | None,
        kept: Finished | None,
        telling: Callable[[str], Progress] | None,
    ) -> None:
        self.split, self.plan, self.secret = split, plan, secret
        self.device, self.kept = device, kept
        self.tell: Callable[[str], Progress] = telling or (lambda what: lambda done, total: None)
        self.cost = Cost()
        self.classes = len(split.data.classes)
        self.roomy = with_room(split.data, plan.masks.epsilon)
        self.factories = {
            name: factory(name, self.classes, split.data.shape)
            for name in (plan.network, plan.held_out)
        }
        self.context = {
            **split.digests(),
            "masks": plan.masks,
            "made on": "+".join(plan.made_on),
            "groups": plan.groups,
            "secret": secret.derive("context").hex(),
            "training": plan.training,
            "order": plan.order,
        }

    def make(self, strong: Masks | None) -> MadeFamily:
        plan, labels = self.plan, self.split.data.labels
        if strong is None:
            started = time.perf_counter()
            strong = strongest_of(self.split, plan, self.secret, self.device, self.tell("masks"))
            self.cost.mask_seconds = time.perf_counter() - started
        search = strong.added_to(self.roomy)

        def response(dial: float) -> float:
            count = free_images(dial, len(labels), plan.order)
            slices = slices_of(labels, self.classes, [count], plan.order, self.secret)
            free = (slices.members(labels) == 0).view(-1, 1, 1, 1)
            mixed = replace(search, images=torch.where(free, self.roomy.images, search.images))
            return self._accuracy(mixed, plan.network, plan.seed, {"free": count})

        curve = Curve(response)
        found, free = [], [0]
        for one in find_levels(curve, plan.levels, plan.tolerance, plan.resolution):
            count = free_images(one.dial, len(labels), plan.order)
            if one.within and count > free[-1]:
                free.append(count)
            elif one.within:
                one = replace(one, within=False, why=f"{count} clean images are too coarse a step")
            found.append(one)
        del free[0]
        taken = [one for one in found if one.within]
        if not taken:
            raise LevelError("no level can be reached: " + "; ".join(map(str, found)))
        slices = slices_of(labels, self.classes, free, plan.order, self.secret)
        masked, masks = dressed(self.split.data, strong.values, plan.masks, slices)

        def verified(level: int) -> float:
            own = torch.where(
                (slices.members(labels) < level).view(-1, 1, 1, 1), self.roomy.images, masked.images
            )
            what = {"slices": free, "level": level}
            return self._accuracy(replace(masked, images=own), plan.held_out, plan.seed + 1, what)

        return MadeFamily(
            Family(
                masked,
                masks,
                plan.masks.kind,
                slices,
                tuple(
                    FamilyLevel(one.wanted, one.reached, verified(k), count)
                    for k, (one, count) in enumerate(zip(taken, free, strict=True), 1)
                ),
            ),
            tuple(found),
            curve.points,
            self._accuracy(self.roomy, plan.held_out, plan.seed + 1, {"free": len(labels)}),
            verified(0),
            self.cost,
        )

    def _accuracy(self, data: ImageSet, network: str, seed: int, what: dict[str, Any]) -> float:
        """Of a fresh model trained on what a measured model may learn of `data`.

        what: which data it is, given `context`, so that it need not be trained again.
        """
        before = self.cost.trainings
        train_it = partial(self._trained, data, network, seed)
        if self.kept is None:
            return train_it()
        accuracy = self.kept.once(
            {**self.context, **what, "network": network, "seed": seed}, train_it
        )
        self.cost.kept += self.cost.trainings == before
        return accuracy

    def _trained(self, data: ImageSet, network: str, seed: int) -> float:
        started = time.perf_counter()
        self.cost.trainings += 1
        trained = train(
            self.factories[network],
            data.subset(self.split.learned),
            self.plan.training,
            seed,
            device=self.device,
            progress=self.tell(f"training {self.cost.trainings}"),
        )
        accuracy = trained.accuracy(self.split.test)
        self.cost.training_seconds += time.perf_counter() - started
        return accuracy
