"""Parties of one topic whose nodes are in memory and whose clock is the test's."""

from __future__ import annotations

from pathlib import Path

from offchain.post import Envelope, Letter, Topic
from offchain.post.exchange import Admits, Exchange, everybody
from offchain.post.kept import KeptLetters
from tests.kit.pubsub_hub import Hub, HubNode
from tests.kit.wallets import KeyWallet, recover

TOPIC = Topic(1, "0x" + "11" * 20, b"\7" * 32)
TURN = 0.25


class Party:
    """One party. checks: how many signatures it checked. began: its clock as it first writes."""

    def __init__(
        self,
        hub: Hub,
        name: str,
        path: Path | None = None,
        *,
        topic: Topic = TOPIC,
        admits: Admits = everybody,
        began: int = 0,
    ) -> None:
        self.wallet, self.topic = KeyWallet(name), topic
        self.own = bytes.fromhex(self.wallet.address[2:])
        self.node: HubNode = hub.node()
        self.checks = 0
        self.kept = KeptLetters(path, topic.name, lambda: began)
        self.exchange = Exchange(self.node, topic, self.own, self.kept, self._recover, admits)
        self.node.received(topic.name)

    def envelope(self, number: int, body: bytes, run: int = 0) -> Envelope:
        """A letter that it signs, whether it sends it or not."""
        signature = self.wallet.sign(self.topic.typed(run, number, body))
        return Envelope(self.own, run, number, signature, body)

    def send(self, body: bytes, now: float = 0.0) -> Letter:
        def sign(run: int, number: int) -> Envelope:
            return self.envelope(number, body, run)

        letter = self.kept.append(self.own, self.wallet.address, sign)
        self.exchange.wrote(letter, now)
        return letter

    def read(self) -> list[Letter]:
        return self.kept.letters()

    def bodies(self) -> list[bytes]:
        return [letter.body for letter in self.read()]

    def _recover(self, typed, signature):
        self.checks += 1
        return recover(typed, signature)


def pass_time(parties: list[Party], seconds: float, start: float = 0.0) -> float:
    """Lets them take turns for so long; when that is over."""
    for turn in range(int(seconds / TURN)):
        now = start + turn * TURN
        for one in parties:
            one.exchange.take(now)
            one.exchange.give(now)
    return start + seconds
