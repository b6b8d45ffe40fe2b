"""From the set's score to a price (paper section 5.2), in whole numbers all through.

Scores are counted in billionths (`units`), prices in wei, so that a contract can repeat the sum.
Every price function follows one rule: below `harmful` data is worth nothing, from there up to
`useful` it is worth the floor, above it by the function's kind, at least one wei more than the
floor and never more than the budget. Its parameters are a canonical JSON document, whose SHA-256
is fixed before any data is committed to.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from offchain.mde.errors import NotFinite, NotMonotone, PriceError
from offchain.mde.report import EfficacyReport
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical

UNITS = 10**9
"""Score units in a score of 1."""

MAX_WEI = 2**128 - 1
MAX_UNITS = 2**62
MAX_POINTS = 256
MAX_PRICE_BYTES = 1 << 16

FORMAT = "souk.mde.price.v1"


def units(score: float) -> int:
    """`score` in billionths, rounded down, at most 2**62 either way. Raises NotFinite."""
    if not math.isfinite(score):
        raise NotFinite(f"a score must be finite to be priced, not {score:g}")
    return math.floor(max(-float(MAX_UNITS), min(float(MAX_UNITS), score * UNITS)))


@dataclass(frozen=True)
class Binary:
    """The paper's: one price for whatever is useful. price: in wei, above the floor."""

    price: int

    def worth(self, score: int) -> int:
        """In wei, for a score above `useful`."""
        return self.price

    def points(self) -> Sequence[tuple[int, int]]:
        """(score, price) pairs, in the order of scores."""
        return ((0, self.price),)


@dataclass(frozen=True)
class Piecewise:
    """Straight between points (score in units, price in wei), constant before and after them.

    Scores strictly increase, prices never fall.
    """

    knots: tuple[tuple[int, int], ...]

    def worth(self, score: int) -> int:
        """In wei, rounded down."""
        if score <= self.knots[0][0]:
            return self.knots[0][1]
        for (low, below), (high, above) in pairwise(self.knots):
            if score <= high:
                return below + (above - below) * (score - low) // (high - low)
        return self.knots[-1][1]

    def points(self) -> Sequence[tuple[int, int]]:
        """(score, price) pairs, in the order of scores."""
        return self.knots


@dataclass(frozen=True)
class Menu:
    """A posted menu: from each score in units on, its price in wei; below the first the floor.

    Scores strictly increase, prices never fall.
    """

    items: tuple[tuple[int, int], ...]

    def worth(self, score: int) -> int:
        """In wei; 0 below the first item."""
        return max((price for at, price in self.items if score >= at), default=0)

    def points(self) -> Sequence[tuple[int, int]]:
        """(score, price) pairs, in the order of scores."""
        return self.items


_KINDS = {"binary": Binary, "piecewise": Piecewise, "menu": Menu}


