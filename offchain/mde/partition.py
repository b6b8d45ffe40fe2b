"""One real dataset, divided: an owner whose data lacks something, sellers who may have it.

The owner has plenty of some classes and little of the rest, and is judged on all of them. What is
useful, redundant or worthless to it is then known, and a price can be held against the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from offchain.data.form import Form
from offchain.data.originals import Dataset, form_of
from offchain.data.photographs import photograph_crops
from offchain.data.seeds import generator
from offchain.mde.errors import MdeError
from offchain.mde.samples import Integers, Samples

KINDS: dict[str, dict[str, float]] = {
    "useful": {"lacking": 1},
    "ordinary": {"plenty": 1},
    "redundant": {"owned": 1},
    "mislabelled": {"wrong": 1},
    "irrelevant": {"strange": 1},
    "mixed": {"lacking": 0.5, "owned": 0.25, "wrong": 0.25},
}
"""What a seller has, as shares: new samples of the classes that the owner lacks or has plenty of,
the owner's own, new samples of either with wrong labels, photographs or rows of mixed cells with
any label."""

MIN_SAMPLES = 4
"""Of a seller, so that each share of a kind is at least one sample."""


@dataclass(frozen=True)
class Plan:
    """One seller: a kind of KINDS and how many samples. Raises MdeError where that cannot be."""

    kind: str
    samples: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise MdeError(f"{self.kind!r} is no kind of seller: one of {', '.join(KINDS)}")
        if self.samples < MIN_SAMPLES:
            raise MdeError(f"a seller needs {MIN_SAMPLES} samples or more, not {self.samples}")

    @classmethod
    def parse(cls, text: str, samples: int) -> tuple[Plan, ...]:
        """Read `useful,mixed:40,...`; `samples` of each that names no count."""
        plans = []
        for part in text.split(","):
            kind, colon, count = part.strip().partition(":")
            if colon and not (count.isascii() and count.isdigit() and len(count) < 8):
                raise MdeError(f"{part.strip()!r} needs a count of samples, as {kind}:40")
            plans.append(cls(kind, int(count) if colon else samples))
        return tuple(plans)


@dataclass(frozen=True)
class Owned:
    """What the model owner has.

    plenty, lacking: training samples of the classes it has plenty of, and of those it lacks.
    classes: how many of the last classes it lacks. validation, test: samples, of all classes alike.
    """

    plenty: int = 350
    lacking: int = 6
    classes: int = 3
    validation: int = 500
    test: int = 1000


@dataclass(frozen=True, eq=False)
class Holding:
    """What one seller has. kind: of KINDS."""

    kind: str
    samples: Samples


@dataclass(frozen=True, eq=False)
class Partition:
    """The owner's training, validation and test data, and the sellers' holdings as planned.

    names: of the classes, in the order of the labels. form: what the records are.
    """

    train: Samples
    validation: Samples
    test: Samples
    names: tuple[str, ...]
    holdings: tuple[Holding, ...]
    form: Form

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.names)


class _Deck:
    """Rows dealt once each."""

    def __init__(self, name: str, rows: Integers) -> None:
        self._name, self._rows, self._next = name, rows, 0

    def deal(self, count: int) -> Integers:
        """So many rows that nobody got. Raises MdeError when there are too few."""
        left = len(self._rows) - self._next
        if count > left:
            raise MdeError(f"{count} samples of {self._name} wanted, {left} are left")
        self._next += count
        return self._rows[self._next - count : self._next]


def lay_out(
    whole: Dataset, plans: Sequence[Plan], owned: Owned | None = None, seed: int = 0
) -> Partition:
    """Deal `whole` out to the owner and the sellers; only redundant samples are in two places.

    Raises MdeError when there is too little data for the plans.
    """
    owned = owned or Owned()
    count = len(whole.classes)
    if not 1 <= owned.classes < count:
        raise MdeError(f"the owner lacks 1 to {count - 1} of {count} classes, not {owned.classes}")
    if not plans:
        raise MdeError("a market needs 1 seller or more, not 0")
    samples = Samples.of(whole)
    rows = generator(seed, "mde market").permutation(len(samples)).astype(np.int64)
    lacking = samples.labels.numpy()[rows] >= count - owned.classes
    # Alike in all classes: taken in turns.
    turns = rows[np.argsort(_turn(samples.labels.numpy()[rows]), kind="stable")]
    judged = owned.validation + owned.test
    if judged >= len(rows):
        raise MdeError(f"{judged} samples to judge by wanted, the dataset has {len(rows)}")
    free = ~np.isin(rows, turns[:judged])
    decks = {
        "lacking": _Deck("the classes that the owner lacks", rows[free & lacking]),
        "plenty": _Deck("the classes that the owner has", rows[free & ~lacking]),
    }
    own = np.concatenate([decks["plenty"].deal(owned.plenty), decks["lacking"].deal(owned.lacking)])
    train = samples.subset(own)
    holdings = tuple(
        Holding(
            plan.kind, _held(plan, samples, train, decks, count, generator(seed, f"mde lot {i}"))
        )
        for i, plan in enumerate(plans)
    )
    return Partition(
        train,
        samples.subset(turns[: owned.validation]),
        samples.subset(turns[owned.validation : judged]),
        whole.classes,
        holdings,
        form_of(whole),
    )


def _turn(labels: Integers) -> Integers:
    """int64 (N,): how many samples of the same label come before each."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)
    turn = np.empty_like(labels)
    turn[order] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return turn


