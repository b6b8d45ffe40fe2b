"""What quotes tell: the seller of the price function, the buyer of the data, and noise against it.

The protocol gives one quote for each pair of artefact and dataset, and only the set's price leaves.
These functions measure what that is worth beside giving more quotes, or scores of single samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp  # type: ignore[import-untyped, unused-ignore]

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.gaussian import gaussian_delta, gaussian_epsilon
from offchain.mde.errors import MdeError
from offchain.mde.report import EfficacyReport
from offchain.mde.samples import Floats, Samples, as_floats

_POOL = 1000
"""Scores of the pool that a likelihood is taken over, at most."""


@dataclass(frozen=True)
class NoisyTotal:
    """The set's score with the Gaussian mechanism on it.

    clip: bound on each sample's part, in the score's unit. noise: standard deviation of the noise
        as a multiple of `clip`. Both above 0 and finite.

    Protected is one sample: adding one to the set, or taking one away, changes the clipped total by
    at most `clip`, since each sample's part depends on itself alone, but for exact duplicates,
    which count once. Near-duplicates inside the set therefore all count here, unlike in
    `EfficacyReport.total`.
    """

    clip: float
    noise: float

    def __post_init__(self) -> None:
        for name in ("clip", "noise"):
            if not 0 < getattr(self, name) < math.inf:
                raise MdeError(f"{name} must be above 0 and finite, not {getattr(self, name):g}")

    def clipped(self, report: EfficacyReport) -> float:
        """The total without noise. Redundant and out-of-task samples count as in `compose`."""
        found = report.findings
        parts = np.clip(report.scores, -self.clip, self.clip)
        parts[found.repeated | found.redundant] = 0
        parts[found.out_of_task] = np.minimum(parts[found.out_of_task], 0)
        return math.fsum(parts.tolist())

    def released(self, report: EfficacyReport, rng: np.random.Generator) -> float:
        """The total that may leave; `rng` is secret, else whoever knows it takes the noise off."""
        return self.clipped(report) + float(rng.normal(0, self.noise * self.clip))

    def epsilon(self, quotes: int, delta: float) -> float:
        """The least epsilon of so many quotes about sets that share a sample, at `delta`."""
        return gaussian_epsilon(self.noise, quotes, delta)

    def advantage(self, quotes: int = 1) -> float:
        """The most by which anyone's hits can exceed false alarms in telling if a sample is in."""
        return gaussian_delta(self.noise, quotes, 0.0)


