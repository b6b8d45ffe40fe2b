"""What a quality score is, who may give one, and how the best provider is chosen (section 3.2).

A scorer trains one model per provider, on what that provider submitted and nothing else, and
measures each on the collector's validation set. The same training, the same random draws and the
same validation set serve all providers, so that scores differ by the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from offchain.data.imageset import MAX_CLASSES, DataError, Progress
from offchain.data.seeds import generator

LabelledInputs = tuple[torch.Tensor, torch.Tensor]
"""(inputs, labels): inputs (N, ...) as the scorer wants them, labels int64 (N,)."""

CONFIDENCE = 0.95
"""Level of the interval around every accuracy."""


class BadFeatures(DataError):
    """What one provider submitted cannot be scored; the others' can.

    provider: its position among the providers given to the scorer.
    """

    def __init__(self, provider: int, reason: str) -> None:
        super().__init__(f"provider {provider}: {reason}")
        self.provider = provider
        self.reason = reason


@dataclass(frozen=True)
class QualityScore:
    """How well a model trained on one provider's data does on the collector's validation set.

    accuracy: share of validation samples classified rightly, 0 to 1: the paper's score.
    macro_f1: unweighted mean of the F1 of the classes that occur in the validation set, 0 to 1;
        a class never predicted counts 0.
    low, high: Wilson's score interval of the accuracy at CONFIDENCE. It covers the draw of the
        validation set, not that of the provider's samples or of the training.
    n: number of validation samples.
    """

    accuracy: float
    macro_f1: float
    low: float
    high: float
    n: int


class Scorer(Protocol):
    """A way to score providers' data. `HeadScorer`, `TrainWhole` and `ScratchSubset` are three."""

    @property
    def name(self) -> str:
        """The method's name in tables and plots."""
        ...

    def score(
        self,
        providers: Sequence[LabelledInputs],
        validation: LabelledInputs,
        class_count: int,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> list[QualityScore]:
        """One score per provider, in their order; the same for the same seed.

        A provider's score does not depend on who else is scored, nor on the order. Raises
        BadFeatures for the first provider whose samples cannot be used, before any training
        (`screen` finds all of them), and DataError when the validation samples cannot.
        """
        ...


def measure(predicted: torch.Tensor, labels: torch.Tensor, class_count: int) -> QualityScore:
    """The score of predictions int64 (V,) against labels int64 (V,), both in 0..class_count-1."""
    from scipy.stats import binomtest  # type: ignore[import-untyped, unused-ignore]

    n = len(labels)
    hits = torch.bincount(labels[predicted == labels], minlength=class_count).double()
    truly = torch.bincount(labels, minlength=class_count)
    claimed = torch.bincount(predicted, minlength=class_count)
    present = truly > 0
    f1 = (2 * hits / (truly + claimed))[present].mean()
    right = int(hits.sum())
    interval = binomtest(right, n).proportion_ci(CONFIDENCE, method="wilson")
    return QualityScore(right / n, float(f1), float(interval.low), float(interval.high), n)


def choose(scores: Sequence[QualityScore]) -> list[int]:
    """Positions of the providers, best first: by accuracy, then macro F1, then position."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i].accuracy, -scores[i].macro_f1, i))


def selection_rate(
    scores: Sequence[QualityScore], corruption: Sequence[float], group_size: int = 5
) -> float:
    """Share of all groups of `group_size` datasets in which a least corrupted one is chosen.

    scores[i] belongs to a dataset corrupted by corruption[i] (any scale; equal values are
    equally good). The paper's measure: 462 groups of 5 out of 11 (section 5.1.2). Datasets that
    tie in accuracy and macro F1 count as if the most corrupted of them were chosen, so that the
    order in which datasets are listed earns nothing.

    Raises ValueError when the lengths differ or there are fewer datasets than a group has.
    """
    if len(scores) != len(corruption):
        raise ValueError(f"{len(scores)} scores for {len(corruption)} levels of corruption")
    if not 1 <= group_size <= len(scores):
        raise ValueError(f"groups of {group_size} out of {len(scores)} datasets")
    ranking = sorted(
        range(len(scores)),
        key=lambda i: (-scores[i].accuracy, -scores[i].macro_f1, -corruption[i]),
    )
    # A dataset wins the groups made of it and of later ones in the ranking, rightly if none of
    # these is less corrupted.
    rightly = sum(
        math.comb(sum(corruption[j] >= corruption[i] for j in ranking[r + 1 :]), group_size - 1)
        for r, i in enumerate(ranking)
    )
    return rightly / math.comb(len(scores), group_size)


def screen(
    providers: Sequence[LabelledInputs],
    shape: tuple[int, ...],
    dtype: torch.dtype,
    class_count: int,
) -> list[BadFeatures]:
    """What is wrong with the submissions that cannot be used, at most one finding a provider.

    Usable: N >= 1 finite inputs of `dtype` and (N, *shape), labels int64 (N,) within
    0..class_count-1. Nothing found means that `score` will not raise BadFeatures.
    """
    faults = []
    for i, (inputs, labels) in enumerate(providers):
        fault = _fault(inputs, labels, shape, dtype, class_count)
        if fault is not None:
            faults.append(BadFeatures(i, fault))
    return faults


def check_samples(
    providers: Sequence[LabelledInputs],
    validation: LabelledInputs,
    dtype: torch.dtype,
    class_count: int,
) -> None:
    """Raise DataError, or BadFeatures for the first provider at fault, unless all can be used.

    The shape of the validation samples is the one that the providers' must have.
    """
    if not 2 <= class_count <= MAX_CLASSES:
        raise DataError(f"classes must be 2 to {MAX_CLASSES}, not {class_count}")
    inputs, labels = validation
    fault = _fault(inputs, labels, tuple(inputs.shape[1:]), dtype, class_count)
    if fault is not None:
        raise DataError(f"validation: {fault}")
    faults = screen(providers, tuple(inputs.shape[1:]), dtype, class_count)
    if faults:
        raise faults[0]


def _fault(
    inputs: torch.Tensor,
    labels: torch.Tensor,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    class_count: int,
) -> str | None:
    if inputs.dtype != dtype:
        return f"inputs must be {dtype}, not {inputs.dtype}"
    if inputs.dim() != len(shape) + 1 or tuple(inputs.shape[1:]) != shape:
        return f"each input must be {shape}, not {tuple(inputs.shape[1:])}"
    if len(inputs) == 0 or inputs.numel() == 0:
        return "there are no samples"
    if labels.dtype != torch.int64 or tuple(labels.shape) != (len(inputs),):
        return (
            f"labels must be torch.int64 ({len(inputs)},) as the inputs, "
            f"not {labels.dtype} {tuple(labels.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= class_count:
        return f"labels must lie in 0..{class_count - 1}, found {low}..{high}"
    if dtype.is_floating_point and not bool(torch.isfinite(inputs).all()):
        bad = int((~torch.isfinite(inputs)).flatten(1).any(dim=1).sum())
        return f"{bad} of {len(inputs)} inputs hold values that are not finite"
    return None


def torch_generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator fixed by `seed` (0 or more) and by what it is used for.

    Drawing on the CPU gives the same numbers whatever the device of the training.
    """
    return torch.Generator().manual_seed(int(generator(seed, purpose).integers(2**63)))


def epoch_orders(seed: int, count: int, epochs: int) -> torch.Tensor:
    """The order of the samples in every epoch, int64 (epochs, count); fixed by the arguments."""
    order = torch_generator(seed, f"order of {count}")
    return torch.stack([torch.randperm(count, generator=order) for _ in range(epochs)])
