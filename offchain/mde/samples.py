"""What is valued and what it is valued against: labelled samples, and the model owner's task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.originals import Dataset
from offchain.mde.errors import EmptySet, FeatureMismatch, MdeError, NotFinite, UnknownLabel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

LOSSES = ("cross-entropy", "squared")


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled samples, on the CPU.

    inputs: float32 features (N, D), all finite; or uint8 images (N, C, H, W), 0..255.
    labels: int64 (N,), 0 or more.

    Raises EmptySet, FeatureMismatch, UnknownLabel or NotFinite.
    """

    inputs: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        kind, shape = self.inputs.dtype, tuple(self.inputs.shape)
        if (kind, len(shape)) not in ((torch.float32, 2), (torch.uint8, 4)):
            raise FeatureMismatch(
                f"inputs are float32 (N, D) or uint8 (N, C, H, W), not {kind} {shape}"
            )
        if self.labels.dtype != torch.int64 or tuple(self.labels.shape) != shape[:1]:
            raise FeatureMismatch(
                f"labels are int64 ({shape[0]},), not {self.labels.dtype} "
                f"{tuple(self.labels.shape)}"
            )
        if shape[0] == 0:
            raise EmptySet("a set needs at least 1 sample, this one has 0")
        if min(shape) == 0:
            raise FeatureMismatch(f"a sample needs at least 1 value, not {shape[1:]}")
        if int(self.labels.min()) < 0:
            raise UnknownLabel(f"labels are 0 or more, found {int(self.labels.min())}")
        if kind == torch.float32 and not bool(torch.isfinite(self.inputs).all()):
            row, column = (~torch.isfinite(self.inputs)).nonzero()[0].tolist()
            raise NotFinite(f"feature {column} of sample {row} is {self.inputs[row, column]:g}")

    @classmethod
    def taken(cls, inputs: Any, labels: Any, names: Sequence[str] | None = None) -> Samples:
        """From whatever a model takes: arrays, nested lists or tensors.

        inputs: (N, D) features of any real type, which become float32; or uint8 images
        (N, C, H, W). labels: (N,), whole numbers of any type; or names, of which `names` says the
        order. Raises FeatureMismatch for other types, NotFinite for what float32 cannot hold,
        UnknownLabel for a name that is not among `names`.
        """
        rows, marks = np.asarray(inputs), np.asarray(labels)
        if rows.ndim == 2 and rows.dtype.kind in "fiub":
            with np.errstate(over="ignore"):
                rows = rows.astype(np.float32)
        elif rows.ndim != 4 or rows.dtype != np.uint8:
            raise FeatureMismatch(
                f"inputs are numbers (N, D) or uint8 images (N, C, H, W), not {rows.dtype} "
                f"{rows.shape}: categories and text must be made numbers first"
            )
        if marks.dtype.kind in "UO":
            marks = np.array([_label_of(mark, names) for mark in marks.tolist()], dtype=np.int64)
        if marks.dtype.kind not in "iub" or marks.ndim != 1:
            raise FeatureMismatch(
                f"labels are whole numbers or names (N,), not {marks.dtype} {marks.shape}"
            )
        return cls(torch.from_numpy(rows.copy()), torch.from_numpy(marks.astype(np.int64)))

    @classmethod
    def of(cls, samples: Dataset) -> Samples:
        """What samples show, and their labels."""
        return cls(samples.inputs, samples.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (D,) or (C, H, W)."""
        return tuple(self.inputs.shape[1:])

    def subset(self, indices: torch.Tensor | npt.NDArray[np.int64] | list[int]) -> Samples:
        """The samples at `indices`, copied, in that order."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        return Samples(self.inputs[chosen], self.labels[chosen])

    def joined(self, other: Samples) -> Samples:
        """These samples, then `other`, which are of the same shape."""
        return Samples(
            torch.cat([self.inputs, other.inputs]), torch.cat([self.labels, other.labels])
        )

    def hashes(self) -> list[bytes]:
        """SHA-256 of each sample's input and label: equal for exact duplicates alone."""
        rows = np.ascontiguousarray(self.inputs.numpy().reshape(len(self), -1))
        rows = rows + rows.dtype.type(0)  # -0.0 is 0.0
        labels = self.labels.numpy().astype("<i8")
        return [
            hashlib.sha256(label.tobytes() + row.tobytes()).digest()
            for row, label in zip(rows, labels, strict=True)
        ]


def _label_of(mark: Any, names: Sequence[str] | None) -> int:
    if names is None:
        raise UnknownLabel(f"the label {mark!r:.40} is a name: say the classes' names in order")
    if mark not in names:
        raise UnknownLabel(f"the label {mark!r:.40} is none of {', '.join(names)}")
    return list(names).index(mark)


def as_floats(inputs: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """`inputs` as a model takes them: features as they are, images in [0, 1]."""
    floats = inputs.to(dtype)
    return floats / 255 if inputs.dtype == torch.uint8 else floats


@dataclass(frozen=True)
class Kind:
    """What samples a model takes: `shape` of one, images or features, labels in [0, classes)."""

    shape: tuple[int, ...]
    images: bool
    classes: int

    def check(self, samples: Samples) -> None:
        """Raise FeatureMismatch or UnknownLabel unless `samples` are of this kind."""
        images = samples.inputs.dtype == torch.uint8
        if samples.shape != self.shape or images != self.images:
            names = {True: "images", False: "features"}
            raise FeatureMismatch(
                f"samples are {names[images]} of {samples.shape}, "
                f"the model takes {names[self.images]} of {self.shape}"
            )
        if int(samples.labels.max()) >= self.classes:
            raise UnknownLabel(
                f"label {int(samples.labels.max())} is unknown: the task has {self.classes} classes"
            )


@dataclass(frozen=True, eq=False)
class Task:
    """What the model owner has: the data its model was trained on and what it is judged by.

    train: the model minimised the mean loss over it. validation: of the same shape, at least 2
        samples; scores are changes of the mean loss over it.
    classes: 2 or more; labels lie in [0, classes).
    l2: the training objective had the further term l2 / 2 * |parameters|^2, 0 or more. Where data
        is added or left out the term keeps its weight against the sum of the losses, as it does in
        scikit-learn: against their mean it becomes n / (n + 1) of it.
    loss: "cross-entropy" of logits; or "squared", half the squared distance of the outputs from
        the one-hot label, whose models are least squares and ridge regression.
    names: of the classes, in the order of their labels; for models that call them so.

    Raises an MdeError naming what does not fit.
    """

    train: Samples
    validation: Samples
    classes: int
    l2: float = 0.0
    loss: str = "cross-entropy"
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise MdeError(f"a loss is one of {', '.join(LOSSES)}, not {self.loss!r}")
        if self.classes < 2:
            raise MdeError(f"a task has 2 classes or more, not {self.classes}")
        if self.names is not None and len(set(self.names)) != self.classes:
            raise MdeError(f"{self.classes} classes have as many different names: {self.names}")
        if not 0 <= self.l2 < math.inf:
            raise MdeError(f"l2 must be 0 or more and finite, not {self.l2:g}")
        if len(self.validation) < 2:
            raise EmptySet(f"validation needs 2 samples or more, not {len(self.validation)}")
        for samples in (self.train, self.validation):
            self.check(samples)

    @property
    def kind(self) -> Kind:
        """Which samples the task takes."""
        return Kind(self.train.shape, self.train.inputs.dtype == torch.uint8, self.classes)

    def check(self, samples: Samples) -> None:
        """Raise FeatureMismatch or UnknownLabel unless `samples` are of this task."""
        self.kind.check(samples)

    def validation_folds(self, folds: int) -> torch.Tensor:
        """int64 (V,): which fold each validation sample is in; samples of a class take turns."""
        if not 2 <= folds <= len(self.validation):
            raise MdeError(f"folds must lie in 2..{len(self.validation)}, not {folds}")
        order = torch.argsort(self.validation.labels, stable=True)
        fold = torch.empty(len(order), dtype=torch.int64)
        fold[order] = torch.arange(len(order)) % folds
        return fold
