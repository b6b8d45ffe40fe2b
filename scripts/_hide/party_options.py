"""What the command lines of `ape run list` and `ape run buy` say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offchain.crypto.settlement import Settlement
from offchain.data.leftout import Note
from offchain.hide.sale.stock import Conditions
from offchain.policy import Limit, Policy
from offchain.task import Task, TaskError
from offchain.task.checks import DAY
from scripts._hide.mask_options import MaskOptions, levels_of
from scripts._stage.money import parse_amount, parse_token
from scripts._stage.party_options import PartyOptions

if TYPE_CHECKING:  # with torch, which a seller that goes on does not need
    from offchain.data.imageset import ImageSet, Progress

_PASSING = (
    *("yes", "as_json", "listen", "peer", "ipfs", "dry_run", "gas_price", "pay_to"),
    *("device", "workers"),
)
"""Options that make no other listing."""


@dataclass(frozen=True)
class ListOptions(PartyOptions):
    """The options of `ape run list`; amounts as text. masking: of `dataset`, if that is given."""

    dataset: str | None
    masked: Path | None
    masking: MaskOptions | None
    prices: str
    stake: str
    sales: int
    token: str | None
    settlement: str
    hours: float
    window_minutes: float
    licence: str
    retention: float
    content: str
    contact: tuple[str, ...]
    pay_to: str | None
    dry_run: bool
    gas_price: float
    ipfs: str | None
    yes: bool
    deployments: Path

    @classmethod
    def parse(cls, mask_network: str, **options: Any) -> ListOptions:
        """From all that the command line has. Raises ClickException unless either a dataset is to
        be masked or a folder is masked."""
        if (options["dataset"] is None) == (options["masked"] is None):
            raise click.ClickException("name either --dataset, to be masked, or --masked")
        options["network"] = mask_network
        masking = {one.name: options[one.name] for one in fields(MaskOptions)}
        own = {one.name: options[one.name] for one in fields(cls) if one.name in options}
        asked = None if own["dataset"] is None else MaskOptions(**masking)
        return cls(**own, masking=asked)

    @property
    def name(self) -> str:
        """What its listing is kept under: another name for other options, in any order."""
        said = asdict(self) | {"masking": self.masking and self.mask_name}
        return _hashed({k: str(v) for k, v in said.items() if k not in _PASSING})

    @property
    def mask_name(self) -> str:
        """What its masked pictures are kept under."""
        assert self.masking is not None
        said = asdict(self.masking)
        return _hashed({k: str(v) for k, v in said.items() if k not in _PASSING})

    def amounts(self) -> tuple[int, ...]:
        """Prices in the smallest unit. Raises ClickException unless they rise, and are as many as
        the levels that are to be searched."""
        prices = tuple(parse_amount("prices", text.strip()) for text in self.prices.split(","))
        for before, after in pairwise(prices):
            if after <= before:
                raise click.ClickException(
                    f"prices: {after} wei after {before} wei, must rise with the levels"
                )
        if self.masking is not None and len(prices) != len(levels_of(self.masking.levels)):
            levels = len(levels_of(self.masking.levels))
            raise click.ClickException(f"prices: {len(prices)} for {levels} levels")
        return prices

    def task(self, masked: ImageSet, contact: tuple[str, ...]) -> Task:
        """What is sold. Raises TaskError."""
        from offchain.hide.sale.wares import task_for

        return task_for(masked, self.licence, contact, self.content, round(self.retention * DAY))

    def conditions(self, seller: str, prices: tuple[int, ...]) -> Conditions:
        """What is asked. prices: of the levels that there are. Raises ClickException."""
        settlement = Settlement[self.settlement.upper()]
        stake, window = parse_amount("stake", self.stake), round(self.window_minutes * 60)
        hold = stake + (prices[-1] if settlement is Settlement.OPEN else 0)
        funds = hold * self.sales
        if funds >= 2**96:
            raise click.ClickException(f"sales: {funds} wei would answer for them, below 2^96 fit")
        return Conditions(
            seller, parse_token(self.token), prices, stake, funds, settlement, window, window
        )


@dataclass(frozen=True)
class BuyOptions(PartyOptions):
    """The options of `ape run buy`. level: from 1. test: of the buyer's own clean pictures."""

    level: int
    test: str | None
    data_root: Path | None
    download: bool
    skip_broken: bool
    model: str
    epochs: int
    seed: int
    device: str | None
    licence: tuple[str, ...]
    most_price: str | None
    accept_token: tuple[str, ...]
    most_wait: float
    pay_to: str | None
    dry_run: bool
    gas_price: float
    ipfs: str | None
    yes: bool
    deployments: Path

    def policy(self) -> Policy:
        """What its owner lets the role agree to. Raises ClickException for what is no amount."""
        limits = {"delivery time": Limit(most=round(self.most_wait * 3600), unit="s")}
        if self.most_price is not None:
            limits["price"] = Limit(most=parse_amount("most-price", self.most_price), unit="wei")
        return Policy(limits)

    def tokens(self) -> frozenset[str]:
        """What it pays in, in lower case. Raises ClickException for what is no token."""
        return frozenset(parse_token(one).lower() for one in (None, *self.accept_token))

    def own_test(self, task: Task, note: Note, progress: Progress | None) -> ImageSet | None:
        """The buyer's pictures with the task's classes and of its shape; None without any.

        Raises ClassesUnknown for a class that the task does not have, TaskError and DataError.
        """
        if self.test is None:
            return None
        from offchain.data.datasets import DATASETS, load_dataset
        from offchain.task.images import MODALITY, relabelled

        if task.modality != MODALITY:
            raise TaskError(
                f"the listing is of {task.modality}; pictures are what can be tried here"
            )
        channels, height, width = task.shape
        loaded = load_dataset(
            self.test,
            root=self.data_root,
            split="test" if self.test in DATASETS and self.test != "digits" else "train",
            download=self.download,
            size=height if height == width and height else None,
            skip_broken=self.skip_broken,
            note=note,
            progress=progress,
        )
        return of_channels(relabelled(loaded, task.classes, self.names), channels)


def of_channels(images: ImageSet, channels: int) -> ImageSet:
    """Grey pictures as a task has them: one channel, or three that are the same."""
    pixels = images.images
    if channels == 1 and pixels.shape[1] == 3 and bool((pixels == pixels[:, :1]).all()):
        return replace(images, images=pixels[:, :1].contiguous())
    if channels == 3 and pixels.shape[1] == 1:
        return replace(images, images=pixels.expand(-1, 3, -1, -1).contiguous())
    return images


def _hashed(said: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
