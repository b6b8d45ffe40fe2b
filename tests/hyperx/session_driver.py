"""Plays HyperX sessions on a chain: a method per call of the contract, returning Ape's receipt.

    driver = open_session(factory, collector, shardCount=100)
    driver.register(provider)
    driver.sample(provider)
    driver.submit_features(provider)
    driver.set_candidate(provider)      # waits for submissionEnd
    driver.submit_review(provider)
    driver.set_optimal(provider)
    driver.claim_reward(provider)       # or, under sealed settlement, deliver_key and claim_deposit

Where a call needs evidence, ``*_args`` yields what an honest party would send and keyword arguments
replace single fields of it, so that a test can lie in exactly one point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractEvent, ContractInstance
from eth_hash.auto import keccak

from offchain.crypto import bitmap as bitmaps
from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hyperx.delivery import SESSION_KEY_INDEX, seal_session_key
from tests.hyperx.commitment import Commitment
from tests.hyperx.terms import make_terms
from tests.kit.driver import Driver, balance_of

ZERO_WORD = bytes(32)
OPEN, SEALED = Settlement.OPEN, Settlement.SEALED
FEATURES = keccak(b"features")
DRAW_SECRET = keccak(b"what the collector draws with")


@dataclass
class Entry:
    """What is known of one provider in one session.

    Attributes:
        account: the provider's account.
        commitment: its dataset.
        sampled: indices of the sampled shards, ascending; None before sampling.
        one_time_secret: the collector's private key for this provider's review.
        sealed: the keys as the review sealed them; None before the review.
        delivered: the session key as it was sealed; None before the delivery.
    """

    account: Any
    commitment: Commitment
    one_time_secret: int
    sampled: list[int] | None = None
    sealed: sealing.SealedKeys | None = None
    delivered: sealing.SealedKeys | None = None

    @property
    def one_time_key(self) -> sealing.Point:
        """The collector's public key for this review."""
        return sealing.point_of(self.one_time_secret)


