"""A data owner that sells: it commits to its data, quotes by itself, and shows nothing first."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_bytes

import numpy as np

from offchain.crypto.disputable import EncryptedFile, FileDomain, encrypt_chunks
from offchain.crypto.sealing import Point, public_key_of, seal_keys, unseal
from offchain.data.imageset import Progress
from offchain.mde.artefact_reading import MAX_ARTEFACT_BYTES
from offchain.mde.deals import (
    PAD_INDEX,
    Dataset,
    Deal,
    Order,
    Place,
    Purchase,
    Quote,
    dataset_domain,
)
from offchain.mde.quoting import NO_WORD, Pricing
from offchain.mde.samples import Samples
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.quotes import verifiable_quote
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.storage import Datastore

SEALED_BYTES = 48
"""What a sealed box adds to a message."""


@dataclass(frozen=True)
class Offer:
    """What a seller hands to a buyer, beside its dataset on chain.

    file: CID of the encrypted samples. public_key: X25519, to which the artefact is sealed.
    """

    dataset: Dataset
    file: str
    public_key: bytes


@dataclass(frozen=True)
class Said:
    """A quote before it is signed. leaves: of all scores, None where nobody can check them."""

    deal: Deal
    leaves: ScoreLeaves | None


class Seller:
    """One dataset of one data owner.

    samples: what it has; of exact duplicates the first is sold. address: 0x, of its account.
    """

    def __init__(self, address: str, place: Place, samples: Samples, store: Datastore) -> None:
        self.address, self.place = address, place
        self.samples = distinct(samples)
        self._store = store
        self._name, self._key, self._private = token_bytes(32), token_bytes(32), token_bytes(32)

    @property
    def domain(self) -> FileDomain:
        """That of its file."""
        return dataset_domain(self.place, self.address, self._name)

    def offer(self, token: str, encoding: Encoding) -> Offer:
        """Encrypts the samples, one to a chunk, and stores them. Raises FeatureMismatch."""
        file = self._encrypted(encoding)
        dataset = Dataset(
            seller=self.address,
            token=token,
            name=self._name,
            file=file.commitment(self.domain),
            key_hash=self.domain.key_hash(self._key),
            count=len(self.samples),
            chunk_bytes=encoding.chunk_bytes,
        )
        return Offer(dataset, self._store.put(file.to_bytes()), public_key_of(self._private))

    def read(self, order: Order, cid: str) -> Pricing:
        """The artefact that was sealed to it, which must be the one that `order` names.

        Raises ArtefactMismatch or ArtefactError, and what the datastore and the seal raise.
        """
        sealed = self._store.get(cid, MAX_ARTEFACT_BYTES + SEALED_BYTES)
        pricing = Pricing.read(unseal(self._private, sealed), order.artefact)
        pricing.require_named(order)
        return pricing

    def quote(
        self,
        order: Order,
        dataset: Dataset,
        pricing: Pricing,
        expiry: int,
        progress: Progress | None = None,
    ) -> Said:
        """What its data fetch, computed here. expiry: seconds since 1970."""
        price, leaves = self._quoted(pricing, order.account.id(self.place), progress)
        root = NO_WORD if leaves is None else leaves.root
        return Said(Deal(order, dataset, Quote(price=price, scores=root, expiry=expiry)), leaves)

    def efficacy(self, pricing: Pricing) -> float:
        """What the set does to another model of the owner's, in nats; nothing is bound by it."""
        return pricing.artefact.efficacy.report(self.samples).total

    def delivered_key(self) -> bytes:
        """What it publishes under open settlement."""
        return self._key

    def sealed_key(self, purchase: Purchase) -> tuple[int, bytes]:
        """What it delivers under sealed settlement: its point's x, and the key for the buyer."""
        point = Point.with_even_y(purchase.one_time_key)
        sealed = seal_keys(point, {PAD_INDEX: self.delivered_key()})
        return sealed.ephemeral_x, sealed.sealed[0]

    def _encrypted(self, encoding: Encoding) -> EncryptedFile:
        packed = encoding.pack(self.samples)
        return encrypt_chunks(self.domain, self._key, packed, encoding.chunk_bytes)

    def _quoted(
        self, pricing: Pricing, order: bytes, progress: Progress | None
    ) -> tuple[int, ScoreLeaves | None]:
        """Price, and leaves where the contract can check them. order: its id."""
        if pricing.verifiable is None:
            return pricing.artefact.quote(self.samples, progress).price, None
        quoted = verifiable_quote(pricing.verifiable, self.samples, order, self._key, progress)
        return quoted.price, quoted.leaves


def distinct(samples: Samples) -> Samples:
    """The samples without exact duplicates of earlier ones, which a buyer could prove."""
    first = {digest: row for row, digest in reversed(list(enumerate(samples.hashes())))}
    return samples.subset(np.array(sorted(first.values()), dtype=np.int64))
