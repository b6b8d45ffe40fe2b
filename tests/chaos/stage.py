"""One run: a mechanism's parties, one kind of fault, and what came of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from tests.chaos.chain import STATE, Chain
from tests.chaos.fault import Fault
from tests.chaos.parties import NodeProxy, Party
from tests.chaos.prepared import CHAIN
from tests.chaos.store import StoreProxy
from tests.kit.ipfs_daemon import running_daemon
from tests.kit.proxy import running
from tests.kit.strangers import gained
from tests.market.places import acquaint
from tests.market.plays import Play
from tests.market.rehearsals.__main__ import GAINS

LOOKS = 4
"""Of each party, in which it found nothing to do, before time is moved on."""
LETTER_LOOKS = 14
"""Where parties write letters, which come when they come."""
LETTERS = "mde", "seccl"
BLOCK_LOOKS = 15
"""Where one waits for blocks, or for a time that has come: it may be about to act."""
MOST_CRASHES = 20
LOOK_SECONDS = 0.3
DAYS = 5 * 86_400
"""After which every window is over."""


@dataclass(frozen=True)
class Ended:
    """What came of a run.

    gains, rehearsed: by party, in wei, fees set aside. stuck: what contracts hold, by address.
    strikes: how often the fault struck. killed, crashed: how often a party was, and did.
    wrong: what is not as it should be, whatever was paid. seconds: that it took.
    """

    gains: dict[str, int]
    rehearsed: dict[str, int]
    stuck: dict[str, int]
    strikes: int
    killed: int
    crashed: int
    withdrawn: list[str]
    wrong: list[str]
    seconds: float

    @property
    def same(self) -> bool:
        """Whether all was as in the rehearsal."""
        return self.gains == self.rehearsed and not self.stuck and not self.wrong


@contextmanager
def datastores() -> Iterator[tuple[str, str]]:
    """Two daemons that know each other, for any number of runs: what parties store is encrypted
    under keys of their own, and no run finds another's."""
    with ExitStack() as stack:
        nodes = []
        for _ in range(2):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="souk-chaos-")))
            nodes.append(stack.enter_context(running_daemon(folder, peers=True)))
        acquaint(*nodes)
        yield nodes[0], nodes[1]


