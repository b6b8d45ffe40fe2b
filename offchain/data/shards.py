"""Shards of a dataset as bytes, and back (HyperX, section 3.1.3: provider participation).

A shard holds the files that are sold, byte by byte, each with its class by the task's name of it:

    souk.shard.v1 LF
    number of records              4 bytes
    for each record
        length of its class's name     2 bytes
        name                           UTF-8
        length of its file             4 bytes, 1 or more
        file

Numbers are unsigned and big-endian. Nothing else fits in, but files may hold what they do not show:
whether shards are copies is told by their pictures (`offchain/hyperx/review.py`). Files have no
names: who writes them to a folder numbers them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from offchain.data.imageset import DataError
from offchain.data.originals import Originals
from offchain.data.seeds import generator

FORMAT = b"souk.shard.v1\n"

MAX_SHARD_BYTES = 32 << 20
"""Largest shard written or read, in bytes; some of them lie in memory at once."""

MAX_NAME_BYTES = (1 << 16) - 1
"""Longest name of a class, in UTF-8."""

_DIGEST_TAG = b"souk.originals.v1"


class ShardError(DataError):
    """Bytes that are no shard, or not the one that was asked for."""


@dataclass(frozen=True)
class Shard:
    """The samples of one shard: the files' bytes, and for each the index of its class."""

    files: tuple[bytes, ...]
    labels: tuple[int, ...]


class Labelled(Protocol):
    """A set of samples of whatever kind."""

    @property
    def name(self) -> str:
        """For people."""

    def __len__(self) -> int: ...

    def subset(self, indices: NDArray[np.int64]) -> Self:
        """The samples at `indices`, in that order."""


S = TypeVar("S", bound=Labelled)


def packed_part(samples: S, shard_count: int, shard_size: int, seed: int = 0) -> S:
    """The samples that `PackedShards` packs, in the order of the shards.

    They are the first shard_count * shard_size of a permutation fixed by `seed` and the number
    of samples; the others are left out. Many sets are sorted by class: in their own order each
    shard would be of one class, and a sampled few would tell nothing about the rest.

    Raises DataError naming how many samples are needed and how many there are.
    """
    return samples.subset(_order(samples, shard_count, shard_size, seed))


def _order(samples: Labelled, shard_count: int, shard_size: int, seed: int) -> NDArray[np.int64]:
    """Of which samples, (shard_count * shard_size,). Raises as `packed_part` does."""
    if shard_count < 1 or shard_size < 1:
        raise DataError(f"shard count and size must be 1 or more, not {shard_count}, {shard_size}")
    needed = shard_count * shard_size
    if needed > len(samples):
        raise DataError(
            f"{shard_count} shards of {shard_size} samples need {needed}, "
            f"{samples.name} has {len(samples)}"
        )
    return generator(seed, "shards").permutation(len(samples))[:needed]


class PackedShards:
    """`shard_count` shards of `shard_size` files each, each made when it is asked for.

    Which files go where is said by `packed_part`. `lengths` has the bytes of each shard.
    Raises DataError when there are too few files, or a shard would exceed MAX_SHARD_BYTES.
    """

    def __init__(
        self, originals: Originals, shard_count: int, shard_size: int, seed: int = 0
    ) -> None:
        self._files = packed_part(originals, shard_count, shard_size, seed)
        self._size = shard_size
        self.lengths = tuple(self._length(i) for i in range(shard_count))
        if max(self.lengths) > MAX_SHARD_BYTES:
            raise DataError(
                f"{originals.name}: a shard of {shard_size} files would have "
                f"{max(self.lengths):,} bytes, at most {MAX_SHARD_BYTES:,} are allowed"
            )

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(index)
        places, labels = self._places(index)
        files = tuple(self._files.content(i) for i in places)
        return pack_shard(Shard(files, tuple(labels)), self._files.classes)

    def __iter__(self) -> Iterator[bytes]:
        return (self[i] for i in range(len(self)))

    def digest(self) -> str:
        """Of all of them, see `shards_digest`."""
        return shards_digest(shard_digest(shard) for shard in self)

    def _places(self, index: int) -> tuple[range, list[int]]:
        places = range(index * self._size, (index + 1) * self._size)
        return places, self._files.labels[places.start : places.stop].tolist()

    def _length(self, index: int) -> int:
        places, labels = self._places(index)
        names = (self._files.classes[label].encode() for label in labels)
        records = sum(
            6 + len(name) + self._files.size(i) for i, name in zip(places, names, strict=True)
        )
        return len(FORMAT) + 4 + records


def pack_shard(shard: Shard, classes: Sequence[str]) -> bytes:
    """The one form of a shard, with the task's names of classes.

    Raises ShardError for an empty shard or file, and for one of more than MAX_SHARD_BYTES.
    """
    if not shard.files:
        raise ShardError("a shard holds 1 file or more")
    parts = [FORMAT, len(shard.files).to_bytes(4, "big")]
    for file, label in zip(shard.files, shard.labels, strict=True):
        name = classes[label].encode()
        if not file or len(name) > MAX_NAME_BYTES:
            raise ShardError("an empty file" if not file else f"class {classes[label]:.60}...")
        parts += [len(name).to_bytes(2, "big"), name, len(file).to_bytes(4, "big"), file]
    data = b"".join(parts)
    if len(data) > MAX_SHARD_BYTES:
        raise ShardError(f"a shard has at most {MAX_SHARD_BYTES} bytes, not {len(data)}")
    return data


def unpack_shard(data: bytes, classes: Sequence[str], count: int) -> Shard:
    """The `count` samples of one shard, from untrusted bytes. What files hold is not looked at.

    Raises ShardError, one line, unless `data` is what `pack_shard` writes for so many files of
    these classes.
    """
    reader = _Reader(data)
    if reader.take(len(FORMAT)) != FORMAT:
        raise ShardError(f"not a shard of {FORMAT.decode().strip()}")
    if (found := reader.number(4)) != count:
        raise ShardError(f"a shard of {found} samples, {count} are asked for")
    label_of = {name.encode(): label for label, name in enumerate(classes)}
    files, labels = [], []
    for i in range(count):
        name = reader.take(reader.number(2))
        if name not in label_of:
            told = name.decode(errors="replace")
            raise ShardError(f"sample {i} is of class {told!r:.60}, which the task does not have")
        labels.append(label_of[name])
        files.append(reader.take(reader.number(4)))
        if not files[-1]:
            raise ShardError(f"sample {i} is an empty file")
    if reader.left:
        raise ShardError(f"{reader.left} bytes after the last of {count} samples")
    return Shard(tuple(files), tuple(labels))


class _Reader:
    """Bytes from the first to the last. Raises ShardError where there are too few, or too many."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_SHARD_BYTES:
            raise ShardError(f"a shard has at most {MAX_SHARD_BYTES} bytes, not {len(data)}")
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ShardError(f"{count} bytes are to follow at byte {self._at}, {self.left} do")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")


def shard_digest(shard: bytes) -> bytes:
    """SHA-256 of a plain shard."""
    return hashlib.sha256(shard).digest()


def shards_digest(digests: Iterable[bytes]) -> str:
    """SHA-256, hex, of the files of a dataset with their classes: of all `shard_digest`, in order.

    Equal digests prove that what was offered and what was bought are the same files.
    """
    return hashlib.sha256(_DIGEST_TAG + b"".join(digests)).hexdigest()
