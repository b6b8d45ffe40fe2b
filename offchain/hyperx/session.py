"""A session as its events tell it: the memory of every role, and the twin of the contract's rules.

A role that was killed reads the events again and stands where it stood. `settled` answers what
the contract would do first in any call that depends on a lapsed window.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum

from offchain.crypto.bitmap import draw_further, from_bitmap
from offchain.crypto.commitments import Party
from offchain.crypto.sealing import Point, SealedKeys
from offchain.crypto.settlement import Settlement, delivery_margin
from offchain.errors import SoukError
from offchain.hyperx import events as ev
from offchain.hyperx.terms import Terms

DRAW_WINDOW = 256
"""Blocks, from the second after the request on, in which a draw is completed and none requested."""


class State(IntEnum):
    """The four states of a session (HyperX, section 3.1.2), and DELIVERED of sealed settlement."""

    PENDING = 0
    REVIEWING = 1
    REVIEWED = 2
    DELIVERED = 3
    CLOSED = 4


class Fault(Enum):
    """Why a provider forfeited of its deposit, in a few words for people."""

    NO_REVIEW = "opened no review in time"
    NO_CLAIM = "did not claim in time"
    NO_DELIVERY = "delivered no key in time"
    WRONG_KEY = "sealed a wrong key in its review"
    WRONG_DELIVERY = "delivered a wrong key"
    RUBBISH = "opened what the collector declared rubbish"


class SessionError(SoukError):
    """Events that cannot belong to one session."""


@dataclass(frozen=True)
class Member:
    """What the chain tells of one provider.

    Attributes:
        account: 0x address.
        key_root, address_root: roots of the committed trees.
        manifest: digest in the CID of the manifest.
        draw_block: block in which a draw was requested, while it is open.
        draws: how many draws were requested. draw_commitment: to the secret of the last.
        sample: shards sampled for features, ascending. bitmap: its words.
        opened: shards that its review opens, ascending, once it is a candidate: the sample and
            those that the one-time key draws. opened_bitmap: its words.
        features: digest in the CID of the sealed features.
        tried: was a candidate.
        forfeited: what it lost, in the smallest unit. fault: what for, None where it lost nothing.
        compensated: is owed the compensation.
        sold: is owed the reward: its sealed delivery went undisputed, or its claim could not be
            paid at once.
        review: the keys it sealed in its review.
        review_addresses: addresses it opened in its review; empty where published.
        paid: what it was paid out, None before.
    """

    account: str
    key_root: bytes
    address_root: bytes
    manifest: bytes
    draw_block: int | None = None
    draws: int = 0
    draw_commitment: bytes | None = None
    sample: tuple[int, ...] | None = None
    bitmap: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    opened_bitmap: tuple[int, ...] = ()
    features: bytes | None = None
    tried: bool = False
    forfeited: int = 0
    fault: Fault | None = None
    compensated: bool = False
    sold: bool = False
    review: SealedKeys | None = None
    review_addresses: tuple[bytes, ...] = ()
    paid: int | None = None

    def draw_open(self, block: int) -> bool:
        """Whether a requested draw can be completed in `block`."""
        return self.draw_block is not None and 2 <= block - self.draw_block <= DRAW_WINDOW + 1

    def draw_pending(self, block: int) -> bool:
        """Whether a requested draw can be completed in `block` or later."""
        return self.draw_block is not None and block - self.draw_block <= DRAW_WINDOW + 1


@dataclass
class Session:
    """One session, folded from its events.

    Attributes:
        chain_id, address, terms: which session it is.
        members: providers in the order of their registration.
        state, candidate, disclosed, deadline: as `status()` of the contract tells them.
        one_time_key: the key set with the candidate, whose y is even.
        delivery: the sealed delivery, once there was one.
        deal: the claim, or the delivery once it can no more be disputed.
        compensations: how many candidates are owed the compensation.
        rubbish: how many reviews were declared rubbish.
        reclaimed: what the collector was paid out, None before.
    """

    chain_id: int
    address: str
    terms: Terms
    members: dict[str, Member] = field(default_factory=dict)
    state: State = State.PENDING
    candidate: str | None = None
    disclosed: bool = False
    deadline: int = 0
    one_time_key: Point | None = None
    delivery: ev.KeyDelivered | None = None
    deal: ev.RewardClaimed | ev.KeyDelivered | None = None
    compensations: int = 0
    rubbish: int = 0
    reclaimed: int | None = None

    def party(self, provider: str) -> Party:
        """Whose commitments a provider's are."""
        return Party(self.chain_id, self.address, provider)

    def member(self, account: str) -> Member:
        """The provider at `account`. Raises SessionError if it has not registered."""
        if account not in self.members:
            raise SessionError(f"{account} is no provider of session {self.address}")
        return self.members[account]

    def apply(self, event: ev.Event) -> None:
        """Takes in the session's next event; events come in the order of the chain."""
        match event:
            case ev.Registered(provider, key_root, address_root, manifest):
                self.members[provider] = Member(provider, key_root, address_root, manifest)
            case ev.SampleRequested(provider, commitment, block):
                draws = self.member(provider).draws + 1
                self._change(provider, draw_block=block, draws=draws, draw_commitment=commitment)
            case ev.Sampled(provider, bitmap):
                sample = tuple(from_bitmap(bitmap))
                self._change(provider, sample=sample, bitmap=tuple(bitmap), draw_block=None)
            case ev.FeaturesSubmitted(provider, features):
                self._change(provider, features=features)
            case ev.CandidateSet(provider, x, deadline):
                self.one_time_key = Point.with_even_y(x)
                words = tuple(self._opened(self.member(provider), self.one_time_key))
                opened = tuple(from_bitmap(words))
                self._change(provider, tried=True, opened=opened, opened_bitmap=words)
                self._begin(State.REVIEWING, provider, False, deadline)
            case ev.ReviewSubmitted(provider, x, sealed, addresses, deadline):
                self._change(
                    provider,
                    review=SealedKeys(x, tuple(sealed)),
                    review_addresses=tuple(addresses),
                )
                self._begin(State.REVIEWING, provider, True, deadline)
            case ev.OptimalSet(provider, deadline):
                self._begin(State.REVIEWED, provider, True, deadline)
            case ev.ReviewRefused(provider):
                self._change(provider, compensated=True)
                self.compensations += 1
                self._end()
            case ev.RubbishDeclared(provider, burned):
                self.rubbish += 1
                self._forfeit(provider, burned, Fault.RUBBISH)
            case ev.WrongKeyProved(provider, _, forfeited):
                self._forfeit(provider, forfeited, Fault.WRONG_KEY)
            case ev.CandidateSilent(provider, forfeited):
                self._forfeit(provider, forfeited, Fault.NO_REVIEW)
            case ev.OptimalSilent(provider, forfeited):
                is_open = self.terms.settlement == Settlement.OPEN
                fault = Fault.NO_CLAIM if is_open else Fault.NO_DELIVERY
                self._forfeit(provider, forfeited, fault)
            case ev.WrongDeliveryProved(provider, _, forfeited):
                self._forfeit(provider, forfeited, Fault.WRONG_DELIVERY)
            case ev.RewardClaimed(provider, _, _, paid):
                self._change(provider, paid=paid)
                self.deal = event
            case ev.RewardCredited(provider):
                self._change(provider, paid=None, sold=True)
            case ev.KeyDelivered(provider, deadline=deadline):
                self.delivery = event
                self._begin(State.DELIVERED, provider, True, deadline)
            case ev.DeliveryUndisputed(provider):
                self._change(provider, sold=True)
                self.deal = self.delivery
            case ev.SessionClosed():
                self._end(State.CLOSED)
            case ev.DepositClaimed(provider, paid):
                self._change(provider, paid=paid)
            case ev.EscrowReclaimed(paid):
                self.reclaimed = paid

    def _opened(self, member: Member, key: Point) -> list[int]:
        """What a review opens: the sample, and further shards as far as the terms leave room."""
        sample, terms = member.sample or (), self.terms
        further = max(0, terms.sample_limit - len(sample))
        seed = self.party(member.account).further_seed(key.x)
        return draw_further(seed, sample, terms.shard_count, further)

    def settled(self, now: int) -> Session:
        """The session after the consequence of a window that lapsed by `now`, if one did."""
        if self.candidate is None or self.state == State.CLOSED or now < self.deadline:
            return self
        after = replace(self, members=dict(self.members))
        if self.state == State.REVIEWED:
            after.apply(ev.OptimalSilent(self.candidate, self.terms.deposit))
            after.apply(ev.SessionClosed(False))
        elif self.state == State.DELIVERED:
            after.apply(ev.DeliveryUndisputed(self.candidate, self.terms.reward))
            after.apply(ev.SessionClosed(True))
        elif not self.disclosed:
            after.apply(ev.CandidateSilent(self.candidate, self.terms.penalty))
        else:
            after.apply(ev.ReviewRefused(self.candidate, self.terms.compensation, False))
            if after.reviews_in_vain > self.terms.further_reviews:
                after.apply(ev.SessionClosed(False))
        return after

    @property
    def last_look(self) -> int | None:
        """Until when, in Unix seconds, a collector looks again for what a review opened and it
        cannot fetch; None while no review is open. The rest of the window is for its answer."""
        if self.state != State.REVIEWING or not self.disclosed:
            return None
        return self.deadline - delivery_margin(self.terms.response_time)

    def is_over(self, now: int) -> bool:
        """Whether deposits and escrow can be taken back at `now`."""
        return now >= self.terms.expiry or self.settled(now).state == State.CLOSED

    def owed_to(self, account: str) -> int:
        """What a provider could take if the session ended in its present state."""
        member = self.members.get(account)
        if member is None or member.paid is not None:
            return 0
        compensation = self.terms.compensation if member.compensated else 0
        reward = self.terms.reward if member.sold else 0
        return self.terms.deposit - member.forfeited + compensation + reward

    @property
    def reviews_in_vain(self) -> int:
        """How many opened reviews led to no deal, wrong keys aside."""
        return self.compensations + self.rubbish

    @property
    def burned(self) -> int:
        """What lies in the session for ever: both parties' losses by declarations of rubbish."""
        return self.rubbish * 2 * self.terms.burn

    def owed_to_collector(self) -> int:
        """What the collector could take if the session ended in its present state."""
        if self.reclaimed is not None:
            return 0
        forfeited = sum(m.forfeited for m in self.members.values() if m.fault != Fault.RUBBISH)
        spent = self.compensations * self.terms.compensation + self.rubbish * self.terms.burn
        return self.terms.escrow + forfeited - spent - (self.terms.reward if self.deal else 0)

    def _change(self, account: str, **changes: object) -> None:
        self.members[account] = replace(self.member(account), **changes)  # type: ignore[arg-type]

    def _forfeit(self, account: str, forfeited: int, fault: Fault) -> None:
        self._change(account, forfeited=forfeited, fault=fault)
        self._end()

    def _begin(self, state: State, candidate: str, disclosed: bool, deadline: int) -> None:
        self.state, self.candidate = state, candidate
        self.disclosed, self.deadline = disclosed, deadline

    def _end(self, state: State = State.PENDING) -> None:
        self.state, self.candidate, self.disclosed, self.deadline = state, None, False, 0
