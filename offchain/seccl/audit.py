"""A finished session, checked by a stranger: from the chain's events and the datastore alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from offchain.data.imageset import Progress
from offchain.errors import SoukError
from offchain.roles import Recover
from offchain.seccl.architectures import factory_named
from offchain.seccl.ballots import Form, unpack_ranking, unpack_scores
from offchain.seccl.borda import BallotError, Election, ElectionResult
from offchain.seccl.messages import MessageKind, PostKey
from offchain.seccl.parameters import Layout, initial_model, model_digest
from offchain.seccl.participant import evaluations_of, usable_updates
from offchain.seccl.reading import Reading, hidden, is_signed, read
from offchain.seccl.screening import LastRound, lenient, screened
from offchain.seccl.session import Session
from offchain.seccl.similarity import Copied
from offchain.seccl.voting import ballot_of
from offchain.storage import Datastore


class AuditError(SoukError):
    """What a session claims and what was recomputed differ; one line for people."""


@dataclass
class Findings:
    """How many of each were checked and found right.

    refused: messages that are on the board and that no honest member uses, with the reason.
    faults: what server or members did against the rules and nobody was convicted of; it takes
    nothing from the results, so that nobody stops an audit by it.
    copied: of each round, what the session's screen takes for copies. lenient: who evaluated one
    above 0, which is its own doing and takes nothing from the result.
    digests: of the global model before the first round and after each.
    models: these models, float32 (P,). last: the newest closed round's updates and change.
    results: of each round. sizes: bytes of each upload that counts, by round and author.
    counted: every message that counts, as the board's isPosted takes it: place, hash, path.
    """

    messages: int = 0
    own_posts: int = 0
    leaves: int = 0
    receipts: int = 0
    evaluations: int = 0
    ballots: int = 0
    refused: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    models: list[torch.Tensor] = field(default_factory=list)
    last: LastRound = field(default_factory=LastRound)
    copied: list[tuple[Copied, ...]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lenient: list[str] = field(default_factory=list)
    results: list[ElectionResult] = field(default_factory=list)
    sizes: list[dict[int, int]] = field(default_factory=list)
    counted: list[tuple[PostKey, bytes, tuple[bytes, ...]]] = field(default_factory=list)


class FirstModel:
    """The network that a session trains, and what it starts from."""

    def __init__(self, session: Session, trusted: str | None = None) -> None:
        """trusted: as `factory_named` takes it.

        Raises ModelError where there is no such network, AuditError when what it makes is not the
        model that the description names.
        """
        about = session.description
        factory = factory_named(about.network, about.classes, about.shape, trusted)
        self.flat = initial_model(factory, about.seed)
        self.layout = Layout.of(factory())
        self.digest = model_digest(self.layout, self.flat)
        if (self.digest, self.layout.total) != (about.model, about.parameters):
            raise AuditError(
                f"the first model has {self.layout.total} parameters and the digest "
                f"{self.digest}, the description says {about.parameters} and {about.model}"
            )


def audit(
    session: Session,
    store: Datastore,
    recover: Recover,
    progress: Progress | None = None,
    trusted: str | None = None,
) -> Findings:
    """Checks every closed round of a session.

    Every message that counts against its hash on the board, every batch against its root, every
    receipt's signature, the times of every round against the schedule, every ballot against its
    voter's evaluation, every result, and computes every global model. An elected update that cannot
    be used, for instance since it names another global model, changes nothing. What lies in no
    datastore any more, a ballot without its evaluation and a receipt that the server did not sign
    are faults, which are named. progress: called as (rounds done, rounds). trusted: the
    module:function that may be imported to make the model. Raises AuditError at the first thing
    that leaves a result or a model in doubt, ModelError where the model cannot be made.
    """
    first, found = FirstModel(session, trusted), Findings()
    model = first.flat
    found.models.append(model)
    found.digests.append(first.digest)
    rounds = min(max(session.closed, default=-1) + 1, session.terms.rounds)
    for round_ in range(rounds):
        uploads = _messages(session, round_, MessageKind.UPLOAD, store, recover, found)
        judged = _messages(session, round_, MessageKind.EVALUATION, store, recover, found)
        updates, refused = usable_updates(session, round_, uploads, found.digests[-1])
        found.refused += [f"round {round_}, member {i}: {why}" for i, why in refused.items()]
        copied = screened(session, uploads, updates, found.last)
        _ballots(session, round_, judged, copied, found)
        winners = _result(session, round_, found)
        _check_elected(session, round_, winners, uploads)
        found.refused += [
            f"round {round_}, member {i}: it was elected, which changes nothing"
            for i in winners
            if i not in updates
        ]
        found.last = LastRound.of(updates, winners)
        if found.last.change is not None:
            model = model + found.last.change
        found.copied.append(copied)
        found.sizes.append({author: len(data) for author, data in uploads.contents.items()})
        found.models.append(model)
        found.digests.append(model_digest(first.layout, model))
        if progress is not None:
            progress(round_ + 1, rounds)
    return found


def _messages(
    session: Session,
    round_: int,
    kind: MessageKind,
    store: Datastore,
    recover: Recover,
    found: Findings,
) -> Reading:
    """Everything posted in one round of one kind that can be read."""
    where = f"round {round_}, {kind.name.lower()}s"
    reading = read(session, round_, kind, store, recover)
    fault = session.fault
    convicted = fault is not None and (fault.key.round, fault.key.kind) == (round_, kind)
    if reading.trouble and session.terms.batched(kind) and not convicted:
        found.faults.append(f"{where}: {reading.trouble}")
    found.faults += [f"{where}, member {i}: {why}" for i, why in reading.missing.items()]
    found.faults += [
        f"{where}, member {i}: its receipt is not the server's"
        for i, signed in reading.receipts.items()
        if not is_signed(session, signed, recover)
    ]
    own = session.posted(round_, kind, own=True)
    for author, message in reading.hashes.items():
        path = reading.path(author) if author not in own and reading.leaves is not None else ()
        found.counted.append((session.key(round_, kind, author), message, path))
    found.messages += len(reading.contents)
    found.own_posts += len(own)
    found.receipts += len(reading.receipts)
    found.leaves += len(reading.leaves or ())
    return reading


def _ballots(
    session: Session, round_: int, judged: Reading, copied: tuple[Copied, ...], found: Findings
) -> None:
    """Each ballot against its voter's evaluation, and each evaluation against the screen."""
    said, wrong = evaluations_of(session, round_, judged.contents)
    found.faults += [f"round {round_}, member {i}: {why}" for i, why in wrong.items()]
    for voter, ballot in session.ballots.get(round_, {}).items():
        where = f"round {round_}: the ballot of member {voter}"
        if voter not in said:
            found.faults.append(f"{where} rests on no evaluation")
        elif ballot != ballot_of(session, said[voter]):
            found.faults.append(f"{where} is not what its evaluation says")
        if session.description.hidden and voter not in session.committed.get(round_, {}):
            raise AuditError(f"{where} was not committed to before it was shown")
        found.ballots += 1
    found.evaluations += len(said)
    found.lenient += [
        f"round {round_}: member {one} evaluated the copy of member {author} above 0"
        for one, author in lenient(said, copied)
    ]


