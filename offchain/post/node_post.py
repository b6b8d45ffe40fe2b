"""Post over the messages of an IPFS node: stored here, sent again to whoever was away."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Lock, Thread

from offchain.post.envelope import Envelope
from offchain.post.exchange import Admits, Exchange, everybody
from offchain.post.kept import KeptLetters
from offchain.post.letter import Letter, Topic, check_body
from offchain.roles import Recover, Wallet
from offchain.storage.pubsub import Pubsub

TURN_SECONDS = 0.25
"""Between two looks at what came."""
TROUBLE_SECONDS = 1.0
"""Until one tries again what failed."""
CLOSE_SECONDS = 5.0
"""For the last turn."""


class NodePost:
    """The post of one party, by its node, under one topic; it is carried while the object is open.

    Of each sender 8,192 letters are kept: the first 64 KiB of each, 256 MiB of all, and what goes
    beyond, as much of all. Where anybody could write, `admits` keeps strangers from filling that;
    one's own letters are always kept.

    Raises DatastoreUnavailable and PubsubOff where the node carries no messages, PostError where
    `path` cannot be used.
    """

    def __init__(
        self,
        node: Pubsub,
        topic: Topic,
        wallet: Wallet,
        recover: Recover,
        path: Path | None,
        admits: Admits = everybody,
    ) -> None:
        """path: of the file that keeps the letters, of several topics if need be."""
        self.address = wallet.address
        self._topic, self._wallet = topic, wallet
        self._own = bytes.fromhex(wallet.address.removeprefix("0x"))
        self._kept = KeptLetters(path, topic.name)
        self._exchange = Exchange(node, topic, self._own, self._kept, recover, admits)
        self._turn, self._wake, self._closing = Lock(), Event(), Event()
        self._written: list[Letter] = []
        self._trouble: BaseException | None = None
        try:
            node.received(topic.name)  # from here on
        except BaseException:
            self._kept.close()
            raise
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def send(self, body: bytes) -> Letter:
        """Keeps a letter, to be sent at once and again. Raises PostError, PostFull."""
        check_body(body)

        def sign(run: int, number: int) -> Envelope:
            signature = self._wallet.sign(self._topic.typed(run, number, body))
            return Envelope(self._own, run, number, signature, body)

        letter = self._kept.append(self._own, self.address, sign)
        with self._turn:
            self._written.append(letter)
        self._wake.set()
        return letter

    def letters(self) -> list[Letter]:
        """As Post has it. Raises what keeps letters from coming, as DatastoreUnavailable."""
        if self._trouble is not None:
            raise self._trouble
        return self._kept.letters()

    def close(self) -> None:
        """Sends what is due and ends. The node stays open."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)
        self._kept.close()

    def _run(self) -> None:
        while True:
            self._wake.wait(TURN_SECONDS)
            self._wake.clear()
            ending = self._closing.is_set()
            try:
                self._one_turn(time.monotonic())
                self._trouble = None
            except BaseException as error:  # told to whoever reads: nobody sees this thread end
                self._trouble = error
                self._closing.wait(TROUBLE_SECONDS)
            if ending:
                return

    def _one_turn(self, now: float) -> None:
        self._exchange.take(now)
        with self._turn:
            written, self._written = self._written, []
        for letter in written:
            self._exchange.wrote(letter, now)
        self._exchange.give(now)
