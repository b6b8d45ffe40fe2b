"""A task's loss as a function of a model's outputs, with its slope and its curvature."""

from __future__ import annotations

import torch
from torch.nn import functional


def sample_losses(outputs: torch.Tensor, labels: torch.Tensor, loss: str) -> torch.Tensor:
    """(B,): the loss of each sample, as `Task` defines it."""
    if loss == "cross-entropy":
        return functional.cross_entropy(outputs, labels, reduction="none")
    target = functional.one_hot(labels, outputs.shape[-1]).to(outputs)
    return (outputs - target).square().sum(-1) / 2


def residuals(outputs: torch.Tensor, labels: torch.Tensor, loss: str) -> torch.Tensor:
    """(B, C): the loss's gradient with respect to the outputs."""
    fitted = outputs.softmax(-1) if loss == "cross-entropy" else outputs
    return fitted - functional.one_hot(labels, outputs.shape[-1]).to(outputs)


def output_curvature(changes: torch.Tensor, outputs: torch.Tensor, loss: str) -> torch.Tensor:
    """The loss's Hessian with respect to the outputs (B, C), times `changes` (..., B, C)."""
    if loss == "squared":
        return changes
    p = outputs.softmax(-1)
    weighted = p * changes
    return weighted - p * weighted.sum(-1, keepdim=True)


def probabilities(outputs: torch.Tensor, loss: str) -> torch.Tensor:
    """What the model believes, (B, C): the outputs of a squared loss limited to [0, 1]."""
    return outputs.softmax(-1) if loss == "cross-entropy" else outputs.clamp(0, 1)
