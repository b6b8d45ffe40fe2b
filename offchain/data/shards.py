"""Equal shards of a dataset as bytes, and back (HyperX, section 3.1.3: provider participation).

A shard is a safetensors file of `images` uint8 (S, C, H, W) and `labels` int64 (S,) and nothing
else, in the one form that `safetensors.torch.save` gives it. Equal samples are equal bytes: no
spare metadata by which copies of a shard could be made to look different.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save

from offchain.data.imageset import DataError, ImageSet, check_samples
from offchain.data.seeds import generator

MAX_SHARD_BYTES = 256 << 20
"""Largest shard written or read, in bytes."""

MAX_HEADER_BYTES = 1024
"""Longest safetensors header read; ours are under 200 bytes."""


class ShardError(DataError):
    """Bytes that are no shard, or shards that do not belong together."""


@dataclass(frozen=True, eq=False)
class Shard:
    """The samples of one shard: images uint8 (S, C, H, W), labels int64 (S,)."""

    images: torch.Tensor
    labels: torch.Tensor


def shard_bytes(shape: tuple[int, int, int], shard_size: int) -> int:
    """Length in bytes of every shard of `shard_size` samples of `shape` (C, H, W).

    Raises DataError when the shape is none of an image or the length exceeds MAX_SHARD_BYTES.
    """
    channels, height, width = shape
    if shard_size < 1 or channels not in (1, 3) or min(height, width) < 1:
        raise DataError(f"no shard holds {shard_size} images of (C, H, W) = {tuple(shape)}")
    payload = shard_size * (channels * height * width + 8)
    if payload + MAX_HEADER_BYTES > MAX_SHARD_BYTES:
        raise DataError(
            f"a shard of {shard_size} images of {tuple(shape)} exceeds {MAX_SHARD_BYTES} bytes"
        )
    # The header spells out the shapes and offsets, so only the encoder knows its length.
    return len(
        _encode(
            torch.zeros((shard_size, *shape), dtype=torch.uint8),
            torch.zeros(shard_size, dtype=torch.int64),
        )
    )


def packed_part(imageset: ImageSet, shard_count: int, shard_size: int, seed: int = 0) -> ImageSet:
    """The samples that `pack_shards` packs, in the order in which `join_shards` returns them.

    They are the first shard_count * shard_size of a permutation fixed by `seed` and the number
    of samples; the others are left out. Many sets are sorted by class: in their own order each
    shard would be of one class, and a sampled few would tell nothing about the rest.

    Raises DataError naming how many samples are needed and how many there are.
    """
    return imageset.subset(_order(imageset, shard_count, shard_size, seed))


def _order(imageset: ImageSet, shard_count: int, shard_size: int, seed: int) -> NDArray[np.int64]:
    """Of which samples, (shard_count * shard_size,). Raises as `packed_part` does."""
    if shard_count < 1 or shard_size < 1:
        raise DataError(f"shard count and size must be 1 or more, not {shard_count}, {shard_size}")
    needed = shard_count * shard_size
    if needed > len(imageset):
        raise DataError(
            f"{shard_count} shards of {shard_size} samples need {needed}, "
            f"{imageset.name} has {len(imageset)}"
        )
    return generator(seed, "shards").permutation(len(imageset))[:needed]


class PackedShards:
    """What `pack_shards` makes, each shard when it is asked for, so that no copy of all is held.

    Raises as `pack_shards` does.
    """

    def __init__(
        self, imageset: ImageSet, shard_count: int, shard_size: int, seed: int = 0
    ) -> None:
        shard_bytes(imageset.shape, shard_size)
        self._set, self._size = imageset, shard_size
        self._order = torch.from_numpy(_order(imageset, shard_count, shard_size, seed))

    def __len__(self) -> int:
        return len(self._order) // self._size

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(index)
        picked = self._order[index * self._size : (index + 1) * self._size]
        return _encode(self._set.images[picked], self._set.labels[picked])

    def __iter__(self) -> Iterator[bytes]:
        return (self[i] for i in range(len(self)))


def pack_shards(
    imageset: ImageSet, shard_count: int, shard_size: int, seed: int = 0
) -> list[bytes]:
    """`shard_count` shards of `shard_size` samples each, all of `shard_bytes(...)` bytes.

    Which samples go where is said by `packed_part`; its digest is that of the joined shards.
    Raises DataError when there are too few samples or a shard would exceed MAX_SHARD_BYTES.
    """
    return list(PackedShards(imageset, shard_count, shard_size, seed))


def unpack_shard(data: bytes) -> Shard:
    """Decode one shard from untrusted bytes.

    Raises ShardError unless `data` is within the size bounds and is exactly what `pack_shards`
    would write for some uint8 images with labels in [0, MAX_CLASSES).
    """
    if not 8 <= len(data) <= MAX_SHARD_BYTES:
        raise ShardError(f"a shard has 8 to {MAX_SHARD_BYTES} bytes, not {len(data)}")
    header = int.from_bytes(data[:8], "little")
    if header > MAX_HEADER_BYTES:
        raise ShardError(f"the header of a shard has at most {MAX_HEADER_BYTES} bytes: {header}")
    try:
        tensors = load(data)
    # KeyError: a number type that safetensors knows and this version of torch does not.
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        # As a literal: the text quotes the stranger's header, line breaks and escapes included.
        raise ShardError(f"not a shard: {str(error)!r}") from error
    if tensors.keys() != {"images", "labels"}:
        raise ShardError(f"a shard holds images and labels, not {sorted(tensors)}")
    shard = Shard(tensors["images"], tensors["labels"])
    try:
        check_samples(shard.images, shard.labels)
    except DataError as error:
        raise ShardError(f"not a shard: {error}") from error
    if _encode(shard.images, shard.labels) != data:
        raise ShardError("a shard not in its one form: metadata, padding or order was added")
    return shard


def join_shards(shards: Sequence[bytes], classes: Sequence[str], name: str = "shards") -> ImageSet:
    """All samples of untrusted `shards`, in order.

    Raises ShardError when a shard is broken, when the shards differ in shape or size, or when
    a label is out of range for `classes`; the message names the shard by its position.
    """
    if not shards:
        raise ShardError("there are no shards to join")
    parts: list[Shard] = []
    for i, data in enumerate(shards):
        try:
            shard = unpack_shard(data)
        except ShardError as error:
            raise ShardError(f"shard {i}: {error}") from error
        expected = tuple((parts[0] if parts else shard).images.shape)
        if tuple(shard.images.shape) != expected:
            raise ShardError(f"shard {i} is {tuple(shard.images.shape)}, shard 0 is {expected}")
        if int(shard.labels.max()) >= len(classes):
            raise ShardError(
                f"shard {i}: label {int(shard.labels.max())} is out of range for "
                f"{len(classes)} classes"
            )
        parts.append(shard)
    return ImageSet(
        torch.cat([part.images for part in parts]),
        torch.cat([part.labels for part in parts]),
        tuple(classes),
        name,
    )


def find_duplicates(shards: Sequence[bytes]) -> list[tuple[int, int]]:
    """Pairs (first, copy) of positions of equal decrypted shards, each copy once.

    A provider may repeat shards to inflate its set; in their encrypted form copies differ.
    Reordering the samples inside hides a copy from this check.
    """
    first: dict[bytes, int] = {}
    found = []
    for i, shard in enumerate(shards):
        digest = hashlib.sha256(shard).digest()
        if first.setdefault(digest, i) != i:
            found.append((first[digest], i))
    return found


def encode_shard(shard: Shard) -> bytes:
    """The one form of a shard."""
    return _encode(shard.images, shard.labels)


def _encode(images: torch.Tensor, labels: torch.Tensor) -> bytes:
    return save({"images": images.contiguous(), "labels": labels.contiguous()})
