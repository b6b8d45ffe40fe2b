"""Texts and tasks: bags of words, by a tokenizer that the task names by the digest of its document.

The tokenizer's rule is one of bytes, so that it is the same on every machine: A to Z become a to z,
words are the longest runs of a to z, 0 to 9, the apostrophe and whatever is not ASCII, and a word's
place is the SHA-256 of its bytes (the first 8, big-endian) modulo the number of places. A text
becomes log(1 + n) for the n words at each place, divided by the length of all of that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from offchain.data.imageset import DataError
from offchain.data.pictures import UnreadableError
from offchain.data.tables import TEXT
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.task.errors import TaskError

TOKENIZER = "tokenizer"
"""What a task calls the CID of the tokenizer's document."""
FORMAT = "souk.hashed-words.v1"
"""Names the rule above; another rule is another format."""
MAX_DOCUMENT_BYTES = 1_024
MAX_PLACES = 8_192
MAX_TEXT_BYTES = 64 << 10
FEATURES = 256
"""Numbers that an owner lets an extractor make of one text, at most."""

_WORD = re.compile(rb"[a-z0-9'\x80-\xff]+")
_KEPT = 64
"""Bytes of the longest word whose place is kept."""
_NONE = "texts that cannot be read"


@dataclass(frozen=True)
class Texts:
    """Texts in UTF-8, as bags of words. places: numbers of a text, 16 to MAX_PLACES."""

    places: int = 4_096
    modality: str = TEXT
    most_features: int | None = FEATURES

    def __post_init__(self) -> None:
        if not 16 <= self.places <= MAX_PLACES:
            raise TaskError(f"tokenizer: {self.places} places, must be 16 to {MAX_PLACES}")

    @property
    def shape(self) -> tuple[int, ...]:
        """A text has no sides."""
        return ()

    @property
    def values(self) -> tuple[int, ...]:
        """How many numbers a text becomes."""
        return (self.places,)

    def to_bytes(self) -> bytes:
        """The tokenizer's document."""
        return to_canonical({"format": FORMAT, "places": self.places})

    @classmethod
    def from_bytes(cls, data: bytes) -> Texts:
        """Reads an untrusted document. Raises TaskError."""
        try:
            document = from_canonical(data, TOKENIZER, MAX_DOCUMENT_BYTES)
            given, places = take(document, TOKENIZER, format=str, places=int)
        except DocumentError as error:
            raise TaskError(str(error)) from error
        if given != FORMAT:
            raise TaskError(f"tokenizer: format is {FORMAT}, not {given!r:.60}")
        return cls(places)

    def decoded(self, record: bytes, told: str) -> torch.Tensor:
        """float32 (places,), of length 1, or all 0 for a text without words. Raises
        UnreadableError."""
        if not 0 < len(record) <= MAX_TEXT_BYTES:
            raise UnreadableError(
                f"{told} has {len(record):,} bytes, must be 1 to {MAX_TEXT_BYTES:,}", _NONE
            )
        try:
            record.decode()
        except UnicodeDecodeError as error:
            raise UnreadableError(f"{told} is no text in UTF-8", _NONE) from error
        counts = np.zeros(self.places)
        places = [_place(word, self.places) for word in _WORD.findall(record.lower())]
        np.add.at(counts, places, 1)
        logs = np.log1p(counts)
        length = float(np.sqrt(np.square(logs).sum()))
        return torch.from_numpy((logs / (length or 1)).astype(np.float32))

    def corrupted(
        self, records: Sequence[bytes], kind: str, level: float, rng: np.random.Generator
    ) -> list[bytes]:
        """Texts made worse, word by word; one word at least is left of each.

        noise: a share of the words is drawn from all texts instead. remove: a share is taken out.
        decimate: of as many words as the factor says one is left. dope: a share of the texts is of
        words drawn from all texts. Raises DataError for another kind.
        """
        split = [record.decode().split() or ["-"] for record in records]
        words = np.array([word for text in split for word in text], dtype=object)
        doped = set(rng.permutation(len(split))[: round(level * len(split))].tolist())

        def one(i: int, text: list[str]) -> list[str]:
            drawn = rng.random(len(text)) < level
            if kind == "decimate":
                return text[:: max(1, round(level))]
            if kind == "remove":
                return [word for word, out in zip(text, drawn, strict=True) if not out] or text[:1]
            if kind == "dope":
                return rng.choice(words, len(text)).tolist() if i in doped else text
            if kind == "noise":
                other = rng.choice(words, len(text)).tolist()
                return [b if out else a for a, b, out in zip(text, other, drawn, strict=True)]
            raise DataError(f"{kind} is nothing that is done to texts")

        texts = (" ".join(one(i, text)).encode() for i, text in enumerate(split))
        return [text[:MAX_TEXT_BYTES].decode(errors="ignore").encode() for text in texts]


def _place(word: bytes, places: int) -> int:
    # A stranger's words may be as long as a text, and the cache keeps them for good.
    return _kept_place(word, places) if len(word) <= _KEPT else _digest_place(word, places)


def _digest_place(word: bytes, places: int) -> int:
    return int.from_bytes(hashlib.sha256(word).digest()[:8], "big") % places


_kept_place = lru_cache(maxsize=1 << 16)(_digest_place)
