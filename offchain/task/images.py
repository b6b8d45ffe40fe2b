"""Image sets and tasks: labels as the task numbers them, and what a set has to offer."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch

from offchain.data.imageset import DataError, ImageSet
from offchain.data.originals import Originals
from offchain.task.checks import Offer
from offchain.task.classes import LEFT_OUT, ClassNames, canonical_classes, composed

MODALITY = "images"
S = TypeVar("S", ImageSet, Originals, ImageSet | Originals)


def relabelled(
    images: S, classes: tuple[str, ...] | None = None, names: ClassNames | None = None
) -> S:
    """The set with a task's `classes` and labels, its samples in their order.

    classes: of the task; without them, the set's own in their one form, as whoever writes the task
        has them. names: what the owner says of its class names; samples of classes that it leaves
        out are gone.

    Raises ClassesUnknown for a class that the task does not have, DataError if nothing is left.
    """
    said = names or ClassNames()
    if classes is None:
        kept = said.renamed([composed(name) for name in images.classes])
        classes = canonical_classes(sorted({name for name in kept if name}))
    label_of = torch.tensor(said.labels(images.classes, classes))
    if images.classes == classes and torch.equal(label_of, torch.arange(len(classes))):
        return images
    labels = label_of[images.labels]
    if bool((labels == LEFT_OUT).all()):
        raise DataError(f"{images.name}: the classes that are left out leave no sample")
    if bool((labels == LEFT_OUT).any()):
        places = (labels != LEFT_OUT).nonzero().flatten()
        images, labels = images.subset(places), labels[places]
    return replace(images, labels=labels, classes=classes)


def distinct_samples(images: torch.Tensor) -> int:
    """How many of the images uint8 (N, C, H, W) are no copies of others."""
    rows = np.ascontiguousarray(images.numpy().reshape(len(images), -1))
    return len(np.unique(rows.view(np.dtype((np.void, rows.shape[1]))).ravel()))


def offer_of(images: ImageSet | Originals) -> Offer:
    """What a set has to offer; its labels are those of the task."""
    counts = torch.bincount(images.labels, minlength=len(images.classes))
    if isinstance(images, Originals):
        return Offer(images.form.modality, images.shape, counts.tolist(), images.distinct())
    return Offer(MODALITY, images.shape, counts.tolist(), distinct_samples(images.images))
