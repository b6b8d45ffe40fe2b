"""Original files, sold with the samples that were encoded from them.

What is priced is the encoded sample, in its chunk. What is sold is the file that it was made of. So
after the sample its chunk says where the original lies: the chunk of the dataset's file that it
begins at (4 bytes), how many bytes it has (4), and their SHA-256 (32), big-endian; zeros say that
there is none. The originals follow the samples' chunks, in the samples' order, each from a chunk of
its own on. One leaf binds both, and one key opens both.

No contract decodes a picture. That an original is not what was encoded its buyer sees, and shows
to whomever it likes: leaf and digest are the seller's.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offchain.crypto.disputable import MAX_CHUNKS
from offchain.mde.errors import FeatureMismatch, TooLarge
from offchain.mde.verifiable.encoding import PLACE_BYTES, Encoding

_SAID = struct.Struct(">II32s")
assert _SAID.size == PLACE_BYTES


@dataclass(frozen=True)
class Lying:
    """Where an original lies. chunk: of the dataset's file, the first; length: bytes, 0 for none;
    digest: SHA-256."""

    chunk: int
    length: int
    digest: bytes

    @classmethod
    def of(cls, encoding: Encoding, chunk: bytes) -> Lying:
        """What a sample's chunk says."""
        if not encoding.place_bytes:
            return cls(0, 0, bytes(32))
        return cls(*_SAID.unpack_from(chunk, encoding.sample_bytes))

    @property
    def there(self) -> bool:
        """Whether there is an original."""
        return self.length > 0

    def chunks(self, encoding: Encoding) -> int:
        """How many it takes."""
        return -(-self.length // encoding.chunk_bytes)


def chunks_with(encoding: Encoding, originals: Sequence[bytes], count: int) -> int:
    """Chunks of a file of `count` samples and their originals. Raises TooLarge for too many."""
    size = encoding.chunk_bytes
    needed = count + sum(-(-len(one) // size) for one in originals)
    if needed > MAX_CHUNKS:
        raise TooLarge(
            f"{count} samples and {sum(map(len, originals))} bytes of original files need {needed} "
            f"chunks of {size} bytes, at most {MAX_CHUNKS} can be sold"
        )
    return needed


def with_originals(encoding: Encoding, packed: bytes, originals: Sequence[bytes]) -> bytes:
    """A dataset's file in the clear.

    packed: the samples, each in its chunk. originals: one for each sample, b"" for none; or none at
    all. Raises TooLarge, FeatureMismatch for samples that are no pixels.
    """
    if not originals:
        return packed
    if not encoding.place_bytes:
        raise FeatureMismatch("features are sold as they are priced: they have no original files")
    size, count = encoding.chunk_bytes, len(packed) // encoding.chunk_bytes
    chunks_with(encoding, originals, count)
    head, tail, at = bytearray(packed), [], count
    for i, original in enumerate(originals):
        if not original:
            continue
        said = Lying(at, len(original), hashlib.sha256(original).digest())
        start = i * size + encoding.sample_bytes
        head[start : start + _SAID.size] = _SAID.pack(said.chunk, said.length, said.digest)
        taken = said.chunks(encoding)
        tail.append(original.ljust(taken * size, b"\0"))
        at += taken
    return bytes(head) + b"".join(tail)


def originals_in(encoding: Encoding, data: bytes, count: int) -> Iterator[bytes | None]:
    """The original of each sample, as its chunk binds it; None where none is there.

    data: a dataset's file in the clear, of `count` samples. What lies elsewhere than
    `with_originals` puts it, or has another digest, is not there: so each byte is looked at once,
    whatever the chunks say.
    """
    size, at = encoding.chunk_bytes, count
    for i in range(count):
        said = Lying.of(encoding, data[i * size : (i + 1) * size])
        end = at * size + said.length
        if not said.there or said.chunk != at or end > len(data):
            yield None
            continue
        original = data[at * size : end]
        at += said.chunks(encoding)
        yield original if is_bound(said, original) else None


def is_bound(said: Lying, original: bytes) -> bool:
    """Whether a file is the original of which a sample's chunk says this."""
    return len(original) == said.length and hashlib.sha256(original).digest() == said.digest
