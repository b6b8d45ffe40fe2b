"""The record of a sale, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hide.countermeasures import Regained, best
from offchain.report.money import Money
from scripts._hide.workshop import Pool
from scripts._stage.gas import CallRecord


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
class Learned:
    """What a buyer made of a level: the accuracy that was sold to it, and that it trained to."""

    level: int
    bought: float
    reached: float


@dataclass(frozen=True)
class BuyerRecord:
    """One buyer. wanted: numbers of levels. owned: number of the best it owns, 0 for none. learned:
    from each level that was delivered as it should be."""

    name: str
    account: str
    wanted: tuple[int, ...]
    owned: int
    learned: tuple[Learned, ...]
    outcome: str


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
    money: tuple[Money, ...]
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
