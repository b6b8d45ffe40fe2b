"""What the command line of `ape run sell` says, turned into a plan, prices and buyers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import ape
import click

from offchain.hide.making import Plan
from offchain.hide.masks import MaskSettings
from offchain.hide.training import TrainingSettings
from scripts._hide.mask_options import levels_of
from scripts._hide.stories import Story
from scripts._stage.accounts import is_local
from scripts._stage.money import parse_amount

SPARE_ACCOUNTS = 2
"""One account deploys, one sells."""


@dataclass(frozen=True)
class SellOptions:
    """The options of `ape run sell`; amounts as text, times as named."""

    settlement: str | None
    dataset: str
    data_root: Path | None
    download: bool
    skip_broken: bool
    image_size: int | None
    images: int | None
    test: int
    levels: str
    tolerance: float
    epsilon: int
    patch: int
    order: str
    grey: bool
    mask_network: str
    check: str
    epochs: int
    batch: int
    prices: str
    stake: str
    token: str | None
    licence: str
    pay_to: str | None
    seller: str | None
    buyer: tuple[str, ...]
    yes: bool
    deployments: Path
    buyers: str | None
    hours: float
    window_minutes: float
    gas_price: float
    seed: int
    device: str | None
    workers: int | None
    ipfs: str | None
    keep: Path
    reports: Path

    def plan(self) -> Plan:
        """How the family is made. Raises LevelError, EpsilonError or HideError."""
        return Plan(
            levels_of(self.levels),
            self.tolerance,
            MaskSettings.fitting("class", self.epsilon, self.patch, self.grey, apart=True),
            TrainingSettings(self.epochs, self.batch),
            self.mask_network,
            self.check,
            self.order,
            self.seed,
        )

    def amounts(self, plan: Plan) -> tuple[int, ...]:
        """A price for each level asked for, in the smallest unit. Raises ClickException."""
        texts = self.prices.split(",")
        if len(texts) != len(plan.levels):
            raise click.ClickException(f"prices: {len(texts)} for {len(plan.levels)} levels")
        prices = tuple(parse_amount("prices", text.strip()) for text in texts)
        for before, after in pairwise(prices):
            if after <= before:
                raise click.ClickException(
                    f"prices: {after} wei after {before} wei, must rise with the levels"
                )
        return prices

    def wants(self, story: Story, levels: int) -> tuple[tuple[int, ...], ...]:
        """The levels each buyer buys, as indices, one after the other. Raises ClickException."""
        if self.buyers is None:
            top, second = levels - 1, min(1, levels - 1)
            first = (0, top) if story.upgrade and top else (0,)
            return (first, *((k,) for k in range(1, levels)), (second,))
        found = []
        for text in self.buyers.split(","):
            try:
                wanted = tuple(int(part) - 1 for part in text.split("+"))
            except ValueError as error:
                raise click.ClickException(
                    f"buyers: {text!r} is no level, nor levels joined by +"
                ) from error
            for level in wanted:
                if not 0 <= level < levels:
                    raise click.ClickException(f"buyers: level {level + 1}, must be 1 to {levels}")
            if list(wanted) != sorted(set(wanted)):
                raise click.ClickException(f"buyers: {text}, levels must rise from one to the next")
            found.append(wanted)
        most = len(ape.accounts.test_accounts) - SPARE_ACCOUNTS
        if is_local() and len(found) > most:
            raise click.ClickException(
                f"{len(found)} buyers, but only {most} test accounts are left for them"
            )
        if story.pools and len(found) < 2:
            raise click.ClickException("buyers: it takes 2 to pool what they bought")
        return tuple(found)
