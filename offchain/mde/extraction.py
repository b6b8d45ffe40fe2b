"""Model extraction (Bastani, Kim and Bastani, 2017; paper section 5.1.2): trees in a model's place.

A decision tree is fitted to what the model says of points sampled around the owner's own data: its
leaves hold the model's mean probabilities p there. Say m of the owner's training samples (plus one)
lie in a leaf. Adding a sample of class y to the leaf is adding it to that many:

    p' = (m p + e_y) / (m + 1)

and the score is by how much this lowers the mean log-loss of the owner's validation samples in the
leaf, with their true labels. The tree's shape stays. So a score is a table entry (leaf, class): it
is exact for the extracted model, needs no gradient, and says nothing of effects across leaves.
With several trees the score is their mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.blackbox import BlackBox, black_box, fidelity
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding
from offchain.mde.report import EfficacyReport, make_report
from offchain.mde.samples import Floats, Kind, Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings
from offchain.mde.trees import Tree, leaf_means, tree_values

TREE_UNIT = "nats of mean validation loss of the extracted model"


@dataclass(frozen=True)
class ExtractionSettings:
    """How trees are extracted.

    trees: how many, each from its own points. leaves: of each, at most, 2 or more. depth: at most,
    1 to 32. points: sampled around the owner's data, beside the data itself.
    swap: each point is one of the owner's samples in which this share of the values is taken from
        another one that the model gives the same class: values stay ones that do occur.
    """

    trees: int = 1
    leaves: int = 64
    depth: int = 12
    points: int = 10_000
    swap: float = 0.25
    seed: int = 0
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if self.trees < 1 or self.leaves < 2 or self.points < 0 or not 1 <= self.depth <= 32:
            raise MdeError(
                "trees must be 1 or more, leaves 2 or more, points 0 or more, depth 1 to 32: "
                f"{self.trees}, {self.leaves}, {self.points}, {self.depth}"
            )
        if not 0 <= self.swap <= 1:
            raise MdeError(f"swap must lie in 0..1, not {self.swap:g}")


@dataclass(frozen=True, eq=False)
class Leaves:
    """One extracted tree and what its leaves hold.

    proba: float64 (L, C), p. table: float64 (L, C, B), the score of a sample by leaf, class, fold.
    """

    tree: Tree
    proba: Floats
    table: Floats


@dataclass(frozen=True, eq=False)
class TreeEfficacy:
    """Scores looked up in extracted trees. fold_sizes: float64 (B,), of the validation set."""

    method: str
    unit: str
    trees: tuple[Leaves, ...]
    fold_sizes: Floats
    reference: SetReference
    kind: Kind
    diagnostics: dict[str, float]

    def fold_scores(self, candidate: Samples) -> Floats:
        """float64 (N, B): the score of each sample against each fold."""
        values, labels = tree_values(candidate.inputs), candidate.labels.numpy()
        return _mean(one.table[one.tree.leaf_of(values), labels] for one in self.trees)

    def proba(self, inputs: torch.Tensor) -> Floats:
        """float64 (N, C): what the extracted model believes."""
        values = tree_values(inputs)
        return _mean(one.proba[one.tree.leaf_of(values)] for one in self.trees)

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`."""
        self.kind.check(candidate)
        scores = self.fold_scores(candidate)
        findings = self.reference.findings(candidate, self.proba(candidate.inputs))
        if progress is not None:
            progress(len(candidate), len(candidate))
        return make_report(
            self.method, self.unit, scores, self.fold_sizes, findings, self.diagnostics
        )


