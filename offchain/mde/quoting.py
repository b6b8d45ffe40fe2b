"""From an artefact file to orders and quotes: what both sides of a deal compute, each by itself."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.crypto.deals import Order
from offchain.crypto.listings import Settlement
from offchain.data.imageset import Progress
from offchain.mde.artefact import PricingArtefact, load_artefact
from offchain.mde.errors import ArtefactMismatch
from offchain.mde.extraction import TreeEfficacy
from offchain.mde.pricing import PriceFunction
from offchain.mde.samples import Kind, Samples
from offchain.mde.verifiable.rules import rule_hash
from offchain.mde.verifiable.samples import Encoding
from offchain.mde.verifiable.scores import running_totals
from offchain.mde.verifiable.tree import CommittedTree, load_verifiable

NO_WORD = bytes(32)


@dataclass(frozen=True)
class Terms:
    """What an owner's order says besides its artefact; fields as in `offchain.crypto.deals`."""

    token: str
    stake: int
    settlement: Settlement
    delivery_time: int
    dispute_time: int


@dataclass(frozen=True)
class Valued:
    """What a set fetches. score: of the set, in units. price: smallest unit of the currency.

    totals: running totals of its samples' scores, in units; None where nobody can check them.
    """

    score: int
    price: int
    totals: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Pricing:
    """An artefact and, where it is one extracted tree, what a contract can check it by."""

    artefact: PricingArtefact
    tree: CommittedTree | None

    @classmethod
    def read(cls, file: bytes, digest: bytes) -> Pricing:
        """From an untrusted file. Raises ArtefactMismatch or ArtefactError."""
        artefact = load_artefact(file, digest)
        efficacy = artefact.efficacy
        if isinstance(efficacy, TreeEfficacy) and len(efficacy.trees) == 1:
            return cls(artefact, load_verifiable(file, digest).tree)
        return cls(artefact, None)

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

    def order(self, buyer: str, terms: Terms) -> Order:
        """What a buyer posts."""
        return Order(
            buyer,
            terms.token,
            self.artefact.digest,
            rule_hash(self.price),
            NO_WORD if self.tree is None else self.tree.root,
            0 if self.tree is None else self.tree.depth,
            self.encoding.features,
            self.encoding.value_bytes,
            terms.stake,
            terms.settlement,
            terms.delivery_time,
            terms.dispute_time,
        )

    def require_named(self, order: Order) -> None:
        """Raises ArtefactMismatch unless all that `order` says of its artefact follows from it."""
        terms = Terms(
            order.token, order.stake, order.settlement, order.delivery_time, order.dispute_time
        )
        own = self.order(order.buyer, terms)
        for name in ("artefact", "rule", "tree", "depth", "features", "value_bytes"):
            said, found = getattr(order, name), getattr(own, name)
            if said != found:
                show = [x.hex() if isinstance(x, bytes) else str(x) for x in (said, found)]
                raise ArtefactMismatch(f"the order's {name} is {show[0]}, the file gives {show[1]}")

    def valued(self, samples: Samples, progress: Progress | None = None) -> Valued:
        """What `samples` fetch. Raises FeatureMismatch or UnknownLabel if they do not fit.

        Where a contract walks the tree, every sample that harms counts, as it does there; what is
        redundant counts only so.
        """
        if self.tree is None:
            quote = self.artefact.quote(samples, progress)
            return Valued(quote.score, quote.price, None)
        weights = self.artefact.efficacy.report(samples, progress).weights
        scores = [self.tree.score(chunk) for chunk in chunks_of(self.encoding, samples)]
        counted = [weight > 0 or score < 0 for weight, score in zip(weights, scores, strict=True)]
        totals = tuple(running_totals(scores, counted))
        return Valued(totals[-1], self.price.price(totals[-1]), totals)


def chunks_of(encoding: Encoding, samples: Samples) -> list[bytes]:
    """Each sample in its chunk."""
    data, size = encoding.pack(samples), encoding.chunk_bytes
    return [data[start : start + size] for start in range(0, len(data), size)]
