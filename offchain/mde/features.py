"""What features would be worth to a model on top: a second opinion beside another way to score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.errors import EmptySet, FeatureMismatch
from offchain.mde.influence import InfluenceSettings
from offchain.mde.owner import Owner
from offchain.mde.publishing import Purse
from offchain.mde.samples import Samples, Task
from offchain.mde.training import Trainer

_L2 = 1e-2
_SPREAD = 1e-3
"""A feature that varies less than this share of the largest spread is left as good as constant."""


def feature_prices(
    offered: Mapping[str, Samples],
    own: Samples,
    classes: int,
    most: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Price of each offered set by influence on a softmax regression; by name, 0..most.

    own: float32 features (n, D) of the owner's, 8 or more. Half of them, drawn by `seed`, train the
    model, the others judge it and fix the price function, before any offer is seen: `most` is for a
    set as good as the best that the judging half has of the size of the largest offer. So prices
    rank offers, as scores do, but by what the owner lacks.

    progress: called as (done, total) sets. Raises an MdeError for samples that do not fit.
    """
    if len(own) < 8:
        raise EmptySet(f"8 samples of one's own or more are needed, not {len(own)}")
    centre, spread = own.inputs.mean(0), own.inputs.std(0)
    scale = spread.clamp(min=max(_SPREAD * float(spread.max()), 1e-12))

    def level(samples: Samples) -> Samples:
        if samples.shape != own.shape:
            raise FeatureMismatch(
                f"offered are features {samples.shape}, one's own are {own.shape}"
            )
        # Limited, lest a few odd values drown all others.
        return Samples(((samples.inputs - centre) / scale).clamp(-10, 10), samples.labels)

    mine = level(own)
    rows = generator(seed, "mde second opinion").permutation(len(own)).astype(np.int64)
    half = len(own) // 2
    trainer = Trainer(l2=_L2)
    task = Task(mine.subset(rows[:half]), mine.subset(rows[half:]), classes, trainer.l2)
    model = trainer.fit(task.train, classes)
    owner = Owner(task, task.validation, trainer, model)
    oracle = owner.oracle(InfluenceSettings())
    size = max(map(len, offered.values()), default=1)
    price = Purse(most, 0).function(oracle, owner, size)
    prices = {}
    for name, samples in offered.items():
        prices[name] = price.price_of(oracle.report(level(samples)))
        if progress is not None:
            progress(len(prices), len(offered))
    return prices
