"""How many artefacts data were held against, on disk, whatever shape the same data come in.

Each answer tells a little of the data. So answers are counted for data, not for a file of them: the
same samples in another order, under other labels, or all but a few, are the same data. What tells
is a sketch, the least hashes of their inputs: of two sets that share most samples nearly all of
those are the same, and one in common counts.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.samples import Samples

SKETCH = 64
"""Hashes in a sketch: two sets that share a twentieth of their samples are told to be related in 96
cases of 100, and as good as always if they share a fifth."""
_MARK, _DIGEST = 8, 32


def sketch(samples: Samples) -> bytes:
    """What tells data: a digest of all samples, 32 bytes, and the least hashes, 8 bytes each."""
    rows = np.ascontiguousarray(samples.inputs.numpy().reshape(len(samples), -1))
    hashes = sorted({hashlib.sha256(row.tobytes()).digest() for row in rows})
    whole = hashlib.sha256(b"".join(sorted(samples.hashes()))).digest()
    return whole + b"".join(one[:_MARK] for one in hashes[:SKETCH])


def count_artefact(
    secrets_file: SecretsFile, data: bytes, artefact: bytes, allow: Callable[[int], object]
) -> None:
    """Counts an artefact, by its digest, that data are held against, before they are.

    data: their sketch. allow: is asked whether there may be so many for these and all related data,
    and raises if not. The same artefact for the very same data is counted once: the same question
    has one answer; for data that are only related it has another.
    """
    asked = 0
    for number, known in _kept(secrets_file, "data {} that artefacts were held against"):
        if _marks(known) & _marks(data):
            artefacts = [one for _, one in _kept(secrets_file, _artefact_of(number))]
            if known[:_DIGEST] == data[:_DIGEST] and artefact in artefacts:
                return
            asked += len(artefacts)
    allow(asked + 1)
    mine = _remember(secrets_file, "data {} that artefacts were held against", data)
    _remember(secrets_file, _artefact_of(mine), artefact)


def _artefact_of(data: int) -> str:
    return f"artefact {{}} that data {data} were held against"


def _kept(secrets_file: SecretsFile, name: str) -> Iterator[tuple[int, bytes]]:
    for number in itertools.count(1):
        if name.format(number) not in secrets_file:
            return
        yield number, secrets_file.get(name.format(number))


def _remember(secrets_file: SecretsFile, name: str, value: bytes) -> int:
    """The number under which `value` is kept."""
    for number in itertools.count(1):
        if secrets_file.remember(name.format(number), lambda: value) == value:
            return number
    raise AssertionError("numbers do not end")


def _marks(data: bytes) -> set[bytes]:
    return {data[at : at + _MARK] for at in range(_DIGEST, len(data), _MARK)}
