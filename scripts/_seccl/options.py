"""What the command line of `ape run federate` says, checked, and turned into data and a task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import ape
import click

from offchain.crypto.settlement import NATIVE
from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, Progress, split
from offchain.data.leftout import Note
from offchain.models.device import pick_device
from offchain.roles import Wallet
from offchain.seccl.accountant import image_epsilon
from offchain.seccl.adversaries import (
    Alters,
    Drops,
    Equivocates,
    Lie,
    LyingServer,
    Replays,
    Stalls,
    Withholds,
)
from offchain.seccl.announcement import winners
from offchain.seccl.architectures import factory_named
from offchain.seccl.attacks import Attack, choose_attackers
from offchain.seccl.journal import Journal
from offchain.seccl.partition import PrivatePart, partition
from offchain.seccl.server import Server
from offchain.seccl.session import Session
from offchain.seccl.training import Task
from offchain.storage import Datastore
from offchain.task.images import relabelled
from scripts._seccl.terms_options import TermsOptions
from scripts._stage.accounts import is_local, receiver
from scripts._stage.money import parse_token
from scripts._stage.wallet import recover

SPARE_ACCOUNTS = 2
"""Of Ape's test accounts one deploys, and signs where the server has a new key, and one is the
server."""

LIES: dict[str, type[LyingServer]] = {
    "alters": Alters,
    "drops": Drops,
    "replays": Replays,
    "equivocates": Equivocates,
    "withholds": Withholds,
    "stalls": Stalls,
}
"""What a server can do wrong, as `--lie` has it."""

NEEDS_A_PAST = ("copy-previous", "noise")
"""Tricks that build on a round before."""


@dataclass(frozen=True)
class FederateOptions(TermsOptions):
    """What `ape run federate` was asked for, one field an option; only what JSON has, for records
    and for `--resume`."""

    participants: int
    dataset: str
    data_root: str | None
    download: bool
    image_size: int | None
    images: int | None
    test: int
    split: str
    attack: str
    attackers: float
    attack_from: int
    lie: str
    lie_round: int
    gas_price: float
    device: str | None
    skip_broken: bool = False
    new_key: int | None = None
    pay_to: str | None = None
    server: str | None = None
    member: Sequence[str] = ()
    yes: bool = False
    deployments: str = "deployments"

    def __post_init__(self) -> None:
        # JSON has no paths.
        object.__setattr__(self, "deployments", str(self.deployments))

    def to_json(self) -> bytes:
        """All of them; the inverse of `from_json`."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> FederateOptions:
        """The options of a run that was begun before."""
        return cls(**json.loads(data))

    def check(self) -> None:
        """Raises ClickException or AttackError, one line, before anything is done."""
        self._check_accounts()
        if self.elected >= self.participants:
            raise click.ClickException(
                f"lambda {self.winners:g} of {self.participants} participants elects "
                f"{self.elected}, must be below {self.participants}"
            )
        attack = Attack.parse(self.attack)
        early = [name for name, _ in attack.tricks if name in NEEDS_A_PAST]
        if early and self.attack_from == 0:
            raise click.ClickException(f"{early[0]} needs a round before: --attack-from 1 or more")
        if attack.tricks and not self.hostile:
            raise click.ClickException(
                f"attackers: {self.attackers:g} of {self.participants} participants is nobody to "
                f"play {self.attack}"
            )
        self.stake_each(self.participants)
        receiver(self.pay_to, NATIVE)
        parse_token(self.token)
        if self.new_key is not None and self.new_key >= self.rounds:
            raise click.ClickException(
                f"new-key: {self.new_key} is none of the rounds 0 to {self.rounds - 1}"
            )
        if self.lie == "none":
            return
        if self.lie == "replays" and self.lie_round == 0:
            raise click.ClickException("replays needs a round before: --lie-round 1 or more")
        if self.lie_round >= self.rounds:
            raise click.ClickException(
                f"lie-round: {self.lie_round} is none of the rounds 0 to {self.rounds - 1}"
            )
        if self.posts == "single" and self.lie == "withholds":
            raise click.ClickException("withholds is about a batch: a single post shows its hash")
        if len(self.honest) < 2:
            raise click.ClickException("a lie needs two honest members to tell it to")

    def _check_accounts(self) -> None:
        if is_local():
            available = len(ape.accounts.test_accounts) - SPARE_ACCOUNTS
            if self.participants > available:
                raise click.ClickException(
                    f"{self.participants} participants, but only {available} test accounts are "
                    "left for them"
                )
            return
        if self.server is None or len(self.member) != self.participants:
            raise click.ClickException(
                f"off a local chain name --server and {self.participants} times --member, not "
                f"{len(self.member)} times"
            )
        if self.new_key is not None:
            raise click.ClickException("new-key: a second key of the server's is a test account's")

    @property
    def elected(self) -> int:
        """M: winners a round, at least one."""
        return winners(self.winners, self.participants)

    @cached_property
    def hostile(self) -> tuple[int, ...]:
        """The numbers of the members that attack, drawn from the seed."""
        return choose_attackers(self.participants, self.attackers, self.seed)

    @property
    def honest(self) -> list[int]:
        """The numbers of the members that do not attack, ascending."""
        return [i for i in range(self.participants) if i not in self.hostile]

    @property
    def server_lie(self) -> Lie:
        """About whom the server lies, and to whom."""
        victim, witness = self.honest[:2]
        return Lie(self.lie_round, victim, witness)

    def data(self, note: Note, progress: Progress | None) -> tuple[list[PrivatePart], ImageSet]:
        """What each member holds, and the test set that nobody trains on."""
        whole = relabelled(
            load_dataset(
                self.dataset,
                root=Path(self.data_root) if self.data_root else None,
                download=self.download,
                size=self.image_size,
                limit=self.images,
                skip_broken=self.skip_broken,
                note=note,
                progress=progress,
            )
        )
        if len(whole) <= self.test:
            raise click.ClickException(
                f"test: {self.test} of {len(whole)} images leave none to train on"
            )
        test, rest = split(whole, [self.test, len(whole) - self.test], self.seed)
        return partition(rest, self.participants, self.split, seed=self.seed), test

    def task(self, parts: Sequence[PrivatePart], test: ImageSet, noise: bytes) -> Task:
        """What all agree on, and what noise is drawn from, secret bytes."""
        settings = self.settings(len(part.training) for part in parts)
        classes = len(test.classes)
        factory = factory_named(self.model, classes, test.shape, trusted=self.model)
        secret = int.from_bytes(noise, "big")
        return Task(factory, classes, settings, self.seed, pick_device(self.device), secret)

    def epsilons(self, task: Task, parts: Sequence[PrivatePart]) -> list[float] | None:
        """What all rounds cost each member's images; None where they are not hidden."""
        privacy = task.settings.image_privacy
        if privacy is None:
            return None
        return [
            image_epsilon(
                privacy.noise,
                task.settings.sampling(len(part.training)),
                self.rounds,
                self.delta,
            )
            for part in parts
        ]

    def make_server(
        self, session: Session, wallet: Wallet, store: Datastore, journal: Journal
    ) -> Server:
        """The server, which lies where it shall."""
        if self.lie == "none":
            return Server(session, wallet, recover, store, journal)
        return LIES[self.lie](session, wallet, recover, store, journal, self.server_lie)
