"""Somebody who posts orders to read data off the quotes: artefacts are made up, leaf by leaf.

A node of its trees is (feature, key, left, right): a value goes left if its image, the whole number
that compares as it does, is at most `key`. A leaf is a list of weights by class.
"""

from __future__ import annotations

import numpy as np
import torch

from offchain.crypto.sealing import seal
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde import events as ev
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.asked import naming
from offchain.mde.extraction import Leaves, TreeEfficacy
from offchain.mde.letters import Invitation, Letter, Proposal, Tell
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import OrderTerms, Pricing
from offchain.mde.samples import Kind
from offchain.mde.seller import Seller
from offchain.mde.setlevel import SetReference
from offchain.mde.trees import Tree
from offchain.mde.verifiable.encoding import Encoding
from offchain.roles import Clock
from offchain.task import publish_task
from tests.kit.wallets import KeyWallet
from tests.offchain.mde.deals_in_memory import PLACE, START
from tests.offchain.mde.small import small_asked

LEAST, GREATEST = 0x00800000, 0xFF7FFFFF
"""The images of the least and the greatest float32."""

IDENTITY = PriceFunction(Piecewise(((0, 0), (2**48, 2**48))), 2**48)
"""The price is the sum of the weights."""


def value_of(key: int) -> float:
    """The float32 whose image is `key`."""
    kind = Kind((1,), False, 2)
    chunk = bytes(2) + key.to_bytes(4, "big") + bytes(26)
    return float(Encoding.of(kind).unpack(chunk, kind).inputs[0, 0])


def made_up(root, kind: Kind, rule: PriceFunction = IDENTITY) -> bytes:
    """The artefact by which a set's score in units is what its samples weigh."""
    rows: list[list[float]] = []
    weights: list[list[int]] = []

    def add(node) -> int:
        at = len(rows)
        rows.append([0, 0.0, 0, 0])
        if isinstance(node, list):
            rows[at] = [-1, 0.0, len(weights), -1]
            weights.append(node)
        else:
            feature, key, left, right = node
            rows[at] = [feature, value_of(key), add(left), add(right)]
        return at

    add(root)
    feature, threshold, left, right = zip(*rows, strict=True)
    kinds = (np.int32, np.float32, np.int32, np.int32)
    parts = zip((feature, threshold, left, right), kinds, strict=True)
    tree = Tree(*(np.array(part, dtype) for part, dtype in parts))
    table = np.array(weights, np.float64)
    table = np.where(table > 0, (table + 0.5) / 1e9, table / 1e9)
    leaves = Leaves(tree, np.full(table.shape, 0.3), np.repeat(table[:, :, None], 2, 2))
    (width,) = kind.shape
    nowhere = SetReference(
        torch.zeros(width),
        torch.eye(width),
        torch.full((1, width), 1e9),
        torch.zeros(1, dtype=torch.int64),
        1e-30,
        1e30,
        np.full(kind.classes, 2.0),
    )
    return artefact_bytes(
        TreeEfficacy("extraction", "nats", (leaves,), np.ones(2), nowhere, kind, {}), rule
    )


class Stranger:
    """Asks `seller`, which registered its data, what they fetch under one order after another.

    Attributes:
        budget: of each order, smallest unit. asked: orders that it posted. answered: of them.
    """

    def __init__(self, seller: Seller, kind: Kind, budget: int) -> None:
        self.wallet, self.seller, self.kind, self.budget = KeyWallet("it"), seller, kind, budget
        self.asked = self.answered = 0

    def ask(self, root, rule: PriceFunction = IDENTITY) -> int:
        """The price that it is told; 0 where it is told none."""
        return self.show(made_up(root, self.kind, rule))

    def show(self, file: bytes) -> int:
        """The same of an artefact file."""
        session, seller = self.seller.session, self.seller
        self.asked += 1
        # Each order differs, so that each is one more.
        terms = OrderTerms(NATIVE, 1, Settlement.SEALED, 600, 600 + self.asked)
        digest = artefact_digest(file)
        width, classes = self.kind.shape[0], self.kind.classes
        task = publish_task(seller.store, naming(small_asked(classes, width), digest))
        order = Pricing.read(file, digest).order(self.wallet.address, terms, task)
        id_ = order.account.id(PLACE)
        session.apply(ev.Posted(id_, self.wallet.address, order.args(), self.budget), START)
        if seller.id not in session.datasets:
            words = seller.register().arguments
            session.apply(ev.Registered(seller.id, seller.account, *words), START)
        sealed = seal(session.datasets[seller.id].name, file)
        invitation = Invitation(id_, seller.id, seller.store.put(sealed))
        session.hear(Letter(self.wallet.address, seller.account, invitation))
        said = []
        while isinstance(told := seller.next_action(Clock(START, 1)), Tell):
            for letter in told.letters:
                session.hear(Letter.read(letter.sender, letter.body()))
                said += [letter.message] if isinstance(letter.message, Proposal) else []
        self.answered += len(said)
        return said[0].price if said else 0


def in_order(edges: list[int], leaf):
    """Value 0 told apart at `edges`, ascending; what lies in piece k weighs `leaf(k)`."""

    def grow(low: int, high: int):
        if low == high:
            return leaf(low)
        middle = (low + high) // 2
        return (0, edges[middle], grow(low, middle), grow(middle + 1, high))

    return grow(0, len(edges))


def read_off(stranger: Stranger, count: int) -> tuple[list[list[float]], list[int]]:
    """`count` samples with different first values, and their labels, by the first value."""
    width, classes = stranger.kind.shape[0], stranger.kind.classes
    firsts = _first_values(stranger, count)
    edges = firsts[:-1]
    labels = [0] * count
    for c in range(1, classes):
        total = stranger.ask(
            in_order(edges, lambda k, c=c: [2**k * (one == c) for one in range(classes)])
        )
        labels = [label + c * (total >> k & 1) for k, label in enumerate(labels)]
    rows = [[value_of(first)] for first in firsts]
    for feature in range(1, width):
        runs = [(LEAST, GREATEST)] * count
        # One quote halves, for every sample, where its value may lie.
        while any(low < high for low, high in runs):
            middles = [(low + high) // 2 for low, high in runs]
            total = stranger.ask(
                in_order(
                    edges,
                    lambda k, f=feature, m=middles: (f, m[k], [2**k] * classes, [0] * classes),
                )
            )
            runs = [
                (low, middle) if total >> k & 1 else (min(middle + 1, high), high)
                for k, ((low, high), middle) in enumerate(zip(runs, middles, strict=True))
            ]
        for row, (low, _) in zip(rows, runs, strict=True):
            row.append(value_of(low))
    return rows, labels


def _first_values(stranger: Stranger, count: int) -> list[int]:
    """The images of all values of feature 0, ascending: one quote halves every run of them."""
    classes = stranger.kind.classes
    runs = [(LEAST, GREATEST, count)]
    while any(low < high for low, high, _ in runs):
        edges: list[int] = []
        radix, weighs = 1, {}
        for low, high, held in runs:
            weighs[len(edges)] = radix
            edges += [(low + high) // 2, high]
            radix *= held + 1
        total = stranger.ask(in_order(edges[:-1], lambda k, w=weighs: [w.get(k, 0)] * classes))
        after = []
        for low, high, held in runs:
            total, left = divmod(total, held + 1)
            left, middle = min(left, held), (low + high) // 2
            after += [(low, middle, left)] * (left > 0)
            after += [(min(middle + 1, high), high, held - left)] * (left < held)
        runs = after
    return [low for low, _, held in runs for _ in range(held)]
