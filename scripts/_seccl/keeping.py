"""What anybody may do in SecCL: open and close rounds, answer what was asked of a server where the
datastore has it, and settle what nobody answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from offchain.crypto.commitments import path
from offchain.models.canonical import DocumentError
from offchain.seccl import session as ev
from offchain.seccl.actions import CLOSING
from offchain.seccl.listed import ReadingError, batch_leaves, fetch_catalogue
from offchain.seccl.messages import NO_MESSAGE, MessageKind
from offchain.storage import ContentError, Datastore
from scripts._seccl.browsing import contracts_there
from scripts._seccl.calls import key_words
from scripts._seccl.chain import CREATED, twin_of
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import SessionOnChain
from scripts._stage.chain import clock, decoded, logs_of, topic
from scripts._stage.keeping import Duty


def duties(deployments: Path, store: Datastore | None = None) -> Iterator[Duty]:
    """Those of all sessions of this version's board. store: without one nothing is answered."""
    contracts = contracts_there(deployments)
    if contracts is None:
        return
    now = clock().now
    for id_ in _sessions(contracts):
        session = SessionOnChain(contracts, id_)
        events = session.events()
        if store is not None:
            yield from _answers(session, events, now, store)
        yield from _questions(session, events, now)
        yield from _rounds(session, events, now)


def _sessions(contracts: Contracts) -> list[bytes]:
    board = contracts.board
    logs = logs_of(str(board.contract.address), board.block, [topic(CREATED)])
    return [bytes(log.event_arguments["session"]) for log in decoded(board.contract, logs)]


def _questions(session: SessionOnChain, events: Sequence[ev.Event], now: int) -> Iterator[Duty]:
    """Questions that were not answered in time, whose bonds are to go back."""
    done = {one.key for one in events if isinstance(one, ev.Answered | ev.ChallengeReturned)}
    for one in events:
        if isinstance(one, ev.Challenged) and one.key not in done and now >= one.deadline:
            what = f"settled what member {one.key.author}'s place was asked for in vain"
            words = (key_words(one.key),)
            yield Duty("0x" + session.id.hex(), what, session.board.settle, words)


def _answers(
    session: SessionOnChain, events: Sequence[ev.Event], now: int, store: Datastore
) -> Iterator[Duty]:
    """What was asked of a server and is not answered when half of the time is over.

    A batch names its catalogue, which has all leaves: who has that can answer as the server could.
    What nobody has is looked for again at each block of the rest of the time, so a lie is not: it
    is the server's.
    """
    if session.consensus is None or any(isinstance(one, ev.ServerFaulty) for one in events):
        return
    batches = {(one.round, one.kind): one for one in events if isinstance(one, ev.BatchPostedAt)}
    done = {one.key for one in events if isinstance(one, ev.Answered | ev.ChallengeReturned)}
    members = len(session.members)
    for one in events:
        if not isinstance(one, ev.Challenged) or one.key in done:
            continue
        batch = batches.get((one.key.round, one.key.kind))
        half = one.deadline - session.terms.response_time // 2
        if batch is None or not half <= now < one.deadline:
            continue
        try:
            listed = fetch_catalogue(store, session.id, members, batch.document, *_place(one))
            leaves = batch_leaves(twin_of(session.board), listed, members, batch.root)
        except (ContentError, DocumentError, ReadingError):
            continue
        leaf = listed.hashes(members)[one.key.author] or NO_MESSAGE
        words = key_words(one.key), leaf, list(path(leaves, one.key.author))
        what = f"answered what member {one.key.author}'s place was asked for"
        yield Duty("0x" + session.id.hex(), what, session.board.answer, words)


def _place(one: ev.Challenged) -> tuple[int, MessageKind]:
    return one.key.round, one.key.kind


def _rounds(session: SessionOnChain, events: Sequence[ev.Event], now: int) -> Iterator[Duty]:
    """The round that nobody opened, once its server had time; rounds that nobody closed."""
    consensus, terms = session.consensus, session.terms
    if consensus is None:
        return
    name = "0x" + session.id.hex()
    closed = {one.round for one in events if isinstance(one, ev.RoundClosed)}
    opened = {one.round: one for one in events if isinstance(one, ev.RoundOpened)}
    open_ = [one for number, one in opened.items() if number not in closed]
    for one in open_:
        if now >= one.reveal_end:
            yield Duty(name, f"closed round {one.round}", consensus.close, (one.round, CLOSING))
    if open_ or not terms.start <= now < terms.end:
        return
    round_ = (now - terms.start) // (terms.upload_time + terms.evaluation_time)
    opening = terms.window(round_, MessageKind.EVALUATION)[0]
    ballot_end = opening + int(consensus.terms(skip_trace=True).ballotTime)
    if round_ not in opened and opening + terms.margin(MessageKind.EVALUATION) <= now < ballot_end:
        yield Duty(name, f"opened round {round_}", consensus.openRound, (round_,))
