"""What a session came to: the checks that its story ended justly, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import ape

from offchain.crypto.settlement import NATIVE
from offchain.data.imageset import ImageSet
from offchain.data.shards import packed_part
from offchain.hyperx.collector import Collector
from offchain.hyperx.report.record import GasEntry, LedgerEntry, ProviderResult, SessionRecord
from offchain.hyperx.session import Member, Session
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.options import Options
from scripts._hyperx.stories import Story
from scripts._stage.money import balance_of, currency
from scripts._stage.table import Seat
from scripts._stage.versions import versions


@dataclass(frozen=True)
class Offer:
    """One provider of a demonstration, and the truth about its data.

    Attributes:
        seat: its place at the table.
        data: what it sells.
        corruption: what was done to it.
        culprit: whether it is the one that misbehaves.
    """

    seat: Seat
    data: ImageSet
    corruption: str
    culprit: bool


@dataclass(frozen=True)
class Market:
    """All that was at the table.

    Attributes:
        chain: the session on chain.
        factory: 0x address of its factory.
        buyer: the collector's seat.
        offers: the providers.
        before: what each held before, by account, in the coin that pays.
    """

    chain: ChainSession
    factory: str
    buyer: Seat
    offers: tuple[Offer, ...]
    before: Mapping[str, int]

    @classmethod
    def open(
        cls, chain: ChainSession, factory: str, buyer: Seat, offers: tuple[Offer, ...]
    ) -> Market:
        """Notes what everybody held before the session, which may be under way."""
        seats = [buyer, *(offer.seat for offer in offers)]
        session = chain.read()
        held = {seat.address: balance_of(chain.terms.token, seat.address) for seat in seats}
        held[buyer.address] += chain.terms.escrow - (session.reclaimed or 0)
        for member in session.members.values():
            if member.account in held:
                held[member.account] += chain.terms.deposit - (member.paid or 0)
        if chain.terms.token == NATIVE:
            held[buyer.address] += chain.fees().get(buyer.address, 0)
        return cls(chain, factory, buyer, offers, held)

    @property
    def seats(self) -> list[Seat]:
        """Everybody, the collector first."""
        return [self.buyer, *(offer.seat for offer in self.offers)]

    def gain(self, account: str) -> int:
        """What `account` gained, fees set aside; negative if it lost."""
        fees = self.chain.fees().get(account, 0) if self.chain.terms.token == NATIVE else 0
        return balance_of(self.chain.terms.token, account) - self.before[account] + fees


def injustices(
    market: Market, session: Session, story: Story, received: ImageSet | None
) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly."""
    found = []
    terms, deal = market.chain.terms, session.deal
    gains = {offer.seat.address: 0 for offer in market.offers}
    for offer in market.offers:
        member = session.members.get(offer.seat.address)
        if offer.culprit:
            asked = member is not None and member.tried
            if asked:
                gains[offer.seat.address] = story.culprit_gains(terms)
            if asked != story.asked(terms):
                found.append(
                    f"{offer.seat.name} was asked for a review"
                    if asked
                    else f"{offer.seat.name}, which misbehaves in its review, was asked for none"
                )
        elif member and member.compensated:
            if not story.jilted:
                found.append(f"{offer.seat.name} disclosed its samples in vain")
            gains[offer.seat.address] = terms.compensation
    if story.refused and story.refused not in market.chain.refused:
        found.append(f"{story.refused} should have been refused")
    if (deal is not None) != story.deal:
        found.append("there should be a deal" if story.deal else "there should be no deal")
    if deal:
        gains[deal.provider] += terms.reward
        sold = next(offer for offer in market.offers if offer.seat.address == deal.provider)
        if sold.culprit:
            found.append(f"{sold.seat.name} was paid")
        if received is None or received.digest() != sold_digest(sold, session):
            found.append("the collector's dataset is not the one that was sold")
    owed = session.owed_to_collector() + sum(session.owed_to(account) for account in gains)
    held = balance_of(terms.token, market.chain.address)
    if held != owed:
        found.append(f"the session holds {held} wei and owes {owed}")
    # What the others gained the collector paid, and no more; what it may still take is its own.
    gains[market.buyer.address] = -sum(gains.values()) - session.owed_to_collector()
    for seat in market.seats:
        if (real := market.gain(seat.address)) != gains[seat.address]:
            found.append(
                f"{seat.name} gained {real} wei besides gas, should have {gains[seat.address]}"
            )
    return found


