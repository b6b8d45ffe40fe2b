"""A party's datastore, whose content is looked after while the party plays, and for as long after
the end as the task asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from offchain.report.text import plain
from offchain.storage import DatastoreUnavailable, Network, Node, open_datastore
from offchain.storage.helped import HelpedNode
from offchain.storage.ledger import Ledger, ledger_of
from offchain.storage.retention import Promise, Promised, Retention
from offchain.task import Task
from scripts._stage.chain import clock
from scripts._stage.party import PartyTelling, play_on
from scripts._stage.pulse import PULSE
from scripts._stage.table import Seat, Table

LEDGER = "kept.sqlite"
"""File, beside a party's secrets, of what it stored."""
LOOK_SECONDS = 60.0
"""Between two looks."""
REST_SECONDS = 5.0


def own_datastore(ipfs: str | None, home: Path, network: Network) -> HelpedNode:
    """A party's node, with the ledger of what it must keep, in `home`. Raises
    DatastoreUnavailable."""
    return cast(HelpedNode, open_datastore(ipfs, home / "ipfs", network, home / LEDGER))


class Looking:
    """Looks after content and tells what it finds, as often as it is called.

    store_again: makes once more what was stored as many at once.
    """

    def __init__(
        self,
        store: Node,
        telling: PartyTelling,
        store_again: Callable[[], object] | None = None,
    ) -> None:
        self._telling, self._again, self._silent = telling, store_again, ""
        self._retention = Retention(store, ledger_of(store), seconds=LOOK_SECONDS)

    def look(self, role: Any = None) -> None:
        """Raises DatastoreUnavailable where what is lost could not be stored again."""
        self.at(role.promised if isinstance(role, Promised) else tuple)

    def patiently(self, role: Any = None) -> None:
        """As `look`; a datastore that does not answer is told of once, and asked again."""
        try:
            self.look(role)
        except DatastoreUnavailable as error:
            if str(error) != self._silent:
                self._silent = str(error)
                self._telling.event("datastore_silent", reason=self._silent)

    def at(
        self,
        promised: Callable[[], Sequence[Promise]],
        *,
        now: bool = False,
        wait: float = 0.0,
    ) -> None:
        """As `Retention.look`, told."""
        for found in self._retention.look(promised, self._again, now=now, wait=wait):
            values = {name: _shown(value) for name, value in found.values.items()}
            self._telling.event(found.event, **values)

    @property
    def reached(self) -> set[str]:
        """CIDs of promises that were kept when they were last looked at."""
        return self._retention.reached

    @property
    def under_way(self) -> bool:
        """Whether a look has not ended."""
        return self._retention.under_way


def play_kept(
    table: Table,
    seat: Seat,
    telling: PartyTelling,
    store: Node,
    store_again: Callable[[], object] | None = None,
) -> Any:
    """As `play_on`; meanwhile content is looked after, once a minute."""
    return play_on(table, seat, telling, Looking(store, telling, store_again).look)


def keep_on(
    store: Node,
    task: Task | None,
    about: str,
    telling: PartyTelling,
    store_again: Callable[[], object] | None = None,
) -> None:
    """Keeps what it stored in `about`, which has ended, for as long as the task asks; None where
    nobody has a use for it any more.

    It ends sooner where services keep all of it. Whoever ends it begins it again by the same
    command.
    """
    ledger = ledger_of(store)
    if ledger is None:
        return
    if task is None:
        ledger.release()
        return
    until = ledger.end_of(about, clock().now) + task.retention
    looking, told = Looking(store, telling, store_again), False
    while clock().now < until and not _kept_by_services(store, ledger):
        if not told:
            telling.event("keeping", contents=len(ledger.cids()))
            telling.time("content need not be kept any more", until)
            told = True
        looking.patiently()  # silent for a while, and the task asks for days
        PULSE.rest(REST_SECONDS)
    ledger.release()


def _kept_by_services(store: Node, ledger: Ledger) -> bool:
    """Whether there are services, and they keep all."""
    try:
        return isinstance(store, HelpedNode) and bool(store.services) and store.kept(ledger.cids())
    except DatastoreUnavailable:
        return False


def _shown(value: object) -> object:
    return plain(value, 200) if isinstance(value, str) else value
