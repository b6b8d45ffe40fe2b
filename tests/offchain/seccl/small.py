"""A few participants with few digits each and a tiny model, for tests of collaborative training."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import nn

from offchain.data.datasets import load_dataset
from offchain.seccl.partition import partition
from offchain.seccl.training import LocalData, Task, TrainingSettings


class Tiny(nn.Module):
    """A convolution and a dense layer: 1,234 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 5, stride=4)
        self.dense = nn.Linear(8 * 6 * 6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(torch.relu(self.conv(x)).flatten(1))


class WithDropout(Tiny):
    """The tiny model, which drops half of its features in training."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.conv(x)).flatten(1)
        return self.dense(nn.functional.dropout(hidden, 0.5, self.training))


TINY = TrainingSettings(batch=8, learning_rate=0.1, epochs=3)


@lru_cache
def small(spec: str = "equal", participants: int = 4) -> tuple[list[LocalData], list[LocalData]]:
    """Training and validation sets of a few hundred digits."""
    digits = load_dataset("digits", limit=1000)
    parts = partition(digits, participants, spec, seed=3)
    return (
        [LocalData.of(part.training, i) for i, part in enumerate(parts)],
        [LocalData.of(part.validation, i) for i, part in enumerate(parts)],
    )


def tiny_task(**changes: object) -> Task:
    """A task of the tiny model."""
    return Task(**{"factory": Tiny, "class_count": 10, "settings": TINY, **changes})
