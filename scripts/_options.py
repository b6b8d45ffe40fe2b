"""What the command line of `ape run trade` says, turned into plan, data and terms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import ape
import click

from offchain.data.corruptions import CorruptionPlan
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, Progress, split
from offchain.hyperx.evaluation import Documents
from offchain.hyperx.terms import NATIVE, Terms
from scripts._stories import Story

CORRUPTIONS = ("mislabel:0.3", "noise:0.5", "remove:0.6", "decimate:6", "dope:0.4")
"""The paper's five (sections 5.1.2 to 5.1.4); without a plan all but one provider have one."""


@dataclass(frozen=True)
class Options:
    """See `ape run trade --help`; shares are in per cent, times as named, amounts as text."""

    providers: int | None
    plan: str | None
    dataset: str
    data_root: Path | None
    download: bool
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
    draw: bool
    least_accuracy: float
    extractor: str
    cut: str | None
    input_size: int | None
    head: str
    baselines: bool
    hours: float
    response_minutes: float
    gas_price: float
    seed: int
    device: str | None
    ipfs: str | None
    collector: str | None
    provider: tuple[str, ...]
    resume: str | None
    yes: bool
    reports: Path

    def corruption_plan(self) -> CorruptionPlan:
        """One corruption per provider; without a plan one clean provider, then each of the five."""
        if self.plan is not None:
            return CorruptionPlan.parse(self.plan, self.providers)
        count = self.providers or 1 + len(CORRUPTIONS)
        return CorruptionPlan.parse(",".join(["clean", *islice(cycle(CORRUPTIONS), count - 1)]))

    def data(
        self, plan: CorruptionPlan, progress: Progress | None
    ) -> tuple[ImageSet, list[ImageSet], list[ImageSet]]:
        """The collector's validation set, each provider's corrupted data, and what it was before.

        All are disjoint draws from one dataset, so that they differ by corruption alone.
        """
        whole = load_dataset(
            self.dataset,
            root=self.data_root,
            download=self.download,
            size=self.image_size,
            progress=progress,
        )
        each = self.shards * self.shard_size
        validation, *parts = split(whole, [self.validation, *[each] * len(plan)], self.seed)
        return validation, plan.apply(parts, self.seed), parts

    def terms(self, story: Story, documents: Documents, collector: str, count: int) -> Terms:
        """The terms of a session that begins now and gives `count` providers their turns."""
        now = ape.chain.pending_timestamp
        phase, response = round(self.hours * 3600), max(1, round(self.response_minutes * 60))
        reviews = story.further_reviews if self.further_reviews is None else self.further_reviews
        return Terms(
            collector=collector,
            token=self.token or NATIVE,
            reward=_amount("reward", self.reward),
            deposit=_amount("deposit", self.deposit),
            sample_bps=round(self.sample * 100),
            penalty_bps=round(self.penalty * 100),
            shard_count=self.shards,
            shard_size=self.shard_size,
            further_reviews=reviews,
            published_addresses=not self.hidden,
            settlement=0,
            registration_end=now + phase,
            submission_end=now + 2 * phase,
            # Every provider may turn out silent, or disclose in vain, before the last one claims.
            expiry=now + 3 * phase + (3 + 2 * count) * response,
            response_time=response,
            preprocessing=documents.preprocessing,
            extractor=documents.extractor,
            encryption_key=documents.encryption_key,
        )


def _amount(name: str, text: str) -> int:
    try:
        amount = int(ape.convert(text, int))
    except ape.exceptions.ConversionError as error:
        raise click.ClickException(
            f"{name}: {text!r} is no amount, as 1 ether or 5 gwei"
        ) from error
    if not 0 < amount < 2**96:
        raise click.ClickException(f"{name}: {text} is {amount} wei, must be 1 to 2^96 - 1")
    return amount
