"""The strongest masks: those of the published dataset, for every slice in one go."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from offchain.data.imageset import ImageSet, Progress
from offchain.data.seeds import generator
from offchain.hide.family import Secret
from offchain.hide.masks import Masks, MaskSettings, generate, rows_by_class
from offchain.hide.networks import factory


def strongest(
    data: ImageSet,
    settings: MaskSettings,
    networks: Sequence[str],
    groups: int,
    secret: Secret,
    *,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> Masks:
    """Masks by class for each of `groups` parts of `data`, or one for each image.

    networks: on which they are made, see `generate`. Slices are not known yet when masks are made,
    so groups are drawn at random instead; a mask by class fits any images of its class.
    """
    classes = len(data.classes)
    rows, count = torch.arange(len(data)), len(data)
    if settings.kind == "class":
        rows, count = _group_rows(data.labels, classes, groups, secret), groups * classes
    return generate(
        data,
        rows,
        [factory(name, classes, data.shape) for name in networks],
        settings,
        secret.seed("masks"),
        count=count,
        device=device,
        progress=progress,
    )


def _group_rows(labels: torch.Tensor, classes: int, groups: int, secret: Secret) -> torch.Tensor:
    # Masks are found on images, so that all want as many: turns, and not plain draws.
    order = generator(secret.seed("groups"), "hide groups").permutation(len(labels))
    turns = torch.empty(len(labels), dtype=torch.int64)
    by_class = torch.from_numpy(order)[labels[order].argsort(stable=True)]
    turns[by_class] = torch.arange(len(labels)) % groups
    return rows_by_class(turns, labels, classes)
