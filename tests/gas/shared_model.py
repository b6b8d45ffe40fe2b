"""What it costs to teach and to ask a shared model: every call, for every classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.utils import ZERO_ADDRESS

from tests.gas.floors import CHANGED_SLOT, NEW_SLOT, PAYMENT, READ_SLOT, calldata_floor, intrinsic
from tests.gas.samples import ACTIVE, KINDS, bitmap, sample, sizes, touched_words, trained
from tests.kit.snapshots import undone
from tests.sum.model_driver import TASK

DAY = 86_400
REFUND, AUTHOR, VERDICT, *_ = WAITS = (DAY, 2 * DAY, DAY, 9 * DAY, 9 * DAY, 60)
VALUE = 10**17
"""More than any deposit here; what is too much is credited."""

TERMS = (5, 3, 10**12, WAITS)

STATED_ACCURACY = 7_700

INCENTIVES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "StakeIncentive": lambda _: TERMS,
    "EntropyIncentive": lambda classifier: (*TERMS, classifier, STATED_ACCURACY),
}
"""By name of the contract, what it is deployed with for a classifier."""


@dataclass(frozen=True)
class Setup:
    """A classifier and an incentive, by names of their contracts."""

    classifier: str
    incentive: str = "StakeIncentive"

    @property
    def counts(self) -> bool:
        """Whether the classifier counts: any lesson then changes it, whatever it predicted."""
        return self.classifier != "SparsePerceptron"


SETUPS = (
    *map(Setup, ("SparsePerceptron", "NearestCentroid", "NaiveBayes")),
    Setup("SparsePerceptron", "EntropyIncentive"),
)


@dataclass(frozen=True)
class Call:
    """Gas of one call, its floor, and how many words of the model it touches."""

    gas: int
    floor: int
    words: int


@dataclass(frozen=True)
class Measured:
    """All calls of one setup: by kind of sample, active features and name; and initialisation."""

    calls: dict[str, dict[int, dict[str, Call]]]
    initialise: Call


class Bench:
    """A model that has learnt, an author with good data, and a reporter with some too."""

    def __init__(self, project: Any, accounts: Any, setup: Setup) -> None:
        self.setup = setup
        self.owner, self.author, self.reporter = accounts[0], accounts[1], accounts[2]
        deploy = {"sender": self.owner}
        self.classifier = project.get_contract(setup.classifier).deploy(
            self.owner, *sizes(setup.classifier), **deploy
        )
        words = trained(setup.classifier).words()
        created = self.classifier.initialise(0, words, **deploy)
        # A word that stays zero need not be written.
        self.initialise = _transaction(
            created, sum(word != 0 for word in words) * NEW_SLOT, len(words)
        )
        incentive = project.get_contract(setup.incentive).deploy(
            *INCENTIVES[setup.incentive](self.classifier), **deploy
        )
        self.model = project.SharedModel.deploy(
            self.classifier, incentive, ZERO_ADDRESS, self.owner, TASK, **deploy
        )
        self.classifier.open(self.model, **deploy)
        for account in (self.author, self.reporter):
            features = bitmap([int(account == self.author), 500])
            at = self.add(features, self.model.predict(features), account)[1]
            self.refund(features, at, account)

    def add(self, features: list[int], label: int, account: Any = None) -> tuple[ReceiptAPI, int]:
        """Adds a sample; the receipt and when."""
        ape.chain.pending_timestamp += 100
        sent = {"sender": account or self.author, "value": VALUE}
        receipt = self.model.addData(features, label, VALUE, VALUE, **sent)
        return receipt, self.model.lastUpdate()

    def refund(
        self, features: list[int], at: int, account: Any = None
    ) -> tuple[ReceiptAPI, ReceiptAPI]:
        """Announces as good what the model agrees with, and has its refund when that is due."""
        account = account or self.author
        label = self.model.predict(features)
        ape.chain.pending_timestamp = at + REFUND
        announced = self.model.announce(features, label, at, account, sender=account)
        ape.chain.pending_timestamp = at + REFUND + VERDICT
        return announced, self.model.refund(features, label, at, account, sender=account)

    def measure(self, indices: list[int]) -> dict[str, Call]:
        """Every call with one sample; the model is left as it was."""
        features, words = bitmap(indices), touched_words(self.setup.classifier, indices)
        with undone():
            liked = self.model.predict(features)
            # A view, sent as a transaction so that a receipt says what it takes.
            predicted = self.classifier.predict.transact(features, sender=self.author)
            paid = self.model.payForPrediction(features, VALUE, sender=self.author, value=VALUE)
            right, at = self.add(features, liked)
            announced, refunded = self.refund(features, at)
            wrong, at = self.add(features, 1 - liked)
            while self.model.predict(features) != liked:
                self.add(features, liked)
            named = features, 1 - liked, at, self.author
            ape.chain.pending_timestamp = at + REFUND + AUTHOR
            self.model.announce(*named, sender=self.reporter)
            ape.chain.pending_timestamp = at + REFUND + AUTHOR + VERDICT
            reported = self.model.report(*named, self.reporter, sender=self.reporter)
            again = self.add(features, 1 - liked)[1]
            upheld = self.model.uphold(*named[:3], again, sender=self.author)
            objected = self._objected(features, liked)

        # The samples and totals of the classes are a word besides; the perceptron's intercept,
        # which no lesson changes, would not have to be one.
        needed = words + self.setup.counts
        reads, writes = needed * READ_SLOT, needed * CHANGED_SLOT
        # The record and the totals.
        added = NEW_SLOT + CHANGED_SLOT
        return {
            "add, model right": _transaction(
                right, added + (writes if self.setup.counts else reads), words
            ),
            "add, model wrong": _transaction(wrong, added + writes, words),
            # The record.
            "announce": _transaction(announced, CHANGED_SLOT + reads, words),
            "object": _transaction(objected, CHANGED_SLOT + reads, words),
            # The record; what it is contributed again by and the author's number are read.
            "uphold": _transaction(upheld, CHANGED_SLOT + 2 * READ_SLOT, words),
            # The record, the author's good data and the total of good data, and the payment.
            "refund": _transaction(refunded, 3 * CHANGED_SLOT + PAYMENT + reads, words),
            # The record; both counts of good data are read; and the payment.
            "report": _transaction(reported, CHANGED_SLOT + 2 * READ_SLOT + PAYMENT + reads, words),
            # The totals, where the payment waits to be shared.
            "pay for a prediction": _transaction(paid, CHANGED_SLOT + reads, words),
            "predict": _execution(predicted, reads, words),
        }

    def _objected(self, features: list[int], liked: int) -> ReceiptAPI:
        """Somebody objects to a refund of what the model was taught to deny."""
        label, at = liked, self.add(features, liked)[1]
        ape.chain.pending_timestamp = at + REFUND
        self.model.announce(features, label, at, self.author, sender=self.author)
        while self.model.predict(features) == label:
            self.add(features, 1 - label)
        ape.chain.pending_timestamp += REFUND
        return self.model.object(features, label, at, self.author, sender=self.reporter)


def measure_model(project: Any, accounts: Any, setup: Setup) -> Measured:
    """Every call by kind and size, each on the same model, and the initialisation of all words."""
    bench = Bench(project, accounts, setup)
    calls = {
        kind: {active: bench.measure(sample(kind, active)) for active in ACTIVE} for kind in KINDS
    }
    return Measured(calls, bench.initialise)


def _transaction(receipt: ReceiptAPI, deed: int, words: int) -> Call:
    calldata = bytes(receipt.data)
    return Call(receipt.gas_used, max(intrinsic(calldata) + deed, calldata_floor(calldata)), words)


def _execution(receipt: ReceiptAPI, deed: int, words: int) -> Call:
    """Without what the transaction pays before its first step, as a contract's call would not."""
    calldata = bytes(receipt.data)
    assert receipt.gas_used > calldata_floor(calldata), "the receipt shows calldata's floor instead"
    return Call(receipt.gas_used - intrinsic(calldata), deed, words)
