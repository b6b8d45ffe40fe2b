"""A model owner that buys: it signs what it can check, and checks all that it signed for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import (
    EncryptedFile,
    FileDomain,
    chunk_evidence,
    key_evidence,
)
from offchain.crypto.errors import SealError
from offchain.crypto.keccak_stream import crypt, nonce
from offchain.crypto.sealing import SealedKeys, new_secret, open_keys, point_of, seal
from offchain.mde.deals import PAD_INDEX, Deal, Order, Place, Purchase, dataset_domain
from offchain.mde.errors import MdeError
from offchain.mde.quoting import NO_WORD, Pricing
from offchain.mde.samples import Samples
from offchain.mde.seller import Offer, Said
from offchain.mde.verifiable.quotes import (
    RepeatedSample,
    WrongPrice,
    WrongScore,
    cut,
    find_fault,
    require_registered,
)
from offchain.mde.verifiable.rules import price_rule
from offchain.storage import Datastore

_HEAD_BYTES, _LEAF_BYTES = 64, 32


class QuoteRefused(MdeError):
    """A quote that a careful buyer does not sign."""


@dataclass(frozen=True)
class Fault:
    """What the contract is to judge. call: the proof; evidence: its arguments after deal and
    purchase; told: for people."""

    call: str
    evidence: tuple[Any, ...]
    told: str


@dataclass(frozen=True)
class Delivery:
    """How a key came. ephemeral_x: 0 and sealed: empty where `key` was published."""

    key: bytes = b""
    ephemeral_x: int = 0
    sealed: bytes = b""


@dataclass(frozen=True, eq=False)
class Received:
    """What a delivery was: the samples if nothing can be proved against it, else the fault."""

    samples: Samples | None
    fault: Fault | None


@dataclass(frozen=True)
class Buyer:
    """One order of one model owner. artefact: the file's bytes; pricing: what is in it."""

    place: Place
    artefact: bytes = field(repr=False)
    pricing: Pricing
    store: Datastore
    _secrets: dict[bytes, int] = field(default_factory=dict, repr=False)

    def invite(self, offer: Offer) -> str:
        """CID of the artefact, readable by that seller alone.

        Asked for once the seller's dataset is registered: it must not be made to please.
        """
        return self.store.put(seal(offer.public_key, self.artefact))

    def examine(self, offer: Offer) -> EncryptedFile:
        """The encrypted samples, which must be the registered ones: then they can be disputed.

        Raises FileError or QuoteRefused, or what the datastore raises.
        """
        dataset = offer.dataset
        most = _HEAD_BYTES + dataset.count * (dataset.chunk_bytes + _LEAF_BYTES)
        file = EncryptedFile.from_bytes(self.store.get(offer.file, most))
        require_registered(dataset, self.place, file)
        encoding = self.pricing.encoding
        if dataset.chunk_bytes != encoding.chunk_bytes:
            raise QuoteRefused(
                f"the dataset has chunks of {dataset.chunk_bytes} bytes, samples need chunks of "
                f"{encoding.chunk_bytes}"
            )
        return file

    def require_sound(self, said: Said, order: Order, offer: Offer, now: int) -> None:
        """Raises QuoteRefused or FileError unless a quote is one that this buyer signs.

        now: seconds since 1970.
        """
        deal = said.deal
        if deal.order != order or deal.dataset != offer.dataset:
            raise QuoteRefused("the quote is about another order or another dataset")
        if deal.quote.expiry <= now:
            raise QuoteRefused(f"the quote expired at {deal.quote.expiry}, it is {now}")
        most = self.pricing.price.most
        if deal.quote.price > most:
            raise QuoteRefused(f"{deal.quote.price} are asked, the rule gives at most {most}")
        if self.pricing.verifiable is None:
            if deal.quote.scores != NO_WORD:
                raise QuoteRefused("the quote commits to scores that no tree gives")
            return
        if said.leaves is None:
            raise QuoteRefused("the quote comes without the leaves of its scores")
        said.leaves.require_quoted(deal.quote.scores, deal.dataset.count)

    def one_time_key(self, deal: Deal) -> int:
        """x of a fresh one-time key for this purchase."""
        secret = self._secrets[deal.pair] = new_secret()
        return point_of(secret).x

    def receive(
        self, said: Said, file: EncryptedFile, purchase: Purchase, delivery: Delivery
    ) -> Received:
        """Opens what was delivered and checks key, chunks, duplicates, every score and the price.

        Raises FeatureMismatch, UnknownLabel or NotFinite for samples that follow from what was
        quoted and yet are none of the task's, where no tree gives the contract a say.
        """
        deal = said.deal
        domain = self._domain(deal.dataset.seller, deal.dataset.name)
        key = delivery.key
        if delivery.sealed:
            secret = self._secrets[deal.pair]
            opened = _opened(secret, delivery)
            if opened is None or domain.key_hash(opened) != deal.dataset.key_hash:
                evidence = key_evidence(secret, delivery.ephemeral_x, delivery.sealed)
                return Received(None, Fault("proveWrongKey", (evidence,), "the key is another"))
            key = opened
        chunks, spoilt = _decrypted(domain, key, file)
        if spoilt is not None:
            shown = chunk_evidence(domain, file, spoilt)
            told = f"chunk {spoilt} is not what was quoted"
            return Received(None, Fault("proveSpoiltChunk", (key, shown), told))
        data = b"".join(chunks)
        fault = self._misquoted(said, domain, key, file, data)
        if fault is not None:
            return Received(None, fault)
        return Received(self.pricing.encoding.unpack(data, self.pricing.kind), None)

    def _misquoted(
        self, said: Said, domain: FileDomain, key: bytes, file: EncryptedFile, data: bytes
    ) -> Fault | None:
        """What the contract can be shown of the quote, now that the data are known."""
        verifiable, leaves, rule = self.pricing.verifiable, said.leaves, self.pricing.price
        if verifiable is None or leaves is None:
            return None
        tree, price = verifiable.tree, said.deal.quote.price
        order = said.deal.order.account.id(self.place)
        chunks = cut(tree.encoding, data)
        cipher_root = cm.root_of(file.cipher_leaves(domain))
        match find_fault(tree, rule, data, order, key, leaves, price):
            case WrongScore(index, before):
                evidence = (
                    cipher_root,
                    _sample(file, chunks, index),
                    tree.path(chunks[index]),
                    before,
                    leaves.path(index - 1) if index else [],
                    leaves.leaves[index],
                    leaves.path(index),
                )
                told = f"the score of sample {index} is not what the tree gives"
                return Fault("proveWrongScore", (key, evidence), told)
            case RepeatedSample(first, second):
                both = (_sample(file, chunks, first), _sample(file, chunks, second))
                told = f"samples {first} and {second} are the same"
                return Fault("proveRepeatedSample", (key, cipher_root, *both), told)
            case WrongPrice(total, due):
                shown = (total, leaves.path(len(chunks) - 1))
                told = f"the price is {price}, the rule gives {due}"
                return Fault("proveWrongPrice", (key, shown, price_rule(rule)), told)
        return None

    def _domain(self, seller: str, name: bytes) -> FileDomain:
        return dataset_domain(self.place, seller, name)


def _opened(secret: int, delivery: Delivery) -> bytes | None:
    sealed = SealedKeys(delivery.ephemeral_x, (delivery.sealed,))
    try:
        return open_keys(secret, sealed, [PAD_INDEX])[PAD_INDEX]
    except SealError:  # the sender's point is none, which the contract can be shown
        return None


def _decrypted(
    domain: FileDomain, key: bytes, file: EncryptedFile
) -> tuple[list[bytes], int | None]:
    """The chunks as they are sold, up to the first that is not the committed one, if any is."""
    stream = nonce(domain.digest, cm.root_of(file.plain_leaves))
    chunks: list[bytes] = []
    for i, chunk in enumerate(file.shape.cut(file.ciphertext)):
        plain = crypt(key, stream, i, chunk)
        if domain.plain_leaf(key, i, plain) != file.plain_leaves[i]:
            return chunks, i
        chunks.append(plain)
    return chunks, None


def _sample(file: EncryptedFile, chunks: Sequence[bytes], index: int) -> tuple[Any, ...]:
    """A sample, and where it lies."""
    return (index, chunks[index], cm.path(file.plain_leaves, index))
