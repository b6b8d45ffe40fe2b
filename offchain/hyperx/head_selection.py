"""How well evaluation heads choose the least corrupted of five providers (section 5.1.2).

Ten providers hold disjoint digits, corrupted in ten mild levels of one kind; each head scores what
a sample of each gives, and the share of all groups of five in which it picks the least corrupted
is its selection rate. Levels are mild on purpose: coarse ones any head gets right.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import torch

from offchain.data.corruptions import CorruptionPlan
from offchain.data.datasets import load_dataset
from offchain.data.form import Pictures
from offchain.data.imageset import ImageSet, split
from offchain.hyperx.features import extract, to_inputs
from offchain.hyperx.heads import PRESETS, HeadScorer
from offchain.hyperx.quality import LabelledInputs, selection_rate
from offchain.hyperx.trust import reduced
from offchain.models.backbones import default_preprocessing
from offchain.models.extractor import Extractor, pretrained_extractor

STEPS = {"mislabel": 0.05, "noise": 0.02, "remove": 0.05}
LEVELS = 10
VALIDATION = 1000

VERSION = 1
"""Raised when the same run would give other numbers."""


@dataclass(frozen=True)
class Selection:
    """One head choosing among providers of one kind of corruption.

    largest: samples that a provider holds; count: how many of them it sends. head: a preset; `few`
    is given what providers send of pictures as small as digits, the others all features.
    """

    seed: int
    kind: str
    largest: int
    count: int
    head: str

    @property
    def levels(self) -> list[float]:
        """How corrupted each provider is, the cleanest first."""
        return [i * STEPS[self.kind] for i in range(LEVELS)]


@dataclass(frozen=True)
class Chosen:
    """rate: of groups of five in which the cleanest was picked. clean: its accuracy. seconds: wall
    clock."""

    rate: float
    clean: float
    seconds: float


def choose(run: Selection) -> Chosen:
    """Train the heads of all providers and let them be compared."""
    judge, datasets = providers(run.seed, run.kind, run.largest, run.head == "few")
    samples = [(x[: run.count], y[: run.count]) for x, y in datasets]
    began = time.perf_counter()
    scores = HeadScorer(PRESETS[run.head]).score(samples, judge, 10, seed=run.seed)
    seconds = time.perf_counter() - began
    return Chosen(selection_rate(scores, run.levels), scores[0].accuracy, seconds)


@lru_cache(maxsize=2)
def providers(
    seed: int, kind: str, largest: int, few: bool
) -> tuple[LabelledInputs, list[LabelledInputs]]:
    """The collector's own inputs and labels, and every provider's; runs come in this order."""
    digits = load_dataset("digits")
    validation, *parts = split(digits, [VALIDATION, *[largest] * LEVELS], seed)
    levels = Selection(seed, kind, largest, largest, "").levels
    plan = ",".join(["clean", *(f"{kind}:{level:.2f}" for level in levels[1:])])
    corrupted = CorruptionPlan.parse(plan).apply(parts, seed)
    judge = inputs(validation, few), validation.labels
    return judge, [(inputs(d, few), d.labels) for d in corrupted]


def inputs(images: ImageSet, few: bool) -> torch.Tensor:
    """What heads see of images: the features of the extractor, all or as few as are sent."""
    extractor = shared_extractor()
    if few:
        extractor = reduced(extractor, Pictures(images.shape))
    preprocessing = default_preprocessing(extractor.backbone, extractor.size)
    return to_inputs(extract(extractor, preprocessing, images.images), None, extractor.activation)


@lru_cache(maxsize=1)
def shared_extractor() -> Extractor:
    """The public one, once in each process."""
    return pretrained_extractor()
