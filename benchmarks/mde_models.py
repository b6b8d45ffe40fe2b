"""Tasks, models and real retraining for benchmarks/mde_fidelity.py and benchmarks/mde_speed.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn
from torch.nn import functional

from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.data.seeds import generator
from offchain.mde.samples import Floats, Samples, Task, as_floats
from offchain.seccl.networks import SmallCnn
from offchain.sum.reviews import load_reviews

Rows = npt.NDArray[np.int64]

Retrain = Callable[[Sequence[Rows], int], Floats]
"""Training sets as rows of the task's, and a seed, to their mean validation losses, float64."""

LOGISTIC_L2, CNN_L2 = 1e-2, 1e-3


@dataclass(frozen=True)
class Case:
    """One task, the owner's model of it, and how to train it anew."""

    name: str
    task: Task
    model: object
    retrain: Retrain


def images(
    dataset: str, folder: Path | None, train: int, validation: int, seed: int
) -> tuple[ImageSet, ImageSet]:
    """(train, validation) image sets: "digits", or "cifar10" from a folder of classes."""
    if dataset == "digits":
        found = load_dataset("digits")
    else:
        found = load_dataset(str(folder), limit=train + validation)
    parts = split(found, [train, validation], seed)
    return parts[0], parts[1]


def pooled(imageset: ImageSet, side: int) -> Samples:
    """float32 features in [0, 1]: images averaged over side x side places."""
    small = functional.adaptive_avg_pool2d(as_floats(imageset.images), side)
    return Samples(small.flatten(1), imageset.labels)


def reviews(train: int, validation: int, seed: int) -> tuple[Samples, Samples]:
    """IMDB: which of the 1,000 most frequent words occur, 1 for a positive review."""
    found = load_reviews(1000)
    rows = generator(seed, "mde reviews").permutation(len(found))[: train + validation]
    chosen = found.subset(rows)
    both = Samples(
        torch.from_numpy(chosen.dense().astype(np.float32)),
        torch.from_numpy(chosen.labels.astype(np.int64)),
    )
    cut = list(range(train)), list(range(train, train + validation))
    return both.subset(cut[0]), both.subset(cut[1])


def sellers(
    imageset: ImageSet | Samples, groups: int, worst: float, seed: int
) -> tuple[torch.Tensor, list[Rows]]:
    """Labels and groups as of sellers of different quality: int64 (N,), and rows by seller.

    The samples are dealt out evenly at random; of seller g's, a share between 0 and `worst`, in
    even steps, have their labels shuffled among them.
    """
    labels = imageset.labels.clone()
    rows = np.array_split(generator(seed, "mde sellers").permutation(len(labels)), groups)
    for g, mine in enumerate(rows):
        rng = generator(seed, f"mde seller {g}")
        bad = rng.permutation(mine)[: round(worst * g / (groups - 1) * len(mine))]
        labels[torch.from_numpy(bad)] = labels[torch.from_numpy(rng.permutation(bad))]
    return labels, rows


