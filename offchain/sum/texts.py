"""Labelled texts of one's own, from a file: CSV with the columns text and label, or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.data.leftout import LeftOut, Note
from offchain.errors import SoukError
from offchain.sum.preprocessing import Features
from offchain.task import ClassNames
from offchain.task.classes import LEFT_OUT, canonical_classes, composed

MODALITY = "text"
MAX_FILE_BYTES = 1 << 28
"""Largest file read."""
MAX_TEXT = 1 << 20
"""Characters of one text."""
TEXT, LABEL = "text", "label"
JSON_LINES = (".jsonl", ".ndjson")


class TextsError(SoukError):
    """A file that holds no labelled texts; one line that names the place."""


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with labels.

    texts: N of them, or rows of a table (`columns.py`). labels: N indices in `classes`; empty where
    the file has none. name: of where they are from.
    """

    texts: tuple[Any, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    name: str

    def __len__(self) -> int:
        return len(self.texts)

    def relabelled(
        self, classes: tuple[str, ...] | None = None, names: ClassNames | None = None
    ) -> LabelledTexts:
        """With a task's classes and labels, without what its owner leaves out, in their order.

        classes: of the task; without them the own ones in their one form. Raises ClassesUnknown
        naming classes that the task does not have, TaskError, TextsError if nothing is left.
        """
        said = names or ClassNames()
        if classes is None:
            kept = said.renamed([composed(name) for name in self.classes])
            classes = canonical_classes(sorted({name for name in kept if name}))
        label_of = said.labels(self.classes, classes)
        pairs = [
            (text, label_of[label])
            for text, label in zip(self.texts, self.labels, strict=True)
            if label_of[label] != LEFT_OUT
        ]
        if not pairs:
            raise TextsError(f"{self.name}: the classes that are left out leave no text")
        texts, labels = zip(*pairs, strict=True)
        return LabelledTexts(texts, labels, classes, self.name)


@dataclass(frozen=True)
class Sample:
    """What of a text is taught: its active features, ascending, and its label."""

    features: tuple[int, ...]
    label: int


def samples(
    texts: LabelledTexts, preprocessing: Features, max_active: int, note: Note
) -> list[Sample]:
    """What can be taught of texts, each sample with a label once, in their order.

    note: told how many texts were left out and why: none of their words is known, more than
    `max_active` are, or another text has the same words and label.
    """
    found: dict[Sample, None] = {}
    left: dict[str, list[str]] = {}
    for number, (text, label) in enumerate(zip(texts.texts, texts.labels, strict=True), 1):
        one = Sample(preprocessing.features(text), label)
        reason = (
            "texts without a known word"
            if not one.features
            else f"texts of more than {max_active} known words"
            if len(one.features) > max_active
            else "texts whose words and label another has"
            if one in found
            else None
        )
        if reason:
            left.setdefault(reason, []).append(f"number {number}")
        else:
            found[one] = None
    for reason, names in left.items():
        note(LeftOut(texts.name, reason, tuple(names)))
    return list(found)


def check_size(path: Path) -> None:
    """Raises TextsError for a file that is not there, or too large."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise TextsError(f"{path}: {error.strerror}") from error
    if size > MAX_FILE_BYTES:
        raise TextsError(f"{path} has {size:,} bytes, at most {MAX_FILE_BYTES:,} are read")


def read_texts(path: Path, *, labelled: bool = True) -> LabelledTexts:
    """The texts of a file; what it is follows from its name.

    labelled: whether labels must be there. Raises TextsError naming the line.
    """
    check_size(path)
    rows = _json_rows(path) if path.suffix.lower() in JSON_LINES else _csv_rows(path, labelled)
    texts, named = [], []
    for place, text, label in rows:
        if not isinstance(text, str) or not text.strip():
            raise TextsError(f"{place}: there is no text")
        if len(text) > MAX_TEXT:
            raise TextsError(f"{place}: {len(text):,} characters, at most {MAX_TEXT:,}")
        if labelled and (type(label) not in (str, int) or not str(label).strip()):
            raise TextsError(f"{place}: there is no label")
        texts.append(text)
        named.append(str(label).strip())
    if not texts:
        raise TextsError(f"{path} has no texts")
    if not labelled:
        return LabelledTexts(tuple(texts), (), (), path.name)
    classes = tuple(sorted(set(named)))
    at = {name: index for index, name in enumerate(classes)}
    return LabelledTexts(tuple(texts), tuple(at[name] for name in named), classes, path.name)


def _csv_rows(path: Path, labelled: bool) -> Iterator[tuple[str, object, object]]:
    csv.field_size_limit(4 * MAX_TEXT)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            wanted = {TEXT, LABEL} if labelled else {TEXT}
            if missing := sorted(wanted - set(reader.fieldnames or ())):
                raise TextsError(
                    f"{path} has no column {' and none '.join(missing)}: its first line names them"
                )
            for row in reader:
                yield f"{path}, line {reader.line_num}", row[TEXT], row.get(LABEL)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TextsError(f"{path} is no CSV in UTF-8: {error}") from error


def _json_rows(path: Path) -> Iterator[tuple[str, object, object]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise TextsError(f"{path}, line {number}: no JSON: {error}") from error
                if not isinstance(row, dict):
                    raise TextsError(f"{path}, line {number}: a JSON object is wanted")
                yield f"{path}, line {number}", row.get(TEXT), row.get(LABEL)
    except UnicodeDecodeError as error:
        raise TextsError(f"{path} is not in UTF-8: {error}") from error
