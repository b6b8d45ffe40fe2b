"""What records a task asks for, and a dataset in that form, whatever the modality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offchain.data.form import IMAGES, Form, Pictures
from offchain.data.imageset import ImageSet
from offchain.data.leftout import Note, warn
from offchain.data.originals import Originals
from offchain.data.tables import TABLE, Rows
from offchain.task.classes import ClassNames
from offchain.task.document import Task
from offchain.task.errors import OfferRefused
from offchain.task.images import relabelled
from offchain.task.tables import Table, fitted, table_asked

Dataset = ImageSet | Originals
"""Labelled samples: pictures in memory, or records."""


def form_of(samples: Dataset) -> Form:
    """What its records are."""
    return samples.form if isinstance(samples, Originals) else Pictures(samples.shape)


def said(form: Form) -> dict[str, Any]:
    """What a task says of records of this form, by the names of its fields."""
    columns = {"columns": form.columns} if isinstance(form, Table) else {}
    return {"modality": form.modality, "shape": form.shape, **columns}


def form_asked(task: Task, own: Form) -> Form:
    """The form that a task asks an owner's records to have.

    own: theirs; pictures keep the size that their owner decodes them in. Raises OfferRefused for
    another modality.
    """
    if task.modality != own.modality:
        raise OfferRefused(
            f"not what the task asks for: modality: {own.modality}, {task.modality} are asked for"
        )
    if task.modality == IMAGES:
        return own
    if task.modality == TABLE and task.columns:
        return Table(task.columns)
    raise OfferRefused(f"not what can be sold here: the task's {task.modality} has no columns")


def form_offered(task: Task, shape: tuple[int, ...]) -> Form:
    """The form of records that somebody offers for a task, whose manifest says their shape.

    Raises OfferRefused for a shape that the task's records cannot have.
    """
    if task.modality == IMAGES and len(shape) == 3:
        channels, height, width = shape
        return Pictures((channels, height, width))
    if task.modality != TABLE or not task.columns or shape != task.shape:
        raise OfferRefused(f"shape: {list(shape)}, the task asks for {task.modality} {task.shape}")
    return Table(task.columns)


def as_author(own: Dataset, note: Note = warn, names: ClassNames | None = None) -> Dataset:
    """An author's samples as its task will have them: classes by name, records in the form that
    its own rows ask for.

    note: told of columns that are left out. Raises DataError and TaskError.
    """
    labelled = relabelled(own, names=names)
    if not isinstance(labelled, Originals) or not isinstance(labelled.form, Rows):
        return labelled
    return fitted(labelled, table_asked(labelled, note))


def in_form(
    own: Originals, form: Form, names: Mapping[str, str] | None = None, note: Note | None = None
) -> Originals:
    """The records in that form. names: for an own column's name the task's. Raises DataError and
    TaskError as `fitted` does."""
    if not isinstance(form, Table) or own.form == form:
        return own
    return fitted(own, form, names, note)