def sold_digest(offer: Offer, session: Session) -> str:
    """Digest of the samples that went into a provider's shards."""
    terms = session.terms
    return packed_part(offer.data, terms.shard_count, terms.shard_size).digest()


def make_record(
    name: str,
    market: Market,
    session: Session,
    collector: Collector,
    options: Options,
    received: ImageSet | None,
    baselines: dict[str, dict[str, float]],
    efficacy: dict[str, int],
    started: datetime,
    events: list[str],
) -> SessionRecord:
    """The record of a session that is over."""
    chain, terms = market.chain, market.chain.terms
    extractor = collector.evaluation.extractor
    winner = next(
        (o for o in market.offers if session.deal and o.seat.address == session.deal.provider),
        None,
    )
    names = {seat.address: seat.name for seat in market.seats}
    coin, decimals = currency(terms.token)
    return SessionRecord(
        story=name,
        chain_id=ape.chain.chain_id,
        session=chain.address,
        factory=market.factory,
        collector=market.buyer.address,
        token=None if terms.token == NATIVE else terms.token,
        reward=terms.reward,
        shard_count=terms.shard_count,
        shard_size=terms.shard_size,
        sample_bps=terms.sample_bps,
        settlement=terms.settlement.name.lower(),
        extractor=f"{extractor.backbone} at {extractor.cut}, {extractor.size} px, "
        + ("private weights" if options.settings().weights else "public weights"),
        dataset=options.dataset,
        seed=options.seed,
        providers=tuple(_result(market, session, collector, offer) for offer in market.offers),
        gas=tuple(GasEntry(names[r.account], r.call, r.gas) for r in chain.receipts),
        gas_price_gwei=options.gas_price,
        baselines=baselines,
        efficacy=efficacy,
        winner=winner.seat.name if winner else None,
        digest_winner=sold_digest(winner, session) if winner else None,
        digest_received=received.digest() if received else None,
        ledger=tuple(_ledger(market, session)),
        settings=versions(),
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        events=tuple(events),
        currency=coin,
        decimals=decimals,
    )


def _result(market: Market, session: Session, collector: Collector, offer: Offer) -> ProviderResult:
    account = offer.seat.address
    member = session.members.get(account)
    score = collector.scored.get(account)
    return ProviderResult(
        name=offer.seat.name,
        account=account,
        corruption=offer.corruption,
        score=score.accuracy if score else None,
        low=score.low if score else None,
        high=score.high if score else None,
        macro_f1=score.macro_f1 if score else None,
        deposit=session.terms.deposit if member else 0,
        payout=(member.paid or 0) if member else 0,
        gas=sum(r.gas for r in market.chain.receipts if r.account == account),
        outcome=_outcome(session, member, collector.objections.get(account, "")),
    )


def _outcome(session: Session, member: Member | None, reason: str) -> str:
    """What became of a provider; a few words."""
    if member is None:
        return "did not register"
    if session.deal and session.deal.provider == member.account:
        return "chosen"
    if member.forfeited == session.terms.deposit:
        return f"lost its deposit: {reason or 'did not claim in time'}"
    if member.forfeited:
        return "lost the penalty: opened no review in time"
    if member.compensated:
        return f"compensated: {reason or 'the collector did not answer'}"
    return f"passed over: {reason}" if reason else "not chosen"


def _ledger(market: Market, session: Session) -> list[LedgerEntry]:
    fees = market.chain.fees()
    buyer = market.buyer
    rows = [
        LedgerEntry(
            party=buyer.name,
            paid_in=session.terms.escrow,
            paid_out=session.reclaimed or 0,
            fees=fees.get(buyer.address, 0),
            claimable=session.owed_to_collector(),
        )
    ]
    for offer in market.offers:
        if member := session.members.get(offer.seat.address):
            rows.append(
                LedgerEntry(
                    party=offer.seat.name,
                    paid_in=session.terms.deposit,
                    paid_out=member.paid or 0,
                    fees=fees.get(member.account, 0),
                    claimable=session.owed_to(member.account),
                )
            )
    return rows
