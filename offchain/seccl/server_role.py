"""The server on its own: letters and events in, receipts and actions out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from offchain.models.canonical import DocumentError
from offchain.roles import Clock, Dropping, Recover
from offchain.seccl import actions as do
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.letters import Given, Handed, Here, Line, Sent, read_letter, written
from offchain.seccl.messages import LEAST_MARGIN, MessageKind, PostKey
from offchain.seccl.places import Places
from offchain.seccl.reading import is_authored, max_message_bytes
from offchain.seccl.readings import RETRY_SECONDS
from offchain.seccl.server import MessageRefused, Server
from offchain.seccl.session import Session
from offchain.storage import ContentError, Datastore, cid_from_digest

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
AT_ONCE = 8
"""Messages fetched before it looks again at what is due: one that is nowhere takes as long as the
datastore waits, half a minute."""
FETCH_SECONDS = 60
"""For what is fetched at once, whatever datastore and gateways do. So long before messages are
taken no more none is fetched: the receipt would come too late."""
LONGEST_RETRY = 960
"""Seconds between two looks for a message that was not there."""
CARRIED = 200
"""Ballots in a call: more have no room in a transaction."""

Tell = Callable[..., None]


class ServerRole(Dropping):
    """The server of an open session. What it has promised is in its server's journal."""

    def __init__(
        self,
        server: Server,
        line: Line,
        store: Datastore,
        recover: Recover,
        to: str,
        tell: Tell = lambda *_, **__: None,
    ) -> None:
        """line: to the members. to: 0x address that gets the stake back."""
        self.server, self._line, self._store = server, line, store
        self._recover, self._to, self._tell = recover, to, tell
        self._places = Places(store)
        self._pending: dict[PostKey, Sent] = {}
        self._missed: dict[PostKey, int] = {}
        self._retry: dict[PostKey, int] = {}
        self._given: set[tuple[PostKey, bytes]] = set()
        self._authored: set[tuple[PostKey, bytes]] = set()
        self._handed: dict[tuple[int, int, type], do.Carried] = {}
        self._carried: set[tuple[int, int, type]] = set()

    @property
    def session(self) -> Session:
        """That of its server."""
        return self.server.session

    @session.setter
    def session(self, session: Session) -> None:
        if session is not self.server.session:
            raise ValueError("a server keeps to the session that it was made for")

    def next_action(self, clock: Clock) -> do.Action | None:
        """What to do now. Raises JournalError, DatastoreUnavailable."""
        if self.session.fault is None:
            self._hear()
            self._places.call(clock.now)
            # What is due waits for no message that may be nowhere.
            if (due := self._due(clock.now)) is not None:
                return due
            self._take(clock.now)
            return self._due(clock.now)
        return None

    def _due(self, now: int) -> do.Action | None:
        return next((one for one in self._wishes(now) if (one,) not in self.put_off), None)

    def drop(self, action: Any) -> bool:
        """What the chain refuses twice somebody else has done, or it comes too late."""
        self.put_off.add((action,))
        return True

    def is_over(self, now: int) -> bool:
        """Whether nothing is left to do."""
        session = self.session
        if session.fault is not None or session.withdrawn:
            return True
        return not session.terms.stake and now >= session.terms.accusation_end

    # ---------------------------------------------------------------- what it wants

    def _wishes(self, now: int) -> Iterator[do.Action]:
        session, terms = self.session, self.session.terms
        yield from self.server.answers()
        if terms.start <= now < terms.end:
            round_ = (now - terms.start) // (terms.upload_time + terms.evaluation_time)
            kind = UPLOAD if now < terms.window(round_, UPLOAD)[1] else EVALUATION
            yield from self._post(round_, kind, now)
            if kind == EVALUATION:
                if now < session.voting(round_)[1]:
                    yield from self.server.open_round(round_)
                yield from self._carry(round_, now)
        yield from self._closings(now)
        if now >= terms.accusation_end and terms.stake and not session.withdrawn:
            yield do.WithdrawStake(session.id, self._to)

    def _post(self, round_: int, kind: MessageKind, now: int) -> Iterator[do.Action]:
        """When all have sent theirs, or when no more are taken."""
        start, end = self.session.terms.window(round_, kind)
        promised = len(self.server.journal.at(round_, kind).promises)
        latest = (start + end) // 2 - self.session.terms.margin(kind)
        if promised == self.session.members or now >= latest:
            yield from self.server.post(round_, kind)

    def _carry(self, round_: int, now: int) -> Iterator[do.Action]:
        """When all ballots that are missing are there, or when little time is left."""
        session = self.session
        if round_ not in session.opened or round_ in session.closed:
            return
        _, ballot_end, reveal_end = session.voting(round_)
        opening = session.description.hidden and now >= ballot_end
        end = reveal_end if opening else ballot_end
        voted = session.ballots.get(round_, {})
        committed = session.committed.get(round_, {})
        if session.description.hidden:
            asked = committed.keys() - voted.keys() if opening else self._others(committed)
        else:
            asked = self._others(voted)
        kinds = (do.Reveal,) if opening else (do.SignedBallot, do.SignedCommitment)
        ready = [
            place
            for place, one in self._handed.items()
            if place[0] == round_ and isinstance(one, kinds) and place[1] in asked
        ]
        fresh = [place for place in ready if place not in self._carried]
        late = now >= end - 2 * session.terms.margin(EVALUATION)
        if fresh and now < end and (late or {place[1] for place in ready} >= asked):
            yield from self.server.relay([self._handed[place] for place in fresh[:CARRIED]])

    def _others(self, done: dict[int, Any]) -> set[int]:
        return set(range(self.session.members)) - done.keys()

    def _closings(self, now: int) -> Iterator[do.Action]:
        session = self.session
        for round_ in session.opened.keys() - session.closed.keys():
            voted = len(session.ballots.get(round_, {})) == session.members
            if voted or now >= session.voting(round_)[2]:
                yield do.Close(round_, do.CLOSING)

    def sent(self, action: do.Action) -> None:
        """An action is on the chain: what it carried is not carried again."""
        if isinstance(action, do.Relay):
            self._carried |= {(one.round, one.voter, type(one)) for one in action.ballots}

    # ---------------------------------------------------------------- letters

    def _hear(self) -> None:
        session = self.session
        members = {one.lower() for one in session.description.members}
        for sender, content in self._line.received():
            try:
                letter = read_letter(content)
            except DocumentError:
                continue  # a stranger's
            match letter:
                case Here(peers) if sender.lower() in members:
                    self._places.heard(sender, peers)
                case Sent(key):
                    if self._is_members(sender, key.author) and key.session == session.id:
                        self._pending[key] = letter
                case Given(SignedReceipt(receipt)):
                    if sender.lower() == session.terms.server.lower():
                        self._given.add((receipt.key, receipt.message))
                case Handed(ballot):
                    if self._is_members(sender, ballot.voter):
                        self._handed[ballot.round, ballot.voter, type(ballot)] = ballot

    def _is_members(self, sender: str, index: int) -> bool:
        members = self.session.description.members
        return index < len(members) and sender.lower() == members[index].lower()

    def _take(self, now: int) -> None:
        """Fetches what members sent, and gives receipts for it."""
        wanted: list[Sent] = []
        for key, letter in list(self._pending.items()):
            if signed := self.server.given(key, letter.message):
                del self._pending[key]
                self._give(signed)
            elif not self._may_take(key, letter, now):
                del self._pending[key]
            elif now >= max(self._start(key), self._retry.get(key, 0)):
                wanted.append(letter)
        # Who was never missing first: a crowd whose messages are nowhere keeps nobody waiting.
        wanted = sorted(wanted, key=lambda one: self._missed.get(one.key, 0))[:AT_ONCE]
        if not wanted:
            return
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            coming = [pool.submit(self._fetch, letter) for letter in wanted]
            wait(coming, FETCH_SECONDS)
            for letter, fetched in zip(wanted, coming, strict=True):
                content = fetched.result() if fetched.done() else None
                if content is None:
                    missed = self._missed[letter.key] = self._missed.get(letter.key, 0) + 1
                    pause = min(RETRY_SECONDS << missed - 1, LONGEST_RETRY)
                    self._retry[letter.key] = now + pause
                else:
                    del self._pending[letter.key]
                    self._receive(letter, content, now)
        finally:  # a datastore that has not answered by now is not waited for
            pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, key: PostKey) -> int:
        return self.session.terms.window(key.round, key.kind)[0]

    def _give(self, signed: SignedReceipt) -> None:
        """A receipt to its author, once; the line keeps it for who is away."""
        place = signed.receipt.key, signed.receipt.message
        if place not in self._given:
            self._given.add(place)
            self._line.send(written(Given(signed)))

    def _may_take(self, key: PostKey, letter: Sent, now: int) -> bool:
        terms = self.session.terms
        if key.round >= terms.rounds:
            return False
        start, end = terms.window(key.round, key.kind)
        latest = (start + end) // 2 - terms.margin(key.kind) - FETCH_SECONDS
        # Nobody sends before the window, but a clock may be a little ahead.
        if not start - LEAST_MARGIN <= now < latest:
            return False
        if (key, letter.message) not in self._authored:
            if not is_authored(self.session, key, letter.message, letter.authored, self._recover):
                return False
            self._authored.add((key, letter.message))
        return True

    def _fetch(self, letter: Sent) -> bytes | None:
        """Its content; None where it is not there, or not yet."""
        limit = max_message_bytes(self.session, letter.key.kind)
        try:
            return self._store.get(cid_from_digest(letter.content), limit)
        except ContentError as error:
            self._tell("not_taken", author=letter.key.author, reason=str(error))
            return None

    def _receive(self, letter: Sent, content: bytes, now: int) -> None:
        try:
            signed = self.server.receive(letter.key, content, letter.authored, now)
        except MessageRefused as error:
            self._tell("not_taken", author=letter.key.author, reason=str(error))
            return
        self._give(signed)
        kind = letter.key.kind.name.lower()
        self._tell("taken", round=letter.key.round, kind=kind, author=letter.key.author)
