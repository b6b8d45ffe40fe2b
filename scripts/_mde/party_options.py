"""What the command lines of MDE's single parties say: `ape run order` and `ape run quote`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from offchain.data.imageset import DataError, Progress, split
from offchain.data.leftout import Note
from offchain.data.originals import Dataset, Originals, form_of
from offchain.report.text import plain
from offchain.storage.places import told as told_places
from offchain.task import ClassNames, Least, Task, TaskError, canonical_classes
from offchain.task.checks import DAY
from offchain.task.classes import composed
from offchain.task.forms import as_author, in_form, said
from offchain.task.images import relabelled
from scripts._mde.options import LimitOptions, OrderTermsOptions, priced
from scripts._stage.party_options import PartyOptions, SampleOptions, name_of

_PASSING = ("dry_run", "gas_price", "pay_to", "most_size", "without")
"""Options that may change while an order goes on, besides those of every party."""


@dataclass(frozen=True)
class OrderOptions(SampleOptions, OrderTermsOptions, PartyOptions):
    """The options of `ape run order`; see its help."""

    judged_by: str | None
    validation: float
    samples: int
    wait: float
    most_size: int
    without: tuple[str, ...]
    content: str
    contact: tuple[str, ...]
    least_per_class: int
    least_samples: int
    retention: float
    pay_to: str | None
    dry_run: bool
    gas_price: float
    ipfs: str | None
    yes: bool
    deployments: Path

    @property
    def patience(self) -> int:
        """Seconds in which sellers may come."""
        return round(self.wait * 3_600)

    def parts(self, note: Note, progress: Progress | None) -> tuple[Dataset, Dataset]:
        """What the model is trained on, and what it is judged by, in the classes of both.

        Raises DataError and TaskError.
        """
        own = self.load_samples(note, progress)
        if self.judged_by is None:
            own = priced(as_author(own, note, self.names))
            judged = max(2, round(len(own) * self.validation / 100))
            train, validation = split(own, [len(own) - judged, judged], self.seed)
            return train, validation
        other = replace(self, dataset=self.judged_by).load_samples(note, progress)
        for name in self.names.as_task:
            if not any(name in map(composed, one.classes) for one in (own, other)):
                raise TaskError(
                    f"class name: there is no class {plain(name)!r} in this data, nor in what it "
                    "is judged by"
                )
        classes = sorted({*self._renamed(own), *self._renamed(other)} - {""})
        train, validation = (
            relabelled(one, canonical_classes(classes), self._names_in(one)) for one in (own, other)
        )
        if isinstance(train, Originals) and isinstance(validation, Originals):
            train = priced(as_author(train, note))
            validation = in_form(validation, form_of(train), note=note)
        if form_of(train).modality != form_of(validation).modality:
            raise DataError(
                f"judged by: {validation.name} is of another modality than {train.name}"
            )
        return train, validation

    def _names_in(self, data: Dataset) -> ClassNames:
        """What is said of the classes that a set has."""
        there = {composed(one) for one in data.classes}
        return ClassNames({own: task for own, task in self.names.as_task.items() if own in there})

    def _renamed(self, data: Dataset) -> list[str]:
        return self._names_in(data).renamed([composed(one) for one in data.classes])

    def asked(self, own: Dataset, addresses: tuple[str, ...]) -> Task:
        """The task; the artefact is left out. addresses: of the own node. Raises TaskError."""
        return Task(
            classes=own.classes,
            licence=self.licence,
            **said(form_of(own)),
            contact=(*self.contact, *told_places(addresses)),
            content=self.content,
            least=Least(self.least_per_class, self.least_samples),
            retention=round(self.retention * DAY),
        )

    @property
    def name(self) -> str:
        """What one command's order is kept under: another name for other options."""
        return name_of(self, *_PASSING)


@dataclass(frozen=True)
class QuoteOptions(SampleOptions, LimitOptions, PartyOptions):
    """The options of `ape run quote`; see its help."""

    column_name: tuple[str, ...]
    licence: tuple[str, ...]
    most_retention: float
    accept_token: tuple[str, ...]
    stay: float
    quote_hours: float
    send: bool
    pay_to: str | None
    gas_price: float
    ipfs: str | None
    yes: bool
    deployments: Path
