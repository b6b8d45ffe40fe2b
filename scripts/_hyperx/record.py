"""The record of a session that is over."""

from __future__ import annotations

from datetime import UTC, datetime

import ape

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hyperx.collector import Collector
from offchain.hyperx.many_accounts import told
from offchain.hyperx.report.record import GasEntry, ProviderResult, SessionRecord
from offchain.hyperx.session import Fault, Member, Session
from scripts._hyperx.money import money_of
from scripts._hyperx.options import TradeOptions
from scripts._hyperx.scene import Contender, Scene, sold_digest
from scripts._stage.money import currency
from scripts._stage.versions import versions


def make_record(
    name: str,
    scene: Scene,
    session: Session,
    collector: Collector,
    options: TradeOptions,
    received: str | None,
    baselines: dict[str, dict[str, float]],
    efficacy: dict[str, int],
    started: datetime,
    events: list[str],
) -> SessionRecord:
    """The record of a session that is over."""
    chain, terms = scene.chain, scene.chain.terms
    extractor = collector.evaluation.extractor
    winner = scene.contender_at(session.deal.provider) if session.deal else None
    names = {seat.address: seat.name for seat in scene.seats}
    providers = tuple(_result(scene, session, collector, one) for one in scene.contenders)
    coin, decimals = currency(terms.token)
    return SessionRecord(
        story=name,
        chain_id=ape.chain.chain_id,
        session=chain.address,
        factory=scene.factory,
        collector=scene.buyer.address,
        token=None if terms.token == NATIVE else terms.token,
        reward=terms.reward,
        shard_count=terms.shard_count,
        shard_size=terms.shard_size,
        sample_bps=terms.sample_bps,
        settlement="open" if terms.settlement is Settlement.OPEN else "sealed",
        extractor=f"{extractor.backbone} at {extractor.cut}, {extractor.size} px, "
        + ("private weights" if options.settings().weights else "public weights"),
        dataset=options.dataset,
        seed=options.seed,
        providers=providers,
        gas=tuple(GasEntry(names[r.account], r.call, r.gas) for r in chain.receipts),
        gas_price_gwei=options.gas_price,
        baselines=baselines,
        efficacy=efficacy,
        winner=winner.seat.name if winner else None,
        digest_winner=sold_digest(winner, session) if winner else None,
        digest_received=received,
        money=money_of(scene, session, {one.name: one.outcome for one in providers}),
        settings=versions() | {"many accounts": told(terms)},
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        events=tuple(events),
        currency=coin,
        decimals=decimals,
    )


def _result(
    scene: Scene, session: Session, collector: Collector, contender: Contender
) -> ProviderResult:
    account = contender.seat.address
    member = session.members.get(account)
    score = collector.scored.get(account)
    return ProviderResult(
        name=contender.seat.name,
        account=account,
        corruption=contender.corruption,
        score=score.accuracy if score else None,
        low=score.low if score else None,
        high=score.high if score else None,
        macro_f1=score.macro_f1 if score else None,
        deposit=session.terms.deposit if member else 0,
        payout=(member.paid or 0) if member else 0,
        gas=sum(r.gas for r in scene.chain.receipts if r.account == account),
        outcome=_outcome(session, member, collector.objections.get(account, "")),
    )


def _outcome(session: Session, member: Member | None, reason: str) -> str:
    """What became of a provider; a few words."""
    if member is None:
        return "did not register"
    if session.deal and session.deal.provider == member.account:
        return "chosen"
    if member.fault is not None:
        if member.fault is Fault.RUBBISH:
            return f"lost as much as the collector burned: {reason or member.fault.value}"
        lost = "its deposit" if member.forfeited == session.terms.deposit else "the penalty"
        return f"lost {lost}: {member.fault.value}"
    if member.compensated:
        return f"compensated: {reason or 'the collector did not answer'}"
    return f"passed over: {reason}" if reason else "not chosen"
