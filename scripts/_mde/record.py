"""What is kept of an `ape run price`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from offchain.crypto.settlement import NATIVE
from offchain.mde.artefact import artefact_digest
from offchain.mde.buying import Bought, rank_correlation
from offchain.mde.errors import MdeError
from offchain.report.money import Money
from scripts._mde.options import PriceOptions
from scripts._mde.scene import Scene, SellerEnd, Truth
from scripts._stage.gas import CallRecord, calls_of
from scripts._stage.money import currency


@dataclass(frozen=True)
class SellerRecord:
    """One seller. score: what its set does by the artefact, in nats; undecided: whether that might
    as well have the other sign. price: quoted, None without a quote. gain_loss, gain_accuracy: what
    training on it alone truly brings on the test set. paid: its price if it was bought."""

    name: str
    kind: str
    account: str
    samples: int
    score: float
    undecided: bool
    price: int | None
    gain_loss: float
    gain_accuracy: float
    outcome: str
    paid: int
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class WayRecord:
    """One way to spend the budget. sets: sellers' names; for random purchases empty, and means."""

    name: str
    sets: tuple[str, ...]
    cost: float
    gain_loss: float
    gain_accuracy: float


@dataclass(frozen=True)
class Record:
    """A run. rho: Spearman's, of prices and true gains, None where it has none, or prices are under
    several artefacts. combinations: tried for the best way. loss, accuracy: of the buyer's model
    before and after its purchases. buyer: its account. remarks: what the chain refused it."""

    story: str
    title: str
    contract: str
    chain_id: int
    token: str | None
    currency: str
    decimals: int
    options: dict[str, object]
    artefact: str
    artefact_bytes: int
    buyer: str
    budget: int
    orders: int
    sellers: tuple[SellerRecord, ...]
    money: tuple[Money, ...]
    ways: tuple[WayRecord, ...]
    combinations: int
    rho: float | None
    loss: tuple[float, float]
    accuracy: tuple[float, float]
    calls: tuple[CallRecord, ...]
    gas_price_gwei: float
    refused: tuple[str, ...]
    wrong: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds: float


def make_record(
    name: str, options: PriceOptions, scene: Scene, truth: Truth, wrong: list[str], seconds: float
) -> Record:
    """Of a market that is over."""
    chain, first = scene.chain, scene.orders[0]
    coin, decimals = currency(chain.token)
    artefact = scene.buyer.vault.artefact(0)
    pricing = scene.buyer.vault.pricing(first)
    reports = [one.role.efficacy(pricing) for one in scene.sellers]
    sellers = tuple(
        SellerRecord(
            name=one.name,
            kind=one.kind,
            account=one.account,
            samples=len(one.role.samples),
            score=report.total,
            undecided=report.undecided,
            price=one.sale.price if one.sale else None,
            gain_loss=gain.loss,
            gain_accuracy=gain.accuracy,
            outcome=outcome(one),
            paid=one.paid,
            remarks=one.remarks,
        )
        for one, report, gain in zip(scene.sellers, reports, truth.gains, strict=True)
    )
    money = tuple(
        chain.money(seat.name, seat.address, scene.before[seat.address]) for seat in scene.seats
    )
    if (to := scene.pay_to) and to not in {seat.address for seat in scene.seats}:
        money += (chain.money("paid to", to, scene.before[to]),)
    quoted = [one for one in sellers if one.price is not None]
    return Record(
        story=name,
        title=scene.story.title,
        contract=chain.place.contract,
        chain_id=chain.place.chain_id,
        token=None if chain.token == NATIVE else chain.token,
        currency=coin,
        decimals=decimals,
        options=asdict(options),
        artefact=artefact_digest(artefact).hex(),
        artefact_bytes=len(artefact),
        buyer=scene.buyer.account,
        budget=scene.budget,
        orders=len(scene.orders),
        sellers=sellers,
        money=money,
        ways=_ways(truth, sellers),
        combinations=truth.ways.combinations if truth.ways else 0,
        rho=None
        if len(scene.orders) > 1
        else _rho([one.price or 0 for one in quoted], [one.gain_loss for one in quoted]),
        loss=(truth.before.loss, truth.after.loss),
        accuracy=(truth.before.accuracy, truth.after.accuracy),
        calls=calls_of(chain.receipts),
        gas_price_gwei=options.gas_price,
        refused=tuple(chain.refused),
        wrong=tuple(wrong),
        remarks=tuple(scene.refusals.get("buyer", ())),
        seconds=seconds,
    )


def outcome(one: SellerEnd) -> str:
    """What became of a seller; a few words."""
    if one.told:
        return f"convicted: {one.told}"
    if one.lapsed:
        return "delivered no key"
    if one.paid:
        return "bought"
    if one.sale is None:
        return "did not quote"
    return "not bought"


def _rho(prices: list[int], gains: list[float]) -> float | None:
    try:
        return rank_correlation(prices, gains)
    except MdeError:  # too few sets, or all at one price
        return None


def _ways(truth: Truth, sellers: tuple[SellerRecord, ...]) -> tuple[WayRecord, ...]:
    if truth.ways is None:
        return ()

    def way(name: str, one: Bought) -> WayRecord:
        sets = tuple(sellers[i].name for i in one.chosen)
        return WayRecord(name, sets, one.cost, one.gain.loss, one.gain.accuracy)

    random = truth.ways.random
    mean = WayRecord(
        f"at random, mean of {len(random)}",
        (),
        sum(one.cost for one in random) / len(random),
        truth.ways.random_loss,
        truth.ways.random_accuracy,
    )
    found = [way("by marginal efficacy", truth.ways.by_efficacy), mean]
    if truth.ways.best is not None:
        found.append(way("best, by training on all", truth.ways.best))
    return tuple(found)
