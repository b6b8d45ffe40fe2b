"""What a party's own command takes, whatever the mechanism: whose pictures, and who it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offchain.data.leftout import Note
from offchain.storage import Network
from offchain.task import ClassNames

if TYPE_CHECKING:  # with torch, which parties without pictures do not need
    from offchain.data.imageset import ImageSet, Progress
    from offchain.data.originals import Dataset, Originals


@dataclass(frozen=True)
class DataOptions:
    """Whose pictures."""

    dataset: str
    data_root: Path | None
    download: bool
    skip_broken: bool
    image_size: int | None

    def load(self, note: Note, progress: Progress | None) -> ImageSet:
        """All of them. Raises DataError."""
        from offchain.data.datasets import load_dataset

        return load_dataset(self.dataset, **self._asked, note=note, progress=progress)

    def load_originals(self, note: Note, progress: Progress | None) -> Originals:
        """All of them as files, of which none is kept in memory. Raises DataError."""
        from offchain.data.datasets import load_originals

        return load_originals(self.dataset, **self._asked, note=note, progress=progress)

    @property
    def _asked(self) -> dict[str, Any]:
        return {
            "root": self.data_root,
            "download": self.download,
            "size": self.image_size,
            "skip_broken": self.skip_broken,
        }


@dataclass(frozen=True)
class SampleOptions(DataOptions):
    """Whose pictures, table or texts. label, text: names of the columns of classes and texts."""

    label: str | None
    text: str | None

    def load_samples(self, note: Note, progress: Progress | None) -> Dataset:
        """All of them, pictures in memory. Raises DataError."""
        from offchain.data.tables import is_table

        if is_table(self.dataset):
            return self.load_originals(note, progress)
        self._check_label()
        return self.load(note, progress)

    def load_originals(self, note: Note, progress: Progress | None) -> Originals:
        """All of them as files or rows. Raises DataError."""
        from offchain.data.tables import is_table, load_table

        if not is_table(self.dataset):
            self._check_label()
            return super().load_originals(note, progress)
        return load_table(
            Path(self.dataset),
            self.label,
            self.text,
            skip_broken=self.skip_broken,
            note=note,
            progress=progress,
        )

    def _check_label(self) -> None:
        for name, column in (("label", self.label), ("text", self.text)):
            if column is not None:
                raise click.ClickException(
                    f"{name}: {self.dataset} is no table, of which {column!r:.60} could be a column"
                )


@dataclass(frozen=True)
class PartyOptions:
    """What every party's own command takes.

    Attributes:
        account: keystore account. class_name: OWN=TASK, for classes called otherwise.
        listen, peer: of the embedded node. as_json: lines for programs instead of text.
    """

    account: str
    class_name: tuple[str, ...]
    listen: str
    peer: tuple[str, ...]
    as_json: bool

    @property
    def names(self) -> ClassNames:
        """What the owner says of its class names. Raises TaskError."""
        return ClassNames.parse(self.class_name)

    @property
    def network(self) -> Network:
        """How the own node is reached, and whom it knows."""
        return Network(self.listen, self.peer)


def name_of(options: Any, *also: str, **instead: str) -> str:
    """What one command's work is kept under: another name for other options, in any order.

    also: options of this command that make no other work, besides those of every party. instead:
    what stands for an option.
    """
    passing = {"yes", "as_json", "listen", "peer", "ipfs", "device", "resume", *also}
    said = {name: str(value) for name, value in asdict(options).items() if name not in passing}
    for name in ("label", "text"):
        if said.get(name) == "None":  # as where there are pictures alone
            del said[name]
    said |= instead
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
