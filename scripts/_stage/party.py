"""One party on its own: its process, account and datastore, on a chain that others share."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ape.api import AccountAPI
from click import ClickException

from offchain.data.imageset import Progress
from offchain.report.sheets import Sheet
from offchain.storage import DatastoreUnavailable
from scripts._stage.accounts import load
from scripts._stage.chain import LOCAL_POLL_SECONDS, alone
from scripts._stage.table import Seat, Step, Table, play
from scripts._stage.telling import Telling

STORE_TRIES = 60
"""How often a datastore that does not answer is tried again."""
STORE_PAUSE_SECONDS = 5.0


@dataclass
class PartyTelling(Telling):
    """Tells of what one party does: text, or lines of JSON and nothing else.

    as_json: each line an object with `event` and its values; amounts and large numbers as text.
    """

    as_json: bool = False

    def event(self, event: str, **values: Any) -> None:
        """Something that a program may wait for."""
        if self.as_json:
            print(json.dumps({"event": event, **values}), flush=True)
            return
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
        self.show(f"-- {event.replace('_', ' ')}{': ' if told else ''}{told}", "bold", whole=True)

    @contextmanager
    def doing(self, what: str, *, announced: bool = True) -> Iterator[Progress]:
        if self.as_json:
            yield self.progress
            return
        with super().doing(what, announced=announced) as progress:
            yield progress

    def step(self, step: Step) -> None:
        receipt = step.receipt
        if self.as_json:
            self.event("sent", call=receipt.call, gas=receipt.gas, transaction=receipt.tx)
        else:
            super().step(step)

    def refused(self, seat: str, error: ClickException) -> None:
        if self.as_json:
            self.event("refused", reason=error.message)
        else:
            super().refused(seat, error)

    def show(self, line: str, style: str = "", *, whole: bool = False) -> None:
        if not self.as_json:
            super().show(line, style, whole=whole)

    def sheets(self, sheets: Iterable[Sheet]) -> None:
        if not self.as_json:
            super().sheets(sheets)


@dataclass(frozen=True)
class WithdrawOptions:
    """The options of `ape run withdraw`."""

    account: str
    yes: bool
    pay_to: str | None
    deployments: Path
    as_json: bool


@dataclass(frozen=True)
class ExportOptions:
    """The options of `ape run export`. out: the folder to write or, to check, to read."""

    out: Path
    check: bool
    listen: str
    peer: tuple[str, ...]
    ipfs: str | None
    deployments: Path
    as_json: bool


def party_account(alias: str, sign_unasked: bool) -> AccountAPI:
    """The account of a party that is one of several on the connected chain.

    Raises ClickException where that cannot be.
    """
    if alone():
        raise ClickException(
            "this local chain's time stands still: start it so that blocks come by themselves, "
            "as anvil --block-time 1"
        )
    return load(alias, sign_unasked)


def play_on(table: Table, seat: Seat, telling: PartyTelling) -> Any:
    """Plays one seat until the session is over for it; returns the session then.

    While the datastore does not answer nothing is decided, and it is asked again. Raises what the
    role and the chain raise, and DatastoreUnavailable after `STORE_TRIES`.
    """
    tries, told = 0, ""
    while True:
        try:
            return play(table, [seat], telling.step, refused=telling.refused, at_time=telling.time)
        except DatastoreUnavailable as error:
            tries += 1
            if tries == STORE_TRIES:
                raise
            if str(error) != told:
                telling.event("datastore_silent", reason=str(error))
            told = str(error)
            time.sleep(max(LOCAL_POLL_SECONDS, STORE_PAUSE_SECONDS))


def reachable(telling: PartyTelling, addresses: Sequence[str]) -> None:
    """Tells under which multiaddresses the own node is reached."""
    for one in addresses:
        telling.event("datastore", peer=one)
