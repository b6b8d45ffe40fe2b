"""What came of a sale: the checks that its story ended justly, and the record of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ape

from offchain.crypto.listings import NATIVE, SaleState, Settlement
from offchain.data.imageset import ImageSet
from offchain.hide.countermeasures import Regained, best
from offchain.hide.making import Made
from offchain.report.text import percent
from offchain.sale.buyer import Buyer
from offchain.sale.session import SaleSession
from offchain.sale.stock import Stock
from scripts._chain import balance_of
from scripts._erc20 import currency
from scripts._federate_report import CallRecord, calls_of
from scripts._market import Seat
from scripts._record import versions
from scripts._sell_chain import SaleChain
from scripts._sell_goods import Pool, Workshop
from scripts._sell_stories import STORIES, Story

if TYPE_CHECKING:
    from scripts._sell import Options

BUYER_SEED = 1_000
"""Added to the run's seed and a buyer's number: nobody trains under the seller's seeds."""


@dataclass(frozen=True)
class Scene:
    """All that took part in a sale. seats: the seller, then the buyers. wants: of the buyers.
    before: what each held, by account, in the coin that pays."""

    chain: SaleChain
    session: SaleSession
    stock: Stock
    made: Made
    seats: tuple[Seat, ...]
    wants: tuple[tuple[int, ...], ...]
    before: Mapping[str, int]
    settlement: Settlement

    @property
    def buyers(self) -> tuple[Buyer, ...]:
        """The buyers' roles."""
        roles = [seat.role for seat in self.seats[1:]]
        return tuple(role for role in roles if isinstance(role, Buyer))

    def gain(self, account: str) -> int:
        """What an account gained, fees set aside; negative if it lost."""
        token = self.chain.token
        fees = self.chain.fees().get(account, 0) if token == NATIVE else 0
        return balance_of(token, account) - self.before[account] + fees


@dataclass(frozen=True)
class LevelRecord:
    """One level. designed, found, verified: accuracies asked for, found by the search, and reached
    by another network under another seed. free: images without a mask. price: smallest unit."""

    number: int
    designed: float
    found: float
    verified: float
    free: int
    price: int
    file_bytes: int


@dataclass(frozen=True)
class BuyerRecord:
    """One buyer. wanted: numbers of levels. owned: number of the best it owns, 0 for none. claimed,
    reached: accuracy that was sold to it, and that it trained to; None where it got nothing."""

    name: str
    account: str
    wanted: tuple[int, ...]
    owned: int
    claimed: float | None
    reached: float | None
    outcome: str


@dataclass(frozen=True)
class MoneyRecord:
    """One party, in the smallest unit. gain: after less before, fees (wei) set aside."""

    party: str
    before: int
    after: int
    fees: int
    gain: int


@dataclass(frozen=True)
class SaleRecord:
    """One sale, as plain values. Accuracies are shares of the test set; masked, clean: of the
    published and of the unmasked data; seconds of wall clock."""

    story: str
    title: str
    settlement: str
    dataset: str
    images: int
    tested: int
    network: str
    chain_id: int
    contract: str
    listing: str
    catalogue: str
    digest: str
    currency: str
    decimals: int
    stake: int
    masked: float
    clean: float
    counters: tuple[Regained, ...]
    levels: tuple[LevelRecord, ...]
    buyers: tuple[BuyerRecord, ...]
    pool: Pool | None
    money: tuple[MoneyRecord, ...]
    calls: tuple[CallRecord, ...]
    refused: tuple[str, ...]
    gas_price_gwei: float
    settings: dict[str, str]
    events: tuple[str, ...]
    conclusions: tuple[str, ...]
    seconds: float

    @property
    def free(self) -> Regained:
        """The best free counter-measure."""
        return best(self.counters)


