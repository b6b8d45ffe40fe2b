"""What is published and what accuracies are measured on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from offchain.data.folder import in_folder_order
from offchain.data.imageset import ImageSet
from offchain.data.seeds import generator
from offchain.hide.errors import HideError
from offchain.hide.masks import refuse_empty_classes


@dataclass(frozen=True)
class Split:
    """data: every image that is published, in folder order. learned: which of them a measured
    model trains on, int64 (N',). test: clean images that it is tested on, of the same classes."""

    data: ImageSet
    learned: torch.Tensor
    test: ImageSet

    def digests(self) -> dict[str, str]:
        """SHA-256 of each part, by which measurements are kept."""
        learned = hashlib.sha256(self.learned.numpy().tobytes()).hexdigest()
        return {"data": self.data.digest(), "test": self.test.digest(), "learned": learned}


def with_test_set(data: ImageSet, test: ImageSet) -> Split:
    """Models train on all of `data` and are tested on `test`. Raises HideError if they differ in
    classes or in the shape of images, ClassWithoutImages as masks do."""
    refuse_empty_classes(data)
    if data.classes != test.classes or data.shape != test.shape:
        raise HideError(
            f"test images of {test.shape} in {len(test.classes)} classes do not fit {data.shape} "
            f"in {len(data.classes)}, or classes differ in name"
        )
    return Split(in_folder_order(data), torch.arange(len(data)), in_folder_order(test))


def with_held_out(data: ImageSet, share: float, seed: int) -> Split:
    """Models train on all but a `share` of each class, in (0, 1), and are tested on that share.

    The tested images are published like the others; only measured models do not see them. Raises
    HideError when a class has too few images for both, ClassWithoutImages as masks do.
    """
    refuse_empty_classes(data)
    if not 0 < share < 1:
        raise HideError(f"the share held out must be above 0 and below 1, not {share:g}")
    data = in_folder_order(data)
    rng = generator(seed, "hide held out")
    tested, learned = [], []
    for number, name in enumerate(data.classes):
        own = (data.labels == number).nonzero().flatten()
        own = own[torch.from_numpy(rng.permutation(len(own)))]
        count = max(1, round(share * len(own)))
        if count >= len(own):
            raise HideError(f"class {name!r} has {len(own)} images, too few to hold one out")
        tested.append(own[:count])
        learned.append(own[count:])
    return Split(data, torch.cat(learned).sort().values, data.subset(torch.cat(tested)))
