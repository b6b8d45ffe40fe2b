"""What records are: how the bytes that are sold become the numbers that are judged.

A dataset is records with one label each (`offchain/data/originals.py`). Its form says what a
record is. There is one for pictures, here; those of tables and texts hang on what a task says and
lie beside the task (`offchain/task/forms.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from offchain.data.imageset import DataError
from offchain.data.pictures import decoded

IMAGES = "images"


class Form(Protocol):
    """How the records of a dataset are read, and made worse for a rehearsal."""

    @property
    def modality(self) -> str:
        """As a task calls it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample, as a task says it."""

    @property
    def values(self) -> tuple[int, ...]:
        """Of what `decoded` gives."""

    @property
    def most_features(self) -> int | None:
        """How many numbers an owner lets an extractor make of one record; None for pictures, where
        it follows from their pixels."""

    def decoded(self, record: bytes, told: str) -> torch.Tensor:
        """What a record shows, `values`: uint8, or float32, finite and standardised.

        told: what errors call it. Raises UnreadableError, one line.
        """

    def corrupted(
        self, records: Sequence[bytes], kind: str, level: float, rng: np.random.Generator
    ) -> list[bytes]:
        """As many records, made worse by a kind of `offchain/data/corruptions.py` that leaves
        labels alone. Raises DataError for a kind that is nothing to this form."""


@dataclass(frozen=True)
class Pictures:
    """Picture files. shape: (C, H, W) in which they are decoded, whatever size a file has."""

    shape: tuple[int, int, int]
    modality: str = IMAGES
    most_features: int | None = None

    @property
    def values(self) -> tuple[int, ...]:
        """(C, H, W), uint8."""
        return self.shape

    def decoded(self, record: bytes, told: str) -> torch.Tensor:
        """Its pixels."""
        return decoded(record, told, self.shape)

    def corrupted(
        self, records: Sequence[bytes], kind: str, level: float, rng: np.random.Generator
    ) -> list[bytes]:
        """Files are left as they are: pictures are made worse in memory."""
        raise DataError(f"{kind}: picture files are not made worse, pictures in memory are")