def injustices(scene: Scene, story: Story) -> list[str]:
    """What is not as the story demands, measured on chain; empty if it ended justly."""
    found, paid, chain = [], 0, scene.chain
    levels, stake = scene.stock.listing.levels, scene.stock.listing.stake
    for number, (seat, cheated) in enumerate(
        zip(scene.seats[1:], story.cheated(scene.wants), strict=True), 1
    ):
        due, owned = _owed(story, scene.wants, number, cheated)
        purchase = scene.session.purchases.get(seat.address)
        if (purchase.owned if purchase else 0) != owned:
            found.append(f"{seat.name} owns {purchase.owned if purchase else 0}, should {owned}")
        gain = due * stake - (levels[owned - 1].price if owned else 0)
        if (real := scene.gain(seat.address)) != gain:
            found.append(f"{seat.name} gained {real} besides gas, should have {gain}")
        paid -= gain
        role = seat.role
        got = role.dataset() if isinstance(role, Buyer) else None
        wanted = scene.made.family.cleaner(owned).result if owned else None
        if (got.digest() if got else None) != wanted:
            found.append(f"{seat.name} does not hold what it paid for")
    seller = scene.seats[0].address
    if (real := scene.gain(seller)) != paid:
        found.append(f"the seller gained {real} besides gas, should have {paid}")
    if left := balance_of(chain.token, chain.address):
        found.append(f"{left} are left in the contract")
    expected = [call for call in [story.refused(scene.settlement)] if call]
    if chain.refused != expected:
        found.append(f"refused were {chain.refused}, should be {expected}")
    return found


def _owed(
    story: Story, wants: Sequence[Sequence[int]], number: int, cheated: set[int]
) -> tuple[int, int]:
    """How many stakes a buyer must be paid, and how many levels it must own in the end."""
    if not story.buys and number == len(wants):
        return 0, 0
    owned = 0
    for level in wants[number - 1]:
        if level in cheated:
            return int(story.punished), owned
        owned = level + 1
    return 0, owned


def make_record(
    name: str,
    scene: Scene,
    options: Options,
    workshop: Workshop,
    counters: Sequence[Regained],
    events: Sequence[str],
    started: float,
) -> SaleRecord:
    """Trains with what each bought, and puts it all together."""
    chain, listing, made = scene.chain, scene.stock.listing, scene.made
    story, data = STORIES[name], [buyer.dataset() for buyer in scene.buyers]
    buyers = tuple(
        _buyer(scene, workshop, options.seed + BUYER_SEED + number, number, got)
        for number, got in enumerate(data, 1)
    )
    pool = None
    if story.pools:
        one, other = data[0], data[1]
        assert one is not None
        assert other is not None
        pool = workshop.pool(made, one, other, options.seed + BUYER_SEED)
    coin, decimals = currency(chain.token)
    fees = chain.fees()
    money = tuple(
        MoneyRecord(
            seat.name,
            scene.before[seat.address],
            balance_of(chain.token, seat.address),
            fees.get(seat.address, 0),
            scene.gain(seat.address),
        )
        for seat in scene.seats
    )
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
        money=money,
        calls=calls_of(chain.receipts),
        refused=tuple(chain.refused),
        gas_price_gwei=options.gas_price,
        settings=versions(),
        events=tuple(events),
        conclusions=tuple(_conclusions(scene, buyers, pool, best(counters))),
        seconds=time.monotonic() - started,
    )


def _buyer(
    scene: Scene, workshop: Workshop, seed: int, number: int, got: ImageSet | None
) -> BuyerRecord:
    seat, role = scene.seats[number], scene.buyers[number - 1]
    purchase = scene.session.purchases.get(seat.address)
    owned = purchase.owned if purchase else 0
    claimed = scene.made.family.levels[owned - 1].wanted if owned else None
    return BuyerRecord(
        seat.name,
        seat.address,
        tuple(level + 1 for level in scene.wants[number - 1]),
        owned,
        claimed,
        None if got is None else workshop.reached(got, seat.name, seed),
        _outcome(scene, number, role),
    )


def _outcome(scene: Scene, number: int, role: Buyer) -> str:
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


def _plural(worthless: Sequence[str]) -> str:
    """What is to be said of levels that are worth nothing against the best counter-measure."""
    if not worthless:
        return ""
    levels = "level" if len(worthless) == 1 else "levels"
    return f", and {levels} {', '.join(worthless)} of this data nothing to who can do that"


def _conclusions(
    scene: Scene, buyers: Sequence[BuyerRecord], pool: Pool | None, free: Regained
) -> list[str]:
    """What a person should take away, one sentence each."""
    levels = scene.made.family.levels
    worthless = [str(k) for k, one in enumerate(levels, 1) if one.verified <= free.accuracy]
    said = [
        f"Without paying, {free.name} reaches {percent(free.accuracy)}: a level is worth what it "
        f"gives above that{_plural(worthless)}."
    ]
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
            f"{percent(pool.stripped)}; the guess explains {percent(pool.known)} of those masks."
        )
    return said
