"""What a sale came to: who owns and learned what, the money, and what to take away from it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import ape

from offchain.crypto.settlement import Settlement
from offchain.hide.countermeasures import Regained, best
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.listings import SaleState
from offchain.report.money import Money
from offchain.report.text import amount, percent
from scripts._hide.options import SellOptions
from scripts._hide.record import BuyerRecord, Learned, LevelRecord, SaleRecord
from scripts._hide.scene import Scene
from scripts._hide.stories import STORIES
from scripts._hide.workshop import Lesson, Pool, Workshop
from scripts._stage.gas import calls_of
from scripts._stage.money import currency
from scripts._stage.versions import versions

BUYER_SEED = 1_000
"""Added to the run's seed and a buyer's number: nobody trains under the seller's seeds."""


def make_record(
    name: str,
    scene: Scene,
    options: SellOptions,
    workshop: Workshop,
    counters: Sequence[Regained],
    events: Sequence[str],
    started: float,
) -> SaleRecord:
    """Trains with what each bought, and puts it all together."""
    chain, listing, made = scene.chain, scene.stock.listing, scene.made
    story, seed = STORIES[name], options.seed + BUYER_SEED
    lessons = {
        (number, level): Lesson(data, seed + number)
        for number, role in enumerate(scene.buyers, 1)
        for level, data in role.datasets().items()
    }
    reached = dict(zip(lessons, workshop.reached(list(lessons.values())), strict=True))
    buyers = tuple(_buyer(scene, reached, number) for number in range(1, len(scene.seats)))
    pool = None
    if story.pools:
        one, other = (role.dataset() for role in scene.buyers[:2])
        assert one is not None
        assert other is not None
        pool = workshop.pool(made, one, other, seed)
    coin, decimals = currency(chain.token)
    return SaleRecord(
        story=name,
        title=story.title,
        settlement=scene.settlement.name.lower(),
        dataset=options.dataset,
        images=len(made.family.masked),
        tested=len(workshop.split.test),
        network=options.check,
        chain_id=ape.chain.chain_id,
        contract=chain.address,
        listing=f"0x{chain.id.hex()}",
        catalogue=scene.stock.catalogue,
        digest=made.family.masked.digest(),
        currency=coin,
        decimals=decimals,
        stake=listing.stake,
        masked=made.masked,
        clean=made.clean,
        counters=tuple(counters),
        levels=tuple(
            LevelRecord(
                number,
                level.wanted,
                level.reached,
                level.verified,
                level.free,
                listing.levels[number - 1].price,
                scene.stock.sizes[number - 1],
            )
            for number, level in enumerate(made.family.levels, 1)
        ),
        buyers=buyers,
        pool=pool,
        money=money_of(scene, buyers),
        calls=calls_of(chain.receipts),
        refused=tuple(chain.refused),
        gas_price_gwei=options.gas_price,
        settings=versions(),
        events=tuple(events),
        conclusions=tuple(_conclusions(scene, buyers, pool, best(counters))),
        seconds=time.monotonic() - started,
    )


def _buyer(scene: Scene, reached: dict[tuple[int, int], float], number: int) -> BuyerRecord:
    """reached: accuracies by the number of the buyer and the level, counted from 0."""
    seat, role = scene.seats[number], scene.buyers[number - 1]
    purchase = scene.session.purchases.get(seat.address)
    levels = scene.made.family.levels
    return BuyerRecord(
        seat.name,
        seat.address,
        tuple(level + 1 for level in scene.wants[number - 1]),
        purchase.owned if purchase else 0,
        tuple(
            Learned(level + 1, levels[level].wanted, accuracy)
            for (buyer, level), accuracy in reached.items()
            if buyer == number
        ),
        _outcome(scene, role),
    )


def _outcome(scene: Scene, role: Buyer) -> str:
    purchase = scene.session.purchases.get(role.account)
    if purchase is None:
        why = next(iter(role.objections.values()), "")
        return f"bought nothing{why and f': {why}'}"
    said = []
    if purchase.owned:
        said.append(f"owns level {purchase.owned}")
    said += [f"paid back for level {level + 1}: {why}" for level, why in purchase.failed]
    if purchase.state not in (SaleState.NONE, SaleState.OWNED):
        said.append(f"left {purchase.state.name.lower()}")
    return "; ".join(said)


def money_of(scene: Scene, buyers: Sequence[BuyerRecord]) -> tuple[Money, ...]:
    """The seller's money, then the buyers', each with what its gain is for."""
    seller, *others = (
        scene.chain.money(seat.name, seat.address, scene.before[seat.address])
        for seat in scene.seats
    )
    listing = scene.stock.listing
    coin, decimals = currency(scene.chain.token)
    rows, stakes = [], 0
    for buyer, money in zip(buyers, others, strict=True):
        price = listing.levels[buyer.owned - 1].price if buyer.owned else 0
        punished = money.gain > -price
        stakes += punished
        got = [f"level {buyer.owned}"] * bool(buyer.owned) + ["the seller's stake"] * punished
        rows.append(replace(money, why=", ".join(got) or "nothing"))
    less = f", less {stakes} x {amount(listing.stake, decimals)} {coin} of stake" if stakes else ""
    return (replace(seller, why=f"sales{less}"), *rows)


def _all(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _conclusions(
    scene: Scene, buyers: Sequence[BuyerRecord], pool: Pool | None, free: Regained
) -> list[str]:
    """What a person should take away, one sentence each."""
    levels = scene.made.family.levels
    said = [
        f"Without paying, {free.name} reaches {percent(free.accuracy)}: a level is worth what it "
        "gives above that."
    ]
    worthless = [str(k) for k, one in enumerate(levels, 1) if one.verified <= free.accuracy]
    if worthless:
        said.append(f"Not above it, of this data and with these masks: level {_all(worthless)}.")
    if scene.settlement is Settlement.OPEN:
        said.append(
            "Keys were published: from its first delivery on, a level is free for everybody who "
            "reads the chain."
        )
    if pool is not None:
        one, other = buyers[0], buyers[1]
        said.append(
            f"{one.name} and {other.name} pool levels {one.owned} and {other.owned}: "
            f"{percent(pool.pooled)}. With the masks they can guess taken off the other images "
            f"{percent(pool.stripped)}; the guess "
            + (f"explains {percent(pool.known)}" if pool.known > 0 else "tells nothing")
            + " of those masks."
        )
    return said