@dataclass
class SessionDriver(Driver):
    """One session, its collector and the entries of its providers (by address)."""

    session: ContractInstance
    collector: Any
    created: ReceiptAPI | None = None
    entries: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reads the terms once; they cannot change."""
        self.terms = self.session.terms(skip_trace=True)

    @property
    def contract(self) -> ContractInstance:
        """The session."""
        return self.session

    # ------------------------------------------------------------ terms and time

    @property
    def native(self) -> bool:
        """Whether the native coin pays."""
        return int(str(self.terms.token), 16) == 0

    @cached_property
    def token(self) -> ContractInstance:
        """The ERC-20 that pays."""
        return ape.Contract(self.terms.token)

    @property
    def sealed(self) -> bool:
        """Whether the key is delivered to the collector alone."""
        return self.terms.settlement == SEALED

    @property
    def selection_end(self) -> int:
        """When the last candidate must have been set."""
        return self.terms.expiry - (4 if self.sealed else 3) * self.terms.responseTime

    @property
    def sample_limit(self) -> int:
        """The largest number of shards that may be sampled."""
        return bitmaps.sample_limit(self.terms.shardCount, self.terms.sampleBps)

    @property
    def first_sample(self) -> int:
        """How many of them are sampled before features; the review opens the others."""
        return self.sample_limit - self.sample_limit // 2

    @property
    def compensation(self) -> int:
        """What a refused candidate is paid."""
        return self.terms.reward * self.terms.sampleBps // bitmaps.BPS

    @property
    def burn(self) -> int:
        """What the collector destroys that declares a review rubbish."""
        return 2 * self.compensation

    @property
    def penalty(self) -> int:
        """What a silent candidate loses."""
        return self.terms.deposit * self.terms.penaltyBps // bitmaps.BPS

    @property
    def escrow(self) -> int:
        """What the collector paid in."""
        return self.terms.reward + self.terms.furtherReviews * self.burn

    @property
    def deadline(self) -> int:
        """End of the running window, zero if none runs."""
        return self.session.status().deadline

    def balance(self, account: Any) -> int:
        """What ``account`` holds of the coin that pays."""
        return balance_of(_address(account), None if self.native else self.token)

    # ------------------------------------------------------------ providers

    def entry(self, provider: Any, seed: str = "dataset") -> Entry:
        """The provider's entry, made on first use with the dataset that ``seed`` stands for."""
        address = _address(provider)
        if address not in self.entries:
            party = cm.Party(ape.chain.chain_id, self.session.address, address)
            commitment = Commitment.of(party, self.terms.shardCount, f"{seed}/{address}")
            secret = 1 + int.from_bytes(keccak(f"one-time key/{address}".encode()), "big") // 2
            self.entries[address] = Entry(provider, commitment, secret)
        return self.entries[address]

    def register(self, provider: Any, **changes: Any) -> ReceiptAPI:
        """Registers; ``changes`` may replace keyRoot, addressRoot, manifest and the value paid."""
        commitment = self.entry(provider).commitment
        self.approve(provider, self.session.address, self.terms.deposit)
        value = changes.pop("value", self.terms.deposit if self.native else 0)
        args = {
            "keyRoot": commitment.key_root,
            "addressRoot": commitment.address_root,
            "manifest": commitment.manifest,
        }
        return self.session.register(*_changed(args, changes), sender=provider, value=value)

    def sample(self, provider: Any, indices: Sequence[int] | None = None) -> ReceiptAPI:
        """The collector samples ``indices``, or half of what the terms let a provider open."""
        entry = self.entry(provider)
        if indices is None:
            indices = bitmaps.choose(self.terms.shardCount, self.first_sample, seed=1)
        bitmap = bitmaps.to_bitmap(indices, self.terms.shardCount)
        receipt = self.session.sampleData(entry.account, bitmap, sender=self.collector)
        entry.sampled = sorted(indices)
        return receipt

    def request_draw(self, provider: Any) -> ReceiptAPI:
        """The collector leaves the sample to its secret and the hash of the next block."""
        commitment = self.entry(provider).commitment.party.draw_commitment(DRAW_SECRET)
        return self.session.requestDraw(provider, commitment, sender=self.collector)

    def draw(self, provider: Any, sender: Any = None) -> ReceiptAPI:
        """Completes a draw in the first block in which that is possible, or in the running one."""
        requested = self.session.profileOf(provider).drawBlock
        ape.chain.mine(max(0, requested + 1 - ape.chain.blocks.height))
        receipt = self.session.drawSample(provider, DRAW_SECRET, sender=sender or self.collector)
        bitmap = event_in(receipt, self.session.Sampled)["bitmap"]
        self.entry(provider).sampled = bitmaps.from_bitmap(bitmap)
        return receipt

    def submit_features(self, provider: Any, features: bytes = FEATURES) -> ReceiptAPI:
        """The provider commits its sealed features."""
        return self.session.submitFeatures(features, sender=provider)

    def enter(self, *providers: Any, sample: Sequence[int] | None = None) -> None:
        """Takes each provider from nothing to submitted features; `sample` as in `sample`."""
        for provider in providers:
            self.register(provider)
            self.sample(provider, sample)
            self.submit_features(provider)

    # ------------------------------------------------------------ review

    def set_candidate(self, provider: Any) -> ReceiptAPI:
        """The collector picks the provider, after waiting for the submissions to end."""
        self.go_to(self.terms.submissionEnd)
        key = self.entry(provider).one_time_key
        return self.session.setCandidate(provider, key.x, key.y, sender=self.collector)

    def opened(self, provider: Any) -> list[int]:
        """The shards that a review opens: the sample, and those that the one-time key draws."""
        entry = self.entry(provider)
        seed = entry.commitment.party.further_seed(entry.one_time_key.x)
        further = max(0, self.sample_limit - len(entry.sampled))
        words = bitmaps.draw_further(seed, entry.sampled, self.terms.shardCount, further)
        return bitmaps.from_bitmap(words)

    def seal(self, provider: Any, keys: dict[int, bytes] | None = None) -> sealing.SealedKeys:
        """Seals the opened shards' keys, or lies with ``keys``, and remembers what was sealed."""
        entry = self.entry(provider)
        if keys is None:
            keys = {i: entry.commitment.keys[i] for i in self.opened(provider)}
        entry.sealed = sealing.seal_keys(entry.one_time_key, keys)
        return entry.sealed

    def review_args(self, provider: Any, **changes: Any) -> tuple[Any, ...]:
        """The struct Review of an honest provider, with ``changes``."""
        entry = self.entry(provider)
        sealed = entry.sealed or self.seal(provider)
        published = self.terms.publishedAddresses
        commitment, opened = entry.commitment, self.opened(provider)
        args = {
            "keyRoot": commitment.key_root,
            "addressRoot": commitment.address_root if published else ZERO_WORD,
            "oneTimeKey": entry.one_time_key.x,
            "ephemeralX": sealed.ephemeral_x,
            "bitmap": bitmaps.to_bitmap(entry.sampled, self.terms.shardCount),
            "sealedKeys": list(sealed.sealed),
            "addresses": [] if published else [commitment.addresses[i] for i in opened],
            "proof": [] if published else cm.multiproof(commitment.address_leaves, opened),
        }
        return _changed(args, changes)

    def submit_review(self, provider: Any, **changes: Any) -> ReceiptAPI:
        """The candidate opens its samples."""
        return self.session.submitReview(self.review_args(provider, **changes), sender=provider)

    def set_optimal(self, provider: Any) -> ReceiptAPI:
        """The collector accepts the review."""
        return self.session.setOptimal(provider, sender=self.collector)

    def refuse(self, provider: Any) -> ReceiptAPI:
        """The collector declines the review."""
        return self.session.refuseReview(provider, sender=self.collector)

    def declare_rubbish(self, provider: Any) -> ReceiptAPI:
        """The collector declares the opened samples rubbish."""
        return self.session.declareRubbish(provider, sender=self.collector)

    def evidence_args(self, provider: Any, shard: int, /, **changes: Any) -> tuple[Any, ...]:
        """The struct WrongKey that accuses the review in force of a wrong key for ``shard``."""
        entry = self.entry(provider)
        commitment = entry.commitment
        product = sealing.product(entry.one_time_secret, entry.sealed.ephemeral_x)
        args = {
            "keyRoot": commitment.key_root,
            "addressRoot": commitment.address_root,
            "bitmap": bitmaps.to_bitmap(self.opened(provider), self.terms.shardCount),
            "ephemeralX": entry.sealed.ephemeral_x,
            "sealedKeys": list(entry.sealed.sealed),
            "oneTimeKey": entry.one_time_key.x,
            "oneTimeSecret": sealing.even_secret(entry.one_time_secret),
            "sharedX": product.x,
            "sharedY": product.y,
            "shard": shard,
            "leaf": commitment.key_leaves[shard],
            "path": cm.path(commitment.key_leaves, shard),
        }
        return _changed(args, changes)

    def prove_wrong_key(self, provider: Any, shard: int, /, **changes: Any) -> ReceiptAPI:
        """The collector accuses the candidate of a wrong key for ``shard``."""
        evidence = self.evidence_args(provider, shard, **changes)
        return self.session.proveWrongKey(evidence, sender=self.collector)

    # ------------------------------------------------------------ end

    def claim_args(self, provider: Any, **changes: Any) -> tuple[Any, ...]:
        """What the chosen provider sends to claim the reward, with ``changes``."""
        entry = self.entry(provider)
        published = self.terms.publishedAddresses
        args = {
            "sessionKey": entry.commitment.session_key,
            "sampleHash": self.sample_hash(provider),
            "reviewHash": self.review_hash(provider),
            "addressRoot": entry.commitment.address_root if published else ZERO_WORD,
            "addresses": [] if published else list(entry.commitment.addresses),
        }
        return _changed(args, changes)

    def sample_hash(self, provider: Any) -> bytes:
        """What stands for the opened shards in a claim."""
        return bitmaps.bitmap_hash(bitmaps.to_bitmap(self.opened(provider), self.terms.shardCount))

    def review_hash(self, provider: Any) -> bytes:
        """What stands for the opened review in a claim."""
        entry = self.entry(provider)
        sealed = entry.sealed
        return cm.review_hash(entry.one_time_key.x, sealed.ephemeral_x, sealed.sealed)

    def claim_reward(self, provider: Any, sender: Any = None, **changes: Any) -> ReceiptAPI:
        """The chosen provider exchanges its dataset for the reward."""
        args = self.claim_args(provider, **changes)
        return self.session.claimReward(*args, sender=sender or provider)

    def seal_session_key(self, provider: Any, key: bytes | None = None) -> sealing.SealedKeys:
        """Seals the session key, or the lie ``key``, and remembers what was sealed."""
        entry = self.entry(provider)
        key = key or entry.commitment.session_key
        entry.delivered = seal_session_key(entry.one_time_key, key)
        return entry.delivered

    def delivery_args(self, provider: Any, **changes: Any) -> tuple[Any, ...]:
        """The struct Delivery of an honest provider, with ``changes``."""
        entry = self.entry(provider)
        delivered = entry.delivered or self.seal_session_key(provider)
        published = self.terms.publishedAddresses
        args = {
            "ephemeralX": delivered.ephemeral_x,
            "sealedKey": delivered.sealed[0],
            "keyRoot": ZERO_WORD if published else entry.commitment.key_root,
            "sampleHash": ZERO_WORD if published else self.sample_hash(provider),
            "reviewHash": ZERO_WORD if published else self.review_hash(provider),
            "addresses": [] if published else list(entry.commitment.addresses),
        }
        return _changed(args, changes)

    def deliver_key(self, provider: Any, **changes: Any) -> ReceiptAPI:
        """The chosen provider delivers its session key to the collector alone."""
        return self.session.deliverKey(self.delivery_args(provider, **changes), sender=provider)

    def dispute_args(self, provider: Any, shard: int, /, **changes: Any) -> tuple[Any, ...]:
        """The struct WrongDelivery that says the delivered key does not yield that of ``shard``."""
        entry = self.entry(provider)
        commitment, delivered = entry.commitment, entry.delivered
        product = sealing.product(entry.one_time_secret, delivered.ephemeral_x)
        args = {
            "keyRoot": commitment.key_root,
            "addressRoot": commitment.address_root,
            "sampleHash": self.sample_hash(provider),
            "reviewX": entry.sealed.ephemeral_x,
            "reviewKeysHash": cm.sealed_keys_hash(entry.sealed.sealed),
            "ephemeralX": delivered.ephemeral_x,
            "sealedKey": delivered.sealed[0],
            "oneTimeKey": entry.one_time_key.x,
            "oneTimeSecret": sealing.even_secret(entry.one_time_secret),
            "sharedX": product.x,
            "sharedY": product.y,
            "shard": shard,
            "leaf": commitment.key_leaves[shard],
            "path": cm.path(commitment.key_leaves, shard),
        }
        return _changed(args, changes)

    def prove_wrong_delivery(self, provider: Any, shard: int, /, **changes: Any) -> ReceiptAPI:
        """The collector disputes the delivery by its shard ``shard``."""
        evidence = self.dispute_args(provider, shard, **changes)
        return self.session.proveWrongDelivery(evidence, sender=self.collector)

    def received_key(self, provider: Any) -> bytes:
        """What the collector reads out of the delivery."""
        entry = self.entry(provider)
        opened = sealing.open_keys(entry.one_time_secret, entry.delivered, [SESSION_KEY_INDEX])
        return opened[SESSION_KEY_INDEX]

    def strike_deal(self, provider: Any) -> ReceiptAPI:
        """The chosen provider hands over and is paid; under sealed settlement after the window."""
        if not self.sealed:
            return self.claim_reward(provider)
        self.deliver_key(provider)
        self.go_to(self.deadline)
        return self.claim_deposit(provider)

    def claim_deposit(self, provider: Any) -> ReceiptAPI:
        """A provider takes what it is owed."""
        return self.session.claimDeposit(provider, sender=provider)

    def reclaim_escrow(self) -> ReceiptAPI:
        """The collector takes what it is owed."""
        return self.session.reclaimEscrow(self.collector, sender=self.collector)

    def close(self) -> ReceiptAPI:
        """The collector ends the session without a deal."""
        self.go_to(self.terms.submissionEnd)
        return self.session.close(sender=self.collector)

    def settle(self, sender: Any = None) -> ReceiptAPI:
        """Anyone applies the consequence of a lapsed window."""
        return self.session.settle(sender=sender or self.collector)

    def approve(self, owner: Any, spender: str, amount: int) -> None:
        """Allows ``spender`` to draw ``amount`` where an ERC-20 pays."""
        if not self.native:
            self.token.approve(spender, amount, sender=owner)


