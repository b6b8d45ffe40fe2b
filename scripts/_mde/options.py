"""What the command line of `ape run price` says, turned into a market, terms and money."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.data.imageset import DataError, Progress
from offchain.data.leftout import Note
from offchain.data.originals import Dataset, form_of
from offchain.data.tables import TEXT
from offchain.mde.oracles import Settings
from offchain.mde.partition import Owned, Partition, Plan, lay_out
from offchain.mde.publishing import METHODS, Purse
from offchain.mde.quoting import OrderTerms
from offchain.mde.training import Trainer
from offchain.policy import Limit, Policy
from offchain.task import Task
from offchain.task.forms import as_author, said
from scripts._stage.money import parse_amount, parse_token
from scripts._stage.party_options import SampleOptions

LACKING_CLASSES = 3
"""Of the buyer, where there are so many and one more."""
_LEAST_PRICE = 10**15
"""Wei; of how many decimals a token has nothing is known."""


def priced(samples: Dataset) -> Dataset:
    """The same samples. Raises DataError for texts: their task does not say how many numbers they
    become, which an order does."""
    if form_of(samples).modality == TEXT:
        raise DataError(f"{samples.name}: texts are not priced yet; make columns of them first")
    return samples


@dataclass(frozen=True)
class OrderTermsOptions:
    """What a buyer values by and pays; amounts as text, times in minutes."""

    method: str
    hidden: int
    budget: str
    most: str
    floor: str
    stake: str
    token: str | None
    settlement: str | None
    minutes: float
    seed: int
    licence: str

    def trainer(self) -> Trainer:
        """How the buyer trains."""
        return Trainer((self.hidden,) if self.hidden else (), seed=self.seed)

    def purse(self) -> Purse:
        """What the buyer pays for one set. Raises ClickException."""
        most, floor = parse_amount("most", self.most), parse_amount("floor", self.floor)
        if floor >= most:
            raise click.ClickException(f"floor: {self.floor} must be below the most, {self.most}")
        return Purse(most, floor)

    def units(self) -> int:
        """The budget in the smallest unit. Raises ClickException."""
        return parse_amount("budget", self.budget)

    def terms(self, settlement: Settlement) -> OrderTerms:
        """Of the order. Raises ClickException."""
        seconds = self.seconds
        stake = parse_amount("stake", self.stake)
        return OrderTerms(parse_token(self.token), stake, settlement, seconds, seconds)

    @property
    def seconds(self) -> int:
        """For a delivery, for disputes after it, and for the buyer to wait for quotes."""
        return max(1, round(self.minutes * 60))

    @property
    def oracle(self) -> Settings:
        """The settings of the oracle that the artefact holds."""
        return METHODS[self.method]


@dataclass(frozen=True)
class LimitOptions:
    """The limits of a seller's owner; amounts as text, times as named."""

    most_stake: str | None
    least_delivery: float
    most_locked: float
    least_price: str | None
    most_quotes: int

    def policy_for(self, token: str) -> Policy:
        """The limits where `token` pays. Raises ClickException for what is no amount."""
        limits = {
            "delivery time": Limit(least=round(self.least_delivery * 60), unit="s"),
            "time locked": Limit(most=round(self.most_locked * 86_400), unit="s"),
            "price": Limit(least=_LEAST_PRICE if token == NATIVE else 1, unit="wei"),
            "quotes": Limit(most=self.most_quotes),
        }
        if self.least_price is not None:
            least = parse_amount("least-price", self.least_price)
            limits["price"] = Limit(least=least, unit="wei")
        if self.most_stake is not None:
            limits["stake"] = Limit(most=parse_amount("most-stake", self.most_stake), unit="wei")
        return Policy(limits)


@dataclass(frozen=True)
class PriceOptions(OrderTermsOptions, LimitOptions, SampleOptions):
    """See `ape run price --help`."""

    sellers: str
    samples: int
    own: int
    lacking: int
    lacking_classes: int | None
    validation: int
    test: int
    orders: int
    gas_price: float
    ipfs: str | None
    buyer: str | None
    seller: tuple[str, ...]
    pay_to: str | None
    yes: bool
    deployments: Path

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The sellers. Raises MdeError."""
        return Plan.parse(self.sellers, self.samples)

    def partition(self, note: Note, progress: Progress | None) -> Partition:
        """Everybody's data. Raises DataError or MdeError."""
        plans = self.plans
        whole = priced(as_author(self.load_samples(note, progress), note))
        lacking = self.lacking_classes or max(1, min(LACKING_CLASSES, len(whole.classes) - 1))
        owned = Owned(self.own, self.lacking, lacking, self.validation, self.test)
        return lay_out(whole, plans, owned, self.seed)

    def task(self, partition: Partition) -> Task:
        """What the buyer asks for; the artefact is left out. Raises TaskError."""
        return Task(classes=partition.names, licence=self.licence, **said(partition.form))

    def policy(self) -> Policy:
        """The limits of the sellers' owners. Raises ClickException for what is no amount."""
        return self.policy_for(parse_token(self.token))
