"""Who got what in a session, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from offchain.hyperx.session import Fault, Session
from offchain.report.money import Money
from offchain.report.text import amount
from scripts._hyperx.scene import Scene
from scripts._stage.money import currency


def money_of(scene: Scene, session: Session, outcomes: Mapping[str, str]) -> tuple[Money, ...]:
    """The collector's money, then the providers'. outcomes: of the providers, by name."""
    owed = {scene.buyer.address: session.owed_to_collector()}
    owed |= {account: session.owed_to(account) for account in session.members}
    collector, *providers = (
        scene.chain.money(
            seat.name, seat.address, scene.before[seat.address], claimable=owed.get(seat.address, 0)
        )
        for seat in scene.seats
    )
    names = {seat.address: seat.name for seat in scene.seats}
    winner = names[session.deal.provider] if session.deal else None
    rubbish = {names[m.account] for m in session.members.values() if m.fault is Fault.RUBBISH}
    burned = session.terms.burn
    return (
        replace(collector, why=_why_collector(scene, providers, winner, rubbish, burned)),
        *(
            replace(one, why="its dataset" if one.party == winner else outcomes[one.party])
            for one in providers
        ),
    )


def _why_collector(
    scene: Scene,
    providers: Sequence[Money],
    winner: str | None,
    rubbish: Collection[str],
    burned: int,
) -> str:
    """What the collector's gain is made of; what providers gained or lost it paid or got."""
    coin, decimals = currency(scene.chain.token)
    reasons = [] if winner else ["no deal"]
    for one in providers:
        coins = f"{amount(abs(one.gain), decimals)} {coin}"
        if one.party == winner:
            reasons.append(f"bought the dataset of {one.party}")
        elif one.party in rubbish:
            own = f"{amount(burned, decimals)} {coin}"
            reasons.append(f"burned {own} to punish {one.party}, which lost {coins}")
        elif one.gain > 0:
            reasons.append(f"compensated {one.party} with {coins}")
        elif one.gain < 0:
            reasons.append(f"got {coins} that {one.party} forfeited")
    return "; ".join(reasons)
