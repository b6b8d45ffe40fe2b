"""A member on its own: letters and events in, letters and actions out.

`Participant` says what is to be said and objected to; this role says when. It leaves to the server
what the server is there for, until a margin before it would be too late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

from offchain.models.canonical import DocumentError
from offchain.roles import Clock, Dropping
from offchain.seccl import actions as do
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.global_model import GlobalModel, ModelLost, Stand
from offchain.seccl.letters import (
    MAX_LETTER_BYTES,
    Given,
    Handed,
    Here,
    Letter,
    Line,
    Sent,
    read_letter,
    written,
)
from offchain.seccl.messages import MessageKind
from offchain.seccl.outgoing import Outgoing
from offchain.seccl.own_data import Computes
from offchain.seccl.participant import Message, Participant, ReceiptRefused
from offchain.seccl.places import MOVED_SECONDS, Places
from offchain.seccl.reading import Reading
from offchain.seccl.readings import Readings, whole
from offchain.seccl.screening import screened
from offchain.seccl.session import Session
from offchain.seccl.updates import UpdateError
from offchain.storage import Datastore, digest_of
from offchain.storage.places import told

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
TURN_SECONDS = 30
"""Between the times at which members do what one of them has to do."""

_CARRIED_AS: dict[type, type] = {
    do.Vote: do.SignedBallot,
    do.Commit: do.SignedCommitment,
    do.Reveal: do.Reveal,
}

_ACCUSATIONS = get_args(do.Accusation)

Tell = Callable[..., None]
"""Called with what happened, and its values by name."""


class MemberRole(Dropping):
    """Member number `participant.index` of an open session.

    Attributes:
        participant: its words and objections. models: the global model, round by round.
    """

    def __init__(
        self,
        participant: Participant,
        consensus: str,
        models: GlobalModel,
        computes: Computes,
        line: Line,
        outgoing: Outgoing,
        readings: Readings,
        store: Datastore,
        to: str,
        tell: Tell = lambda *_, **__: None,
    ) -> None:
        """consensus: 0x address of the session's. line: to the server. to: 0x address that gets
        what it is owed. Raises OutgoingError, ReceiptRefused for a file that was changed."""
        self.participant, self.models = participant, models
        self._consensus, self._computes, self._line = consensus, computes, line
        self._outgoing, self._readings, self._store = outgoing, readings, store
        self._to, self._tell = to, tell
        self._peers = Places(store)
        self._here: tuple[str, ...] | None = None
        self._moved = 0
        self._mailed: set[object] = set()
        self._told: set[object] = set()
        self._since: dict[do.Action, int] = {}
        for message, signed in outgoing.kept(self.session.id, participant.index):
            participant.remember(message, signed)

    @property
    def session(self) -> Session:
        """That of its participant."""
        return self.participant.session

    @session.setter
    def session(self, session: Session) -> None:
        if session is not self.participant.session:
            raise ValueError("a member keeps to the session that it was made for")

    def next_action(self, clock: Clock) -> do.Action | None:
        """What to do now. Raises ModelLost where it cannot go on, DatastoreUnavailable."""
        self._hear()
        self._peers.call(clock.now)
        self._tell_place(clock.now)
        for action in self._wishes(clock.now):
            if (action,) not in self.put_off:
                return action
        return None

    def drop(self, action: Any) -> bool:
        """What the chain refuses twice somebody else has done, or it comes too late."""
        self.put_off.add((action,))
        return True

    def is_over(self, now: int) -> bool:
        """Whether nothing is left to do: the rounds are over, and nobody owes it anything."""
        session, me = self.session, self.participant
        if now < session.terms.end or any(self._open(now)):
            return False
        return not me.share(self._to) and not any(
            key not in session.answers and key not in session.returned
            for key, asked in session.challenges.items()
            if asked.challenger.lower() == self._account
        )

    # ---------------------------------------------------------------- what it wants

    def _wishes(self, now: int) -> Iterator[do.Action]:
        terms, me = self.session.terms, self.participant
        yield from self._objections(now)
        yield from self._closings(now)
        yield from me.share(self._to)
        if terms.start <= now < terms.end:
            round_ = (now - terms.start) // (terms.upload_time + terms.evaluation_time)
            if now < terms.window(round_, UPLOAD)[1]:
                self._upload(round_, now)
            else:
                yield from self._judge(round_, now)

    def _objections(self, now: int) -> Iterator[do.Action]:
        """About each place at which it said something, once the server has had its time."""
        session, me = self.session, self.participant
        for place in self._places(now):
            start, end = session.terms.window(*place)
            key = session.key(*place, me.index)
            taken_until = (start + end) // 2 - session.terms.margin(place[1])
            if (
                key not in me.receipts
                and session.fault is None
                and place not in session.batches
                and now < taken_until
            ):
                continue
            for action in me.objections(*place, self._read(*place, now), None, now):
                # One conviction is enough; whoever is late pays for a refusal.
                since = self._since.setdefault(action, now)
                turn = self._place_in_turn(session.terms.margin(place[1]))
                if not isinstance(action, _ACCUSATIONS) or now >= since + turn:
                    yield action

    def _closings(self, now: int) -> Iterator[do.Action]:
        for round_ in self._open(now):
            _, _, end = self.session.voting(round_)
            voted = len(self.session.ballots.get(round_, {})) == self.session.members
            alone = self.session.fault is not None and self.participant.index == 0
            if now >= self._turn(end) or (voted and alone):
                yield do.Close(round_, do.CLOSING)

    def _upload(self, round_: int, now: int) -> None:
        me = self.participant
        if any(self._open(now)):
            return
        if me.sent(round_, UPLOAD) is None:
            stand = self._stand(round_, now)
            if stand is None:
                return
            try:
                update = self._computes.update(stand.model, round_)
            except UpdateError as error:
                self._say("diverged", round_, reason=str(error))
                return
            self._outgoing.keep(me.upload(round_, update, stand.digest))
            self._tell("trained", round=round_, model=stand.digest)
        self._send(me.sent(round_, UPLOAD))

    def _judge(self, round_: int, now: int) -> Iterator[do.Action]:
        session, me = self.session, self.participant
        opening, ballot_end, _ = session.voting(round_)
        reading = self._read(round_, UPLOAD, now)
        opened, closed = round_ in session.opened, round_ in session.closed
        if not opened and self._turn(opening) <= now < ballot_end:
            yield do.OpenRound(round_)
        if not whole(reading) and now < (opening + ballot_end) // 2:
            return  # it may turn up
        if me.sent(round_, EVALUATION) is None:
            stand = self._stand(round_, now)
            if stand is None:
                return
            self._outgoing.keep(self._evaluated(round_, reading, stand))
        if opened and not closed:
            missing = me.absences(round_, reading)
            if missing and now < ballot_end:
                if now >= opening + self._place_in_turn(ballot_end - opening):
                    yield from missing
                return
            yield from self._vote(round_, now)
        # Nobody sees an evaluation while commitments are taken.
        if not session.description.hidden or now >= ballot_end:
            self._send(me.sent(round_, EVALUATION))

    def _evaluated(self, round_: int, reading: Reading, stand: Stand) -> Message:
        """Its evaluation of a round's uploads."""
        session, me = self.session, self.participant
        usable, refused = me.updates(round_, reading, stand.digest)
        scores = self._computes.scores(stand.model, usable, session.members)
        for copy in screened(session, reading, usable, stand.last):
            scores[copy.author] = 0.0
        self._tell("evaluated", round=round_, usable=len(usable), refused=len(refused))
        return me.evaluation(round_, scores, tuple(refused))

    def _vote(self, round_: int, now: int) -> Iterator[do.Action]:
        """Hands its ballot to the server, and casts it itself where that does not help."""
        voter, (_, ballot_end, reveal_end) = self.participant.voter, self.session.voting(round_)
        margin = self.session.terms.margin(EVALUATION)
        for cast in voter.cast(round_, self._consensus, now):
            end = reveal_end if isinstance(cast, do.Reveal) else ballot_end
            if self.session.fault is not None or now >= end - margin:
                yield cast
            elif (round_, _CARRIED_AS[type(cast)]) not in self._mailed:  # signed once
                for carried in voter.handed(round_, self._consensus, now):
                    self._mail((round_, type(carried)), Handed(carried))

    # ---------------------------------------------------------------- letters

    def _send(self, message: Message | None) -> None:
        """A message to the server, until there is a receipt."""
        if message is None or message.key in self.participant.receipts:
            return
        if self.session.fault is None and message.key not in self._mailed:
            content = digest_of(self._store.put(message.content))
            sent = Sent(message.key, message.message, content, message.authored)
            self._mail(message.key, sent)

    def _mail(self, what: object, letter: Letter) -> None:
        """Sends a letter once; the line keeps it for who is away."""
        content = written(letter)
        # A ballot of scores of a thousand members is too long; its voter casts it.
        if what not in self._mailed and len(content) <= MAX_LETTER_BYTES:
            self._line.send(content)
        self._mailed.add(what)

    def _tell_place(self, now: int) -> None:
        """Where its node is, each time that it moved; others follow it no faster than that."""
        here = told(self._store.addresses)
        if here != self._here and now >= self._moved + MOVED_SECONDS:
            self._line.send(written(Here(here)))
            self._here, self._moved = here, now

    def _hear(self) -> None:
        for sender, content in self._line.received():
            try:
                letter = read_letter(content)
            except DocumentError:
                continue  # a stranger's
            mine = sender.lower() == self._account
            match letter:
                case Here(peers) if mine:
                    self._here = peers
                case Here(peers) if self._takes_part(sender):
                    self._peers.heard(sender, peers)
                case Sent(key) if mine:
                    self._mailed.add(key)
                case Handed(ballot) if mine:
                    self._mailed.add((ballot.round, type(ballot)))
                case Given(signed):
                    self._given(signed)

    def _takes_part(self, sender: str) -> bool:
        parties = (*self.session.description.members, self.session.terms.server)
        return sender.lower() in {one.lower() for one in parties}

    def _given(self, signed: SignedReceipt) -> None:
        """A receipt, if it is for this member."""
        key, me = signed.receipt.key, self.participant
        if (key.session, key.author) != (self.session.id, me.index) or key in me.receipts:
            return
        try:
            me.keep(signed)
        except ReceiptRefused as error:
            self._say("receipt_refused", key.round, reason=str(error))
            return
        message = me.sent(key.round, key.kind)
        assert message is not None
        self._outgoing.keep(message, signed)
        self._tell("receipt", round=key.round, kind=key.kind.name.lower())

    # ---------------------------------------------------------------- how things stand

    def _stand(self, round_: int, now: int) -> Stand | None:
        """The model before a round; None while it may still turn up."""
        session = self.session
        try:
            return self.models.before(
                session, round_, lambda number: self._read(number, UPLOAD, now)
            )
        except ModelLost as error:
            start, end = session.terms.window(round_, UPLOAD)
            if now >= (start + end) // 2:
                raise
            self._say("model_missing", round_, reason=str(error))
            return None

    def _places(self, now: int) -> Iterator[tuple[int, MessageKind]]:
        """Where it said something that the board should have, or has to be shown."""
        session = self.session
        for round_ in range(session.terms.rounds):
            for kind in MessageKind:
                start, end = session.terms.window(round_, kind)
                if now < start:
                    return
                answered = end + 2 * session.terms.response_time
                if now < answered and self.participant.sent(round_, kind) is not None:
                    yield round_, kind

    def _open(self, now: int) -> Iterator[int]:
        """Rounds whose ballots are no more taken, and which nobody has closed."""
        for round_ in self.session.opened.keys() - self.session.closed.keys():
            _, _, end = self.session.voting(round_)
            voted = len(self.session.ballots.get(round_, {})) == self.session.members
            if now >= end or voted:
                yield round_

    def _read(self, round_: int, kind: MessageKind, now: int) -> Reading:
        return self._readings.at(self.session, round_, kind, now)

    def _turn(self, time: int) -> int:
        """From when on it does what the server should have done at `time`."""
        wait = 0 if self.session.fault is not None else self.session.terms.margin(EVALUATION)
        return time + wait + self._place_in_turn(wait or self.session.terms.margin(EVALUATION))

    def _place_in_turn(self, most: int) -> int:
        """Seconds after the first member, so that not all do what one has to do."""
        return min(self.participant.index * TURN_SECONDS, most // 4)

    @property
    def _account(self) -> str:
        return self.session.description.members[self.participant.index].lower()

    def _say(self, event: str, round_: int, **values: Any) -> None:
        """Something that is told once."""
        if (event, round_) not in self._told:
            self._told.add((event, round_))
            self._tell(event, round=round_, **values)
