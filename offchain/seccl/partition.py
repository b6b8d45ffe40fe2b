"""How a dataset is spread over participants, and each part into training and validation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offchain.data.imageset import DataError, ImageSet, split
from offchain.data.seeds import generator

SPLITS = ("equal", "classes:<count>", "dirichlet:<alpha>")
"""The splits that `partition` knows."""

MIN_PART = 10
"""Fewest images of a participant."""

_DRAWS = 100
"""Dirichlet splits drawn before giving up on one that leaves everyone MIN_PART images."""


@dataclass(frozen=True, eq=False)
class PrivatePart:
    """What one participant holds: images to train on and images to judge others' updates by."""

    training: ImageSet
    validation: ImageSet


def partition(
    imageset: ImageSet, participants: int, spec: str, *, validation: float = 0.2, seed: int = 0
) -> list[PrivatePart]:
    """One private part per participant, disjoint, the same for the same seed.

    spec: "equal", a plain random split into equal parts, as the paper has it, so that class
        counts differ by chance; "classes:<c>", each participant holds c classes, each class
        equally divided among its holders; "dirichlet:<a>", each class is divided in proportions
        drawn from a symmetric Dirichlet distribution, the more uneven the smaller a > 0.
    validation: share of each part kept for validation, above 0 and below 1, with the part's own
        class proportions as far as whole images allow; at least one image on either side.

    Raises DataError naming the value and its bound.
    """
    if participants < 1:
        raise DataError(f"participants must be 1 or more, not {participants}")
    if participants * MIN_PART > len(imageset):
        raise DataError(
            f"{participants} participants need {participants * MIN_PART} images, "
            f"{MIN_PART} each; {imageset.name} has {len(imageset)}"
        )
    if not 0 < validation < 1:
        raise DataError(f"the validation share must be above 0 and below 1, not {validation}")
    kind, _, value = spec.partition(":")
    if spec == "equal":
        parts = split(imageset, participants, seed, stratified=False)
    elif kind == "classes" and re.fullmatch(r"[0-9]{1,6}", value):
        parts = _take(imageset, by_class(imageset, participants, int(value), seed))
    elif kind == "dirichlet" and re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value):
        parts = _take(imageset, by_dirichlet(imageset, participants, float(value), seed))
    else:
        raise DataError(f"a split is one of {', '.join(SPLITS)}, not {spec!r}")
    return [divided(part, validation, seed) for part in parts]


def by_class(
    imageset: ImageSet, participants: int, classes: int, seed: int
) -> list[npt.NDArray[np.int64]]:
    """Indices of each participant's images when each holds `classes` classes.

    Raises DataError when the classes are too many, or too few to give every class to someone.
    """
    available = len(imageset.classes)
    if not 1 <= classes <= available:
        raise DataError(f"a participant holds 1 to {available} classes, not {classes}")
    if participants * classes < available:
        raise DataError(
            f"{participants} participants of {classes} classes leave some of the {available} "
            f"classes to nobody: give each {-(-available // participants)} or more"
        )
    rng = generator(seed, "seccl by class")
    # Dealt in turn, each class goes to as many participants as any other, give or take one.
    dealt = np.resize(rng.permutation(available), participants * classes)
    holders = rng.permutation(participants).repeat(classes)
    return _divide(
        imageset,
        participants,
        rng,
        lambda label: np.bincount(holders[dealt == label], minlength=participants).astype(float),
    )


def by_dirichlet(
    imageset: ImageSet, participants: int, alpha: float, seed: int
) -> list[npt.NDArray[np.int64]]:
    """Indices of each participant's images when class shares are drawn from Dirichlet(alpha).

    Draws that leave someone fewer than MIN_PART images are drawn again; raises DataError when
    none of a hundred does, or alpha is not in (0, 10^6].
    """
    if not 0 < alpha <= 1e6:
        raise DataError(f"alpha must be above 0, at most 1000000, not {alpha}")
    rng = generator(seed, "seccl dirichlet")
    for _ in range(_DRAWS):
        parts = _divide(
            imageset, participants, rng, lambda _: rng.dirichlet(np.full(participants, alpha))
        )
        if min(len(part) for part in parts) >= MIN_PART:
            return parts
    raise DataError(
        f"no Dirichlet({alpha:g}) split of {len(imageset)} images gave each of {participants} "
        f"participants {MIN_PART}: take a larger alpha or fewer participants"
    )


def _divide(
    imageset: ImageSet,
    participants: int,
    rng: np.random.Generator,
    weights: Callable[[int], npt.NDArray[np.float64]],
) -> list[npt.NDArray[np.int64]]:
    """Each class cut into consecutive pieces as long as its `weights(label)`, one a participant."""
    labels = imageset.labels.numpy()
    parts: list[list[npt.NDArray[np.int64]]] = [[] for _ in range(participants)]
    for label in range(len(imageset.classes)):
        members = rng.permutation(np.flatnonzero(labels == label))
        share = weights(label)
        cuts = np.rint(np.cumsum(share) / share.sum() * len(members)).astype(np.int64)
        for part, piece in zip(parts, np.split(members, cuts[:-1]), strict=True):
            part.append(piece)
    return [rng.permutation(np.concatenate(part)) for part in parts]


def _take(imageset: ImageSet, parts: list[npt.NDArray[np.int64]]) -> list[ImageSet]:
    for number, part in enumerate(parts):
        if len(part) < MIN_PART:
            raise DataError(
                f"participant {number} would hold {len(part)} images of {imageset.name}, "
                f"fewer than {MIN_PART}"
            )
    return [imageset.subset(part, f"{imageset.name}/part{i}") for i, part in enumerate(parts)]


def divided(part: ImageSet, validation: float, seed: int) -> PrivatePart:
    """What one participant holds, divided as `partition` divides it.

    Raises DataError for fewer than MIN_PART images.
    """
    if len(part) < MIN_PART:
        raise DataError(f"{part.name} has {len(part)} images, {MIN_PART} are the fewest")
    kept = min(max(1, round(validation * len(part))), len(part) - 1)
    training, judging = split(part, [len(part) - kept, kept], seed)
    return PrivatePart(training, judging)