@dataclass(frozen=True)
class PriceFunction:
    """What a set of a given score fetches.

    curve: of the kinds above. budget: most that is paid, in wei. floor: in wei, what redundant data
    fetches. cap: most by this function, in wei; the budget unless given.
    harmful: at most 0, useful: at least 0, both in score units: see the module.

    Raises NotMonotone, or PriceError naming the parameter out of bounds.
    """

    curve: Binary | Piecewise | Menu
    budget: int
    floor: int = 0
    cap: int | None = None
    harmful: int = 0
    useful: int = 0

    def __post_init__(self) -> None:
        points = self.curve.points()
        if not 1 <= len(points) <= MAX_POINTS:
            raise PriceError(f"a price function has 1 to {MAX_POINTS} points, not {len(points)}")
        numbers = [self.budget, self.floor, self.most, self.harmful, self.useful]
        if any(type(n) is not int for n in [*numbers, *(n for point in points for n in point)]):
            raise PriceError("prices and score units must be integers")
        for name, value in [("budget", self.budget), *(("price", price) for _, price in points)]:
            if not 0 <= value <= MAX_WEI:
                raise PriceError(f"a {name} lies in 0..2**128 - 1 wei, not {value}")
        if not -MAX_UNITS <= self.harmful <= 0 <= self.useful <= MAX_UNITS:
            raise PriceError(
                f"harmful is at most 0 and useful at least 0, not {self.harmful} and {self.useful}"
            )
        if not 0 <= self.floor < self.most <= self.budget:
            raise PriceError(
                f"floor < cap <= budget must hold: {self.floor}, {self.most} and {self.budget} wei"
            )
        for (low, below), (high, above) in pairwise(points):
            if low >= high:
                raise NotMonotone(f"scores must increase: {low} is followed by {high}")
            if below > above:
                raise NotMonotone(
                    f"prices must not fall: {below} wei at {low}, but {above} wei at {high}"
                )
        if points[0][1] < self.floor:
            raise NotMonotone(
                f"the floor of {self.floor} wei is above the first price, {points[0][1]} wei"
            )

    @property
    def most(self) -> int:
        """The cap, which is the budget unless one was given."""
        return self.budget if self.cap is None else self.cap

    def price(self, score: int) -> int:
        """In wei, of a set of that score in units: 0..budget, never falling as scores rise."""
        if score < self.harmful:
            return 0
        if score <= self.useful:
            return self.floor
        return min(self.most, max(self.floor + 1, self.curve.worth(score)))

    def price_of(self, report: EfficacyReport) -> int:
        """In wei, of the set that `report` is about."""
        return self.price(units(report.total))

    def document(self) -> dict[str, Any]:
        """The parameters, as JSON; wei as decimal strings, which no reader rounds."""
        kind = next(name for name, cls in _KINDS.items() if isinstance(self.curve, cls))
        return {
            "format": FORMAT,
            "kind": kind,
            "points": [[at, str(price)] for at, price in self.curve.points()],
            "budget": str(self.budget),
            "floor": str(self.floor),
            "cap": str(self.most),
            "harmful": self.harmful,
            "useful": self.useful,
        }

    def to_bytes(self) -> bytes:
        """The canonical JSON that is hashed."""
        return to_canonical(self.document())

    def digest(self) -> bytes:
        """SHA-256 of `to_bytes()`, 32 bytes: the commitment."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> PriceFunction:
        """Read what `to_bytes` wrote, untrusted. Raises PriceError."""
        try:
            document = from_canonical(data, "price function", MAX_PRICE_BYTES)
        except DocumentError as error:
            raise PriceError(str(error)) from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> PriceFunction:
        """Read what `document` gave, untrusted. Raises PriceError."""
        names = {"format": str, "kind": str, "points": list, "budget": str, "floor": str}
        rest = {"cap": str, "harmful": int, "useful": int}
        try:
            given, kind, points, budget, floor, cap, harmful, useful = take(
                document, "price function", **names, **rest
            )
        except DocumentError as error:
            raise PriceError(str(error)) from error
        if given != FORMAT or kind not in _KINDS:
            raise PriceError(f"price function: unknown format or kind {given!r:.40}, {kind!r:.40}")
        pairs = []
        for point in points:
            if not isinstance(point, list) or len(point) != 2 or type(point[0]) is not int:
                raise PriceError(f"price function: a point cannot be {point!r:.60}")
            pairs.append((point[0], _wei(point[1])))
        if kind == "binary":
            if len(pairs) != 1:
                raise PriceError(f"a binary price has 1 point, not {len(pairs)}")
            curve: Binary | Piecewise | Menu = Binary(pairs[0][1])
        else:
            curve = Piecewise(tuple(pairs)) if kind == "piecewise" else Menu(tuple(pairs))
        made = cls(curve, _wei(budget), _wei(floor), _wei(cap), harmful, useful)
        if made.document() != document:
            raise PriceError("price function: not in its one form")
        return made


def _wei(text: Any) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 39:
        raise PriceError(f"price function: wei cannot be {text!r:.60}")
    return int(text)
