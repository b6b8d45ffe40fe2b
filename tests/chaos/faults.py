"""What goes wrong in a run: each kind a class, that is asked at every request of every party.

Moments are counted in requests, not in seconds, and drawn from a seed: on a slow machine the same
happens later.
"""

from __future__ import annotations

from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any

from tests.chaos.fault import Fault, Moments
from tests.kit.proxy import Busy, HungUp, Told

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

MOST_DEPTH = 12
"""Of a reorganisation."""
MOST_SKEW = 7_200
"""Seconds by which clocks differ from the right one."""


class Kill(Fault):
    """A party's process is killed at a request, before the node sees it or before the answer; every
    other time at the next transaction that it sends. It is begun again by the same command."""

    name = "kill"
    told = "parties' processes killed"
    FIRST, LAST, TIMES = 5, 250, 2

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._moments = {
            one: Moments(self.randoms[one], self.FIRST, self.LAST, self.TIMES) for one in parties
        }
        self._sending: set[str] = set()
        self._answering: set[str] = set()

    def before(self, party: str, call: dict[str, Any]) -> None:
        sends = call["method"] == "eth_sendRawTransaction"
        if party in self._sending:
            now = sends
        else:
            now = self._moments[party].come()
            if now and self.randoms[party].random() < 0.5:
                self._sending.add(party)
                now = sends
        if not now:
            return
        self._sending.discard(party)
        if self.randoms[party].random() < 0.5:
            self._answering.add(party)
            return
        self._kill(party)

    def after(self, party: str, call: dict[str, Any]) -> None:
        if party in self._answering:
            self._answering.discard(party)
            self._kill(party)

    def _kill(self, party: str) -> None:
        if self.stage.kill(party):
            self.struck(party)
        raise HungUp


class NodeKilled(Fault):
    """The node is killed with all that it had not written, and begun again some seconds later."""

    name = "node-killed"
    told = "node killed, its last second lost"
    keeps = True

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._moments = Moments(Random(f"{self.name} {seed}"), 60, 300, 3)

    def before(self, party: str, call: dict[str, Any]) -> None:
        with self.lock:
            come = self._moments.come()
        if come:
            self.struck("node")
            self.stage.kill_node(self.randoms[party].uniform(0.5, 6))
            raise HungUp


class Limits(Fault):
    """Of some requests the node takes no notice, for they are too many, or hangs up."""

    name = "rate-limited"
    told = "node answers 429, 502 or 503, or hangs up"
    SHARE = 0.2

    def before(self, party: str, call: dict[str, Any]) -> None:
        random = self.randoms[party]
        if random.random() < self.SHARE:
            self.struck(party)
            raise random.choice([Busy(429), Busy(502), Busy(503), HungUp()])


class Dropped(Fault):
    """The connection ends after the node did what it was asked to, most often where it was given a
    transaction."""

    name = "dropped"
    told = "connection dropped before the answer, the transaction taken or not"
    SHARE = 0.05

    def before(self, party: str, call: dict[str, Any]) -> None:
        if self._sends(call) and self.randoms[party].random() < 0.3:
            self.struck(party)
            raise HungUp

    def after(self, party: str, call: dict[str, Any]) -> None:
        if self.randoms[party].random() < (0.5 if self._sends(call) else self.SHARE):
            self.struck(party)
            raise HungUp

    def _sends(self, call: dict[str, Any]) -> bool:
        return bool(call["method"] == "eth_sendRawTransaction")


class Lags(Fault):
    """Each party's node shows the chain as it was some blocks ago; how many changes at times."""

    name = "lags"
    told = "node behind by up to 8 blocks, each party's by other ones"
    MOST = settles_after = 8

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._moments = {one: Moments(self.randoms[one], 20, 120, 1_000) for one in parties}
        self._behind = {one: self.randoms[one].randint(1, self.MOST) for one in parties}

    def before(self, party: str, call: dict[str, Any]) -> None:
        with self.lock:
            if self._moments[party].come():
                self._behind[party] = self.randoms[party].randint(0, self.MOST)
            behind = self._behind[party]
        if behind:
            self.struck(party)
            self.behind(call, behind)

    def behind(self, call: dict[str, Any], blocks: int) -> None:
        """Makes of a call one to a node that is so many blocks behind. Raises Told."""
        chain = self.stage.chain
        newest = chain.height() - blocks
        if call["method"] == "eth_blockNumber":
            raise Told(hex(newest))
        if call["method"] == "eth_getTransactionReceipt":
            found = chain.ask(call["method"], *call["params"])
            raise Told(found if found and int(found["blockNumber"], 16) <= newest else None)
        if call["method"] == "eth_getBlockByHash":
            found = chain.ask(call["method"], *call["params"])
            raise Told(found if found and int(found["number"], 16) <= newest else None)
        call["params"] = [_older(one, newest) for one in call["params"]]
        if call["method"] == "eth_getBlockByNumber":
            height = call["params"][0]
            if height.startswith("0x") and int(height, 16) > newest:
                raise Told(None)


def _older(parameter: Any, newest: int) -> Any:
    """A block's tag, and what has one in it, where the newest block is that one."""
    if parameter in ("latest", "pending"):
        return hex(newest)
    if isinstance(parameter, dict) and "toBlock" in parameter:
        last = parameter["toBlock"]
        last = newest if last in ("latest", "pending") else min(int(last, 16), newest)
        return parameter | {"toBlock": hex(last)}
    return parameter