def price_extraction(
    price_of: Callable[[Samples], int],
    quoted: Sequence[Samples],
    unseen: Sequence[Samples],
    classes: int,
    counts: Sequence[int],
    *,
    dims: int = 16,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[tuple[int, float]]:
    """How well sellers learn the price function from quotes: pairs (quotes, Spearman's rho).

    For each of `counts` a ridge regression is fitted to so many (set, price) pairs of `quoted`, on
    what the sellers know of their sets: for each class the number of samples and the sum of `dims`
    random projections of them. rho compares its predictions with the prices of `unseen` sets. One
    quote, as the protocol gives, predicts nothing: rho is 0 where all predictions are the same.
    """
    from scipy.stats import spearmanr  # type: ignore[import-untyped, unused-ignore]
    from sklearn.linear_model import Ridge

    if not counts or not 1 <= min(counts) <= max(counts) <= len(quoted) or len(unseen) < 3:
        raise MdeError(
            f"counts must lie in 1..{len(quoted)} and 3 sets be unseen: {counts}, {len(unseen)}"
        )
    width = math.prod(quoted[0].shape)
    projection = generator(seed, "mde extraction of prices").standard_normal((width, dims))
    prices, summaries = [], []
    for number, sold in enumerate([*quoted, *unseen]):
        prices.append(float(price_of(sold)))
        summaries.append(_summary(sold, classes, projection / math.sqrt(width)))
        if progress is not None:
            progress(number + 1, len(quoted) + len(unseen))
    known, truth = np.array(summaries), np.array(prices)
    scale = known[: len(quoted)].std(axis=0) + 1e-9
    known = (known - known[: len(quoted)].mean(axis=0)) / scale
    judged = truth[len(quoted) :]
    curve = []
    for count in counts:
        fitted = Ridge(alpha=1.0).fit(known[:count], truth[:count])
        said = fitted.predict(known[len(quoted) :])
        constant = np.ptp(said) <= 1e-9 * max(1.0, float(np.abs(said).max())) or not np.ptp(judged)
        curve.append((count, 0.0 if constant else float(spearmanr(said, judged).statistic)))
    return curve


def _summary(samples: Samples, classes: int, projection: Floats) -> Floats:
    flat = as_floats(samples.inputs).flatten(1).numpy().astype(np.float64) @ projection
    label = np.eye(classes)[samples.labels.numpy()]  # (N, C)
    summary: Floats = np.concatenate([label.sum(0), (label.T @ flat).ravel()])
    return summary


def reidentified(released: Floats, pool: Floats) -> float:
    """How well the buyer finds sold samples by their scores, if each sample's score were released.

    released: (N,), scores of the samples sold. pool: (M,), scores of samples that the buyer thinks
    of, the first N of which are the ones sold. The result is the share of released scores whose
    nearest in the pool is the right sample or one of the very same score, counted by its share.
    """
    if not 1 <= len(released) <= len(pool):
        raise MdeError(f"{len(released)} scores cannot come from a pool of {len(pool)}")
    right = 0.0
    for number, score in enumerate(released):
        apart = np.abs(pool - score)
        nearest = np.flatnonzero(apart == apart.min())
        right += float(number in nearest) / len(nearest)
    return right / len(released)


@dataclass(frozen=True)
class Membership:
    """How well the buyer tells from the set's score whether one sample is in the set.

    informed: the buyer knows every other sample. uninformed: it knows the pool they were drawn
    from. Both are advantages, hits less false alarms, 0 to 1, of the best threshold.
    """

    informed: float
    uninformed: float


def membership(
    scores: Floats, size: int, *, noise: float = 0.0, trials: int = 2000, seed: int = 0
) -> Membership:
    """Measure `Membership` on sets of `size` samples drawn from those of `scores` (M,).

    noise: standard deviation added to the total, in the scores' unit.
    """
    if not 1 <= size < len(scores):
        raise MdeError(f"sets must have 1 to {len(scores) - 1} samples, not {size}")
    rng = generator(seed, "mde membership")
    spread = float(scores.std())
    # Without noise a tiny one stands in, so that one formula serves.
    width = max(noise, 1e-9 * max(spread, 1e-30))
    likely = scores if len(scores) <= _POOL else rng.choice(scores, _POOL, replace=False)
    mean, wide = float(scores.mean()), math.hypot(spread * math.sqrt(size - 1), width)
    evidence: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for trial in range(trials):
        order = rng.permutation(len(scores))[: size + 1]
        target, others = scores[order[0]], scores[order[1:]]
        inside = trial % 2 == 0
        rest = others[: size - 1].sum()
        total = rest + (target if inside else others[size - 1]) + rng.normal(0, noise)
        # Log-likelihood ratios of "in" against "another of the pool is in its place".
        known = _log_normal(total - rest - target, width) - float(
            logsumexp(_log_normal(total - rest - likely, width)) - math.log(len(likely))
        )
        blind = _log_normal(total - (size - 1) * mean - target, wide) - _log_normal(
            total - size * mean, math.hypot(wide, spread)
        )
        evidence[inside].append((float(known), float(blind)))
    within, without = np.array(evidence[True]), np.array(evidence[False])
    return Membership(*(_advantage(within[:, k], without[:, k]) for k in range(2)))


def _log_normal(apart: Any, width: float) -> Any:
    return -0.5 * (apart / width) ** 2 - math.log(width)


def _advantage(inside: Floats, outside: Floats) -> float:
    """Largest difference of the shares above a threshold."""
    cuts = np.concatenate([inside, outside])
    hits = 1 - np.searchsorted(np.sort(inside), cuts, side="left") / len(inside)
    alarms = 1 - np.searchsorted(np.sort(outside), cuts, side="left") / len(outside)
    return float(max(0.0, (hits - alarms).max()))
