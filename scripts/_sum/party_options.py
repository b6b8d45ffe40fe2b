"""What the command lines of a shared model's parties say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from offchain.sum import columns, texts
from offchain.sum.author import Limits
from offchain.sum.columns import read_table
from offchain.sum.model import Waits
from offchain.sum.texts import LabelledTexts, read_texts
from scripts._stage.money import parse_amount
from scripts._stage.party_options import PartyOptions

FULL = 10_000


@dataclass(frozen=True)
class PublishOptions(PartyOptions):
    """The options of `ape run publish`; hours, seconds and per cent as named, amounts as text."""

    texts: Path | None
    table: Path | None
    dataset: str
    samples: int | None
    words: int
    classifier: str | None
    most_active: int | None
    epochs: int
    cost_weight: int
    submission_cost: int
    unit: str
    stated_accuracy: float | None
    token: str | None
    refund_hours: float
    author_hours: float
    verdict_hours: float
    takeover_hours: float
    quiet_seconds: int
    licence: str
    content: str
    contact: tuple[str, ...]
    seed: int
    gas_price: float
    dry_run: bool
    leave: bool
    ipfs: str | None
    yes: bool
    deployments: Path

    @property
    def waits(self) -> Waits:
        """Whole seconds; the contract bounds them."""
        return Waits(
            refund=round(self.refund_hours * 3600),
            author=round(self.author_hours * 3600),
            verdict=round(self.verdict_hours * 3600),
            owner=round(self.takeover_hours * 3600),
            anyone=round(self.takeover_hours * 3600),
            quiet=self.quiet_seconds,
        )

    @property
    def accuracy(self) -> int | None:
        """Stated, in 1 / 10,000."""
        return None if self.stated_accuracy is None else round(self.stated_accuracy * FULL / 100)


@dataclass(frozen=True)
class ReportOptions(PartyOptions):
    """The options of `ape run report`; amounts as text."""

    pay_to: str | None
    least_share: str | None
    dry_run: bool
    ipfs: str | None
    yes: bool
    deployments: Path


@dataclass(frozen=True)
class TeachOptions(ReportOptions):
    """The options of `ape run teach`."""

    texts: Path | None
    table: Path | None
    gas_price: float
    licence: tuple[str, ...]
    most_deposit: str | None
    most_cost: str | None
    most_stake: str | None
    accept_token: tuple[str, ...]
    reports: bool

    def load(self) -> LabelledTexts:
        """One's own texts, or rows. Raises TextsError, ClickException."""
        if self.texts is not None and self.table is None:
            return read_texts(self.texts)
        if self.table is not None and self.texts is None:
            return read_table(self.table)
        raise click.ClickException("give either --texts or --table")

    @property
    def modality(self) -> str:
        """What a task calls what is taught."""
        return columns.MODALITY if self.texts is None else texts.MODALITY

    @property
    def limits(self) -> Limits:
        """What may be paid. Raises ClickException."""
        said = self.most_deposit, self.most_cost, self.most_stake
        names = "most-deposit", "most-cost", "most-stake"
        pairs = zip(names, said, strict=True)
        return Limits(*(None if text is None else parse_amount(name, text) for name, text in pairs))


@dataclass(frozen=True)
class PredictOptions:
    """The options of `ape run predict`."""

    text: tuple[str, ...]
    texts: Path | None
    table: Path | None
    listen: str
    peer: tuple[str, ...]
    ipfs: str | None
    deployments: Path
    as_json: bool

    def wanted(self) -> LabelledTexts:
        """What is to be predicted; labels where a file has them. Raises ClickException."""
        if sum(map(bool, (self.text, self.texts, self.table))) != 1:
            raise click.ClickException("give either texts, --texts FILE or --table FILE")
        if self.table is not None:
            return read_table(self.table, labelled=False)
        if self.texts is not None:
            return read_texts(self.texts, labelled=False)
        return LabelledTexts(self.text, (), (), "the command line")

    @property
    def modality(self) -> str:
        """What a task calls what is asked about."""
        return texts.MODALITY if self.table is None else columns.MODALITY
