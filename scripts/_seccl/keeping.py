"""What anybody may do in SecCL: open and close rounds, answer what was asked of a server where the
datastore has it, and settle what nobody answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from offchain.crypto.commitments import path
from offchain.seccl import session as ev
from offchain.seccl.actions import CLOSING
from offchain.seccl.listed import Batch, Catalogues, ReadingError, batch_leaves
from offchain.seccl.messages import NO_MESSAGE, MessageKind, PostKey
from scripts._seccl.browsing import contracts_there
from scripts._seccl.calls import key_words
from scripts._seccl.chain import CREATED, twin_of
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import SessionOnChain
from scripts._stage.chain import clock, decoded, logs_of, topic
from scripts._stage.keeping import Duty


def duties(deployments: Path, catalogues: Catalogues | None = None) -> Iterator[Duty]:
    """Those of all sessions of this version's board. catalogues: without them nothing is answered.

    Raises DatastoreUnavailable after all that needs no datastore.
    """
    contracts = contracts_there(deployments)
    if contracts is None:
        return
    now = clock().now
    asked: list[_Asked] = []
    for id_ in _sessions(contracts):
        session = SessionOnChain(contracts, id_)
        events = session.events()
        yield from _questions(session, events, now)
        yield from _rounds(session, events, now)
        asked += _asked(session, events, now)
    if catalogues is not None:
        catalogues.look({one.of for one in asked})
        yield from _answers(asked, catalogues)


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


class _Asked(NamedTuple):
    """What a server is asked. of: the batch that has it, with this `root`."""

    session: SessionOnChain
    key: PostKey
    of: Batch
    root: bytes


def _asked(session: SessionOnChain, events: Sequence[ev.Event], now: int) -> Iterator[_Asked]:
    """What was asked of a server and is not answered when half of the time is over."""
    if session.consensus is None or any(isinstance(one, ev.ServerFaulty) for one in events):
        return
    batches = {(one.round, one.kind): one for one in events if isinstance(one, ev.BatchPostedAt)}
    done = {one.key for one in events if isinstance(one, ev.Answered | ev.ChallengeReturned)}
    for one in events:
        if not isinstance(one, ev.Challenged) or one.key in done:
            continue
        posted = batches.get((one.key.round, one.key.kind))
        half = one.deadline - session.terms.response_time // 2
        if posted is None or not half <= now < one.deadline:
            continue
        place = session.id, posted.round, posted.kind, len(session.members), posted.document
        yield _Asked(session, one.key, Batch(*place), posted.root)


def _answers(asked: Sequence[_Asked], catalogues: Catalogues) -> Iterator[Duty]:
    """What the catalogues answer: they have all leaves, so that who has one can do as its server.

    What nobody has is looked for again at each block of the rest of the time, so a lie is not: it
    is the server's.
    """
    for session, key, of, root in asked:
        listed = catalogues.found.get(of)
        if listed is None:
            continue
        try:
            leaves = batch_leaves(twin_of(session.board), listed, of.members, root)
        except ReadingError:
            continue
        leaf = listed.hashes(of.members)[key.author] or NO_MESSAGE
        words = key_words(key), leaf, list(path(leaves, key.author))
        what = f"answered what member {key.author}'s place was asked for"
        yield Duty("0x" + session.id.hex(), what, session.board.answer, words)


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
