"""What can be computed of masks that were not paid for: by averaging, by a buyer, by colluders.

Whatever is added alike to many images shows in their mean. A crawler who has the published images
alone takes the fine structure of each class's mean for the mask; the buyer of a weak level has,
beside masked images of a class, clean ones, and takes the difference of the means.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from offchain.data.imageset import ImageSet
from offchain.hide.cleaner import Cleaner
from offchain.hide.errors import HideError
from offchain.hide.masks import Masks

_BLUR = (7, 2.0)
"""Kernel and sigma, in pixels, of the blur that leaves what the mean of clean images looks like."""


def class_means(imageset: ImageSet) -> torch.Tensor:
    """float32 (Z, C, H, W); zero for a class without images."""
    count = len(imageset.classes)
    sums = torch.zeros(count, *imageset.shape)
    for start in range(0, len(imageset), 4096):
        part = slice(start, start + 4096)
        sums.index_add_(0, imageset.labels[part], imageset.images[part].float())
    sizes = torch.bincount(imageset.labels, minlength=count).clamp_min(1)
    return sums / sizes.view(-1, 1, 1, 1)


def guessed_by_crawler(masked: ImageSet, epsilon: int) -> torch.Tensor:
    """The masks that the published images show in their means, float32 (Z, C, H, W)."""
    from torchvision.transforms.v2 import functional  # type: ignore[import-untyped, unused-ignore]

    means = class_means(masked)
    smooth = functional.gaussian_blur(means, [_BLUR[0]] * 2, [_BLUR[1]] * 2)
    fine: torch.Tensor = (means - smooth).clamp(-epsilon, epsilon)
    return fine


def guessed_by_buyer(masked: ImageSet, cleaned: ImageSet, epsilon: int) -> torch.Tensor:
    """What a buyer of `cleaned` guesses of the masks of the images it did not get freed.

    The difference of the means of the masked and of the freed images, float32 (Z, C, H, W); for a
    class of which it has but one of both, the crawler's guess.
    """
    still = still_masked(masked, cleaned)
    if not bool(still.any()) or bool(still.all()):
        return guessed_by_crawler(masked, epsilon)
    hidden, clear = (cleaned.subset(which.nonzero().flatten()) for which in (still, ~still))
    guess = (class_means(hidden) - class_means(clear)).clamp(-epsilon, epsilon)
    sizes = [torch.bincount(part.labels, minlength=len(masked.classes)) for part in (hidden, clear)]
    both = ((sizes[0] > 0) & (sizes[1] > 0)).view(-1, 1, 1, 1)
    return torch.where(both, guess, guessed_by_crawler(masked, epsilon))


def guessed_from_cleaner(cleaner: Cleaner) -> torch.Tensor:
    """What the buyer of `cleaner` guesses of other slices' masks: the mean, by class, of those that
    it bought off, float32 (Z, C, H, W). Masks by class that were made together are alike.

    Raises HideError for masks by sample: none of them is of another image.
    """
    if cleaner.kind != "class":
        raise HideError("masks by sample tell nothing of one another")
    classes = cleaner.slices.counts.shape[1]
    known = -cleaner.changes.float().view(-1, classes, *cleaner.changes.shape[1:])
    return known.mean(0)


def still_masked(masked: ImageSet, cleaned: ImageSet) -> torch.Tensor:
    """bool (N,): images that a cleaner left as they were published."""
    if masked.images.shape != cleaned.images.shape:
        raise HideError(
            f"{tuple(masked.images.shape)} and {tuple(cleaned.images.shape)} are not one dataset"
        )
    return (masked.images == cleaned.images).flatten(1).all(1)


def stripped(imageset: ImageSet, which: torch.Tensor, guess: torch.Tensor) -> ImageSet:
    """`imageset` with the guess (Z, C, H, W) of masks taken off the images of bool (N,) `which`."""
    images = imageset.images.clone()
    worn = guess[imageset.labels[which]]
    images[which] = (images[which].float() - worn).round().clamp(0, 255).to(torch.uint8)
    return replace(imageset, images=images)


def averaged_away(masked: ImageSet, epsilon: int) -> ImageSet:
    """What a crawler trains on after averaging."""
    everything = torch.ones(len(masked), dtype=torch.bool)
    return stripped(masked, everything, guessed_by_crawler(masked, epsilon))


def share_known(
    guess: torch.Tensor, masks: Masks, labels: torch.Tensor, which: torch.Tensor
) -> float:
    """How much of the masks of the images `which` a guess per class explains.

    1 - sum (m - guess)^2 / sum m^2: 1 when it is exact, 0 or less when it is worth nothing.
    """
    true = masks.values[masks.rows[which]].float()
    return float(1 - (true - guess[labels[which]]).square().sum() / true.square().sum())


def pooled(masked: ImageSet, one: ImageSet, other: ImageSet) -> ImageSet:
    """What two colluding buyers have: each image from whoever has it freed.

    Levels are nested, so this is the better of the two levels and nothing more.
    """
    kept = still_masked(masked, one).view(-1, 1, 1, 1)
    return replace(masked, images=torch.where(kept, other.images, one.images))
