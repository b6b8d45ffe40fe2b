"""Samples as they are sold, one to a chunk: the twin of ``contracts/mde/quotes/Samples.sol``.

A sample is its label, 2 bytes, then its values, all unsigned and big-endian. A pixel is one byte;
after pixels there is room to say where their original file lies (``originals.py``). Zeros fill the
chunk. A feature is four, the order-preserving image of its binary32: the bits of a
float that is not negative with the sign bit set, all bits of a negative one inverted. So what lies
in the chunks compares as whole numbers exactly as the floats do, and nothing is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from offchain.mde.errors import FeatureMismatch, UnknownLabel
from offchain.mde.samples import Kind, Samples

LABEL_BYTES = 2
PLACE_BYTES = 40
_SIGN = np.uint32(1 << 31)
_WORD = 32


@dataclass(frozen=True)
class Encoding:
    """How a sample lies in its chunk.

    features: values of a sample. value_bytes: 1 for pixels, 4 for features.
    """

    features: int
    value_bytes: int

    @classmethod
    def of(cls, kind: Kind) -> Encoding:
        """That of samples of ``kind``."""
        return cls(int(np.prod(kind.shape)), 1 if kind.images else 4)

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample."""
        return LABEL_BYTES + self.features * self.value_bytes

    @property
    def place_bytes(self) -> int:
        """Bytes after a sample that say where its original lies."""
        return PLACE_BYTES if self.value_bytes == 1 else 0

    @property
    def chunk_bytes(self) -> int:
        """Bytes of its chunk, a multiple of 32."""
        return -(-(self.sample_bytes + self.place_bytes) // _WORD) * _WORD

    def pack(self, samples: Samples) -> bytes:
        """All samples, each in its chunk. Raises FeatureMismatch or UnknownLabel."""
        self._check(samples)
        rows = np.zeros((len(samples), self.chunk_bytes), dtype=np.uint8)
        labels = samples.labels.numpy()
        if labels.max() >= 1 << 8 * LABEL_BYTES:
            raise UnknownLabel(f"labels must be below 65536 to be sold, not {int(labels.max())}")
        rows[:, :LABEL_BYTES] = _bytes_of(labels.astype(">u2"))
        values = ordered(samples.inputs.flatten(1).numpy())
        rows[:, LABEL_BYTES : self.sample_bytes] = _bytes_of(values)
        return rows.tobytes()

    def unpack(self, data: bytes, kind: Kind) -> Samples:
        """The samples that ``pack`` wrote. Raises FeatureMismatch, NotFinite or UnknownLabel.

        What follows a sample in its chunk is not looked at.
        """
        if self != Encoding.of(kind) or not data or len(data) % self.chunk_bytes:
            raise FeatureMismatch(
                f"{len(data)} bytes are no samples of {kind.shape} in chunks of {self.chunk_bytes}"
            )
        rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, self.chunk_bytes)
        labels = np.ascontiguousarray(rows[:, :LABEL_BYTES]).view(">u2")[:, 0].astype(np.int64)
        values = np.ascontiguousarray(rows[:, LABEL_BYTES : self.sample_bytes])
        inputs = values if self.value_bytes == 1 else _floats(values.view(">u4"))
        shaped = torch.from_numpy(inputs.copy()).reshape(-1, *kind.shape)
        samples = Samples(shaped, torch.from_numpy(labels))
        kind.check(samples)
        return samples

    def values(self, chunk: bytes) -> list[int]:
        """What a tree compares of the sample in ``chunk``."""
        size = self.value_bytes
        return [
            int.from_bytes(chunk[i : i + size], "big")
            for i in range(LABEL_BYTES, self.sample_bytes, size)
        ]

    def _check(self, samples: Samples) -> None:
        images = samples.inputs.dtype == torch.uint8
        own = Encoding.of(Kind(samples.shape, images, 2))
        if own != self:
            raise FeatureMismatch(
                f"samples have {own.features} values of {own.value_bytes} bytes, "
                f"sold are {self.features} of {self.value_bytes}"
            )


def label_of(chunk: bytes) -> int:
    """The label of the sample in ``chunk``."""
    return int.from_bytes(chunk[:LABEL_BYTES], "big")


def ordered(
    values: npt.NDArray[np.float32] | npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint32]:
    """Whole numbers, big-endian, that compare as ``values`` do; of the same shape."""
    if values.dtype == np.uint8:
        return values.astype(np.uint8)
    bits = (values.astype(np.float32) + np.float32(0)).view(np.uint32)  # -0.0 is 0.0
    return np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(">u4")


def _floats(keys: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    keys = keys.astype(np.uint32)
    bits = np.where(keys & _SIGN, keys ^ _SIGN, ~keys).astype(np.uint32)
    return bits.view(np.float32)


def _bytes_of(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    rows = np.ascontiguousarray(values).reshape(len(values), -1)
    return rows.view(np.uint8)
