"""Cleaners: what a buyer adds to the published, masked images to get the level it paid for.

The paper's `c_k = m_k - m_max` (Equation 5). Our m_k is m_max on the images that stay masked and
zero on those that level k frees, so that c_k is -m_max on the latter and zero elsewhere: one mask
per class and slice, however many images there are, and for each slice a seed that tells which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from offchain.data.imageset import ImageSet
from offchain.hide.container import pack, read_bytes, unpack
from offchain.hide.errors import (
    CleanerDtype,
    CleanerError,
    CleanerHeader,
    CleanerShape,
    EpsilonError,
    OtherDataset,
)
from offchain.hide.masks import KINDS, add, check_epsilon
from offchain.hide.slices import SEED_BYTES, Slices

MAX_SLICES = 64

_KIND = "cleaner"
_FIELDS: dict[str, type] = {
    "dataset": str,
    "epsilon": int,
    "kind": str,
    "result": str,
    "seeds": list,
}


@dataclass(frozen=True, eq=False)
class Cleaner:
    """The cleaner of level K, which frees K slices of one masked dataset.

    dataset: SHA-256, in hex, of the masked dataset it is for. result: of what it gives.
    kind: "class", `changes` has a row for each slice and class, (slice x Z + class); "sample", a
    row for each freed image, by slice and then by number. changes: int8 (R, C, H, W), every |value|
    at most `epsilon`. Raises the CleanerError or EpsilonError that says what is wrong.
    """

    dataset: str
    result: str
    epsilon: int
    kind: str
    slices: Slices
    changes: torch.Tensor

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if self.kind not in KINDS:
            raise CleanerHeader(f"a cleaner is one per {' or '.join(KINDS)}, not {self.kind!r:.40}")
        for digest in (self.dataset, self.result):
            if not re.fullmatch("[0-9a-f]{64}", digest):
                raise CleanerHeader(f"a dataset is named by 64 hex digits, not {digest!r:.80}")
        if not 1 <= len(self.slices) <= MAX_SLICES:
            raise CleanerHeader(f"a cleaner frees 1 to {MAX_SLICES} slices, not {len(self.slices)}")
        if self.changes.dtype != torch.int8:
            raise CleanerDtype(f"changes must be torch.int8, not {self.changes.dtype}")
        counts = self.slices.counts
        rows = counts.size if self.kind == "class" else int(counts.sum())
        shape = tuple(self.changes.shape)
        if len(shape) != 4 or shape[0] != rows or 0 in shape[1:]:
            raise CleanerShape(f"changes must be ({rows}, C, H, W), none empty, not {shape}")
        if rows and int(self.changes.to(torch.int16).abs().max()) > self.epsilon:
            raise EpsilonError(f"a change leaves the ball of radius {self.epsilon}/255")

    @property
    def level(self) -> int:
        """The level it opens, counted from 1 for the weakest."""
        return len(self.slices)


def apply(masked: ImageSet, cleaner: Cleaner) -> ImageSet:
    """The dataset of the cleaner's level, bit for bit (Equation 6).

    masked: as published. Raises OtherDataset when it is not the one the cleaner was made for, and
    another HideError when the changes do not fit it, or do not give what the cleaner names.
    """
    digest = masked.digest()
    if digest != cleaner.dataset:
        raise OtherDataset(
            f"the cleaner is for dataset {cleaner.dataset[:16]}..., {masked.name} is "
            f"{digest[:16]}..."
        )
    counts = cleaner.slices.counts
    if counts.shape[1] != len(masked.classes) or tuple(cleaner.changes.shape[1:]) != masked.shape:
        raise CleanerShape(
            f"changes of {tuple(cleaner.changes.shape[1:])} for {counts.shape[1]} classes do not "
            f"fit images of {masked.shape} in {len(masked.classes)} classes"
        )
    cleaned = freed(masked, cleaner.slices, cleaner.kind, cleaner.changes)
    if cleaned.digest() != cleaner.result:
        raise CleanerError(
            f"the cleaner gives dataset {cleaned.digest()[:16]}..., not the "
            f"{cleaner.result[:16]}... that it names"
        )
    return cleaned


def freed(masked: ImageSet, slices: Slices, kind: str, changes: torch.Tensor) -> ImageSet:
    """`masked` with `changes` added to the images of `slices`; see `Cleaner`."""
    members = slices.members(masked.labels)
    chosen = (members < len(slices)).nonzero().flatten()
    if kind == "class":
        rows = members[chosen] * len(masked.classes) + masked.labels[chosen]
    else:
        rows = torch.empty(len(chosen), dtype=torch.int64)
        rows[members[chosen].argsort(stable=True)] = torch.arange(len(chosen))
    images = masked.images.clone()
    images[chosen] = add(masked.images[chosen], changes, rows)
    return replace(masked, images=images, name=f"{masked.name}+cleaner{len(slices)}")


def encode_cleaner(cleaner: Cleaner) -> bytes:
    """The file; equal cleaners are equal bytes."""
    said = {
        "dataset": cleaner.dataset,
        "epsilon": cleaner.epsilon,
        "kind": cleaner.kind,
        "result": cleaner.result,
        "seeds": [seed.hex() for seed in cleaner.slices.seeds],
    }
    counts = torch.from_numpy(cleaner.slices.counts.astype(np.int32))
    return pack(_KIND, said, {"changes": cleaner.changes, "counts": counts})


def decode_cleaner(data: bytes, limit: int) -> Cleaner:
    """The cleaner in untrusted bytes, at most `limit` of them; see `max_cleaner_bytes`.

    Raises the CleanerError or EpsilonError that says what is wrong.
    """
    said, tensors = unpack(data, _KIND, _FIELDS, {"changes", "counts"}, limit)
    if tensors["counts"].dtype != torch.int32:
        raise CleanerDtype(f"counts must be torch.int32, not {tensors['counts'].dtype}")
    counts = tensors["counts"].to(torch.int64).numpy()
    if counts.ndim != 2 or len(counts) != len(said["seeds"]):
        raise CleanerShape(f"counts of {counts.shape} do not fit {len(said['seeds'])} seeds")
    if counts.size and int(counts.min()) < 0:
        raise CleanerShape(f"a slice cannot have {int(counts.min())} images of a class")
    return Cleaner(
        said["dataset"],
        said["result"],
        said["epsilon"],
        said["kind"],
        Slices(tuple(_seed(text) for text in said["seeds"]), counts),
        tensors["changes"],
    )


def load_cleaner(path: Path, masked: ImageSet) -> Cleaner:
    """The cleaner in a file, no larger than one for `masked` can be; see `decode_cleaner`."""
    limit = max_cleaner_bytes(masked)
    return decode_cleaner(read_bytes(path, _KIND, limit), limit)


def max_cleaner_bytes(masked: ImageSet) -> int:
    """The most bytes that a cleaner for `masked` can need."""
    rows = max(MAX_SLICES * len(masked.classes), len(masked))
    return (1 << 20) + rows * masked.images[0].numel() + 4 * MAX_SLICES * len(masked.classes)


def _seed(text: object) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(f"[0-9a-f]{{{2 * SEED_BYTES}}}", text):
        raise CleanerHeader(f"a seed is {2 * SEED_BYTES} hex digits, not {text!r:.60}")
    return bytes.fromhex(text)
