"""What it costs to teach a shared model: every call with 20, 60 and 120 active features of 1,000.

Two kinds of samples: `words`, drawn by Zipf's law, touches about as many words of the model as the
IMDB reviews of that length do (23 of 48 with 60 active); `spread`, evenly spaced, touches the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ape
import numpy as np
from ape.api import ReceiptAPI

from offchain.sum.perceptron import WEIGHTS_PER_WORD, SparsePerceptron
from tests.gas.floors import CHANGED_SLOT, NEW_SLOT, PAYMENT, READ_SLOT, calldata_floor, intrinsic

FEATURES = 1_000
ACTIVE = (20, 60, 120)
KINDS = ("spread", "words")
MAX_ACTIVE = 500
DAY = 86_400
WAITS = (DAY, 9 * DAY, 9 * DAY)
VALUE = 10**17


@dataclass(frozen=True)
class Call:
    """Gas of one transaction, its floor, and how many words of the model its sample touches."""

    gas: int
    floor: int
    words: int


Measured = dict[str, dict[int, dict[str, Call]]]
"""By kind of sample, active features and call."""


def sample(active: int, kind: str) -> list[int]:
    """Indices of the active features, ascending; always the same."""
    if kind == "spread":
        return [i * FEATURES // active for i in range(active)]
    weights = 1 / (np.arange(FEATURES) + 20.0)
    chosen = np.random.default_rng(active).choice(
        FEATURES, active, replace=False, p=weights / weights.sum()
    )
    return sorted(int(i) for i in chosen)


def bitmap(indices: list[int]) -> list[int]:
    """The words of a sample, as the contracts take it."""
    words = [0] * -(-FEATURES // 256)
    for i in indices:
        words[i >> 8] |= 1 << (i & 255)
    return words


def trained_words() -> list[int]:
    """Words of a perceptron that looks trained: no weight is zero, so no write fills a slot."""
    rng = np.random.default_rng(7)
    model = SparsePerceptron(FEATURES, MAX_ACTIVE)
    model.weights[:] = rng.integers(1, 401, FEATURES) * rng.choice([-1, 1], FEATURES)
    return model.words()[:-1]


class Bench:
    """A fresh model, an author with good data, and a reporter with some too."""

    def __init__(self, project: Any, accounts: Any) -> None:
        self.owner, self.author, self.reporter = accounts[0], accounts[1], accounts[2]
        deploy = {"sender": self.owner}
        self.classifier = project.SparsePerceptron.deploy(FEATURES, MAX_ACTIVE, **deploy)
        self.created = self.classifier.initialise(0, trained_words(), **deploy)
        incentive = project.StakeIncentive.deploy(5, 3, 10**12, WAITS, **deploy)
        self.model = project.SharedModel.deploy(self.classifier, incentive, **deploy)
        self.classifier.open(self.model, **deploy)
        for account in (self.author, self.reporter):
            features = bitmap([int(account == self.author), 500])
            at = self.add(features, self.model.predict(features), account)[1]
            self.refund(features, at, account)

    def add(self, features: list[int], label: int, account: Any = None) -> tuple[ReceiptAPI, int]:
        """Adds a sample; the receipt and when."""
        ape.chain.pending_timestamp += 100
        receipt = self.model.addData(features, label, sender=account or self.author, value=VALUE)
        return receipt, self.model.lastUpdate()

    def refund(self, features: list[int], at: int, account: Any = None) -> ReceiptAPI:
        """Refunds what the model agrees with, a day later."""
        ape.chain.pending_timestamp = at + DAY
        label = self.model.predict(features)
        return self.model.refund(features, label, at, sender=account or self.author)

    def measure(self, active: int, kind: str) -> dict[str, Call]:
        """The four calls with one sample."""
        indices = sample(active, kind)
        features, words = bitmap(indices), len({i // WEIGHTS_PER_WORD for i in indices})
        liked = self.model.predict(features)
        right, at = self.add(features, liked)
        refunded = self.refund(features, at)
        wrong, at = self.add(features, 1 - liked)
        while self.model.predict(features) != liked:
            self.add(features, liked)
        ape.chain.pending_timestamp = at + DAY
        reported = self.model.report(features, 1 - liked, at, self.author, sender=self.reporter)
        reads = words * READ_SLOT
        deeds = {
            # The record, the totals, and the model as far as the sample touches it.
            "add, model right": (right, NEW_SLOT + CHANGED_SLOT + reads),
            "add, model wrong": (wrong, NEW_SLOT + CHANGED_SLOT + words * CHANGED_SLOT),
            # The record, the author's good data and the total of good data, and the payment.
            "refund": (refunded, 3 * CHANGED_SLOT + PAYMENT + reads),
            # The record; both counts of good data are read; and the payment.
            "report": (reported, CHANGED_SLOT + 2 * READ_SLOT + PAYMENT + reads),
        }
        return {name: _call(receipt, deed, words) for name, (receipt, deed) in deeds.items()}


def measure_model(project: Any, accounts: Any) -> tuple[Measured, Call]:
    """Every call by kind and size, each on a fresh model, and the initialisation of all weights."""
    measured: Measured = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for active in ACTIVE:
            bench = Bench(project, accounts)
            measured[kind][active] = bench.measure(active, kind)
    words = -(-FEATURES // WEIGHTS_PER_WORD)
    return measured, _call(bench.created, words * NEW_SLOT, words)


def _call(receipt: ReceiptAPI, deed: int, words: int) -> Call:
    calldata = bytes(receipt.data)
    return Call(receipt.gas_used, max(intrinsic(calldata) + deed, calldata_floor(calldata)), words)