class Stage:
    """Where a run takes place.

    Attributes:
        chain: its node. stores: of each party. parties: by name.
    """

    def __init__(
        self,
        play: Play,
        fault: Fault,
        prepared: Path,
        daemons: tuple[str, str],
        reports: Path,
        seconds: float,
    ) -> None:
        """prepared: what it begins with. reports: folder of what everybody says. seconds: after
        which it is given up."""
        self.play, self.fault, self.seconds = play, fault, seconds
        self._prepared, self._daemons, self._reports = prepared, daemons, reports
        self.parties: dict[str, Party] = {}
        self.stores: dict[str, StoreProxy] = {}
        self._joined = False
        self._reference = ""
        self._done: tuple[list[int], list[int]] = [], []
        self._since: dict[str, int] = {}
        self._height = 0
        fault.on(self)

    def run(self) -> Ended:
        """Plays it to the end."""
        began = time.monotonic()
        folder = Path(mkdtemp(prefix="souk-chaos-"))
        try:
            with ExitStack() as stack:
                self._set(folder, stack)
                wrong = self._play(began + self.seconds)
                withdrawn = [] if wrong else self._take_out()
                return self._ended(wrong, withdrawn, time.monotonic() - began)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # ------------------------------------------------------------------ what faults do

    def kill(self, party: str) -> bool:
        """A party's process; whether it did anything."""
        return self.parties[party].kill_now()

    def kill_node(self, away: float) -> None:
        """The chain's node, for some seconds."""
        self.chain.kill(away)

    # ------------------------------------------------------------------ a run

    def _set(self, folder: Path, stack: ExitStack) -> None:
        name = self.play.name
        (folder / CHAIN).mkdir()
        shutil.copy(self._prepared / CHAIN / STATE, folder / CHAIN / STATE)
        self.chain = stack.enter_context(Chain(folder / CHAIN, keeps=self.fault.keeps))
        for i, party in enumerate(self.play.parties):
            own = folder / party
            shutil.copytree(self._prepared / name / party, own)
            logs = self._reports / party
            one = Party(self.play.alias(party), own, self.chain.uri, logs=logs)
            one.proxy = stack.enter_context(running(NodeProxy(self.chain, party, self.fault)))
            one.skew = self.fault.skew(party)
            self.stores[party] = stack.enter_context(
                running(StoreProxy(self._daemons[i % 2], party, self.fault))
            )
            stack.callback(one.end)
            self.parties[party] = one

    def _begin(self, party: str, words: tuple[str, ...]) -> None:
        one = self.parties[party]
        command, *options = (word.replace("{own}", str(one.folder)) for word in words)
        one.begin(
            *(command, *options, "--account", one.name),
            *("--ipfs", self.stores[party].address),
            *("--deployments", str(self._prepared / CHAIN)),
        )

    def _play(self, until: float) -> list[str]:
        """Looks on until all have gone home; what is not as it should be."""
        self._begin(self.play.first, self.play.opening)
        while time.monotonic() < until:
            self._go_on()
            there = [one for one in self.parties.values() if one.words]
            if self._joined and all(one.over for one in there):
                return []
            for one in there:
                one.revived()
                if one.crashed > MOST_CRASHES:
                    return [f"{one.name} ended {one.crashed} times by itself"]
            self._pass_time(there)
            time.sleep(LOOK_SECONDS)
        return [f"{one.name} was not over in time" for one in there if not one.over]

    def _go_on(self) -> None:
        """The others begin as soon as they are told what to join."""
        event, name = self.play.told
        for said in () if self._joined else self.parties[self.play.first].lines(event):
            self._reference = str(said[name])
            for party, words in self.play.joining.items():
                self._begin(party, (words[0], self._reference, *words[1:]))
            self._joined = True
            return

    def _pass_time(self, there: list[Party]) -> None:
        """Moves the chain's time to what all wait for, once all have waited for some looks with
        nothing sent, stored or fetched meanwhile."""
        playing = [one for one in there if not one.over]
        standing = [one.standing if one.alive else None for one in playing]
        done = [self._sent(one) for one in there], [one.moved for one in self.stores.values()]
        if not self._joined or None in standing or done != self._done:
            self._done, self._since = done, {}
            return
        height = self.chain.height()
        looks = {one.name: stand.looks for one, stand in zip(playing, standing, strict=True)}
        if self._since.keys() != looks.keys():
            self._since, self._height = looks, height
        now = self.chain.now()
        needed = LETTER_LOOKS if self.play.name in LETTERS else LOOKS
        if not all(one.until and one.until > now for one in standing):
            needed = BLOCK_LOOKS
        times = [one.until for one in standing if one.until and one.until > now]
        # All have seen what there is, also where their nodes are behind, and it stays.
        seen = height - self._height > self.fault.settles_after + 2
        if times and seen and all(looks[name] - self._since[name] >= needed for name in looks):
            self.chain.go_to(min(times))
            self._since = {}

    def _sent(self, one: Party) -> int:
        return int(self.chain.ask("eth_getTransactionCount", one.address, "latest"), 16)

    # ------------------------------------------------------------------ its end

    def _take_out(self) -> list[str]:
        """Where a contract still holds something, time passes until all windows are over, and all
        take out what is theirs; who could."""
        if not self._held():
            return []
        self.chain.go_to(self.chain.now() + DAYS)
        time.sleep(2)
        taken = []
        for name, one in self.parties.items():
            own = "--account", one.name, "--yes", "--deployments", str(self._prepared / CHAIN)
            one.start("withdraw", self._reference, *own)
            if one.ended() == 0:
                taken.append(name)
        return taken

    def _ended(self, wrong: list[str], withdrawn: list[str], seconds: float) -> Ended:
        node = self.chain.uri
        rehearsed = json.loads((self._prepared / self.play.name / GAINS).read_text())
        return Ended(
            {name: gained(node, one.address) for name, one in self.parties.items()},
            rehearsed,
            self._held(),
            sum(self.fault.strikes.values()),
            sum(one.killed for one in self.parties.values()),
            sum(one.crashed for one in self.parties.values()),
            withdrawn,
            wrong,
            seconds,
        )

    def _held(self) -> dict[str, int]:
        """What contracts hold, by address."""
        eth, found = self.chain.web3.eth, {}
        for address in self._touched():
            held = eth.get_balance(address)
            if held and eth.get_code(address):
                found[address] = held
        return found

    def _touched(self) -> set[str]:
        """Whoever was sent something, or logged something, since the parties came."""
        eth = self.chain.web3.eth
        found = set()
        for number in range(eth.block_number + 1):
            block = eth.get_block(number, True)
            for transaction in block["transactions"]:
                receipt = eth.get_transaction_receipt(transaction["hash"])
                found |= {one["address"] for one in receipt["logs"]}
                found |= {transaction["to"]} - {None}
        return found
