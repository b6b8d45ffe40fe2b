"""A decision tree that is committed to by one hash: the twin of ``DecisionTree.sol``.

Everything follows from the artefact file, which its readers have and the public has not: scores are
whole units, thresholds whole numbers, and the salts of the leaves are hashed from the file. So a
seller holds an order's tree against the file by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.mde.artefact import PricingArtefact, load_artefact
from offchain.mde.errors import ArtefactError, UnknownLabel
from offchain.mde.extraction import TreeEfficacy
from offchain.mde.pricing import units
from offchain.mde.trees import Tree
from offchain.mde.verifiable.encoding import Encoding, label_of, ordered

SPLIT_TYPE = keccak(b"souk.tree.split.v1")
LEAF_TYPE = keccak(b"souk.tree.leaf.v1")
SALT_TYPE = keccak(b"souk.tree.salt.v1")
SCORE_BYTES = 8

DecisionPath = tuple[list[tuple[int, int, bytes]], bytes, bytes]
"""The struct of ``DecisionTree.sol``, as a call takes it."""


@dataclass(frozen=True)
class CommittedTree:
    """A tree of K nodes, node 0 the root, children after their parents.

    Attributes:
        encoding: of the samples it takes.
        feature: of each node, the value that it compares; -1 at a leaf.
        threshold: of each node: a sample goes left if its value is at most this, else right.
        left, right: children; at a leaf ``left`` is its number and ``right`` is -1.
        scores: by leaf and class, in units (``offchain.mde.pricing``), 64 bits signed.
        secret: 32 bytes that the leaves' salts come from.
    """

    encoding: Encoding
    feature: tuple[int, ...]
    threshold: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    scores: tuple[tuple[int, ...], ...]
    secret: bytes

    @classmethod
    def of(
        cls, tree: Tree, encoding: Encoding, scores: Sequence[Sequence[int]], secret: bytes
    ) -> CommittedTree:
        """From a tree with float32 thresholds. Raises ArtefactError if pixels meet broken ones."""
        if encoding.value_bytes == 1:
            if ((tree.threshold % 1 != 0) | (tree.threshold < 0) | (tree.threshold > 255)).any():
                raise ArtefactError("pixels are compared with whole numbers 0 to 255 alone")
            thresholds = tree.threshold.astype(np.int64)
        else:
            thresholds = ordered(tree.threshold).astype(np.int64)
        if int(tree.feature.max(initial=-1)) >= encoding.features:
            raise ArtefactError(
                f"the tree compares value {int(tree.feature.max())}, "
                f"samples have {encoding.features}"
            )
        return cls(
            encoding,
            tuple(tree.feature.tolist()),
            tuple(thresholds.tolist()),
            tuple(tree.left.tolist()),
            tuple(tree.right.tolist()),
            tuple(tuple(row) for row in scores),
            secret,
        )

    @property
    def root(self) -> bytes:
        """The commitment."""
        return self._hashes[0]

    @cached_property
    def depth(self) -> int:
        """Comparisons on the longest way from the root to a leaf."""
        level = [0] * len(self.feature)
        for node in self._inner:
            level[self.left[node]] = level[self.right[node]] = level[node] + 1
        return max(level)

    def way(self, chunk: bytes) -> list[int]:
        """The nodes that the sample in ``chunk`` passes, from the root to a leaf."""
        values = self.encoding.values(chunk)
        nodes = [0]
        while self.feature[nodes[-1]] >= 0:
            node = nodes[-1]
            goes_left = values[self.feature[node]] <= self.threshold[node]
            nodes.append(self.left[node] if goes_left else self.right[node])
        return nodes

    def score(self, chunk: bytes) -> int:
        """In units, of the sample in ``chunk``. Raises UnknownLabel."""
        scores = self.scores[self.left[self.way(chunk)[-1]]]
        label = label_of(chunk)
        if label >= len(scores):
            raise UnknownLabel(f"label {label} is unknown: the tree has {len(scores)} classes")
        return scores[label]

    def path(self, chunk: bytes) -> DecisionPath:
        """What shows the contract the way of the sample in ``chunk``."""
        nodes = self.way(chunk)
        splits = []
        for node, child in pairwise(nodes):
            other = self.right[node] if child == self.left[node] else self.left[node]
            splits.append((self.feature[node], self.threshold[node], self._hashes[other]))
        leaf = self.left[nodes[-1]]
        return splits, self._salt(leaf), self._packed(leaf)

    @property
    def _inner(self) -> list[int]:
        return [node for node, feature in enumerate(self.feature) if feature >= 0]

    @cached_property
    def _hashes(self) -> list[bytes]:
        hashes = [b""] * len(self.feature)
        for node in range(len(self.feature) - 1, -1, -1):
            if self.feature[node] < 0:
                leaf = self.left[node]
                hashes[node] = keccak(LEAF_TYPE + self._salt(leaf) + keccak(self._packed(leaf)))
            else:
                head = SPLIT_TYPE + word(self.feature[node]) + word(self.threshold[node])
                children = hashes[self.left[node]] + hashes[self.right[node]]
                hashes[node] = keccak(head + children)
        return hashes

    def _salt(self, leaf: int) -> bytes:
        return keccak(SALT_TYPE + self.secret + word(leaf))

    def _packed(self, leaf: int) -> bytes:
        return b"".join(s.to_bytes(SCORE_BYTES, "big", signed=True) for s in self.scores[leaf])


@dataclass(frozen=True, eq=False)
class VerifiableArtefact:
    """An artefact whose quotes a contract can check. digest and tree are what an order names."""

    artefact: PricingArtefact
    tree: CommittedTree

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file."""
        return self.artefact.digest


def load_verifiable(data: bytes, commitment: bytes) -> VerifiableArtefact:
    """Read an untrusted artefact file of one extracted tree, which must be the one committed to.

    Raises ArtefactMismatch or ArtefactError, as ``load_artefact``; ArtefactError too if it holds no
    tree, or more than one.
    """
    artefact = load_artefact(data, commitment)
    efficacy = artefact.efficacy
    if not isinstance(efficacy, TreeEfficacy) or len(efficacy.trees) != 1:
        raise ArtefactError("only quotes by a single extracted tree can be checked by a contract")
    (leaves,) = efficacy.trees
    share = (efficacy.fold_sizes / efficacy.fold_sizes.sum()).tolist()
    # Summed exactly, so that every machine rounds to the same unit.
    scores = [
        [units(math.fsum(a * b for a, b in zip(entry, share, strict=True))) for entry in row]
        for row in leaves.table.tolist()
    ]
    secret = keccak(SALT_TYPE + data)
    tree = CommittedTree.of(leaves.tree, Encoding.of(efficacy.kind), scores, secret)
    return VerifiableArtefact(artefact, tree)
