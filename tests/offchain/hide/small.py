"""Small image sets and families for the tests of Hide-and-Seek."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet
from offchain.data.seeds import generator
from offchain.hide.family import Family, FamilyLevel, Secret, dressed, slices_of
from offchain.hide.masks import MaskSettings


def made_up(
    images: int = 60, classes: int = 3, shape: tuple[int, int, int] = (3, 8, 8), seed: int = 0
) -> ImageSet:
    """Random pixels, black and white included; every class has images, in folder order."""
    rng = generator(seed, "made up")
    pixels = rng.choice(np.array([0, 3, 128, 250, 255], dtype=np.uint8), size=(images, *shape))
    labels = np.sort(np.arange(images) % classes)
    names = tuple(f"class {number}" for number in range(classes))
    return ImageSet(torch.from_numpy(pixels), torch.from_numpy(labels), names, "made up")


def made_up_family(
    data: ImageSet,
    free: tuple[int, ...] = (5, 20, 41),
    kind: str = "class",
    epsilon: int = 8,
    order: str = "images",
    seed: int = 0,
) -> Family:
    """A family with random masks and levels that nobody measured."""
    settings = MaskSettings(epsilon, kind)
    rows = (len(free) + 1) * len(data.classes) if kind == "class" else len(data)
    drawn = generator(seed, "made up masks").integers(
        -epsilon, epsilon + 1, size=(rows, *data.shape), dtype=np.int8
    )
    secret = Secret(bytes([seed] * 32))
    slices = slices_of(data.labels, len(data.classes), free, order, secret)
    masked, masks = dressed(data, torch.from_numpy(drawn), settings, slices)
    levels = tuple(FamilyLevel(0.1 * k, 0.1 * k, 0.1 * k, n) for k, n in enumerate(free, 1))
    return Family(masked, masks, kind, slices, levels)


@lru_cache
def digits() -> tuple[ImageSet, ImageSet]:
    """1,000 digits to learn and 500 others to be tested on."""
    whole = load_dataset("digits")
    order = generator(0, "small digits").permutation(len(whole))
    return whole.subset(order[:1000]), whole.subset(order[1000:1500])
