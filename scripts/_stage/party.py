"""One party on its own: its process, account and datastore, on a chain that others share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ape
from ape.api import AccountAPI
from click import ClickException

from offchain.report.sheets import Sheet
from offchain.report.text import GWEI
from offchain.storage import DatastoreUnavailable
from scripts._stage.accounts import load
from scripts._stage.chain import ActionRefused, alone, look, node_told
from scripts._stage.index import NodeRefused
from scripts._stage.party_sheets import time_of
from scripts._stage.pool import NodeBusy
from scripts._stage.pulse import PULSE, STANDING
from scripts._stage.table import Seat, Step, Table, play
from scripts._stage.telling import Telling

if TYPE_CHECKING:  # imageset imports torch, which nothing here needs
    from offchain.data.imageset import Progress

TRIES = 60
"""How often in a row a datastore or a node that does not answer is tried again."""
REFUSED_TRIES = 6
"""How often in a row what a contract refuses is; the node may lag behind the chain."""
PAUSE_SECONDS = 5.0
PROGRESS_SECONDS = 10.0
QUIET_SECONDS = 60.0
"""What comes after so long without a failure does not come in a row."""

_TIMES = "until", "start"


def _plain(value: Any) -> str:
    """A value of an event, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass
class PartyTelling(Telling):
    """Tells of what one party does: text, or lines of JSON and nothing else.

    as_json: each line an object with `event` and its values; amounts and large numbers as text.
    """

    as_json: bool = False

    def event(self, event: str, **values: Any) -> None:
        """Something that a program may wait for. until, start: in Unix seconds."""
        if self.as_json:
            print(json.dumps({"event": event, **values}), flush=True)
            return
        said = values | {one: time_of(values[one]) for one in _TIMES if one in values}
        told = ", ".join(f"{one.replace('_', ' ')} {_plain(v)}" for one, v in said.items())
        self.show(f"-- {event.replace('_', ' ')}{': ' if told else ''}{told}", "bold", whole=True)

    @contextmanager
    def doing(self, what: str, *, announced: bool = True) -> Iterator[Progress]:
        if self.as_json:
            yield self.progress
            return
        with super().doing(what, announced=announced) as progress:
            yield progress

    def far(self, what: str) -> Progress:
        """How far `what` is, which may take long within a turn: told every ten seconds at most."""
        said = self.clock()

        def progress(done: int, total: int) -> None:
            nonlocal said
            if self.clock() - said < PROGRESS_SECONDS:
                return
            said = self.clock()
            if self.as_json:
                self.event("progress", what=what, done=done, total=total)
            else:
                self.show(f"{what}: {done:,} of {total:,}")

        return progress

    def step(self, step: Step) -> None:
        receipt = step.receipt
        if self.as_json:
            said = {"call": receipt.call, "gas": receipt.gas, "transaction": receipt.tx}
            self.event("sent", **said, **({} if step.seen is None else {"seen": step.seen}))
        else:
            super().step(step)

    def time(self, what: str, timestamp: int) -> None:
        if self.as_json:
            self.event("waiting", what=what, until=timestamp)
        else:
            super().time(what, timestamp)

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
            f"the time of the local chain{node_told()} stands still: start it so that blocks come "
            "by themselves, as anvil --block-time 1"
        )
    account = load(alias, sign_unasked)
    STANDING.account = str(account.address)
    look()
    return account


def play_on(
    table: Table, seat: Seat, telling: PartyTelling, meanwhile: Callable[[Any], None] | None = None
) -> Any:
    """Plays one seat until the session is over for it; returns the session then.

    meanwhile: called with the role, None before it has one, each time before it looks for something
    to do; may raise as the role does.

    While datastore or node do not answer nothing is decided, and they are asked again, `TRIES`
    times in a row; what a contract refuses is tried `REFUSED_TRIES` times. Raises what came last
    then, and at once what else the role raises.
    """
    tries, told, refusal = 0, "", ""
    STANDING.account = seat.address

    def sent(step: Step) -> None:
        nonlocal refusal
        STANDING.sent += 1
        refusal = ""
        telling.step(step)

    def refused(name: str, error: ActionRefused) -> None:
        nonlocal refusal
        STANDING.errors += 1
        if str(error) != refusal:
            telling.refused(name, error)
        refusal = str(error)

    def at_time(what: str, when: int) -> None:
        STANDING.until = when
        telling.time(what, when)

    def look_after(_name: str) -> None:
        if meanwhile is not None:
            meanwhile(seat.role)

    while True:
        began = time.monotonic()
        try:
            return play(table, [seat], sent, refused=refused, before=look_after, at_time=at_time)
        except (DatastoreUnavailable, ActionRefused, NodeBusy, NodeRefused) as error:
            STANDING.errors += 1
            tries = 1 if time.monotonic() - began >= QUIET_SECONDS else tries + 1
            most, silent = TRIES, "chain_silent"
            if isinstance(error, DatastoreUnavailable):
                silent = "datastore_silent"
            if isinstance(error, ActionRefused) and error.by_contract:
                most = REFUSED_TRIES
            if tries >= most:
                raise
            if str(error) != told and not isinstance(error, ActionRefused):
                telling.event(silent, reason=str(error))
            told = str(error)
            PULSE.rest(PAUSE_SECONDS)


def gas_price(asked: float) -> float:
    """Gwei for a unit of gas in tables: `asked` on a local chain, elsewhere the network's."""
    provider = ape.chain.provider
    return asked if provider.network.is_local else provider.gas_price / GWEI


def reachable(telling: PartyTelling, addresses: Sequence[str]) -> None:
    """Tells under which multiaddresses the own node is reached."""
    for one in addresses:
        telling.event("datastore", peer=one)
