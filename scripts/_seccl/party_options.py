"""What a server and a member say on the command line, checked before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ape
import click
from ape.exceptions import ConversionError
from ape.types import AddressType

from offchain.data.imageset import ImageSet
from offchain.policy import Limit, Policy
from offchain.post.letter import MOST_LETTERS
from offchain.seccl.announcement import MOST_MEMBERS, TO_OPEN, winners
from offchain.storage.places import told
from offchain.task import Least, Task, canonical_classes
from offchain.task.checks import DAY
from offchain.task.images import MODALITY
from scripts._seccl.terms_options import TermsOptions
from scripts._stage.money import parse_amount, parse_token
from scripts._stage.party_options import DataOptions, PartyOptions

VALIDATION = 0.2
"""Share of a member's images that it judges by and does not train on."""
LEAST_IMAGES = 10
"""Of a member."""


@dataclass(frozen=True)
class ServeOptions(DataOptions, TermsOptions, PartyOptions):
    """The options of `ape run serve`.

    dataset: the server's own pictures, which only measure; empty where it has none, and names
    `classes` and `shape`. invite: addresses that alone may join.
    """

    least_members: int
    most_members: int
    invite: tuple[str, ...]
    classes: tuple[str, ...]
    shape: str | None
    content: str
    contact: tuple[str, ...]
    least_per_class: int
    least_samples: int
    distinct: int
    retention: float
    apply_hours: float
    pay_to: str | None
    dry_run: bool
    gas_price: float
    device: str | None
    ipfs: str | None
    yes: bool
    deployments: Path

    def check(self) -> None:
        """Raises ClickException, one line, before anything is loaded or paid."""
        most = MOST_LETTERS // (2 * self.rounds)
        if self.most_members > most:
            raise click.ClickException(
                f"most-members: {self.most_members}, at most {most} in {self.rounds} rounds: a "
                f"receipt for each message is a letter, and the post keeps {MOST_LETTERS}"
            )
        if self.most_members < self.least_members:
            raise click.ClickException(
                f"most-members: {self.most_members}, must be {self.least_members} to {MOST_MEMBERS}"
            )
        if winners(self.winners, self.least_members) >= self.least_members:
            raise click.ClickException(
                f"lambda: {self.winners:g} of {self.least_members} members elects all of them"
            )
        if self.privacy is not None and self.least_samples < LEAST_IMAGES:
            raise click.ClickException(
                f"privacy: how much noise is enough hangs on --least-samples, {LEAST_IMAGES} at "
                f"least, not {self.least_samples}"
            )
        if bool(self.dataset) == bool(self.classes and self.shape):
            raise click.ClickException(
                "name your own pictures by --dataset, or --class for each class and --shape"
            )
        self.stake_each(self.most_members)
        parse_token(self.token)

    @property
    def invited(self) -> tuple[str, ...]:
        """0x addresses of those that may join; nobody for anybody. Raises ClickException."""
        try:
            return tuple(str(ape.convert(one, AddressType)) for one in self.invite)
        except ConversionError as error:
            raise click.ClickException(f"invite: {error}") from error

    def asked(self, test: ImageSet | None, addresses: Sequence[str]) -> Task:
        """The task. addresses: of the own node. Raises TaskError, ClickException."""
        return Task(
            MODALITY,
            test.classes if test else canonical_classes(self.classes),
            test.shape if test else self._sides(),
            self.licence,
            contact=(*self.contact, *told(addresses)),
            content=self.content,
            least=Least(self.least_per_class, self.least_samples, self.distinct),
            retention=round(self.retention * DAY),
        )

    def times(self, now: int) -> tuple[int, int]:
        """When applications end, and the first round starts, in Unix seconds."""
        until = now + round(self.apply_hours * 3600)
        return until, until + TO_OPEN

    def _sides(self) -> tuple[int, ...]:
        parts = (self.shape or "").split("x")
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            raise click.ClickException(f"shape: {self.shape!r} is not CxHxW, as 3x32x32")
        return tuple(map(int, parts))


@dataclass(frozen=True)
class JoinOptions(DataOptions, PartyOptions):
    """The options of `ape run join`."""

    licence: tuple[str, ...]
    most_retention: float
    least_stake: str | None
    most_bond: str | None
    least_hours: float
    most_days: float
    most_epochs: int
    accept_token: tuple[str, ...]
    model: str | None
    pay_to: str | None
    dry_run: bool
    gas_price: float
    device: str | None
    ipfs: str | None
    yes: bool
    deployments: Path

    def policy(self) -> Policy:
        """The limits of a member's owner. Raises ClickException for what is no amount."""
        limits = {
            "window": Limit(least=self.least_hours * 3600, unit="s"),
            "time until it is over": Limit(most=self.most_days * 86_400, unit="s"),
            "epochs": Limit(most=self.most_epochs),
        }
        if self.least_stake is not None:
            least = parse_amount("least-stake", self.least_stake)
            limits["share of the stake"] = Limit(least=least, unit="wei")
        if self.most_bond is not None:
            most = parse_amount("most-bond", self.most_bond)
            limits["bond"] = Limit(most=most, unit="wei")
        return Policy(limits)
