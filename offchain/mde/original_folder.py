"""Bought original files as a folder by class, and what holds each against the sale.

Beside the classes lie `samples.bin`, the samples' chunks as they were priced, and `leaves.bin`, the
leaves of the dataset's plain tree. A leaf binds a chunk, and the chunk the SHA-256 of a file. What
does not show what was priced, or cannot be read, is no file that a folder of pictures should hold:
of such a sample the priced pixels are written, and the file, if there is one, beside the classes as
`<number>.bin`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from offchain.data.folder import as_picture, folder_names
from offchain.data.imageset import DataError, Progress
from offchain.data.pictures import UnreadableError, decoded, ending_of
from offchain.files import write_whole
from offchain.mde.purchase import Bought
from offchain.mde.samples import Kind
from offchain.mde.verifiable.encoding import Encoding, label_of
from offchain.mde.verifiable.originals import Lying, is_bound

SAMPLES, LEAVES = "samples.bin", "leaves.bin"

MOST_APART = 4.0
"""Root of the mean square difference, of 255, from the priced pixels up to which a file shows them:
decoders and resizing differ a little everywhere from one machine to the next, and a stroke or a
small thing that is there or not differs much in few places."""


@dataclass(frozen=True)
class Shown:
    """What became of the originals. odd: samples of which the priced pixels were written."""

    files: int
    odd: tuple[int, ...]


def shows(original: bytes, priced: torch.Tensor) -> bool:
    """Whether a file is a picture of the priced pixels, uint8 (C, H, W)."""
    try:
        pixels = decoded(original, "the original", _shape(priced))
    except UnreadableError:
        return False
    return float((pixels.float() - priced.float()).square().mean().sqrt()) <= MOST_APART


def write_originals(
    bought: Bought, classes: tuple[str, ...], folder: Path, progress: Progress | None = None
) -> Shown:
    """Writes `folder`/<class>/<number>.<ending>, whole or not at all.

    Raises DataError when `folder` exists.
    """
    if folder.exists():
        raise DataError(f"{folder} exists: name a folder that does not")
    beside, names = folder.with_name(f".{folder.name}.new"), folder_names(classes)
    shutil.rmtree(beside, ignore_errors=True)
    count, odd = len(bought.samples), []
    try:
        for name in names:
            (beside / name).mkdir(parents=True)
        for i, original in enumerate(bought.originals):
            number, priced = _number(i, count), bought.samples.inputs[i]
            stem = beside / names[int(bought.samples.labels[i])] / number
            if original is not None and shows(original, priced):
                write_whole(stem.with_suffix(ending_of(original)), original)
            else:
                odd.append(i)
                as_picture(priced).save(stem.with_suffix(".png"))
                if original is not None:
                    write_whole(beside / f"{number}.bin", original)
            if progress is not None:
                progress(i + 1, count)
        write_whole(beside / SAMPLES, bought.chunks)
        write_whole(beside / LEAVES, b"".join(bought.leaves))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Shown(count - len(odd), tuple(odd))


def read_samples(folder: Path) -> tuple[bytes, tuple[bytes, ...]]:
    """The samples' chunks and the leaves of a folder. Raises DataError where they are not there."""
    try:
        chunks, leaves = (folder / SAMPLES).read_bytes(), (folder / LEAVES).read_bytes()
    except OSError as error:
        raise DataError(f"{folder} has no samples that can be read: {error}") from error
    return chunks, tuple(leaves[i : i + 32] for i in range(0, len(leaves), 32))


def require_originals(
    folder: Path, kind: Kind, classes: tuple[str, ...], odd: tuple[int, ...]
) -> int:
    """How many files of a folder are originals, each bound by its sample's chunk and of its class.

    kind: of the samples. odd: those that have no original, so it was said: their files are the
    priced pixels. Raises DataError for a file that is neither, or is missing, and for any further
    one.
    """
    (chunks, _), encoding = read_samples(folder), Encoding.of(kind)
    priced = encoding.unpack(chunks, kind).inputs
    size, names = encoding.chunk_bytes, folder_names(classes)
    count = len(chunks) // size
    files = {path.stem: path for path in _files(folder, names)}
    there = sum(1 for _ in _files(folder, names))
    if there != count or set(files) != {_number(i, count) for i in range(count)}:
        raise DataError(f"{folder} has {there} pictures, {count} were sold")
    for i in range(count):
        chunk, path = chunks[i * size : (i + 1) * size], files[_number(i, count)]
        if path.parent.name != names[label_of(chunk)]:
            raise DataError(f"{path} was sold as {names[label_of(chunk)]}")
        file = path.read_bytes()
        if i in odd:
            if not torch.equal(decoded(file, str(path), _shape(priced[i])), priced[i]):
                raise DataError(f"{path} is not what was priced as sample {i}")
        elif not is_bound(Lying.of(encoding, chunk), file):
            raise DataError(f"{path} is not the original that was sold with sample {i}")
    return count - len(odd)


def _files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    return (path for name in names for path in (folder / name).iterdir())


def _shape(priced: torch.Tensor) -> tuple[int, int, int]:
    channels, height, width = priced.shape
    return channels, height, width


def _number(i: int, count: int) -> str:
    return f"{i:0{len(str(count))}d}"
