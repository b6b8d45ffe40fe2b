"""A trading session without a chain: turns actions into events under the contract's rules.

One action is one block. The rules are those of TradingSession.sol, written down once more in
plain Python, so that whole sessions are played in a unit test; what a lapsed window brings comes
from `Session.settled`, which test_hyperx_session.py holds against amounts worked out by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.bitmap import bitmap_hash, draw, from_bitmap
from offchain.crypto.errors import SealError
from offchain.crypto.settlement import Settlement
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.delivery import SESSION_KEY_INDEX
from offchain.hyperx.session import Session, State
from offchain.hyperx.terms import Terms
from offchain.roles import Clock
from tests.kit.multiproofs import proven_root

CHAIN_ID = 31337
SESSION = "0x" + "5e" * 20


class Block(NamedTuple):
    """A block that held an action: its number, its time in Unix seconds, the events."""

    number: int
    time: int
    events: list[ev.Event]


class Refused(Exception):
    """The contract would revert; says why."""


def need(condition: bool, reason: str) -> None:
    """What `require` is in Solidity."""
    if not condition:
        raise Refused(reason)


class SessionInMemory:
    """The contract: `send` applies an action of an account, or raises Refused and does nothing.

    Attributes:
        blocks: those that held an action.
        held: what the contract holds, in the smallest unit.
    """

    def __init__(self, terms: Terms, chain_id: int = CHAIN_ID, address: str = SESSION) -> None:
        self.terms, self.chain_id, self.address = terms, chain_id, address
        self.now, self.block = 0, 1
        self.blocks: list[Block] = []

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.block)

    @property
    def events(self) -> list[ev.Event]:
        return [event for block in self.blocks for event in block.events]

    def session(self) -> Session:
        """Folded anew from the events, as after a restart."""
        session = Session(self.chain_id, self.address, self.terms)
        for event in self.events:
            session.apply(event)
        return session

    @property
    def held(self) -> int:
        return held(self.terms, self.events)

    def up_to(self, height: int) -> SessionInMemory:
        """Another chain that agrees with this one in its first `height` blocks."""
        twin = SessionInMemory(self.terms, self.chain_id, self.address)
        twin.blocks = self.blocks[:height]
        if height:
            twin.now, twin.block = twin.blocks[-1].time, twin.blocks[-1].number + 1
        return twin

    def reorganise(self) -> None:
        """The last block that held anything never happened."""
        self.blocks.pop()

    def send(self, action: do.Action, sender: str) -> list[ev.Event]:
        """The events of the action, now in the chain. Raises Refused."""
        events = list(self._call(self.session(), action, sender))
        self.blocks.append(Block(self.block, self.now, events))
        self.block += 1
        return events

    def _call(self, session: Session, action: do.Action, sender: str) -> Iterator[ev.Event]:
        terms = self.terms
        match action:
            case do.Register(key_root, address_root, manifest):
                self._before(terms.registration_end)
                need(sender not in session.members, "AlreadyRegistered")
                yield ev.Registered(sender, key_root, address_root, manifest)
            case do.SampleData(provider, bitmap):
                self._sampling(session, sender, provider)
                shards = from_bitmap(bitmap)
                need(shards[-1] < terms.shard_count, "BitOutOfRange")
                need(1 <= len(shards) <= terms.sample_limit, "SampleSizeOutOfRange")
                yield ev.Sampled(provider, bitmap)
            case do.RequestDraw(provider, commitment):
                self._sampling(session, sender, provider)
                yield ev.SampleRequested(provider, commitment, self.block)
            case do.DrawSample(provider, secret):
                self._before(terms.sampling_end)
                drawn = self._member(session, provider).draw_block
                need(drawn is not None, "DrawNotRequested")
                need(drawn + 2 <= self.block <= drawn + 257, "DrawTooEarly or NoBlockHash")
                party = session.party(provider)
                committed = [
                    event.commitment
                    for event in self.events
                    if isinstance(event, ev.SampleRequested) and event.provider == provider
                ]
                need(party.draw_commitment(secret) == committed[-1], "WrongDrawSecret")
                seed = party.draw_seed(secret, keccak(b"block %d" % (drawn + 1)))
                words = draw(seed, terms.shard_count, terms.first_sample)
                yield ev.Sampled(provider, tuple(words))
            case do.SubmitFeatures(features):
                self._before(terms.submission_end)
                member = self._member(session, sender)
                need(member.sample is not None, "NotSampled")
                need(member.features is None, "FeaturesAlreadySubmitted")
                yield ev.FeaturesSubmitted(sender, features)
            case do.SetCandidate(provider, x, y):
                self._only(sender, terms.collector)
                self._from(terms.submission_end)
                self._before(terms.selection_end)
                session = yield from self._settle(session)
                need(session.state == State.PENDING, "WrongState")
                member = self._member(session, provider)
                need(member.features is not None, "FeaturesMissing")
                need(not member.tried, "CandidateTwice")
                need((y * y - x**3 - 7) % sealing.FIELD == 0, "KeyNotOnCurve")
                yield ev.CandidateSet(provider, x, self._deadline)
            case do.SubmitReview(review):
                self._running(session, State.REVIEWING)
                need(sender == session.candidate, "NotCandidate")
                need(not session.disclosed, "ReviewAlreadySubmitted")
                self._check_review(session, sender, review)
                yield ev.ReviewSubmitted(
                    sender,
                    review.ephemeral_x,
                    review.sealed_keys,
                    review.addresses,
                    self._deadline,
                )
            case do.SetOptimal(provider):
                self._deciding(session, sender, provider)
                yield ev.OptimalSet(provider, self._deadline)
            case do.RefuseReview(provider):
                self._deciding(session, sender, provider)
                yield ev.ReviewRefused(provider, terms.compensation, True)
                if session.reviews_in_vain >= terms.further_reviews:
                    yield ev.SessionClosed(False)
            case do.DeclareRubbish(provider):
                self._deciding(session, sender, provider)
                yield ev.RubbishDeclared(provider, terms.burn)
                if session.reviews_in_vain >= terms.further_reviews:
                    yield ev.SessionClosed(False)
            case do.ProveWrongKey(evidence):
                self._deciding(session, sender, session.candidate)
                self._check_evidence(session, session.candidate, evidence)
                yield ev.WrongKeyProved(session.candidate, evidence.shard, terms.deposit)
            case do.ClaimReward():
                need(terms.settlement == Settlement.OPEN, "WrongSettlement")
                self._running(session, State.REVIEWED)
                need(sender == session.candidate, "NotCandidate")
                self._check_claim(session, sender, action)
                paid = terms.reward + terms.deposit
                yield ev.RewardClaimed(sender, action.session_key, action.addresses, paid)
                yield ev.SessionClosed(True)
            case do.DeliverKey(delivery):
                need(terms.settlement == Settlement.SEALED, "WrongSettlement")
                self._running(session, State.REVIEWED)
                need(sender == session.candidate, "NotCandidate")
                self._check_delivery(session, sender, delivery)
                yield ev.KeyDelivered(
                    sender,
                    delivery.ephemeral_x,
                    delivery.sealed_key,
                    delivery.addresses,
                    self._deadline,
                )
            case do.ProveWrongDelivery(evidence):
                self._only(sender, terms.collector)
                self._running(session, State.DELIVERED)
                self._check_dispute(session, session.candidate, evidence)
                yield ev.WrongDeliveryProved(session.candidate, evidence.shard, terms.deposit)
                yield ev.SessionClosed(False)
            case do.Close():
                self._only(sender, terms.collector)
                self._from(terms.submission_end)
                session = yield from self._settle(session)
                need(session.state == State.PENDING, "WrongState")
                yield ev.SessionClosed(False)
            case do.ClaimDeposit():
                session = yield from self._ended(session)
                self._member(session, sender)
                need(session.owed_to(sender) > 0, "NothingOwed")
                yield ev.DepositClaimed(sender, session.owed_to(sender))
            case do.ReclaimEscrow():
                self._only(sender, terms.collector)
                session = yield from self._ended(session)
                need(session.owed_to_collector() > 0, "NothingOwed")
                yield ev.EscrowReclaimed(session.owed_to_collector())

    # ------------------------------------------------------------------ guards

    @property
    def _deadline(self) -> int:
        return self.now + self.terms.response_time

    def _before(self, end: int) -> None:
        need(self.now < end, f"TooLate: {self.now} is not before {end}")

    def _from(self, start: int) -> None:
        need(self.now >= start, f"TooEarly: {self.now} is before {start}")

    def _only(self, sender: str, account: str) -> None:
        need(sender == account, f"NotCollector: {sender}")

    def _member(self, session: Session, account: str):
        need(account in session.members, f"NotProvider: {account}")
        return session.members[account]

    def _sampling(self, session: Session, sender: str, provider: str) -> None:
        self._only(sender, self.terms.collector)
        self._before(self.terms.sampling_end)
        member = self._member(session, provider)
        need(member.sample is None, "AlreadySampled")
        drawn = member.draw_block
        need(drawn is None or self.block > drawn + 257, "DrawStillOpen")

    def _running(self, session: Session, state: State) -> None:
        need(session.state == state, f"WrongState: {session.state.name}, not {state.name}")
        self._before(session.deadline)

    def _deciding(self, session: Session, sender: str, provider: str | None) -> None:
        self._only(sender, self.terms.collector)
        self._running(session, State.REVIEWING)
        need(provider == session.candidate, "NotCandidate")
        need(session.disclosed, "ReviewMissing")

    def _settle(self, session: Session) -> Iterator[ev.Event]:
        """Yields the events by which `settled` differs, and returns the session after them."""
        after, account = session.settled(self.now), session.candidate
        if after is session or account is None:
            return session
        member = after.members[account]
        if session.state == State.REVIEWED:
            yield ev.OptimalSilent(account, member.forfeited)
        elif session.state == State.DELIVERED:
            yield ev.DeliveryUndisputed(account, self.terms.reward)
        elif session.disclosed:
            yield ev.ReviewRefused(account, self.terms.compensation, False)
        else:
            yield ev.CandidateSilent(account, member.forfeited)
        if after.state == State.CLOSED:
            yield ev.SessionClosed(session.state == State.DELIVERED)
        return after

    def _ended(self, session: Session) -> Iterator[ev.Event]:
        session = yield from self._settle(session)
        need(session.state == State.CLOSED or self.now >= self.terms.expiry, "NotEnded")
        return session

    # ------------------------------------------------------------------ what was committed

    def _check_review(self, session: Session, sender: str, review: do.Review) -> None:
        member, hidden = session.members[sender], not self.terms.published_addresses
        need(review.bitmap == member.bitmap, "CommitmentMismatch: sample")
        need(review.key_root == member.key_root, "CommitmentMismatch: key root")
        need(review.one_time_key == session.one_time_key.x, "CommitmentMismatch: key")
        need(len(review.sealed_keys) == len(member.opened), "WrongKeyCount")
        need(len(review.addresses) == (len(member.opened) if hidden else 0), "WrongKeyCount")
        root = review.address_root
        if hidden:
            domain = session.party(sender).domain(cm.ADDRESS_TYPE)
            pairs = zip(member.opened, review.addresses, strict=True)
            leaves = {i: cm.leaf(domain, i, address) for i, address in pairs}
            root = proven_root(self.terms.shard_count, leaves, review.proof)
        need(root == member.address_root, "CommitmentMismatch: address root")

    def _check_evidence(
        self, session: Session, provider: str, evidence: do.WrongKeyEvidence
    ) -> None:
        member = session.members[provider]
        need(
            (evidence.key_root, evidence.address_root, evidence.bitmap)
            == (member.key_root, member.address_root, member.opened_bitmap)
            and (evidence.ephemeral_x, evidence.sealed_keys)
            == (member.review.ephemeral_x, member.review.sealed)
            and evidence.one_time_key == session.one_time_key.x,
            "CommitmentMismatch",
        )
        need(
            sealing.point_of(evidence.one_time_secret) == session.one_time_key,
            "NotTheSecret",
        )
        try:
            ephemeral = sealing.Point.with_even_y(evidence.ephemeral_x)
        except SealError:
            return
        need(
            sealing.shared_x(evidence.one_time_secret, ephemeral) == evidence.shared_x,
            "SharedPointMismatch",
        )
        need(evidence.shard in member.opened, "ShardNotSampled")
        root = proven_root(self.terms.shard_count, {evidence.shard: evidence.leaf}, evidence.path)
        need(root == evidence.key_root, "LeafNotInTree")
        sealed = evidence.sealed_keys[member.opened.index(evidence.shard)]
        pad = sealing.pad(evidence.shared_x, evidence.shard)
        key = bytes(a ^ b for a, b in zip(sealed, pad, strict=True))
        right = session.party(provider).key_leaf(evidence.shard, key)
        need(right != evidence.leaf, "KeyIsRight")

    def _check_claim(self, session: Session, sender: str, claim: do.ClaimReward) -> None:
        member, party = session.members[sender], session.party(sender)
        hidden = not self.terms.published_addresses
        keys = party.shard_keys(claim.session_key, self.terms.shard_count)
        need(len(claim.addresses) == (self.terms.shard_count if hidden else 0), "WrongKeyCount")
        root = cm.root_of(party.address_leaves(claim.addresses)) if hidden else claim.address_root
        pledge = self._review_pledge(session, member)
        need(
            cm.root_of(party.key_leaves(keys)) == member.key_root
            and root == member.address_root
            and claim.sample_hash == bitmap_hash(member.opened_bitmap)
            and claim.review_hash == pledge,
            "CommitmentMismatch",
        )

    def _review_pledge(self, session: Session, member) -> bytes:
        key, review = session.one_time_key, member.review
        return cm.review_hash(key.x, review.ephemeral_x, review.sealed)

    def _check_delivery(self, session: Session, sender: str, delivery: do.Delivery) -> None:
        member, party = session.members[sender], session.party(sender)
        if self.terms.published_addresses:
            need(len(delivery.addresses) == 0, "WrongKeyCount")
            return
        need(len(delivery.addresses) == self.terms.shard_count, "WrongKeyCount")
        need(
            cm.root_of(party.address_leaves(delivery.addresses)) == member.address_root
            and delivery.key_root == member.key_root
            and delivery.sample_hash == bitmap_hash(member.opened_bitmap)
            and delivery.review_hash == self._review_pledge(session, member),
            "CommitmentMismatch",
        )

    def _check_dispute(
        self, session: Session, provider: str, evidence: do.WrongDeliveryEvidence
    ) -> None:
        member, party, delivery = (
            session.members[provider],
            session.party(provider),
            session.delivery,
        )
        review = member.review
        need(
            (evidence.key_root, evidence.address_root, evidence.sample_hash)
            == (member.key_root, member.address_root, bitmap_hash(member.opened_bitmap))
            and (evidence.review_x, evidence.review_keys_hash)
            == (review.ephemeral_x, keccak(b"".join(review.sealed)))
            and (evidence.ephemeral_x, evidence.sealed_key)
            == (delivery.ephemeral_x, delivery.sealed_key)
            and evidence.one_time_key == session.one_time_key.x,
            "CommitmentMismatch",
        )
        need(
            sealing.point_of(evidence.one_time_secret) == session.one_time_key,
            "NotTheSecret",
        )
        try:
            ephemeral = sealing.Point.with_even_y(evidence.ephemeral_x)
        except SealError:
            return
        shared = sealing.shared_x(evidence.one_time_secret, ephemeral)
        need(shared == evidence.shared_x, "SharedPointMismatch")
        need(evidence.shard < self.terms.shard_count, "ShardOutOfRange")
        root = proven_root(self.terms.shard_count, {evidence.shard: evidence.leaf}, evidence.path)
        need(root == evidence.key_root, "LeafNotInTree")
        pad = sealing.pad(shared, SESSION_KEY_INDEX)
        key = bytes(a ^ b for a, b in zip(evidence.sealed_key, pad, strict=True))
        right = party.key_leaf(evidence.shard, party.shard_key(key, evidence.shard))
        need(right != evidence.leaf, "KeyIsRight")


def held(terms: Terms, events: Sequence[ev.Event]) -> int:
    """What the contract holds after `events` for somebody: paid in minus paid out and destroyed,
    read off the events alone."""
    total = terms.escrow
    for event in events:
        if isinstance(event, ev.Registered):
            total += terms.deposit
        elif isinstance(event, ev.RewardClaimed | ev.DepositClaimed | ev.EscrowReclaimed):
            total -= event.paid
        elif isinstance(event, ev.RewardCredited):
            total += event.owed
        elif isinstance(event, ev.RubbishDeclared):
            total -= 2 * event.burned
    return total
