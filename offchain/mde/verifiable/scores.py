"""The running totals that a quote commits to: the twin of ``contracts/mde/quotes/Scores.sol``.

Leaf i binds order, key, i and the total up to sample i. Each sample adds its score, or nothing if
its score is positive and the seller leaves it out. The seller hands all leaves to the buyer before
either signs; with the key the buyer opens them one after the other, and the first that is neither
of the two it may be is the one to show the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.commitments import word
from offchain.crypto.errors import FileError
from offchain.mde.errors import MdeError

SCORE_TYPE = keccak(b"souk.quote.score.v1")


def score_leaf(order: bytes, key: bytes, index: int, total: int) -> bytes:
    """Leaf ``index``, of a total in units. order: its id; key: the dataset's."""
    signed = total.to_bytes(32, "big", signed=True)
    return keccak(keccak(SCORE_TYPE + word(order) + word(key) + word(index) + signed))


def running_totals(scores: Sequence[int], counted: Sequence[bool]) -> list[int]:
    """The total up to each sample, in units, of those that count.

    Raises MdeError where a negative score does not count, which no quote may have.
    """
    totals = []
    total = 0
    for i, (score, counts) in enumerate(zip(scores, counted, strict=True)):
        if not counts and score < 0:
            raise MdeError(f"sample {i} has a score of {score} units and cannot be left out")
        total += score if counts else 0
        totals.append(total)
    return totals


@dataclass(frozen=True)
class ScoreLeaves:
    """All leaves of a quote, 32 bytes each: what the seller hands to the buyer."""

    leaves: tuple[bytes, ...]

    @classmethod
    def of(cls, order: bytes, key: bytes, totals: Sequence[int]) -> ScoreLeaves:
        """The leaves of running totals."""
        return cls(tuple(score_leaf(order, key, i, total) for i, total in enumerate(totals)))

    @cached_property
    def root(self) -> bytes:
        """What the quote names."""
        return cm.root_of(self.leaves)

    def to_bytes(self) -> bytes:
        """The leaves as they go into the datastore."""
        return b"".join(self.leaves)

    @classmethod
    def from_bytes(cls, data: bytes) -> ScoreLeaves:
        """The leaves that `to_bytes` wrote. Raises FileError for bytes that are no words."""
        if not data or len(data) % 32:
            raise FileError(f"{len(data)} bytes of scores, needs a multiple of 32")
        return cls(tuple(data[i : i + 32] for i in range(0, len(data), 32)))

    def path(self, index: int) -> list[bytes]:
        """Siblings from leaf ``index`` to the root."""
        return cm.path(self.leaves, index)

    def require_quoted(self, scores: bytes, count: int) -> None:
        """Raises FileError unless these are a quote's leaves. A buyer asks before it signs."""
        if len(self.leaves) != count or self.root != scores:
            raise FileError(
                f"{len(self.leaves)} scores with root {self.root.hex()}, "
                f"the quote has {count} with root {scores.hex()}"
            )


@dataclass(frozen=True)
class Opened:
    """What a buyer finds in the leaves by key and true scores.

    Attributes:
        totals: the running totals in units, up to the first wrong leaf.
        wrong: index of the first leaf that is not as it may be; None if all are.
    """

    totals: tuple[int, ...]
    wrong: int | None

    def before(self, index: int) -> int:
        """The total before sample ``index``, in units."""
        return self.totals[index - 1] if index else 0


def open_scores(
    order: bytes, key: bytes, leaves: ScoreLeaves, scores: Sequence[int | None]
) -> Opened:
    """Open ``leaves`` by the scores that the tree gives, in units; None where it gives none."""
    totals: list[int] = []
    for i, (leaf, score) in enumerate(zip(leaves.leaves, scores, strict=True)):
        before = totals[-1] if totals else 0
        may_be = [] if score is None else [before + score, before][: 2 if score > 0 else 1]
        found = [total for total in may_be if score_leaf(order, key, i, total) == leaf]
        if not found:
            return Opened(tuple(totals), i)
        totals.append(found[0])
    return Opened(tuple(totals), None)
