"""Large Merkle trees of which a few leaves count."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from eth_hash.auto import keccak

from offchain.crypto.commitments import word


class StockTree:
    """A tree of `count` leaves, a power of two, of which those given, by index, are its own.

    The others follow from `kind`, and are hashed once. Roots and paths are those of `commitments`.
    """

    def __init__(self, kind: bytes, count: int, leaves: Mapping[int, bytes]) -> None:
        self._stock = _stock(kind, count)
        # By level, what differs from the stock.
        self._own: list[dict[int, bytes]] = [dict(leaves)]
        for level in range(len(self._stock) - 1):
            above = {index >> 1 for index in self._own[level]}
            self._own.append(
                {
                    index: keccak(self._node(level, 2 * index) + self._node(level, 2 * index + 1))
                    for index in above
                }
            )

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self._node(len(self._stock) - 1, 0)

    def leaf(self, index: int) -> bytes:
        """Leaf `index`, 32 bytes."""
        return self._node(0, index)

    def path(self, index: int) -> list[bytes]:
        """Siblings from leaf `index` to the root."""
        return [self._node(k, (index >> k) ^ 1) for k in range(len(self._stock) - 1)]

    def _node(self, level: int, index: int) -> bytes:
        own = self._own[level]
        return own[index] if index in own else self._stock[level][index]


@cache
def _stock(kind: bytes, count: int) -> list[list[bytes]]:
    """All levels, leaves first, of a tree of that kind without leaves of its own."""
    if count & (count - 1):
        raise ValueError(f"{count} leaves, needs a power of two")
    levels = [[keccak(kind + word(index)) for index in range(count)]]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([keccak(row[i] + row[i + 1]) for i in range(0, len(row), 2)])
    return levels
