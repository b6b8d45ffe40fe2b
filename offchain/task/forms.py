"""What records a task asks for, and a dataset in that form, whatever the modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from offchain.data.form import IMAGES, Form, Pictures
from offchain.data.leftout import Note, warn
from offchain.data.originals import Dataset, Originals, print_of
from offchain.data.tables import TABLE, TEXT, Rows
from offchain.storage import cid_of
from offchain.task.classes import ClassNames
from offchain.task.document import Task
from offchain.task.errors import OfferRefused, TaskError
from offchain.task.images import relabelled
from offchain.task.tables import Table, fitted, table_asked
from offchain.task.texts import MAX_DOCUMENT_BYTES, TOKENIZER, Texts

Get = Callable[[str, int], bytes]
"""The content at a CID, of so many bytes at most; a datastore's `get`."""


def said(form: Form) -> dict[str, Any]:
    """What a task says of records of this form, by the names of its fields, documents aside."""
    columns = {"columns": form.columns} if isinstance(form, Table) else {}
    return {"modality": form.modality, "shape": form.shape, **columns}


def documents_of(form: Form) -> dict[str, bytes]:
    """What a task of records of this form names by the digest of its document."""
    return {TOKENIZER: form.to_bytes()} if isinstance(form, Texts) else {}


def check_form(task: Task, form: Form) -> None:
    """Raises TaskError where a task asks for other columns, or words by another tokenizer."""
    if task.columns != said(form).get("columns", ()):
        raise TaskError("the task has other columns")
    for name, data in documents_of(form).items():
        if task.document(name) != cid_of(data):
            raise TaskError(f"the task has another {name}")


def form_asked(task: Task, own: Form, get: Get) -> Form:
    """The form that a task asks an owner's records to have.

    own: theirs; pictures keep the size that their owner decodes them in. Raises OfferRefused for
    another modality, TaskError for a document that is none, and what `get` does.
    """
    if task.modality != own.modality:
        raise OfferRefused(
            f"not what the task asks for: modality: {own.modality}, {task.modality} are asked for"
        )
    return own if task.modality == IMAGES else _form_said(task, get)


def form_offered(task: Task, shape: tuple[int, ...], get: Get) -> Form:
    """The form of records that somebody offers for a task, whose manifest says their shape.

    Raises OfferRefused for a shape that the task's records cannot have.
    """
    if task.modality == IMAGES and len(shape) == 3:
        channels, height, width = shape
        return Pictures((channels, height, width))
    if task.modality == IMAGES or shape != task.shape:
        raise OfferRefused(f"shape: {list(shape)}, the task asks for {task.modality} {task.shape}")
    return _form_said(task, get)


def form_sold(task: Task) -> Form:
    """The form of records that were bought, of texts whatever words are. Raises OfferRefused."""
    return Texts() if task.modality == TEXT else _form_said(task, lambda *_: b"")


def _form_said(task: Task, get: Get) -> Form:
    if task.modality == TABLE and task.columns:
        return Table(task.columns)
    if task.modality == TEXT and TOKENIZER in task.documents:
        return Texts.from_bytes(get(task.documents[TOKENIZER], MAX_DOCUMENT_BYTES))
    raise OfferRefused(f"the task does not say what its {task.modality} is made of")


def as_author(own: Dataset, note: Note = warn, names: ClassNames | None = None) -> Dataset:
    """An author's samples as its task will have them: classes by name, records in the form that
    its own rows ask for.

    note: told of columns that are left out. Raises DataError and TaskError.
    """
    labelled = relabelled(own, names=names)
    if not isinstance(labelled, Originals) or not isinstance(labelled.form, Rows):
        return labelled
    text = labelled.form.modality == TEXT
    return in_form(labelled, Texts() if text else table_asked(labelled, note))


def in_form(
    own: Originals, form: Form, names: Mapping[str, str] | None = None, note: Note | None = None
) -> Originals:
    """The records in that form. names: for an own column's name the task's. note: told of columns
    that are left out. Raises DataError and TaskError as `fitted` does."""
    if own.form == form:
        return own
    if isinstance(form, Table):
        return fitted(own, form, names, note)
    if not isinstance(form, Texts):
        return own
    looks = (form.decoded(own.content(i), f"{own.name}: text {i + 1}") for i in range(len(own)))
    return replace(own, form=form, prints=tuple(map(print_of, looks)))
