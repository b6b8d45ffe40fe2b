"""What a buyer holds against the chain: the file before it asks, the quote before it signs, and
the delivery before it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import EncryptedFile, open_chunks
from offchain.crypto.errors import SealError, SpoiltChunkError
from offchain.crypto.evidence import chunk_evidence, key_evidence
from offchain.crypto.sealing import SealedKeys, open_keys
from offchain.crypto.settlement import LONGEST_WINDOW
from offchain.mde.deals import PAD_INDEX, Dataset, Deal, Order, Place, dataset_domain
from offchain.mde.errors import QuoteRefused
from offchain.mde.quoting import NO_WORD, Pricing
from offchain.mde.samples import Samples
from offchain.mde.session import Delivery
from offchain.mde.verifiable.quotes import (
    RepeatedSample,
    WrongPrice,
    WrongScore,
    cut,
    find_fault,
    require_registered,
)
from offchain.mde.verifiable.rules import price_rule
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.storage import Datastore

MOST_BYTES = 1 << 30
"""Largest file that a buyer fetches unless its owner says otherwise."""

_HEAD_BYTES, _LEAF_BYTES = 64, 32


@dataclass(frozen=True)
class Fault:
    """What the contract is to judge. call: the proof; evidence: its arguments after deal and
    purchase; told: for people."""

    call: str
    evidence: tuple[Any, ...]
    told: str


@dataclass(frozen=True, eq=False)
class Received:
    """What a delivery was: the samples if nothing can be proved against it, else the fault."""

    samples: Samples | None
    fault: Fault | None


def fetch_file(
    store: Datastore,
    place: Place,
    dataset: Dataset,
    cid: str,
    pricing: Pricing,
    most_bytes: int = MOST_BYTES,
) -> EncryptedFile:
    """The encrypted samples, which must be the registered ones: then they can be disputed.

    Nothing is fetched of a dataset of other chunks, or of more than `most_bytes`. Raises FileError
    or QuoteRefused, or what the datastore raises.
    """
    needed = pricing.encoding.chunk_bytes
    if dataset.chunk_bytes != needed:
        raise QuoteRefused(
            f"the dataset has chunks of {dataset.chunk_bytes} bytes, samples need chunks of "
            f"{needed}"
        )
    size = file_bytes(dataset)
    if size > most_bytes:
        raise QuoteRefused(
            f"{dataset.count} samples and their originals have {size} bytes, at most {most_bytes}"
        )
    file = EncryptedFile.from_bytes(store.get(cid, size))
    require_registered(dataset, place, file)
    return file


def file_bytes(dataset: Dataset) -> int:
    """How many bytes its encrypted file may have in the datastore."""
    return _HEAD_BYTES + dataset.chunks * (dataset.chunk_bytes + _LEAF_BYTES)


def require_sound(
    deal: Deal,
    leaves: ScoreLeaves | None,
    order: Order,
    dataset: Dataset,
    pricing: Pricing,
    now: int,
) -> None:
    """Raises QuoteRefused or FileError unless a quote is one that a buyer signs.

    leaves: of all scores, None where nobody can check them. now: Unix seconds.
    """
    if deal.order != order or deal.dataset != dataset:
        raise QuoteRefused("the quote is about another order or another dataset")
    if deal.quote.expiry <= now:
        raise QuoteRefused(f"the quote expired at {deal.quote.expiry}, it is {now}")
    if deal.quote.expiry > (latest := now + LONGEST_WINDOW):
        raise QuoteRefused(f"the quote expires at {deal.quote.expiry}, must by {latest}")
    most = pricing.price.most
    if not 0 <= deal.quote.price <= most:
        raise QuoteRefused(f"{deal.quote.price} are asked, the rule gives 0 to {most}")
    if pricing.verifiable is None:
        if deal.quote.scores != NO_WORD:
            raise QuoteRefused("the quote commits to scores that no tree gives")
        return
    if leaves is None:
        raise QuoteRefused("the quote comes without the leaves of its scores")
    leaves.require_quoted(deal.quote.scores, deal.dataset.count)


def receive(
    place: Place,
    pricing: Pricing,
    deal: Deal,
    leaves: ScoreLeaves | None,
    file: EncryptedFile,
    delivery: Delivery,
    secret: int,
) -> Received:
    """Opens what was delivered and checks key, chunks, duplicates, every score and the price.

    secret: the buyer's one-time key of a sealed delivery; 0 where the key was published.

    Raises FeatureMismatch, UnknownLabel or NotFinite for samples that follow from what was quoted
    and yet are none of the task's, where no tree gives the contract a say.
    """
    domain = dataset_domain(place, deal.dataset.seller, deal.dataset.name)
    key = delivery.key
    if delivery.sealed:
        opened = opened_key(secret, delivery)
        if opened is None or domain.key_hash(opened) != deal.dataset.key_hash:
            evidence = key_evidence(secret, delivery.ephemeral_x, delivery.sealed)
            return Received(None, Fault("proveWrongKey", (evidence,), "the key is another"))
        key = opened
    try:
        data = open_chunks(domain, key, file)
    except SpoiltChunkError as error:
        shown = chunk_evidence(domain, file, error.index)
        told = f"chunk {error.index} is not what was quoted"
        return Received(None, Fault("proveSpoiltChunk", (key, shown), told))
    data = data[: deal.dataset.count * deal.dataset.chunk_bytes]  # what was priced
    if pricing.verifiable is not None and leaves is not None:
        cipher_root = cm.root_of(file.cipher_leaves(domain))
        fault = _misquoted(place, pricing, deal, leaves, file, cipher_root, key, data)
        if fault is not None:
            return Received(None, fault)
    return Received(pricing.encoding.unpack(data, pricing.kind), None)


def _misquoted(
    place: Place,
    pricing: Pricing,
    deal: Deal,
    leaves: ScoreLeaves,
    file: EncryptedFile,
    cipher_root: bytes,
    key: bytes,
    data: bytes,
) -> Fault | None:
    """What the contract can be shown of the quote, now that the data are known."""
    assert pricing.verifiable is not None
    tree, rule, price = pricing.verifiable.tree, pricing.price, deal.quote.price
    chunks = cut(tree.encoding, data)
    match find_fault(tree, rule, data, deal.order.account.id(place), key, leaves, price):
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


def opened_key(secret: int, delivery: Delivery) -> bytes | None:
    """What is in a sealed delivery; None for one that nobody can open."""
    sealed = SealedKeys(delivery.ephemeral_x, (delivery.sealed,))
    try:
        return open_keys(secret, sealed, [PAD_INDEX])[PAD_INDEX]
    except SealError:  # the sender's point is none, which the contract can be shown
        return None


def _sample(file: EncryptedFile, chunks: Sequence[bytes], index: int) -> tuple[Any, ...]:
    """A sample, and where it lies."""
    return (index, chunks[index], cm.path(file.plain_leaves, index))