class Replicas(Lags):
    """Each request is answered by one of two machines, one of them behind."""

    name = "replicas"
    told = "every request answered by one of two machines, one up to 8 blocks behind"

    def before(self, party: str, call: dict[str, Any]) -> None:
        if self.randoms[party].random() < 0.5:
            super().before(party, call)


class Reorganised(Fault):
    """Blocks are taken back, one to twelve at a time; every other time right after one came with a
    transaction in it."""

    name = "reorganised"
    told = "reorganisations of depth 1 to 12"
    settles_after = MOST_DEPTH
    TIMES = 6

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._random = Random(f"{self.name} {seed}")
        self._moments = Moments(self._random, 60, 240, self.TIMES)

    def after(self, party: str, call: dict[str, Any]) -> None:
        with self.lock:
            if not self._moments.come():
                return
            depth = self._random.randint(1, MOST_DEPTH)
            if self.stage.chain.reorganise(depth):
                self.strikes["chain"] += 1


class TakenBack(Fault):
    """Some moments after each transaction that a party sends, the first time, blocks are taken
    back: each time one more, and after twelve one again."""

    name = "taken-back"
    told = "a reorganisation of depth 1 to 12 after every transaction"
    settles_after = MOST_DEPTH
    SOON = 5, 30
    """Requests of its party, within which most come into a block."""

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        first = Random(f"{self.name} {seed}").randrange(MOST_DEPTH)
        self._depths = islice(cycle(range(1, MOST_DEPTH + 1)), first, None)
        self._known: set[str] = set()
        self._left = dict.fromkeys(parties, 0)

    def after(self, party: str, call: dict[str, Any]) -> None:
        with self.lock:
            if self._left[party]:
                self._left[party] -= 1
                if not self._left[party]:
                    self.strikes[party] += bool(self.stage.chain.reorganise(next(self._depths)))
            if call["method"] == "eth_sendRawTransaction" and call["params"][0] not in self._known:
                self._known.add(call["params"][0])
                self._left[party] = self._left[party] or self.randoms[party].randint(*self.SOON)


class Store(Fault):
    """Some requests for the datastore fail, several in a row."""

    becomes = ""
    TIMES = 4
    PATHS: tuple[str, ...] = ()

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._moments = {one: Moments(self.randoms[one], 1, 8, self.TIMES) for one in parties}
        self._left = dict.fromkeys(parties, 0)

    def stored(self, party: str, path: str) -> str | None:
        if not path.startswith(self.PATHS):
            return None
        with self.lock:
            if not self._left[party] and self._moments[party].come():
                self._left[party] = self.randoms[party].randint(1, 4)
            if not self._left[party]:
                return None
            self._left[party] -= 1
            self.strikes[party] += 1
        return self.becomes


class StoreSlow(Store):
    """It does not answer in time."""

    name = "store-slow"
    told = "datastore times out"
    becomes = "slow"
    PATHS = "add", "cat", "pin/", "block/", "pubsub/pub"


class StoreLies(Store):
    """It answers with other content than it was asked for."""

    name = "store-lies"
    told = "datastore lies"
    becomes = "lie"
    PATHS = ("cat",)


class StoreFull(Store):
    """Its disk is full."""

    name = "store-full"
    told = "datastore's disk full"
    becomes = "full"
    PATHS = "add", "pin/"


class StoreForgets(Fault):
    """A datastore loses all that it has, once for each party's, at a request of that party."""

    name = "store-forgets"
    told = "datastore loses all that it has"

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._moments = {one: Moments(self.randoms[one], 20, 300, 1) for one in parties}

    def before(self, party: str, call: dict[str, Any]) -> None:
        with self.lock:
            come = self._moments[party].come()
        if come:
            self.struck(party)
            self.stage.stores[party].forget()


class Skewed(Fault):
    """Parties' clocks are wrong, each by something else."""

    name = "skewed"
    told = "clocks wrong by up to two hours, each by something else"

    def skew(self, party: str) -> int:
        self.struck(party)
        return self.randoms[party].randint(-MOST_SKEW, MOST_SKEW)


class Mixed(Fault):
    """Several kinds at once."""

    name = "mixed"
    told = "several of these at once"
    settles_after = MOST_DEPTH
    OF: tuple[type[Fault], ...] = (Kill, Dropped, Replicas, Reorganised, StoreLies, Skewed)

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        super().__init__(seed, parties)
        self._all = [kind(seed, parties) for kind in self.OF]
        for one in self._all:
            one.strikes = self.strikes

    def on(self, stage: Stage) -> None:
        for one in self._all:
            one.on(stage)

    def before(self, party: str, call: dict[str, Any]) -> None:
        for one in self._all:
            one.before(party, call)

    def after(self, party: str, call: dict[str, Any]) -> None:
        for one in self._all:
            one.after(party, call)

    def stored(self, party: str, path: str) -> str | None:
        found = [one.stored(party, path) for one in self._all]
        return next((one for one in found if one), None)

    def skew(self, party: str) -> int:
        return sum(one.skew(party) for one in self._all)


KINDS: tuple[type[Fault], ...] = (
    Kill,
    NodeKilled,
    Limits,
    Dropped,
    Lags,
    Replicas,
    Reorganised,
    TakenBack,
    StoreSlow,
    StoreLies,
    StoreFull,
    StoreForgets,
    Skewed,
    Mixed,
)
