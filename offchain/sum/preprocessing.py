"""How a text becomes a sample: named by digest in the task, so that weights mean the same to all.

A text is lower-cased, and cut into its longest runs of the letters a to z and the apostrophe.
Feature i is active where word i of the vocabulary is among them.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offchain.errors import SoukError
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.sum.classifier import MAX_FEATURES

DOCUMENT = "preprocessing"
"""What a task calls the CID of this document."""
FORMAT = "souk.words.v1"
"""Names the rule above; another rule is another format."""
MAX_BYTES = 1 << 20
"""Largest document written or read."""
MAX_WORD = 64
"""Characters; longer words are in no vocabulary."""

_TOKEN = re.compile(r"[a-z']+")


class PreprocessingError(SoukError):
    """A document that names no preprocessing, or words that make none; one line for people."""


def tokens(text: str) -> list[str]:
    """The words of a text, in their order."""
    return _TOKEN.findall(text.lower().replace("<br />", " "))


def most_frequent(texts: Iterable[list[str]], most: int) -> list[str]:
    """The `most` words that stand in texts most often; ties go by spelling."""
    counts = Counter(word for words in texts for word in words)
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]


def written(form: str, **lists: list[Any]) -> bytes:
    """A document of that format. Raises PreprocessingError if it is too large."""
    data = to_canonical({"format": form, **lists})
    if len(data) > MAX_BYTES:
        raise PreprocessingError(f"preprocessing: {len(data)} bytes, at most {MAX_BYTES}")
    return data


def read(data: bytes, form: str, *names: str) -> list[list[Any]]:
    """The lists of these names in an untrusted document of that format. Raises
    PreprocessingError."""
    try:
        document = from_canonical(data, DOCUMENT, MAX_BYTES)
        given, *found = take(document, DOCUMENT, format=str, **dict.fromkeys(names, list))
    except DocumentError as error:
        raise PreprocessingError(str(error)) from error
    if given != form:
        raise PreprocessingError(f"preprocessing: format is {form}, not {given!r:.60}")
    return found


class Features(ABC):
    """Named features that a sample has or has not. vocabulary: their names."""

    vocabulary: tuple[str, ...]

    @abstractmethod
    def features(self, item: Any) -> tuple[int, ...]:
        """The active features of a text or a row, ascending."""

    def sample(self, features: Sequence[int]) -> NDArray[np.uint8]:
        """uint8 (F,), 1 for each of the `features`."""
        bits = np.zeros(len(self.vocabulary), np.uint8)
        bits[list(features)] = 1
        return bits

    def bitmap(self, features: Sequence[int]) -> tuple[int, ...]:
        """As the contract takes it: feature i is bit i % 256 of word i // 256."""
        words = [0] * -(-len(self.vocabulary) // 256)
        for feature in features:
            words[feature >> 8] |= 1 << (feature & 255)
        return tuple(words)

    def words_of(self, bitmap: Sequence[int], most: int) -> list[str]:
        """The first `most` words that are active in a sample, for people."""
        active = (i for i in range(len(self.vocabulary)) if bitmap[i >> 8] >> (i & 255) & 1)
        return [self.vocabulary[i] for i in islice(active, most)]


@dataclass(frozen=True)
class Preprocessing(Features):
    """The words that are features, 1 to 65,536 of them, each once.

    Raises PreprocessingError.
    """

    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.vocabulary) <= MAX_FEATURES:
            raise PreprocessingError(
                f"preprocessing: {len(self.vocabulary)} words, must be 1 to {MAX_FEATURES}"
            )
        for word in self.vocabulary:
            if type(word) is not str or len(word) > MAX_WORD or not _TOKEN.fullmatch(word):
                raise PreprocessingError(f"preprocessing: {word!r:.80} is no word")
        if len(self._places) < len(self.vocabulary):
            twice = next(word for word, count in Counter(self.vocabulary).items() if count > 1)
            raise PreprocessingError(f"preprocessing: {twice!r} stands there twice")

    @classmethod
    def of(cls, texts: Sequence[str], most: int) -> Preprocessing:
        """By the `most` words that are the most frequent in `texts`."""
        cut = ([word for word in tokens(text) if len(word) <= MAX_WORD] for text in texts)
        return cls(tuple(most_frequent(cut, most)))

    def to_bytes(self) -> bytes:
        """The document. Raises PreprocessingError if it is too large."""
        return written(FORMAT, vocabulary=list(self.vocabulary))

    @classmethod
    def from_bytes(cls, data: bytes) -> Preprocessing:
        """Reads an untrusted document. Raises PreprocessingError."""
        (vocabulary,) = read(data, FORMAT, "vocabulary")
        return cls(tuple(vocabulary))

    def features(self, item: str) -> tuple[int, ...]:
        """The active features of a text, ascending."""
        return tuple(sorted({self._places[w] for w in tokens(item) if w in self._places}))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.vocabulary)}
