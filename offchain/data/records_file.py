"""Bought rows or texts as one file, written and read a shard at a time.

Rows are `records.csv`: the class, then the task's columns, each cell as it stands. Texts are
`records.jsonl`, an object with `label` and `text` a line. Only records that the task could have
asked for stand there: nobody looked at those of shards that were not opened, and a cell that is
none of the task's may be a formula to a spreadsheet. The others lie beside the file as they are, in
`odd/<number>-<class>.bin`, of which the numbers are places among all samples.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from offchain.data.begun_folder import BegunFolder
from offchain.data.form import Form
from offchain.data.imageset import DataError, Progress
from offchain.data.shards import MAX_SHARD_BYTES, Shard, pack_shard
from offchain.data.tables import TEXT, record_of

ROWS, TEXTS, ODD = "records.csv", "records.jsonl", "odd"
LABEL = "label"
"""What the classes' column is called; with more underscores where a column is called so."""
_MAX_LINE = 1 << 20
"""Bytes of a line of the file of texts, where a byte may become six."""


class RecordsFile(BegunFolder):
    """`folder` with the file, written as a BegunFolder is.

    classes: of the task. names: of its columns, none for texts.
    """

    def __init__(
        self, folder: Path, classes: Sequence[str], form: Form, names: Sequence[str], about: bytes
    ) -> None:
        super().__init__(folder, about)
        self._classes, self._form = classes, form
        self._file = self.place / file_name(form)
        if self.done:
            with self._file.open("r+b") as file:
                file.truncate(self.end)
            return
        (self.place / ODD).mkdir(parents=True)
        self._file.write_bytes(b"" if form.modality == TEXT else heading(names))

    def add(self, shard: Shard) -> None:
        """Writes the next shard, all of equal numbers of samples."""
        first = self.done * len(shard.files)
        with self._file.open("ab") as file:
            for i, (record, label) in enumerate(zip(shard.files, shard.labels, strict=True), first):
                line = _line(record, self._classes[label], self._form)
                if line is None:
                    (self.place / ODD / f"{i}-{label}.bin").write_bytes(record)
                else:
                    file.write(line)
            end = file.tell()
        self.note(end)


def file_name(form: Form) -> str:
    """Of the file that records of this form are written to."""
    return TEXTS if form.modality == TEXT else ROWS


def records_in(
    folder: Path,
    classes: Sequence[str],
    form: Form,
    shard_count: int,
    shard_size: int,
    progress: Progress,
) -> Iterator[bytes]:
    """The plain shards that a folder was written from, read one at a time.

    progress: called in shards. Raises DataError where other records lie there than so many shards
    have.
    """
    label_of = {name: label for label, name in enumerate(classes)}
    odd = _odd(folder / ODD)
    lines = _texts(folder / TEXTS) if form.modality == TEXT else _rows(folder / ROWS)
    told = f"{folder} has other records than the {shard_count * shard_size} that were exported"
    for shard in range(shard_count):
        files, labels = [], []
        for i in range(shard * shard_size, (shard + 1) * shard_size):
            if i in odd:
                path, label = odd.pop(i)
                if path.stat().st_size > MAX_SHARD_BYTES:
                    raise DataError(told)
                record = path.read_bytes()
            else:
                record, name = next(lines, (b"", ""))
                label = label_of.get(name, -1)
            if not record or not 0 <= label < len(classes):
                raise DataError(told)
            files.append(record)
            labels.append(label)
        yield pack_shard(Shard(tuple(files), tuple(labels)), classes)
        progress(shard + 1, shard_count)
    if odd or next(lines, None) is not None:
        raise DataError(told)


def heading(names: Sequence[str]) -> bytes:
    """The first line of a table of classes and columns of these names."""
    label = LABEL
    while label in names:
        label += "_"
    return record_of([label, *names]) + b"\n"


def row_of(name: str, record: bytes) -> bytes:
    """A line of that table: a class and the cells of a record."""
    return record_of([name, ""]) + record + b"\n"  # the comma behind the class is there


def _line(record: bytes, name: str, form: Form) -> bytes | None:
    """A record with its class as a line; None for one that the task cannot have asked for."""
    try:
        form.decoded(record, "a record")
    except DataError:
        return None
    if form.modality == TEXT:
        text = json.dumps({"label": name, "text": record.decode()}, ensure_ascii=False)
        return text.encode() + b"\n"
    return row_of(name, record)


def _rows(path: Path) -> Iterator[tuple[bytes, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader, None)
            for name, *cells in reader:
                yield record_of(cells), name
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _texts(path: Path) -> Iterator[tuple[bytes, str]]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE):
                said = json.loads(line)
                yield str(said["text"]).encode(), str(said["label"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error!r:.120}") from error


def _odd(folder: Path) -> dict[int, tuple[Path, int]]:
    """Records that lie beside the file, by their places: their files and labels."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        place, _, label = path.stem.partition("-")
        if not (place.isdecimal() and label.isdecimal() and path.is_file()):
            raise DataError(f"{path} is no record that was exported")
        found[int(place)] = path, int(label)
    return found
