"""What a party joins whose file names nothing to join: the first that is found by a filter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from offchain.errors import SoukError
from offchain.files import write_whole
from offchain.policy import TermsRefused
from offchain.storage import Network
from offchain.task import TaskError
from scripts._market import mechanisms
from scripts._stage.accounts import load
from scripts._stage.browsing import JOINED_BY
from scripts._stage.chain import chain_home, clock, waits
from scripts._stage.errors import PEOPLES_ERRORS, reason_of
from scripts._stage.market import Wanted, browse
from scripts._stage.money import parse_amount, parse_token
from scripts._stage.node import ConnectedPool
from scripts._stage.party import PartyTelling
from scripts._stage.pulse import PULSE, STANDING
from scripts._stage.reading import reading_store

LEAST_SECONDS = 600
"""That are left for joining: what a party joins with is loaded first."""
LOOK_SECONDS = 60.0
"""Between two looks, unless a block comes before."""
JOINS = {said.split()[-1]: mechanism for mechanism, said in JOINED_BY.items()}
"""Mechanisms by the command that joins there."""

_TEXTS = "licence", "least-reward", "token"


@dataclass(frozen=True)
class Filter:
    """As `ape run browse` has it: amounts and addresses as they were written."""

    classes: tuple[str, ...] = ()
    licence: str | None = None
    least_reward: str | None = None
    token: str | None = None

    @classmethod
    def parse(cls, said: Any) -> Filter:
        """Of a table with `class`, a list of text, and texts. Raises SoukError if it is none."""
        wrong = SoukError(f"find has class, a list of text, and the texts {', '.join(_TEXTS)}")
        if not isinstance(said, dict) or not set(said) <= {"class", *_TEXTS}:
            raise wrong
        classes, texts = said.get("class", []), [said.get(name) for name in _TEXTS]
        if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes):
            raise wrong
        if not all(one is None or isinstance(one, str) for one in texts):
            raise wrong
        return cls(tuple(classes), *texts)

    def wanted(self) -> Wanted:
        """For who looks now. Raises ClickException for what is no amount or no token."""
        least = parse_amount("least-reward", self.least_reward) if self.least_reward else 0
        after = clock().now + LEAST_SECONDS
        return Wanted(self.classes, self.licence, least, parse_token(self.token), after)


@dataclass(frozen=True)
class Choice:
    """What a party has chosen, on disk before it joins.

    Attributes:
        reference: as browse calls it, None for nothing. nonce: how many transactions of the account
            were in the chain then. done: references of what is over for it.
    """

    reference: str | None = None
    nonce: int = 0
    done: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Choice:
        """What was kept; nothing where nothing was."""
        if not path.exists():
            return cls()
        said = json.loads(path.read_text())
        return cls(said["reference"], said["nonce"], tuple(said["done"]))

    def keep(self, path: Path) -> Choice:
        """Writes it."""
        write_whole(path, json.dumps(vars(self)).encode())
        return self


def join_found(
    command: str, wanted: Filter, options: Mapping[str, Any], join: Callable[[str], object]
) -> None:
    """Joins by `join` the first that is wanted, and after a crash the same again.

    What the owner's limits or data do not fit is passed over while nothing was sent. options: of
    the command. Raises what `join` raises, Stopped.
    """
    telling, pool = PartyTelling(as_json=True), ConnectedPool()
    account = load(options["account"], sign_unasked=False)
    own = str(account.address)
    path = chain_home() / "found" / f"{command}-{own}.json"
    choice, refused = Choice.read(path), set[str]()
    while True:
        reference = choice.reference
        if reference is None:
            look = partial(_found, command, wanted, own, {*choice.done, *refused})
            reference = _awaited(look, options, telling)
            choice = replace(choice, reference=reference, nonce=pool.nonce(own)).keep(path)
        telling.event("found", reference=reference)
        try:
            join(reference)
        except click.ClickException as error:
            if not isinstance(error.__cause__, TermsRefused | TaskError):
                raise
            if STANDING.sent or waits(account) or pool.nonce(own) > choice.nonce:
                raise
            telling.event("passed_over", reference=reference, reason=error.message)
            refused.add(reference)
            choice = replace(choice, reference=None).keep(path)
            continue
        Choice(done=(*choice.done, reference)).keep(path)
        return


def _found(
    command: str, wanted: Filter, own: str, but: set[str], deployments: Path, store: Any
) -> str | None:
    """The first to end of what is wanted and others made, `but` for some references."""
    listed = partial(mechanisms.listed, JOINS[command], deployments)
    for one, _ in browse([listed], wanted.wanted(), store):
        if one.address not in but and one.author != own:
            return one.address
    return None


def _awaited(
    look: Callable[[Path, Any], str | None], options: Mapping[str, Any], telling: PartyTelling
) -> str:
    """What `look` finds, at one of the next blocks. The node is closed then: the command has it."""
    telling.event("looking")
    network = Network(options["listen"], options["peer"])
    with reading_store(options["ipfs"], network) as store:
        while True:
            try:
                if reference := look(options["deployments"], store):
                    return reference
            except PEOPLES_ERRORS as error:
                STANDING.errors += 1
                telling.event("chain_silent", reason=reason_of(error))
            PULSE.rest(LOOK_SECONDS)
