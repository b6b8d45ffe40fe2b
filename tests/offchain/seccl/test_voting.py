"""Ballots as members cast them: open, hidden until all have committed, or of evaluations."""

from __future__ import annotations

import pytest

from offchain.seccl import actions as do
from offchain.seccl.audit import AuditError, audit
from offchain.seccl.ballots import Form, Poll, unpack_scores
from offchain.seccl.description import BALLOTS
from offchain.seccl.documents import Evaluation
from offchain.seccl.voting import Voter, ballot_of
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import (
    BOARD,
    CONSENSUS,
    EVALUATION,
    MEMBERS,
    START,
    WALLETS,
    Yard,
    description,
)

SCORES = [0.9, 0.2, 0.8, 0.4]


def opened(ballots: str) -> Yard:
    """A session whose first round of ballots is open."""
    yard = Yard.new(about=description(ballots=ballots))
    yard.uploads()
    yard.apply(do.OpenRound(0))
    return yard


def decided(yard: Yard, secret: bytes) -> Voter:
    """Member 2, who has evaluated, over that secret."""
    voter = Voter(yard.session, 2, WALLETS[2], secret)
    voter.decide(Evaluation.of(0, 2, SCORES, ()))
    return voter


@pytest.mark.parametrize("ballots", BALLOTS)
def test_every_kind_of_ballot_elects_the_same_and_passes_the_audit(ballots: str) -> None:
    yard = Yard.new(about=description(ballots=ballots))
    yard.uploads()
    yard.judge()
    closed = yard.session.closed[0]
    assert (closed.winners, closed.ballots) == ((0, 1), MEMBERS)
    found = audit(yard.session, yard.store, recover)
    assert (found.ballots, found.results[0].points) == (MEMBERS, closed.points)


def test_a_ballot_of_scores_is_the_evaluation_itself() -> None:
    yard = opened("scores")
    said = Evaluation.of(0, 2, SCORES, [1])
    ballot = ballot_of(yard.session, said)
    assert ballot.form == Form.SCORES
    assert tuple(unpack_scores(ballot.content)) == said.scores
    assert said.scores[1] == said.scores[2] == 0


def test_a_hidden_ballot_is_committed_to_and_then_shown() -> None:
    """Each once, carried or by the member itself; the opening fits the commitment."""
    yard = opened("hidden")
    voter, start = decided(yard, b"s" * 32), yard.now(0, EVALUATION)
    end = yard.session.opened[0].ballot_end
    (signed,) = voter.handed(0, CONSENSUS, start)
    assert isinstance(signed, do.SignedCommitment)
    (direct,) = voter.cast(0, CONSENSUS, end - 1)
    assert direct == do.Commit(0, 2, signed.commitment)
    yard.apply(direct)
    assert voter.handed(0, CONSENSUS, end - 1) == voter.cast(0, CONSENSUS, end - 1) == []

    (opening,) = voter.cast(0, CONSENSUS, end)
    assert voter.handed(0, CONSENSUS, end) == [opening]
    assert isinstance(opening, do.Reveal)
    poll = Poll(BOARD.chain_id, CONSENSUS, yard.session.id, 0)
    hidden = poll.hide(WALLETS[2].address, opening.ballot, opening.salt)
    assert hidden == signed.commitment
    yard.apply(opening)
    assert voter.cast(0, CONSENSUS, end) == []


def test_who_has_not_committed_or_comes_late_has_no_vote() -> None:
    yard = opened("hidden")
    voter, opened_ = decided(yard, b"s" * 32), yard.session.opened[0]
    assert voter.cast(0, CONSENSUS, opened_.ballot_end) == []
    yard.apply(voter.cast(0, CONSENSUS, opened_.ballot_end - 1)[0])
    assert voter.cast(0, CONSENSUS, opened_.reveal_end - 1)
    assert voter.cast(0, CONSENSUS, opened_.reveal_end) == []


def test_a_ballot_is_hidden_by_the_secret_and_by_it_alone_found_again() -> None:
    """The same commitment after a crash; another for other secrets, rounds and members."""
    yard = opened("hidden")
    again, other = (decided(yard, secret) for secret in (b"s" * 32, b"t" * 32))
    (first,) = decided(yard, b"s" * 32).cast(0, CONSENSUS, START)
    assert again.cast(0, CONSENSUS, START) == [first]
    assert other.cast(0, CONSENSUS, START) != [first]
    drawn = {voter._salt(r) for voter in (again, other) for r in range(3)}
    drawn.add(Voter(yard.session, 1, WALLETS[1], b"s" * 32)._salt(0))
    assert len(drawn) == 7
    assert all(len(salt) == 32 for salt in drawn)


def test_a_hidden_ballot_that_nobody_committed_to_ends_the_audit() -> None:
    yard = Yard.new(about=description(ballots="hidden"))
    yard.uploads()
    yard.judge()
    del yard.session.committed[0][3]
    with pytest.raises(AuditError, match="ballot of member 3 was not committed to before"):
        audit(yard.session, yard.store, recover)


def test_a_ballot_of_the_other_form_is_named() -> None:
    """What was agreed on, an auditor reads in the description."""
    yard = Yard.new(about=description(ballots="scores"))
    yard.uploads()
    yard.judge()
    ranking = Yard.new()
    ranking.uploads()
    ranking.judge()
    yard.session.ballots[0][1] = ranking.session.ballots[0][1]
    (fault,) = audit(yard.session, yard.store, recover).faults
    assert fault == "round 0: the ballot of member 1 is not what its evaluation says"