def open_session(
    factory: ContractInstance,
    collector: Any,
    /,
    container: Any = None,
    nonce: int | None = None,
    **overrides: Any,
) -> SessionDriver:
    """Creates a session with ``make_terms(**overrides)`` and its exact escrow.

    Args:
        factory: the TradingSessionFactory.
        collector: the account that creates, pays and buys.
        container: what to read the session with; ape.project.TradingSession unless given.
        nonce: keeps sessions of equal terms apart; the height of the chain unless given.
        overrides: fields of the terms; ``token`` may be a contract or an address.
    """
    container = container or ape.project.TradingSession
    if "token" in overrides:
        overrides["token"] = _address(overrides["token"])
    terms = make_terms(ape.chain.pending_timestamp, _address(collector), **overrides)
    escrow = factory.escrowOf(terms)
    token = overrides.get("token", NATIVE)
    if token != NATIVE:
        ape.Contract(token).approve(factory.address, escrow, sender=collector)
    value = escrow if token == NATIVE else 0
    nonce = ape.chain.blocks.height if nonce is None else nonce
    receipt = factory.createSession(terms, nonce, sender=collector, value=value)
    session = event_in(receipt, factory.SessionCreated)["session"]
    return SessionDriver(container.at(session), collector, created=receipt)


def event_in(receipt: ReceiptAPI, event: ContractEvent) -> dict[str, Any]:
    """The arguments of the one ``event`` in ``receipt``, by name.

    An event's own attributes will not do: ``log.provider`` is the node Ape is connected to.
    """
    (log,) = event.from_receipt(receipt)
    return dict(log.event_arguments)


def _address(account: Any) -> str:
    return getattr(account, "address", account)


def _changed(args: dict[str, Any], changes: dict[str, Any]) -> tuple[Any, ...]:
    unknown = set(changes) - set(args)
    if unknown:
        raise TypeError(f"no such argument: {', '.join(sorted(unknown))}")
    return tuple((args | changes).values())
