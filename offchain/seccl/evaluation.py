"""Macro F-score and accuracy of models, by counting predictions on the device."""

from __future__ import annotations

import torch
from torch import nn

from offchain.models.device import exact_convolutions
from offchain.seccl.training import LocalData, to_inputs

BATCH = {"cpu": 128, "cuda": 4096}
"""Images a forward pass. On a CPU what a pass makes should stay in its cache: 500 a pass took a
sixth longer than 128, and 6,000 more than twice as long."""


def count_predictions(logits: torch.Tensor, labels: torch.Tensor, class_count: int) -> torch.Tensor:
    """Confusion counts int64 (C, C), [true class, predicted class], of logits (S, C)."""
    cells = labels * class_count + logits.argmax(dim=-1)
    return torch.bincount(cells, minlength=class_count**2).view(class_count, class_count)


def confusion(
    model: nn.Module,
    samples: LocalData,
    class_count: int,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> torch.Tensor:
    """Confusion counts int64 (C, C) of `model` on `samples`, in evaluation mode."""
    model.eval()
    batch = BATCH[samples.images.device.type]
    counts = torch.zeros(class_count, class_count, dtype=torch.int64, device=samples.labels.device)
    with torch.inference_mode(), exact_convolutions():
        for images, labels in zip(
            torch.split(samples.images, batch), torch.split(samples.labels, batch), strict=True
        ):
            counts += count_predictions(
                model(to_inputs(images, memory_format)), labels, class_count
            )
    return counts


def macro_f(counts: torch.Tensor) -> torch.Tensor:
    """Macro F-score, float64 (...), in [0, 1], of confusion counts int64 (..., C, C).

    The mean of the F-scores of the classes, as the paper's evaluations are. As in scikit-learn's
    f1_score(average="macro"), classes that are neither present nor predicted are left out.
    """
    hits = counts.diagonal(dim1=-2, dim2=-1).double()
    # Present plus predicted is twice the hits plus the misses of both kinds.
    seen = (counts.sum(-1) + counts.sum(-2)).double()
    scores = 2 * hits / seen.clamp(min=1)
    return scores.sum(-1) / (seen > 0).sum(-1).clamp(min=1)


def accuracy(counts: torch.Tensor) -> torch.Tensor:
    """Share of right predictions, float64 (...), of confusion counts int64 (..., C, C)."""
    right = counts.diagonal(dim1=-2, dim2=-1).sum(-1).double()
    return right / counts.sum((-2, -1)).clamp(min=1)
