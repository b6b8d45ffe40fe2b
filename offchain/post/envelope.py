"""What goes from node to node: letters with their signatures, and who has how many.

Both are read from anybody, so each has one form and bounds, and reading raises nothing else than
Unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from offchain.post.letter import MAX_BODY_BYTES, MOST_LETTERS

LETTER, TALLY = b"\x01", b"\x02"
"""First byte of each."""
MOST_TOLD = 192
"""Lines in one tally."""

ADDRESS, _RUN, _NUMBER, _SIGNATURE = 20, 8, 4, 65
LINE = ADDRESS + _RUN
"""Bytes of a line, which is a sender and one of its runs: letters of one line are in order."""
_HEAD = 1 + LINE + _NUMBER + _SIGNATURE
FIRST, LAST = bytes(LINE), b"\xff" * LINE


class Unreadable(ValueError):
    """Bytes that are neither."""


@dataclass(frozen=True)
class Envelope:
    """A letter as it is carried.

    Attributes:
        sender: 20 bytes, the account that it says it is from.
        run, number: as Letter has them.
        signature: 65 bytes r, s, v, of Topic.typed.
        body: as Letter has it.
    """

    sender: bytes
    run: int
    number: int
    signature: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """Its sender and run, `LINE` bytes."""
        return line_of(self.sender, self.run)

    def to_bytes(self) -> bytes:
        """As it is carried."""
        number = self.number.to_bytes(_NUMBER, "big")
        return LETTER + self.line + number + self.signature + self.body

    @classmethod
    def from_bytes(cls, data: bytes) -> Envelope:
        """What `to_bytes` wrote. Raises Unreadable."""
        if data[:1] != LETTER or not _HEAD <= len(data) <= _HEAD + MAX_BODY_BYTES:
            raise Unreadable(f"{len(data)} bytes that are no letter")
        line, rest = data[1 : 1 + LINE], data[1 + LINE :]
        number = int.from_bytes(rest[:_NUMBER], "big")
        if number >= MOST_LETTERS:
            raise Unreadable(f"a letter's number is below {MOST_LETTERS}, not {number}")
        signature = rest[_NUMBER : _NUMBER + _SIGNATURE]
        return cls(*parts_of(line), number, signature, rest[_NUMBER + _SIGNATURE :])


def line_of(sender: bytes, run: int) -> bytes:
    """`LINE` bytes."""
    return sender + run.to_bytes(_RUN, "big")


def parts_of(line: bytes) -> tuple[bytes, int]:
    """Sender, 20 bytes, and run."""
    return line[:ADDRESS], int.from_bytes(line[ADDRESS:], "big")


@dataclass(frozen=True)
class Tally:
    """How many letters somebody has of each line from `first` to `last`; of others there none.

    Nobody signs it: it asks for what its teller lacks, and whoever asks for too much gets no more
    than is sent again anyway.
    """

    first: bytes
    last: bytes
    counts: Mapping[bytes, int]

    def to_bytes(self) -> bytes:
        """As it is carried."""
        pairs = (one + count.to_bytes(_NUMBER, "big") for one, count in sorted(self.counts.items()))
        return TALLY + self.first + self.last + b"".join(pairs)

    @classmethod
    def from_bytes(cls, data: bytes) -> Tally:
        """What `to_bytes` wrote. Raises Unreadable."""
        pair, begin = LINE + _NUMBER, 1 + 2 * LINE
        size, odd = divmod(len(data) - begin, pair)
        if data[:1] != TALLY or not 0 <= size <= MOST_TOLD or odd:
            raise Unreadable(f"{len(data)} bytes that are no tally")
        first, last = data[1 : 1 + LINE], data[1 + LINE : begin]
        counts: dict[bytes, int] = {}
        before = None
        for at in range(begin, len(data), pair):
            line = data[at : at + LINE]
            count = int.from_bytes(data[at + LINE : at + pair], "big")
            ordered = first <= line <= last and (before is None or before < line)
            if not ordered or not 1 <= count <= MOST_LETTERS:
                raise Unreadable("a tally's lines ascend in its range, each with a letter or more")
            counts[line] = count
            before = line
        if not first <= last:
            raise Unreadable("a tally's range ends before it begins")
        return cls(first, last, counts)


def tallies(counts: Mapping[bytes, int]) -> Iterator[Tally]:
    """All of `counts`, of lines, in as few tallies as hold them, without a gap."""
    lines = sorted(counts)
    first = FIRST
    for start in range(0, max(1, len(lines)), MOST_TOLD):
        told = lines[start : start + MOST_TOLD]
        at_end = start + MOST_TOLD >= len(lines)
        last = LAST if at_end else told[-1]
        yield Tally(first, last, {one: counts[one] for one in told})
        first = (int.from_bytes(last, "big") + 1 & (1 << 8 * LINE) - 1).to_bytes(LINE, "big")