def _check_elected(
    session: Session, round_: int, winners: tuple[int, ...], uploads: Reading
) -> None:
    """Raises AuditError where an elected update is not to be had: who has it computes another
    model."""
    for winner in winners:
        if why := hidden(session, uploads, winner):
            raise AuditError(
                f"round {round_}: the elected update of member {winner} is not to be had: {why}"
            )


def _result(session: Session, round_: int, found: Findings) -> tuple[int, ...]:
    """The round's winners, counted again; nobody's where nobody opened the round.

    Raises AuditError where the chain has others, or other times than agreed on.
    """
    about, closed = session.description, session.closed.get(round_)
    if closed is None:
        if round_ in session.opened:
            raise AuditError(f"round {round_} is not closed, and one after it is")
        # Nobody opened it in time, so that nobody could vote.
        found.results.append(ElectionResult((), (), (0,) * session.members, 0))
        return ()
    opened, (_, *agreed) = session.opened[round_], session.voting(round_)
    if [opened.ballot_end, opened.reveal_end] != agreed:
        raise AuditError(
            f"round {round_}: ballots and openings ended at {opened.ballot_end} and "
            f"{opened.reveal_end}, by the schedule at {agreed[0]} and {agreed[1]}"
        )
    election = Election(session.members, about.winners, opened.seed, about.quorum)
    try:
        committed = session.committed.get(round_, {}) if about.hidden else None
        absent = session.absent.get(round_, set())
        result = election.close(rankings(session, round_, election), committed, absent)
    except BallotError as error:
        raise AuditError(f"round {round_}: a ballot was counted that is none: {error}") from error
    ours = result.winners, result.points, result.ballots
    theirs = closed.winners, closed.points, closed.ballots
    if ours != theirs:
        raise AuditError(f"round {round_}: counted again the result is {ours}, on chain {theirs}")
    found.results.append(result)
    return result.winners


def rankings(session: Session, round_: int, election: Election) -> dict[int, list[int]]:
    """The counted ballots of a round as rankings, by voter."""
    found = {}
    for voter, ballot in session.ballots.get(round_, {}).items():
        if ballot.form == Form.RANKING:
            found[voter] = unpack_ranking(ballot.content, session.members)
        else:
            found[voter] = election.best(voter, unpack_scores(ballot.content))
    return found
