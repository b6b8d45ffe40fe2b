"""Merkle multiproofs by a second hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eth_hash.auto import keccak


def proven_root(count: int, leaves: Mapping[int, bytes], proof: Sequence[bytes]) -> bytes:
    """The root that `leaves` (index -> leaf) and a multiproof give; ValueError on a wrong length.

    Written from the paper's picture of a tree, level by level, without looking at commitments.py.
    """
    row, left, width = dict(leaves), list(proof), count
    while width > 1:
        above = {}
        for parent in sorted({index // 2 for index in row}):
            pair = []
            for child in (2 * parent, 2 * parent + 1):
                if child in row:
                    pair.append(row[child])
                elif child < width:
                    if not left:
                        raise ValueError("the proof is too short")
                    pair.append(left.pop(0))
            above[parent] = keccak(pair[0] + pair[1]) if len(pair) == 2 else pair[0]
        row, width = above, (width + 1) // 2
    if left:
        raise ValueError("the proof is too long")
    return row[0]
