"""How parties come to have the same letters, over messages that are lost where nobody listens.

Every party tells at times how many letters it has of each line, a sender's run, and whoever has
more sends them again. A letter reaches a party if, in the end, one who has it and the party listen
at the same time, their nodes joined by others.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from offchain.post.again import Again
from offchain.post.envelope import TALLY, Envelope, Tally, Unreadable, line_of, tallies
from offchain.post.kept import KeptLetters
from offchain.post.letter import Letter, Topic
from offchain.roles import Recover
from offchain.storage.pubsub import Pubsub

TELL_SECONDS, QUIET_SECONDS = 1.0, 30.0
"""Between two tallies: at first and when something changes, then doubled each time, and at most."""
MOST_AHEAD = 64
"""Letters of one sender, whatever their runs, that wait for an earlier one."""
MOST_WAITING = 1_024
"""Letters of all senders that do."""
MOST_FORGED = 4_096
"""Letters not to be checked again, since they were forged."""

Admits = Callable[[str], bool]
"""Of a 0x account in lower case: whether its letters are taken. It is asked in another thread, for
every letter that comes, so it looks at a set and asks nobody."""


def everybody(account: str) -> bool:
    """Admits all."""
    return True


class Exchange:
    """One party's part of it, under one topic. Not thread-safe; all times are of one clock.

    Letters that are forged, malformed, too long, foreign or known are passed over; none costs more
    than one check of a signature, and one that was forged costs none the second time.
    """

    def __init__(
        self,
        node: Pubsub,
        topic: Topic,
        own: bytes,
        kept: KeptLetters,
        recover: Recover,
        admits: Admits = everybody,
    ) -> None:
        """own: the party's 20 bytes, who is always admitted."""
        self._node, self._topic, self._name = node, topic, topic.name
        self._own, self._kept = own, kept
        self._recover, self._admits = recover, admits
        self._again = Again(own)
        self._counts: dict[bytes, int] = {}
        self._ahead: dict[tuple[bytes, int], tuple[Envelope, str]] = {}
        self._forged: OrderedDict[bytes, None] = OrderedDict()
        self._pause, self._tell_at = TELL_SECONDS, 0.0

    def wrote(self, letter: Letter, now: float) -> None:
        """The party has a new letter."""
        self._again.want((line_of(self._own, letter.run), letter.number), now)
        self._soon(now)

    def take(self, now: float) -> None:
        """Takes what came. Raises DatastoreUnavailable, PostError."""
        came = self._node.received(self._name)
        self._counts = self._kept.counts()
        for message in came:
            try:
                if message[:1] == TALLY:
                    self._answer(Tally.from_bytes(message), now)
                else:
                    self._receive(Envelope.from_bytes(message), message, now)
            except Unreadable:
                continue

    def give(self, now: float) -> None:
        """Sends what is due, and tells what is here when it is time. Raises as `take` does."""
        for key in list(self._again.due(now)):
            envelope = self._kept.envelope(*key)
            if envelope is not None:
                self._node.publish(self._name, envelope.to_bytes())
            self._again.sent(key, now)
        if now >= self._tell_at:
            for tally in tallies(self._counts):
                self._node.publish(self._name, tally.to_bytes())
            self._tell_at = now + self._pause
            self._pause = min(2 * self._pause, QUIET_SECONDS)

    def _answer(self, tally: Tally, now: float) -> None:
        """Sends again what its teller lacks; asks for what it has and we lack."""
        for line, count in self._counts.items():
            if tally.first <= line <= tally.last:
                for number in range(tally.counts.get(line, 0), count):
                    self._again.want((line, number), now)
        if any(count > self._counts.get(line, 0) for line, count in tally.counts.items()):
            self._soon(now)

    def _receive(self, envelope: Envelope, message: bytes, now: float) -> None:
        line = envelope.line
        key, count = (line, envelope.number), self._counts.get(line, 0)
        if envelope.number < count:
            known = self._kept.envelope(*key)
            if known is not None and known.to_bytes() == message:
                self._again.heard(key)
            return
        # One that waits may be next by now: another process kept those before it.
        waits = key in self._ahead and envelope.number > count
        if waits or envelope.number >= count + MOST_AHEAD:
            return
        if envelope.number > count and not self._has_room(envelope.sender):
            return
        account = self._account(envelope, message)
        if account is None:
            return
        self._ahead[key] = (envelope, account)
        while (held := self._ahead.pop((line, count), None)) is not None:
            if not self._kept.add(*held):
                return  # another process was first, or there are too many
            count += 1
            self._counts[line] = count
        self._soon(now)

    def _has_room(self, sender: bytes) -> bool:
        """Whether another letter of a sender can wait for an earlier one."""
        if self._is_full(sender):  # some may have come another way meanwhile
            self._ahead = {
                key: held
                for key, held in self._ahead.items()
                if key[1] > self._counts.get(key[0], 0)
            }
        return not self._is_full(sender)

    def _is_full(self, sender: bytes) -> bool:
        own = sum(line.startswith(sender) for line, _ in self._ahead)
        return own >= MOST_AHEAD or len(self._ahead) >= MOST_WAITING

    def _account(self, envelope: Envelope, message: bytes) -> str | None:
        """Who signed it, if that is its sender, who is admitted."""
        said = "0x" + envelope.sender.hex()
        digest = hashlib.sha256(message).digest()
        if digest in self._forged or not (envelope.sender == self._own or self._admits(said)):
            return None
        typed = self._topic.typed(envelope.run, envelope.number, envelope.body)
        account = self._recover(typed, envelope.signature)
        if account is not None and account.lower() == said:
            return account
        self._forged[digest] = None
        if len(self._forged) > MOST_FORGED:
            self._forged.popitem(last=False)
        return None

    def _soon(self, now: float) -> None:
        """Tells what is here within a second."""
        self._pause = TELL_SECONDS
        self._tell_at = min(self._tell_at, now + TELL_SECONDS)
