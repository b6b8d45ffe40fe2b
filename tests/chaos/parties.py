"""Parties that are killed and begun again, each with a node and a datastore that may fail it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from tests.chaos.chain import Chain
from tests.chaos.fault import Fault
from tests.chaos.life import SKEW, STANDING
from tests.kit.nursery import Forked, preload
from tests.kit.proxy import Proxy
from tests.kit.strangers import Stranger

preload("silverback._cli", "silverback.runner", "bots.command", "tests.chaos.life")

REST_SECONDS = 1.0
"""From a party's end to its next life."""


class NodeProxy(Proxy):
    """What one party takes for the node."""

    def __init__(self, chain: Chain, party: str, fault: Fault) -> None:
        super().__init__(chain.uri)
        self.party, self.fault = party, fault
        self.asked = 0

    def check(self, call: dict[str, Any]) -> dict[str, Any] | None:
        self.asked += 1
        self.fault.before(self.party, call)
        return None

    def answered(self, call: dict[str, Any], result: Any) -> dict[str, Any] | None:
        self.fault.after(self.party, call)
        return None


@dataclass(frozen=True)
class Standing:
    """What a party waits for, since `looks` looks; until: a time of the chain, None a block."""

    looks: int
    until: int | None


class Party(Stranger):
    """One of them.

    Attributes:
        proxy: its node. skew: of its clock, in seconds. words: what its bot was told to do.
        killed: how often. crashed: how often it ended as it should not, by itself.
    """

    proxy: NodeProxy
    skew = 0
    words: tuple[str, ...] = ()
    killed = 0
    crashed = 0
    ended_at = 0.0
    _killing: Lock

    def begin(self, *words: str) -> None:
        """Starts its bot, and notes how, for its next lives."""
        self._killing = Lock()
        self.words = words
        self.start_bot(*words)

    def kill_now(self) -> bool:
        """SIGKILL, from any thread; whether there was anything to kill."""
        with self._killing:
            if not self.alive:
                return False
            assert self.process is not None
            self.process.kill()
            self.process.wait()
            self.killed += 1
            return True

    def revived(self) -> None:
        """Begins it again, a little after it ended otherwise than well, as a service manager
        does."""
        assert self.process is not None
        if self.process.poll() in (None, 0):
            return
        if not self.ended_at:
            self.ended_at = time.monotonic()
        elif time.monotonic() - self.ended_at > REST_SECONDS:
            self.crashed = self.lives - self.killed
            self.ended_at = 0.0
            self.start_bot(*self.words)

    @property
    def standing(self) -> Standing | None:
        """What its present life waits for, if it waits."""
        try:
            said = json.loads((self.folder / "standing").read_text())
        except (OSError, ValueError):
            return None
        if self.process is None or said["life"] != self.process.pid:
            return None
        return Standing(said["looks"], said["until"])

    def _bot(self) -> list[str]:
        runner = "--runner", "bots.party:PartyRunner"
        return ["silverback", "run", "party", *self._network, *runner]

    def _line(self, command: str, *options: str) -> list[str]:
        return [command, *options, *self._network]

    def _start(self, line: list[str]) -> None:
        self.lives += 1
        self.process = Forked("tests.chaos.life:main", line, self._environment(), self._log())

    _start_bot = _start

    @property
    def _network(self) -> tuple[str, str]:
        return "--network", f"ethereum:sepolia:{self.proxy.uri}"

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {
            STANDING: str(self.folder / "standing"),
            SKEW: str(self.skew),
        }
