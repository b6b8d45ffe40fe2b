"""What the command line of `ape run trade` says, turned into plan, data and scorer."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path

import click

from offchain.data.corruptions import CorruptionPlan
from offchain.data.form import IMAGES
from offchain.data.imageset import Progress, split
from offchain.data.leftout import Note
from offchain.data.originals import Dataset, form_of
from offchain.data.tables import is_table
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import EvaluationSettings
from offchain.hyperx.heads import PRESETS, HeadScorer
from offchain.hyperx.policy import Policy
from offchain.storage.places import told as told_places
from offchain.task import Least, Task
from offchain.task.checks import DAY
from offchain.task.document import ANY
from offchain.task.forms import as_author, said
from scripts._stage.party_options import PartyOptions, SampleOptions

CORRUPTIONS = ("mislabel:0.3", "noise:0.5", "remove:0.6", "decimate:6", "dope:0.4")
"""The paper's five (sections 5.1.2 to 5.1.4); without a plan all but one provider have one."""


@dataclass(frozen=True)
class SessionOptions(SampleOptions):
    """What a collector says of its session; shares in per cent, times as named, amounts as text."""

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
    head: str | None
    hours: float
    response_minutes: float
    seed: int
    device: str | None
    ipfs: str | None
    licence: str
    yes: bool
    deployments: Path

    def task(self, validation: Dataset) -> Task:
        """What the collector asks for; its documents are left out. Raises TaskError."""
        form = said(form_of(validation))
        return Task(classes=validation.classes, licence=self.licence, **form)

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

    def private_extractor(self, task: Task) -> tuple[str, ...]:
        """The CID of the extractor in `task` where its weights are not public ones."""
        return (task.document(EXTRACTOR),) if self.settings().weights else ()

    def scorer(self) -> HeadScorer:
        """What judges features. Raises ClickException for a preset that does not exist."""
        if self.head is None:
            return HeadScorer()
        if self.head not in PRESETS:
            raise click.ClickException(f"head: {self.head!r} is none of {', '.join(PRESETS)}")
        return HeadScorer(PRESETS[self.head])

    def policy(self, *, burns: bool = True, foreseeable: bool = False) -> Policy:
        """How the collector chooses. foreseeable: its samples follow from the seed."""
        return Policy(
            least_accuracy=self.least_accuracy,
            burn_for_rubbish=self.burn_rubbish and burns,
            draw_on_chain=self.draw,
            sample_seed=self.seed if foreseeable else None,
        )


@dataclass(frozen=True)
class LimitOptions:
    """The limits of a provider's owner; amounts as text."""

    least_reward: str | None
    most_deposit: str | None
    most_penalty: str | None
    least_response: float
    most_locked: float
    accept_extractor: tuple[str, ...]
    accept_token: tuple[str, ...]


@dataclass(frozen=True)
class OpenOptions(SessionOptions, PartyOptions):
    """The options of `ape run open`. expect: how many providers get their turns."""

    expect: int
    pay_to: str | None
    content: str
    contact: tuple[str, ...]
    any_size: bool
    least_per_class: int
    least_samples: int
    distinct: int
    retention: float
    resume: str | None

    def asked(self, validation: Dataset, addresses: tuple[str, ...]) -> Task:
        """The task; its documents are left out. addresses: of the own node. Raises TaskError."""
        form = said(form_of(validation))
        if self.any_size and form["modality"] == IMAGES:
            form["shape"] = (form["shape"][0], ANY, ANY)
        return Task(
            classes=validation.classes,
            licence=self.licence,
            **form,
            contact=(*self.contact, *told_places(addresses)),
            content=self.content,
            least=Least(self.least_per_class, self.least_samples, self.distinct),
            retention=round(self.retention * DAY),
        )


@dataclass(frozen=True)
class ProvideOptions(SampleOptions, LimitOptions, PartyOptions):
    """The options of `ape run provide`."""

    column_name: tuple[str, ...]
    licence: tuple[str, ...]
    most_retention: float
    pay_to: str | None
    dry_run: bool
    gas_price: float
    device: str | None
    ipfs: str | None
    yes: bool
    deployments: Path


@dataclass(frozen=True)
class TradeOptions(SessionOptions, LimitOptions):
    """The options of `ape run trade`."""

    providers: int | None
    plan: str | None
    validation: int
    baselines: bool
    second_opinion: bool
    gas_price: float
    collector: str | None
    provider: tuple[str, ...]
    resume: str | None
    pay_to: str | None
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
    ) -> tuple[Dataset, list[Dataset], list[Dataset]]:
        """The collector's validation set, each provider's corrupted data, and what it was before.

        All are disjoint draws from one dataset, so that they differ by corruption alone.
        """
        if self.baselines and is_table(self.dataset):
            raise click.ClickException(
                f"baselines: they train on pictures, {self.dataset} has none"
            )
        whole = as_author(self.load_samples(note, progress), note)
        each = self.shards * self.shard_size
        validation, *parts = split(whole, [self.validation, *[each] * len(plan)], self.seed)
        return validation, plan.apply(parts, self.seed), parts
