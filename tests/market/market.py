"""Brings everybody to the market, and looks on until all have gone home."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from scripts._stage.telling import Telling
from tests.kit.nursery import ROOT
from tests.kit.strangers import Stranger, gained
from tests.market.meter import Meter
from tests.market.places import Places, places
from tests.market.plays import Play
from tests.market.rehearsals.__main__ import GAINS

SPEED = 30
"""Seconds of the chain's time in one of the wall's."""
MOST_PROCESSES = 16
MOST_MEMORY = 12 * 10**9
"""Of all processes at a time, in bytes."""
OTHERS = 5
"""Processes that are no party's: chain, two datastores, keeper, and this one."""
KEEPER = "keeper"
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Paid:
    """What came of one party.

    gained, rehearsed: in wei, besides fees. sent: transactions. reactions: in seconds.
    """

    mechanism: str
    party: str
    gained: int
    rehearsed: int
    sent: int
    gas: int
    reactions: list[float]


@dataclass
class Result:
    """What came of the market. wrong: what is not as it should be. seconds: that it took."""

    paid: list[Paid]
    wrong: list[str]
    meter: Meter
    kept: int
    seconds: float


@dataclass
class Stall:
    """One mechanism's parties, in the market.

    Attributes:
        parties: by name. joined: whether the others know what to join.
    """

    play: Play
    parties: dict[str, Stranger]
    place: Places
    joined: bool = False

    def open(self) -> None:
        """The first party begins."""
        self._start(self.play.first, self.play.opening)

    def go_on(self) -> None:
        """The others begin as soon as they are told what to join."""
        event, name = self.play.told
        if self.joined:
            return
        for said in self.parties[self.play.first].lines(event):
            for party, words in self.play.joining.items():
                self._start(party, (words[0], str(said[name]), *words[1:]))
            self.joined = True
            return

    @property
    def over(self) -> bool:
        """Whether all have gone home."""
        return self.joined and all(one.over for one in self.parties.values())

    @property
    def failed(self) -> list[str]:
        """Who ended as it should not."""
        return [
            f"{self.play.name}: {name} ended with status {one.process.poll()}"
            for name, one in self.parties.items()
            if one.process is not None and one.process.poll() not in (None, 0)
        ]

    def _start(self, party: str, words: tuple[str, ...]) -> None:
        one = self.parties[party]
        command, *options = (word.replace("{own}", str(one.folder)) for word in words)
        datastore = self.place.datastores[self.play.parties.index(party) % 2]
        one.start_bot(
            command,
            *options,
            *("--account", one.name, "--ipfs", datastore),
            *("--deployments", str(self.place.deployments)),
        )


def play_market(
    plays: Sequence[Play], reports: Path, telling: Telling, *, speed: int, seconds: float
) -> Result:
    """Plays these mechanisms, as many at a time as there may be processes.

    reports: where all is kept that anybody says. seconds: after which it is given up.
    """
    began = time.monotonic()
    folder = Path(mkdtemp(prefix="souk-market-"))
    try:
        _rehearse(plays, folder, reports, telling)
        contracts = tuple(name for play in plays for name in play.contracts)
        with places(folder, speed, contracts) as place, ExitStack() as stack:
            stalls = [_stall(play, folder, place, reports, stack) for play in plays]
            meter = Meter(place.node)
            with _keeper(folder, place, reports) as keeper:
                wrong = _watch(stalls, keeper, meter, telling, began + seconds)
            paid = [one for stall in stalls for one in _paid(stall, folder, meter)]
            wrong += [
                f"{one.mechanism}: {one.party} gained {one.gained}, rehearsed {one.rehearsed}"
                for one in paid
                if one.gained != one.rehearsed
            ]
            kept = len(list(keeper.lines("kept")))
        return Result(paid, wrong, meter, kept, time.monotonic() - began)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rehearse(plays: Sequence[Play], folder: Path, reports: Path, telling: Telling) -> None:
    """Everybody's data, and what each gains in one process. In a process of its own: it computes.

    Raises RuntimeError.
    """
    telling.say("rehearsing: " + ", ".join(play.name for play in plays))
    log = reports / "rehearsals.log"
    line = [sys.executable, "-m", "tests.market.rehearsals", str(folder)]
    with log.open("w") as said:
        ended = subprocess.run(
            [*line, *(play.name for play in plays)],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode != 0:
        raise RuntimeError(f"the rehearsals failed: {log}")


def _stall(play: Play, folder: Path, place: Places, reports: Path, stack: ExitStack) -> Stall:
    parties = {}
    for party in play.parties:
        own = folder / play.name / party
        one = Stranger(play.alias(party), own, place.node, logs=reports / play.name / party)
        stack.callback(one.end)
        parties[party] = one
    return Stall(play, parties, place)


@contextmanager
def _keeper(folder: Path, place: Places, reports: Path) -> Iterator[Stranger]:
    """A bot that does what anybody may do, as long as anybody is there."""
    keeper = Stranger(KEEPER, folder / KEEPER, place.node, logs=reports / KEEPER)
    keeper.start_bot("keep", "--account", KEEPER, "--deployments", str(place.deployments))
    try:
        yield keeper
        keeper.stop()
    finally:
        keeper.end()


def _watch(
    stalls: list[Stall], keeper: Stranger, meter: Meter, telling: Telling, until: float
) -> list[str]:
    """Looks on until all have gone home; what is not as it should be."""
    waiting, there = list(stalls), list[Stall]()
    while waiting or there:
        if waiting and len(waiting[0].parties) <= room(there):
            stall = waiting.pop(0)
            telling.say(f"{stall.play.name} begins")
            stall.open()
            there.append(stall)
        for stall in list(there):
            stall.go_on()
            if stall.failed:
                return stall.failed
            if stall.over:
                telling.say(f"{stall.play.name} is over")
                there.remove(stall)
        names = {one.process.pid: one.name for one in [keeper, *_parties(stalls)] if one.process}
        meter.look(names)
        if not keeper.alive:
            return ["the keeper ended"]
        if time.monotonic() > until:
            late = ", ".join(stall.play.name for stall in [*there, *waiting])
            return [f"not over in time: {late}"]
        time.sleep(LOOK_SECONDS)
    return []


def room(there: Sequence[Stall]) -> int:
    """For how many more parties there is room, beside these mechanisms, none of which is over.

    All parties of a mechanism count from its first one's beginning on: the others begin later.
    """
    return MOST_PROCESSES - OTHERS - sum(len(stall.parties) for stall in there)


def _parties(stalls: list[Stall]) -> list[Stranger]:
    return [one for stall in stalls for one in stall.parties.values()]


def _paid(stall: Stall, folder: Path, meter: Meter) -> Iterator[Paid]:
    rehearsed = json.loads((folder / stall.play.name / GAINS).read_text())
    for party, one in stall.parties.items():
        sent = list(one.lines("sent"))
        yield Paid(
            stall.play.name,
            party,
            gained(stall.place.node, one.address),
            rehearsed[party],
            len(sent),
            sum(said["gas"] for said in sent),
            meter.reactions(sent),
        )
