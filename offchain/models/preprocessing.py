"""What happens to an image or a row before the extractor sees it; of images the terms of a session
name it by hash.

The paper publishes it with the contract's configuration (section 3.1.1, last paragraph).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch

from offchain.data.pixels import resize, to_channels
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical

FORMAT = "souk.preprocessing.v1"
MAX_SIZE = 512
"""Largest side of an extractor's input, in pixels."""

MAX_DOCUMENT_BYTES = 1024
INTERPOLATIONS = ("bilinear",)
"""bilinear: with anti-aliasing when an image shrinks."""


@dataclass(frozen=True)
class Preprocessing:
    """Resize to `size` x `size`, scale 0..255 to 0..1, then (value - mean) / std by channel.

    size: pixels, 1..MAX_SIZE.
    mean, std: one number per channel, in units of the 0..1 scale; |mean| <= 1, 0.01 <= std <= 10.
    channels: 3; grey images are repeated, as the paper does for VGG19 (section 4.2).
    interpolation: one of INTERPOLATIONS.

    All of it runs in float32: rounding resized pixels back to 8 bits would turn a difference in
    the last bit between two machines into one of 1/255. Raises DocumentError naming the bound.
    """

    size: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channels: int = 3
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MAX_SIZE:
            raise DocumentError(f"preprocessing: size must be 1..{MAX_SIZE} px, not {self.size}")
        if self.channels != 3:
            raise DocumentError(f"preprocessing: channels must be 3, not {self.channels}")
        if self.interpolation not in INTERPOLATIONS:
            raise DocumentError(
                f"preprocessing: interpolation is {' or '.join(INTERPOLATIONS)}, "
                f"not {self.interpolation!r:.60}"
            )
        for name, values, low, high in (("mean", self.mean, -1, 1), ("std", self.std, 0.01, 10)):
            if len(values) != 3 or not all(
                math.isfinite(value) and low <= value <= high for value in values
            ):
                raise DocumentError(
                    f"preprocessing: {name} is 3 numbers in {low}..{high}, not {values!r:.80}"
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one input of the extractor."""
        return self.channels, self.size, self.size

    def apply(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (N, C, H, W), C 1 or 3, as float32 (N, 3, size, size) on the same device."""
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] not in (1, 3):
            raise ValueError(
                f"images must be uint8 (N, C, H, W), C 1 or 3, "
                f"not {images.dtype} {tuple(images.shape)}"
            )
        inputs = to_channels(resize(images.float(), self.size, self.size), self.channels)
        mean = torch.tensor(self.mean, device=images.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(1, -1, 1, 1)
        return (inputs / 255 - mean) / std

    def to_bytes(self) -> bytes:
        """Canonical JSON; its sha2-256 is what the terms of a session carry."""
        return to_canonical({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Preprocessing:
        """The inverse of `to_bytes` on untrusted bytes. Raises DocumentError."""
        document = from_canonical(data, "preprocessing", MAX_DOCUMENT_BYTES)
        given_format, size, channels, interpolation, mean, std = take(
            document,
            "preprocessing",
            format=str,
            size=int,
            channels=int,
            interpolation=str,
            mean=list,
            std=list,
        )
        if given_format != FORMAT:
            raise DocumentError(f"preprocessing: format is {FORMAT}, not {given_format!r:.60}")
        for value in (*mean, *std):
            if not isinstance(value, float):
                raise DocumentError(f"preprocessing: mean and std hold numbers, not {value!r:.60}")
        return cls(size, tuple(mean), tuple(std), channels, interpolation)


@dataclass(frozen=True)
class PlainNumbers:
    """Records that are numbers already, as their form has made them: nothing is left to be said.

    width: numbers of one record.
    """

    width: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one input of the extractor."""
        return self.width, 1, 1

    def apply(self, rows: torch.Tensor) -> torch.Tensor:
        """float32 (N, width) as float32 (N, width, 1, 1), on the same device."""
        if rows.dtype != torch.float32 or tuple(rows.shape[1:]) != (self.width,):
            raise ValueError(
                f"rows must be float32 (N, {self.width}), not {rows.dtype} {tuple(rows.shape)}"
            )
        return rows[:, :, None, None]