def _held(
    plan: Plan,
    samples: Samples,
    train: Samples,
    decks: dict[str, _Deck],
    classes: int,
    rng: np.random.Generator,
) -> Samples:
    ways: dict[str, Callable[[int], Samples]] = {
        "lacking": lambda n: samples.subset(decks["lacking"].deal(n)),
        "plenty": lambda n: samples.subset(decks["plenty"].deal(n)),
        "owned": lambda n: train.subset(_Deck("the owner", rng.permutation(len(train))).deal(n)),
        "wrong": lambda n: _wrong(_both(samples, decks, n), classes, rng),
        "strange": lambda n: Samples(
            _irrelevant(samples, n, rng), torch.from_numpy(rng.integers(classes, size=n))
        ),
    }
    parts = [ways[name](n) for name, n in _counts(plan)]
    held = parts[0]
    for part in parts[1:]:
        held = held.joined(part)
    return held.subset(rng.permutation(len(held)).astype(np.int64))


def _counts(plan: Plan) -> Iterator[tuple[str, int]]:
    """How many samples of each sort; the first takes what rounding leaves."""
    shares = KINDS[plan.kind]
    counts = {name: int(plan.samples * share) for name, share in shares.items()}
    first = next(iter(counts))
    counts[first] += plan.samples - sum(counts.values())
    yield from counts.items()


def _both(samples: Samples, decks: dict[str, _Deck], count: int) -> Samples:
    """New samples, half of classes that the owner lacks."""
    half = decks["lacking"].deal(count // 2), decks["plenty"].deal(count - count // 2)
    return samples.subset(np.concatenate(half))


def _wrong(samples: Samples, classes: int, rng: np.random.Generator) -> Samples:
    """The samples, each with another label than its own."""
    shift = torch.from_numpy(rng.integers(1, classes, size=len(samples)))
    return Samples(samples.inputs, (samples.labels + shift) % classes)


def _irrelevant(samples: Samples, count: int, rng: np.random.Generator) -> torch.Tensor:
    """Inputs that tell nothing: photographs, or rows of which each number is from another row."""
    if samples.inputs.dtype == torch.uint8:
        channels, height, width = samples.shape
        return photograph_crops(count, (channels, height, width), rng)
    (width,) = samples.shape
    places = torch.from_numpy(rng.integers(len(samples), size=(count, width)))
    return samples.inputs.gather(0, places)
