"""What anybody may do in SecCL: open and close rounds, and settle questions nobody answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from offchain.seccl import session as ev
from offchain.seccl.actions import CLOSING
from offchain.seccl.messages import MessageKind
from scripts._seccl.browsing import contracts_there
from scripts._seccl.calls import key_words
from scripts._seccl.chain import CREATED
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import SessionOnChain
from scripts._stage.chain import clock, decoded, logs_of, topic
from scripts._stage.keeping import Duty


def duties(deployments: Path) -> Iterator[Duty]:
    """Those of all sessions of this version's board."""
    contracts = contracts_there(deployments)
    if contracts is None:
        return
    now = clock().now
    for id_ in _sessions(contracts):
        session = SessionOnChain(contracts, id_)
        events = session.events()
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