def logistic(task: Task) -> Case:
    """Softmax regression at its optimum; many training sets at once, to a gradient of 1e-9."""
    x = as_floats(task.train.inputs, torch.float64).flatten(1)
    vx = as_floats(task.validation.inputs, torch.float64).flatten(1)
    x, vx = (torch.cat([part, part.new_ones(len(part), 1)], 1) for part in (x, vx))
    target = functional.one_hot(task.train.labels, task.classes).double()
    n, width, c, l2 = len(x), x.shape[1], task.classes, task.l2

    def slope(weights: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """(M, D, C) of weights (M, D, C) on the samples kept, (M, n) of 0 and 1."""
        rest = ((x @ weights).softmax(-1) - target) * (keep / keep.sum(1, keepdim=True))[..., None]
        return x.T @ rest + l2 * weights

    def newton_matrix(weights: torch.Tensor) -> torch.Tensor:
        p = (x @ weights).softmax(-1)  # (n, C)
        inner = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
        matrix = torch.zeros(width, c, width, c, dtype=torch.float64)
        for a in range(c):
            for b in range(a + 1):
                block = x.T @ (x * inner[:, a, b, None]) / n
                matrix[:, a, :, b] = matrix[:, b, :, a] = block
        matrix = matrix.reshape(width * c, width * c)
        return matrix + l2 * torch.eye(width * c, dtype=torch.float64)

    whole = torch.ones(1, n, dtype=torch.float64)
    best = torch.zeros(1, width, c, dtype=torch.float64)
    factor = torch.linalg.cholesky(newton_matrix(best[0]))
    for _ in range(50):
        g = slope(best, whole)
        if g.norm() < 1e-11:
            break
        factor = torch.linalg.cholesky(newton_matrix(best[0]))
        best = best - torch.cholesky_solve(g.reshape(-1, 1), factor).view_as(best)

    def retrain(rows: Sequence[Rows], seed: int) -> Floats:
        losses = []
        for chunk in (rows[i : i + 32] for i in range(0, len(rows), 32)):
            keep = torch.zeros(len(chunk), n, dtype=torch.float64)
            for m, row in enumerate(chunk):
                keep[m, torch.from_numpy(np.asarray(row))] = 1
            weights = best.expand(len(chunk), -1, -1).clone()
            # Newton's steps with the whole set's matrix: nearly that of each part.
            for _ in range(500):
                g = slope(weights, keep)
                if float(g.flatten(1).norm(dim=1).max()) < 1e-9:
                    break
                step = torch.cholesky_solve(g.flatten(1).T, factor).T.view_as(weights)
                weights = weights - 0.9 * step
            else:
                raise RuntimeError("retraining did not converge")
            logits = vx @ weights
            truth = task.validation.labels.expand(len(chunk), -1)
            entropy = functional.cross_entropy(logits.transpose(1, 2), truth, reduction="none")
            losses.append(entropy.mean(1))
        found: Floats = torch.cat(losses).numpy()
        return found

    layer = nn.Linear(width - 1, c)
    model = nn.Sequential(nn.Flatten(), layer).requires_grad_(False)
    layer.weight.copy_(best[0, :-1].T)
    layer.bias.copy_(best[0, -1])
    return Case("logistic regression", task, model, retrain)


def layer_of(case: Case) -> nn.Linear:
    """Of `logistic`, its only one."""
    assert isinstance(case.model, nn.Sequential)
    layer = case.model[1]
    assert isinstance(layer, nn.Linear)
    return layer


def small_cnn(task: Task) -> nn.Module:
    """SmallCnn for the task's pictures."""
    channels, height, width = task.train.shape
    norm = (0.1307, 0.3081) if channels == 1 else (0.47, 0.25)
    return SmallCnn(task.classes, (channels, height, width), *norm)


def resnet18(task: Task) -> nn.Module:
    """torchvision's, as it is, with random weights."""
    from torchvision.models import resnet18  # type: ignore[import-untyped, unused-ignore]

    made: nn.Module = resnet18(weights=None, num_classes=task.classes)
    return made


def cnn(
    task: Task,
    epochs: int = 8,
    network: Callable[[Task], nn.Module] = small_cnn,
    first: int = 0,
) -> Case:
    """A network by Adam from scratch; a seed fixes weights and batches. first: of the owner's."""

    def fit(rows: Rows, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = network(task)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0)
        rng = generator(seed, "mde cnn")
        for epoch in range(epochs):
            # The last third of the epochs at falling rates: where it ends hangs less on the order.
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * min(1.0, 3 * (epochs - epoch) / epochs)
            for batch in np.array_split(rng.permutation(rows), max(1, len(rows) // 32)):
                x = as_floats(task.train.inputs[batch])
                loss = functional.cross_entropy(model(x), task.train.labels[batch])
                loss = loss + task.l2 / 2 * sum(p.square().sum() for p in model.parameters())
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
        return model.eval()

    def retrain(rows: Sequence[Rows], seed: int) -> Floats:
        losses = []
        for row in rows:
            model = fit(row, seed)
            with torch.no_grad():
                logits = model(as_floats(task.validation.inputs))
            losses.append(float(functional.cross_entropy(logits, task.validation.labels)))
        return np.array(losses)

    return Case("CNN", task, fit(np.arange(len(task.train)), first), retrain)


def boosted(task: Task, rounds: int = 20) -> Case:
    """Gradient-boosted trees, a black box; a seed fixes which features each split may use."""

    def fit(rows: Rows, seed: int) -> HistGradientBoostingClassifier:
        made = HistGradientBoostingClassifier(
            max_iter=rounds,
            max_leaf_nodes=8,
            max_features=0.5,
            early_stopping=False,
            random_state=seed,
        )
        return made.fit(task.train.inputs[rows].numpy(), task.train.labels[rows].numpy())

    def retrain(rows: Sequence[Rows], seed: int) -> Floats:
        losses = []
        for row in rows:
            proba = fit(row, seed).predict_proba(task.validation.inputs.numpy())
            own = proba[np.arange(len(proba)), task.validation.labels.numpy()]
            losses.append(-np.log(np.maximum(own, 1e-7)).mean())
        return np.array(losses)

    return Case("boosted trees", task, fit(np.arange(len(task.train)), 0), retrain)
