"""What is kept of an `ape run price`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import ape

from offchain.crypto.settlement import NATIVE
from offchain.mde.buying import Bought, rank_correlation
from offchain.mde.errors import MdeError
from scripts._mde.options import PriceOptions
from scripts._mde.order import Stand
from scripts._mde.scene import Played, Truth
from scripts._stage.gas import CallRecord, calls_of
from scripts._stage.money import balance_of, currency


@dataclass(frozen=True)
class SellerRecord:
    """One seller. score: what its set does by the artefact, in nats. price: quoted, None without a
    quote. gain_loss, gain_accuracy: what training on it alone truly brings on the test set. round:
    how many artefacts it quoted under. paid: its price if it was bought."""

    name: str
    kind: str
    account: str
    samples: int
    score: float
    price: int | None
    gain_loss: float
    gain_accuracy: float
    outcome: str
    paid: int
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class PartyRecord:
    """Money of one party in the smallest unit: before it put up anything and after all was
    withdrawn, fees included where the native coin pays; its gas, and its fees in wei."""

    name: str
    account: str
    before: int
    after: int
    gain: int
    gas: int
    fees: int


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
    several artefacts. combinations: tried
    for the best way. loss, accuracy: of the buyer's model before and after its purchases."""

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
    budget: int
    rounds: int
    sellers: tuple[SellerRecord, ...]
    parties: tuple[PartyRecord, ...]
    ways: tuple[WayRecord, ...]
    combinations: int
    rho: float | None
    loss: tuple[float, float]
    accuracy: tuple[float, float]
    calls: tuple[CallRecord, ...]
    gas_price_gwei: float
    refused: tuple[str, ...]
    wrong: tuple[str, ...]
    seconds: float


def make_record(
    name: str, options: PriceOptions, played: Played, truth: Truth, seconds: float
) -> Record:
    """Of a market that is over."""
    chain, first = played.chain, played.rounds[0]
    coin, decimals = currency(chain.token)
    sellers = tuple(
        SellerRecord(
            name=stand.name,
            kind=stand.kind,
            account=str(stand.account.address),
            samples=len(stand.role.samples),
            score=stand.role.efficacy(first.pricing),
            price=stand.price if stand.said else None,
            gain_loss=gain.loss,
            gain_accuracy=gain.accuracy,
            outcome=outcome(stand),
            paid=stand.paid,
            remarks=tuple(stand.remarks),
        )
        for stand, gain in zip(played.stands, truth.gains, strict=True)
    )
    accounts = [("buyer", first.account), *((one.name, one.account) for one in played.stands)]
    parties = []
    fees = chain.fees()
    for who, account in accounts:
        address = str(account.address)
        parties.append(
            PartyRecord(
                who,
                address,
                played.started[address],
                balance_of(chain.token, address),
                played.gain(address),
                sum(r.gas for r in chain.receipts if r.account == address),
                fees.get(address, 0),
            )
        )
    quoted = [one for one in sellers if one.price is not None]
    return Record(
        story=name,
        title=played.story.title,
        contract=chain.place.contract,
        chain_id=int(ape.chain.chain_id),
        token=None if chain.token == NATIVE else chain.token,
        currency=coin,
        decimals=decimals,
        options={n: str(v) if isinstance(v, Path) else v for n, v in asdict(options).items()},
        artefact=first.order.artefact.hex(),
        artefact_bytes=len(first.buyer.artefact),
        budget=played.budget,
        rounds=len(played.rounds),
        sellers=sellers,
        parties=tuple(parties),
        ways=_ways(truth, sellers),
        combinations=truth.ways.combinations if truth.ways else 0,
        rho=None
        if len(played.rounds) > 1
        else _rho([one.price or 0 for one in quoted], [one.gain_loss for one in quoted]),
        loss=(truth.before.loss, truth.after.loss),
        accuracy=(truth.before.accuracy, truth.after.accuracy),
        calls=calls_of(chain.receipts),
        gas_price_gwei=options.gas_price,
        refused=tuple(chain.refused),
        wrong=tuple(played.wrong),
        seconds=seconds,
    )


def outcome(stand: Stand) -> str:
    """What became of a seller; a few words."""
    if stand.proved:
        return f"convicted: {stand.proved.told}"
    if stand.lapsed:
        return "delivered no key"
    if stand.bought:
        return "bought"
    if stand.said is None:
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
    found = [way("greedy by marginal efficacy", truth.ways.greedy), mean]
    if truth.ways.best is not None:
        found.append(way("best, by training on all", truth.ways.best))
    return tuple(found)