def extraction(
    model: Any,
    task: Task,
    settings: ExtractionSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> TreeEfficacy:
    """Trees extracted from `model`, any that `black_box` takes, ready for candidates.

    progress: called as (done, total) trees. The diagnostics hold the `fidelity` on the validation
    set, which no tree was fitted to.
    """
    settings = settings or ExtractionSettings()
    ask = black_box(model, task)
    own = ask(task.train.inputs)
    folds = task.validation_folds(settings.folds).numpy()
    sizes = np.bincount(folds).astype(np.float64)
    trees = []
    for number in range(settings.trees):
        trees.append(_extracted(ask, own, task, settings, number, folds))
        if progress is not None:
            progress(number + 1, settings.trees)
    truth = ask(task.validation.inputs)
    result = TreeEfficacy(
        "extraction",
        TREE_UNIT,
        tuple(trees),
        sizes,
        SetReference.of(task, truth, settings.sets, embed),
        task.kind,
        {},
    )
    said = result.proba(task.validation.inputs)
    result.diagnostics.update(
        **fidelity(said, truth),
        leaves=float(sum(one.tree.leaves for one in trees)),
        depth=float(max(one.tree.depth for one in trees)),
    )
    return result


def _mean(found: Iterator[Floats]) -> Floats:
    """Of arrays of one shape, of which two are held at a time."""
    total, count = next(found), 1
    for one in found:
        total, count = total + one, count + 1
    mean: Floats = total / count
    return mean


def _extracted(
    ask: BlackBox,
    own: Floats,
    task: Task,
    settings: ExtractionSettings,
    number: int,
    folds: npt.NDArray[np.int64],
) -> Leaves:
    rng = generator(settings.seed, f"mde extraction {number}")
    inputs, said = task.train.inputs, own
    if settings.points:
        around = _around(task.train.inputs, own.argmax(1), settings, rng)
        inputs, said = torch.cat([inputs, around]), np.concatenate([own, ask(around)])
    # Who only reads artefacts needs it not, and it takes seconds to load.
    from sklearn.tree import DecisionTreeRegressor

    fitted = DecisionTreeRegressor(
        max_leaf_nodes=settings.leaves,
        max_depth=settings.depth,
        min_samples_leaf=5,
        random_state=int(rng.integers(2**31)),
    ).fit(tree_values(inputs), said)
    tree = Tree.of(fitted.tree_, whole=inputs.dtype == torch.uint8)
    leaf = tree.leaf_of(tree_values(inputs))
    held = np.bincount(tree.leaf_of(tree_values(task.train.inputs)), minlength=tree.leaves) + 1.0
    proba = leaf_means(leaf, said, tree.leaves)
    # No class is impossible: one sample's worth of belief is spread over all.
    proba = (proba * held[:, None] + 1 / task.classes) / (held + 1)[:, None]
    where = tree.leaf_of(tree_values(task.validation.inputs))
    counts = np.zeros((tree.leaves, task.classes, int(folds.max()) + 1))
    np.add.at(counts, (where, task.validation.labels.numpy(), folds), 1)
    return Leaves(tree, proba, _table(proba, held, counts / counts.sum((0, 1))))


def _table(proba: Floats, held: Floats, shares: Floats) -> Floats:
    """Scores (L, C, B) from p (L, C), m (L,) and the shares of validation samples (L, C, B)."""
    m = held[:, None]
    own = np.log((m * proba + 1) / ((m + 1) * proba))[:, :, None]  # (L, C, 1), of the class added
    rest = np.log(m / (m + 1))[:, :, None]  # (L, 1, 1), of all others
    table: Floats = shares * own + (shares.sum(1, keepdims=True) - shares) * rest
    return table


def _around(
    inputs: torch.Tensor,
    said: npt.NDArray[np.int64],
    settings: ExtractionSettings,
    rng: np.random.Generator,
) -> torch.Tensor:
    """Points around `inputs`, each a mixture of two that the model gives the same class."""
    chosen = rng.integers(len(inputs), size=settings.points)
    order = np.argsort(said, kind="stable")
    counts = np.bincount(said)
    starts = np.cumsum(counts) - counts
    mates = order[starts[said[chosen]] + rng.integers(counts[said[chosen]])]
    swapped = rng.random((settings.points, *inputs.shape[1:]), dtype=np.float32) < settings.swap
    return torch.where(torch.from_numpy(swapped), inputs[mates], inputs[chosen])
