"""From an artefact file to orders, and from an order to the artefact that it names."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.crypto.settlement import Settlement
from offchain.mde.artefact import PricingArtefact, load_artefact
from offchain.mde.asked import require_kind
from offchain.mde.deals import Order
from offchain.mde.errors import ArtefactMismatch, TooLarge
from offchain.mde.extraction import TreeEfficacy
from offchain.mde.pricing import PriceFunction
from offchain.mde.samples import Kind
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.quotes import require_order
from offchain.mde.verifiable.rules import rule_hash
from offchain.mde.verifiable.tree import VerifiableArtefact, load_verifiable
from offchain.task import Task

NO_WORD = bytes(32)

MAX_NUMBERS = 1 << 28
"""Samples times classes, or folds, whichever are more: 2 GiB of scores at a time."""

MAX_WORK = 1 << 42
"""Samples times bytes of the artefact, each of which is looked at once for each sample."""


@dataclass(frozen=True)
class OrderTerms:
    """What an owner's order says besides its artefact; fields as in `offchain.mde.deals`."""

    token: str
    stake: int
    settlement: Settlement
    delivery_time: int
    dispute_time: int


def asked(terms: OrderTerms | Order) -> dict[str, float]:
    """What an order asks of a seller, by the names that its owner's limits use.

    Amounts are in the smallest unit, times in seconds. Its money is locked from a purchase until
    the sale is settled.
    """
    return {
        "stake": terms.stake,
        "delivery time": terms.delivery_time,
        "time locked": terms.delivery_time + terms.dispute_time,
    }


@dataclass(frozen=True, eq=False)
class Pricing:
    """An artefact of `size` bytes; where it is one extracted tree, what a contract can check its
    quotes by."""

    artefact: PricingArtefact
    verifiable: VerifiableArtefact | None
    size: int

    @classmethod
    def read(cls, file: bytes, digest: bytes) -> Pricing:
        """From an untrusted file. Raises ArtefactMismatch or ArtefactError."""
        artefact = load_artefact(file, digest)
        efficacy = artefact.efficacy
        if isinstance(efficacy, TreeEfficacy) and len(efficacy.trees) == 1:
            return cls(artefact, load_verifiable(file, digest), len(file))
        return cls(artefact, None, len(file))

    @property
    def kind(self) -> Kind:
        """Which samples it prices."""
        return self.artefact.efficacy.kind

    @property
    def encoding(self) -> Encoding:
        """How samples lie in their chunks."""
        return Encoding.of(self.kind)

    @property
    def price(self) -> PriceFunction:
        """Its price function."""
        return self.artefact.price

    def require_room(self, samples: int) -> None:
        """Raises TooLarge where pricing so many `samples` takes too much memory or time.

        What it takes follows from the artefact's sizes and the count alone.
        """
        efficacy = self.artefact.efficacy
        row = max(self.kind.classes, len(efficacy.fold_sizes))
        if samples * row > MAX_NUMBERS:
            raise TooLarge(
                f"{samples} samples by {row} classes or folds are more than {MAX_NUMBERS} numbers"
            )
        if samples * self.size > MAX_WORK:
            raise TooLarge(
                f"{samples} samples by an artefact of {self.size} bytes are more than {MAX_WORK}"
            )

    def order(self, buyer: str, terms: OrderTerms, task: bytes) -> Order:
        """What a buyer posts. task: digest of the document that names this artefact."""
        tree = None if self.verifiable is None else self.verifiable.tree
        return Order(
            buyer=buyer,
            token=terms.token,
            artefact=task,
            rule=rule_hash(self.price),
            tree=NO_WORD if tree is None else tree.root,
            depth=0 if tree is None else tree.depth,
            features=self.encoding.features,
            value_bytes=self.encoding.value_bytes,
            stake=terms.stake,
            settlement=terms.settlement,
            delivery_time=terms.delivery_time,
            dispute_time=terms.dispute_time,
        )

    def require_named(self, order: Order, task: Task) -> None:
        """Raises ArtefactMismatch unless all that `order` and its task say of their artefact
        follows from it."""
        require_kind(task, self.kind)
        if self.verifiable is not None:
            require_order(order, self.verifiable)
        elif order.rule != rule_hash(self.price) or order.tree != NO_WORD:
            raise ArtefactMismatch(
                f"the order's rule is {order.rule.hex()} and its tree {order.tree.hex()}, the "
                f"artefact's rule is {rule_hash(self.price).hex()}, and it has no tree"
            )
