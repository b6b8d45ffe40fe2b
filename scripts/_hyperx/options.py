"""What the command line of `ape run trade` says, turned into plan, data and scorer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path

import click

from offchain.data.corruptions import CorruptionPlan
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, Progress, split
from offchain.data.leftout import Note
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import EvaluationSettings
from offchain.hyperx.heads import PRESETS, HeadScorer
from offchain.task import Task
from offchain.task.images import MODALITY, relabelled

CORRUPTIONS = ("mislabel:0.3", "noise:0.5", "remove:0.6", "decimate:6", "dope:0.4")
"""The paper's five (sections 5.1.2 to 5.1.4); without a plan all but one provider have one."""


@dataclass(frozen=True)
class TradeOptions:
    """The options of `ape run trade`; shares in per cent, times as named, amounts as text."""

    providers: int | None
    plan: str | None
    dataset: str
    data_root: Path | None
    download: bool
    skip_broken: bool
    image_size: int | None
    validation: int
    shards: int
    shard_size: int
    sample: float
    reward: str
    deposit: str
    penalty: float
    further_reviews: int | None
    token: str | None
    hidden: bool
    settlement: str | None
    draw: bool
    least_accuracy: float | None
    burn_rubbish: bool
    extractor: str
    cut: str | None
    input_size: int | None
    head: str
    baselines: bool
    second_opinion: bool
    hours: float
    response_minutes: float
    least_reward: str | None
    most_deposit: str | None
    most_penalty: str | None
    least_response: float
    most_locked: float
    accept_extractor: tuple[str, ...]
    accept_token: tuple[str, ...]
    gas_price: float
    seed: int
    device: str | None
    ipfs: str | None
    licence: str
    collector: str | None
    provider: tuple[str, ...]
    resume: str | None
    yes: bool
    deployments: Path
    reports: Path

    def corruption_plan(self, clean: bool = True) -> CorruptionPlan:
        """One corruption per provider; without a plan each of the five, after one clean provider.

        clean: whether there is that one.
        """
        if self.plan is not None:
            return CorruptionPlan.parse(self.plan, self.providers)
        first = ["clean"] if clean else []
        count = self.providers or len(first) + len(CORRUPTIONS)
        return CorruptionPlan.parse(",".join(islice(chain(first, cycle(CORRUPTIONS)), count)))

    def data(
        self, plan: CorruptionPlan, note: Note, progress: Progress | None
    ) -> tuple[ImageSet, list[ImageSet], list[ImageSet]]:
        """The collector's validation set, each provider's corrupted data, and what it was before.

        All are disjoint draws from one dataset, so that they differ by corruption alone.
        """
        whole = load_dataset(
            self.dataset,
            root=self.data_root,
            download=self.download,
            size=self.image_size,
            skip_broken=self.skip_broken,
            note=note,
            progress=progress,
        )
        each = self.shards * self.shard_size
        whole = relabelled(whole)
        validation, *parts = split(whole, [self.validation, *[each] * len(plan)], self.seed)
        return validation, plan.apply(parts, self.seed), parts

    def task(self, validation: ImageSet) -> Task:
        """What the collector asks for; its documents are left out. Raises TaskError."""
        return Task(MODALITY, validation.classes, validation.shape, self.licence)

    def settings(self) -> EvaluationSettings:
        """Which extractor the collector publishes."""
        backbone, private, weights = self.extractor.partition(":")
        return EvaluationSettings(
            backbone,
            self.cut,
            self.input_size,
            Path(weights) if private else None,
            seed=self.seed,
        )

    def accepted(self, task: Task) -> tuple[str, ...]:
        """Extractors that the providers' owners take whatever their weights are: those named, and
        the collector's own private one, since in a rehearsal one owner plays all."""
        own = (task.document(EXTRACTOR),) if self.settings().weights else ()
        return (*self.accept_extractor, *own)

    def scorer(self) -> HeadScorer:
        """What judges features. Raises ClickException for a preset that does not exist."""
        if self.head not in PRESETS:
            raise click.ClickException(f"head: {self.head!r} is none of {', '.join(PRESETS)}")
        return HeadScorer(PRESETS[self.head])
