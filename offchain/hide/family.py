"""A family: one masked dataset, and a cleaner for each of several accuracies (section III)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from offchain.data.imageset import ImageSet
from offchain.hide.cleaner import Cleaner, freed
from offchain.hide.errors import HideError
from offchain.hide.masks import Masks, MaskSettings, rows_by_class, with_room
from offchain.hide.slices import SEED_BYTES, Slices, cumulative_counts

SECRET_BYTES = 32


@dataclass(frozen=True)
class FamilyLevel:
    """One level of a family, for people and price tables.

    wanted: the accuracy asked for. reached: what the search measured. verified: what another
    network trained under another seed reached on the finished dataset. free: images without a mask.
    """

    wanted: float
    reached: float
    verified: float
    free: int


@dataclass(frozen=True, eq=False)
class Family:
    """All that the owner of a masked dataset must keep; whoever has it has every level.

    masked: the published dataset. masks: of every image, and which wears which. kind: see
    `MaskSettings`. slices: level k frees the first k. levels: weakest first, one for each slice.
    """

    masked: ImageSet
    masks: Masks
    kind: str
    slices: Slices
    levels: tuple[FamilyLevel, ...]

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.slices):
            raise HideError(f"{len(self.levels)} levels of {len(self.slices)} slices")
        if len(self.masks.rows) != len(self.masked):
            raise HideError(f"masks for {len(self.masks.rows)} of {len(self.masked)} images")

    def cleaner(self, level: int) -> Cleaner:
        """The cleaner of `level`, 1 (weakest) to the number of levels (Equation 5)."""
        if not 1 <= level <= len(self.levels):
            raise HideError(f"a level of this family is 1 to {len(self.levels)}, not {level}")
        slices = self.slices.first(level)
        if self.kind == "class":
            changes = -self.masks.values[: level * len(self.masked.classes)]
        else:
            members = slices.members(self.masked.labels)
            order = members.argsort(stable=True)[: int(slices.counts.sum())]
            changes = -self.masks.values[self.masks.rows[order]]
        return Cleaner(
            self.masked.digest(),
            freed(self.masked, slices, self.kind, changes).digest(),
            self.masks.epsilon,
            self.kind,
            slices,
            changes,
        )


class Secret:
    """32 secret bytes, from which masks and slices draw; who has them needs no cleaner."""

    def __init__(self, value: bytes) -> None:
        if len(value) != SECRET_BYTES:
            raise HideError(f"the secret of a family has {SECRET_BYTES} bytes, not {len(value)}")
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    def derive(self, purpose: str, length: int = SEED_BYTES) -> bytes:
        """`length` bytes for one purpose, which tell nothing of those for another."""
        return hashlib.shake_256(b"souk.hide.secret.v1" + self._value + purpose.encode()).digest(
            length
        )

    def seed(self, purpose: str) -> int:
        """An integer for `offchain.data.seeds.generator`, made of the secret."""
        return int.from_bytes(self.derive(purpose), "big")


def slices_of(
    labels: torch.Tensor, classes: int, free: Sequence[int], order: str, secret: Secret
) -> Slices:
    """Slices after which `free[k]` images, ascending, are free in all; order: see `ORDERS`."""
    sizes = np.bincount(labels.numpy(), minlength=classes)
    totals = cumulative_counts(sizes, free, order)
    counts = np.diff(totals, axis=0, prepend=np.zeros((1, classes), dtype=np.int64))
    return Slices(tuple(secret.derive(f"slice {j}") for j in range(len(free))), counts)


def dressed(
    data: ImageSet, values: torch.Tensor, settings: MaskSettings, slices: Slices
) -> tuple[ImageSet, Masks]:
    """The masked dataset, and its masks: by class every slice wears its own.

    data: not yet clipped. values: int8, rows slice x Z + class, or one for each image.
    """
    rows = torch.arange(len(data))
    if settings.kind == "class":
        rows = rows_by_class(slices.members(data.labels), data.labels, len(data.classes))
    masks = Masks(values, rows, settings.epsilon)
    return masks.added_to(with_room(data, settings.epsilon)), masks
