"""The task document: what a session, an order, a listing, a model or a federation is about.

One small canonical JSON document in the datastore; terms carry the digest in its CID. What it says
is the same for everybody, whatever mechanism the terms are of: which classes, samples of which
form, under which licence, how many at least, and which other documents belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.storage import Datastore, InvalidCid, cid_from_digest, digest_of
from offchain.task.classes import check_classes
from offchain.task.columns import Column, check_columns, is_formula
from offchain.task.errors import TaskError
from offchain.task.wording import check_text

__all__ = [
    "MAX_TASK_BYTES",
    "MODALITIES",
    "Least",
    "Task",
    "TaskError",
    "fetch_task",
    "publish_task",
]

FORMAT = "souk.task.v2"
MAX_TASK_BYTES = 256 << 10
"""Largest document written or read: one block of the datastore."""
MODALITIES: Mapping[str, int] = MappingProxyType({"images": 3, "table": 1, "text": 0})
"""What samples are, and how many sides one has: (C, H, W), (columns,), ()."""
ANY = 0
"""A side that may be of any length."""
MAX_SIDE = 65_536
MAX_LICENCE, MAX_CONTENT, MAX_CONTACT = 4_096, 4_096, 256
"""Characters of the licence, of what samples may contain, and of one contact."""
MAX_CONTACTS = MAX_DOCUMENTS = 16
MAX_RETENTION = 10 * 366 * 86_400
"""Seconds; ten years."""
MAX_COUNT = 2**53 - 1
"""Largest integer that every reader of JSON takes as it is."""

_DOCUMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Least:
    """How many samples are asked for, each 0 or more.

    Attributes:
        per_class: of each class that there is at all.
        samples: in all.
        distinct: that are no copies of others.
    """

    per_class: int = 0
    samples: int = 0
    distinct: int = 0


@dataclass(frozen=True)
class Task:
    """What samples are asked for.

    Attributes:
        modality: one of `MODALITIES`.
        classes: names of the labels, sorted, NFC (`canonical_classes`); a label is an index here.
        shape: of one sample, as many sides as the modality has; `ANY` for a side of any length.
        licence: of what changes hands: an SPDX identifier or the text itself.
        documents: other documents in the datastore by name: their CIDs. Which names there must be
            a mechanism says.
        contact: how the author is reached: mail, addresses of pages, or of a node of the datastore
            (multiaddresses, which begin with a slash).
        content: what a sample may contain, in words; empty if nothing is said.
        least: how many samples there must be.
        retention: seconds from the end for which whoever stored content has to keep it, so that
            others can fetch it; until the end it has to in any case.
        columns: of a table, in the order of a record's cells; none where another document says
            what a sample is.

    Raises TaskError, in one line with the bound, for what a document cannot say.
    """

    modality: str
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    licence: str
    documents: Mapping[str, str] = field(default_factory=dict)
    contact: tuple[str, ...] = ()
    content: str = ""
    least: Least = Least()
    retention: int = 0
    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise TaskError(
                f"task: modality is {' or '.join(MODALITIES)}, not {self.modality!r:.60}"
            )
        check_classes(self.classes)
        self._check_shape()
        if self.columns:
            check_columns(self.columns)
            if (self.modality, self.shape) != ("table", (len(self.columns),)):
                raise TaskError(
                    f"task: {len(self.columns)} columns of {self.modality} of {list(self.shape)}"
                )
            if formula := next(filter(is_formula, self.classes), None):
                raise TaskError(f"task: class {formula!r:.60} is a formula to a spreadsheet")
        check_text("licence", self.licence, MAX_LICENCE, lines=True)
        check_text("content", self.content, MAX_CONTENT, lines=True, least=0)
        if len(self.contact) > MAX_CONTACTS:
            raise TaskError(f"task: {len(self.contact)} contacts, at most {MAX_CONTACTS}")
        for one in self.contact:
            check_text("contact", one, MAX_CONTACT)
        self._check_documents()
        for name, count in asdict(self.least).items():
            if type(count) is not int or not 0 <= count <= MAX_COUNT:
                raise TaskError(f"task: least {name} is {count!r:.40}, must be 0 to {MAX_COUNT}")
        if type(self.retention) is not int or not 0 <= self.retention <= MAX_RETENTION:
            raise TaskError(
                f"task: retention is {self.retention!r:.40}, must be 0 to {MAX_RETENTION} seconds"
            )

    def to_bytes(self) -> bytes:
        """The document. Raises TaskError if it does not fit one block."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields |= {"documents": dict(self.documents), "least": asdict(self.least)}
        if columns := [column.to_document() for column in fields.pop("columns")]:
            fields["columns"] = columns
        data = to_canonical({"format": FORMAT, **fields})
        if len(data) > MAX_TASK_BYTES:
            raise TaskError(f"task: {len(data)} bytes, at most {MAX_TASK_BYTES} are allowed")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Task:
        """Reads an untrusted document, in its one form alone. Raises TaskError."""
        try:
            document = from_canonical(data, "task", MAX_TASK_BYTES)
            named = "columns" in document
            columns = document.pop("columns", [])
            given, *parts, documents, contact, content, least, retention = take(
                document,
                "task",
                format=str,
                modality=str,
                classes=list,
                shape=list,
                licence=str,
                documents=dict,
                contact=list,
                content=str,
                least=dict,
                retention=int,
            )
            modality, classes, shape, licence = parts
            counts = take(least, "task, least", per_class=int, samples=int, distinct=int)
        except DocumentError as error:
            raise TaskError(str(error)) from error
        if given != FORMAT:
            raise TaskError(f"task: format is {FORMAT}, not {given!r:.60}")
        if not isinstance(columns, list) or named != bool(columns):
            raise TaskError(f"task: columns are a list of 1 or more, not {columns!r:.60}")
        return cls(
            modality,
            tuple(classes),
            tuple(shape),
            licence,
            documents,
            tuple(contact),
            content,
            Least(*counts),
            retention,
            tuple(map(Column.from_document, columns)),
        )

    @property
    def peers(self) -> tuple[str, ...]:
        """Multiaddresses among the contacts."""
        return tuple(one for one in self.contact if one.startswith("/"))

    def document(self, name: str) -> str:
        """The CID of the document called `name`. Raises TaskError if there is none."""
        if name not in self.documents:
            raise TaskError(f"task: there is no document {name!r}")
        return self.documents[name]

    def _check_shape(self) -> None:
        sides = MODALITIES[self.modality]
        whole = all(type(side) is int and 0 <= side <= MAX_SIDE for side in self.shape)
        if len(self.shape) != sides or not whole:
            raise TaskError(
                f"task: shape of {self.modality} is {sides} integers in 0..{MAX_SIDE}, "
                f"not {list(self.shape)!r:.60}"
            )
        if self.modality == "images" and self.shape[0] not in (ANY, 1, 3):
            raise TaskError(f"task: images have 1 or 3 channels, not {self.shape[0]}")

    def _check_documents(self) -> None:
        if len(self.documents) > MAX_DOCUMENTS:
            raise TaskError(f"task: {len(self.documents)} documents, at most {MAX_DOCUMENTS}")
        for name, cid in self.documents.items():
            if not _DOCUMENT_NAME.fullmatch(name):
                raise TaskError(f"task: {name!r:.60} is no name of a document")
            try:
                digest_of(check_text(f"document {name}", cid, 80))
            except InvalidCid as error:
                raise TaskError(f"task: document {name}: {error}") from error


def publish_task(store: Datastore, task: Task) -> bytes:
    """Stores a task document and returns the digest in its CID, which terms carry."""
    return digest_of(store.put(task.to_bytes()))


def fetch_task(store: Datastore, digest: bytes) -> Task:
    """The task with this digest, pinned: what is signed under it must be found again.

    Raises TaskError, and what the datastore raises.
    """
    cid = cid_from_digest(digest)
    task = Task.from_bytes(store.get(cid, MAX_TASK_BYTES))
    store.pin(cid)
    return task
