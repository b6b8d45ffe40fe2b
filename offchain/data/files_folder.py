"""Bought files as a folder, one folder for each class, written and read a shard at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from offchain.data.begun_folder import BegunFolder
from offchain.data.imageset import DataError, Progress
from offchain.data.pictures import ending_of
from offchain.data.shards import MAX_SHARD_BYTES, Shard, pack_shard


class FilesFolder(BegunFolder):
    """`folder`/<class>/<number><ending>, written as a BegunFolder is.

    Numbers are places among all samples, endings follow from the files' first bytes. names: of the
    classes' folders.
    """

    def __init__(self, folder: Path, names: Sequence[str], samples: int, about: bytes) -> None:
        super().__init__(folder, about)
        self._names, self._digits = names, len(str(samples))
        for name in names:
            (self.place / name).mkdir(parents=True, exist_ok=True)

    def add(self, shard: Shard) -> None:
        """Writes the next shard, all of equal numbers of samples."""
        first = self.done * len(shard.files)
        for i, (file, label) in enumerate(zip(shard.files, shard.labels, strict=True), first):
            path = self.place / self._names[label] / f"{i:0{self._digits}d}{ending_of(file)}"
            path.write_bytes(file)
        self.note()


def shards_in(
    folder: Path,
    names: Sequence[str],
    classes: Sequence[str],
    shard_count: int,
    shard_size: int,
    progress: Progress,
) -> Iterator[bytes]:
    """The plain shards that a folder of files was written from, read one at a time.

    names: of the folders of `classes`. progress: called in shards. Raises DataError where other
    files lie there than so many shards have.
    """
    samples = shard_count * shard_size
    found = [(path, label) for label, name in enumerate(names) for path in _files(folder / name)]
    at = {int(path.stem): (path, label) for path, label in found if path.stem.isdecimal()}
    if len(found) != samples or at.keys() != set(range(samples)):
        raise DataError(f"{folder} has other files than the {samples} that were exported")
    for shard in range(shard_count):
        these = [at[i] for i in range(shard * shard_size, (shard + 1) * shard_size)]
        if sum(path.stat().st_size for path, _ in these) > MAX_SHARD_BYTES:
            raise DataError(f"{these[0][0]} and those after it are larger than any shard")
        files = tuple(path.read_bytes() for path, _ in these)
        yield pack_shard(Shard(files, tuple(label for _, label in these)), classes)
        progress(shard + 1, shard_count)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
