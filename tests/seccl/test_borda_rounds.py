"""What a round of BordaConsensus goes through, and when."""

from __future__ import annotations

import pytest

from offchain.seccl import ballots as b
from tests.kit.refusals import refused
from tests.seccl.borda_driver import (
    BALLOT_TIME,
    PERIOD,
    REVEAL_TIME,
    SALT,
    commit,
    open_session,
    opening,
)

CLOSED, CLOSING = 0, 2


def test_all_vote_and_the_round_closes_at_once(session, stranger):
    """Ballots of either form, by voter or carrier, give the twin's result before the deadline."""
    scores = [[0.5, 0.5, 0, 0.1, 0.2], [0.9, 0.8, 0.1, 0, 0.7]]
    cast = {0: [1, 2], 1: [2, 0], 4: [2, 1]}
    session.vote(0, session.ranking(cast[0]))
    session.vote(2, b.pack_scores(scores[0], 2))
    made = [(1, session.ranking(cast[1])), (3, b.pack_scores(scores[1], 3))]
    session.carry([session.signed(*one) for one in made], sender=stranger)
    early = session.refusal("close", session.round, 1)
    assert early == refused("TooEarly", session.now, session.newest[2])
    session.contract.voteSigned(session.signed(4, session.ranking(cast[4])), sender=stranger)

    for voter, given in zip((2, 3), scores, strict=True):
        steps = b.unpack_scores(b.pack_scores(given, voter).content)
        cast[voter] = session.election.best(voter, steps)
    expected = session.election.close(cast)
    (receipt,) = session.close(sender=stranger)
    assert session.now < session.newest[2]
    (log,) = session.contract.RoundClosed.from_receipt(receipt)
    assert (log.round, log.ballots) == (0, 5)
    assert (tuple(log.winners), tuple(log.points)) == (expected.winners, expected.points)
    assert session.result() == (expected.winners, expected.points)
    assert session.points() == list(expected.totals)
    assert session.newest[1] == CLOSED


def test_who_is_absent_stops_nothing(session):
    """At the deadline the round closes with the ballots there are."""
    cast = {0: [3, 4], 2: [4, 1]}
    for voter, names in cast.items():
        session.vote(voter, session.ranking(names))
    assert [session.contract.hasVoted(v) for v in range(5)] == [True, False, True, False, False]
    session.end()
    session.close()
    expected = session.election.close(cast)
    assert session.result() == (expected.winners, expected.points)


def test_hidden_ballots_are_counted_when_they_are_opened(hidden, stranger):
    """Commitments by voter and carrier are opened by anybody; who stays hidden is not elected."""
    cast = {0: [3, 2], 1: [2, 3], 2: [0, 1]}
    packed = {voter: hidden.ranking(names) for voter, names in cast.items()}
    for voter in (0, 2):
        (log,) = hidden.contract.Committed.from_receipt(commit(hidden, voter, packed[voter]))
        secret = hidden.hide(voter, packed[voter], SALT)
        assert (log.round, log.voter, bytes(log.commitment)) == (0, voter, secret)
        assert bytes(hidden.contract.commitmentOf(voter)) == secret[:30]
    args = hidden.signed_commitment(1, hidden.hide(1, packed[1], SALT))
    hidden.contract.commitSigned(*args, sender=stranger)
    hidden.end_ballots()
    for voter in (0, 1):
        receipt = hidden.contract.reveal(*opening(hidden, voter, packed[voter]), sender=stranger)
        (log,) = hidden.contract.BallotCounted.from_receipt(receipt)
        assert (log.round, log.voter, log.form, bytes(log.content)) == (
            0, voter, 0, packed[voter].content,
        )  # fmt: skip
    hidden.end()
    hidden.close()
    expected = hidden.election.close({v: cast[v] for v in (0, 1)}, committed=cast)
    assert hidden.result() == (expected.winners, expected.points) == ((3,), (3,))


def test_hidden_ballots_that_are_all_opened_close_the_round(hidden):
    """Nobody waits for the end of the openings once all have voted."""
    packed = [hidden.ranking([(v + 1) % 5, (v + 2) % 5]) for v in range(5)]
    for voter, ballot in enumerate(packed):
        commit(hidden, voter, ballot)
    hidden.end_ballots()
    for voter, ballot in enumerate(packed):
        hidden.contract.reveal(*opening(hidden, voter, ballot), sender=hidden.owner)
    hidden.close()
    assert hidden.now < hidden.newest[3]
    assert len(hidden.result()[0]) == 2


def test_a_round_begins_with_nothing_of_the_last(hidden):
    """Points, votes and commitments belong to one round; earlier results stay readable."""
    ballot = hidden.ranking([1, 2])
    commit(hidden, 0, ballot)
    hidden.end_ballots()
    hidden.contract.reveal(*opening(hidden, 0, ballot), sender=hidden.owner)
    hidden.end()
    hidden.close()
    first, seed = hidden.result(0), hidden.newest[4]
    assert first == ((1, 2), (2, 1))
    hidden.open()
    assert hidden.newest[4] != seed
    assert hidden.points() == [0] * 5
    assert not hidden.contract.hasVoted(0)
    assert not any(hidden.contract.commitmentOf(0))
    hidden.end_ballots()
    again = hidden.refusal("reveal", *opening(hidden, 0, ballot))
    assert again == refused("NotCommitted", 1, 0)
    hidden.end()
    hidden.close()
    assert hidden.result(0) == first
    assert hidden.result(1) == ((), ())


@pytest.mark.parametrize(("quorum", "ballots"), [(1, 0), (3, 2), (5, 4)])
def test_too_few_ballots_choose_nobody(bordas, deployer, voters, quorum, ballots):
    """Below the quorum, and without any ballot, the round ends without winners."""
    driver = open_session(bordas, deployer, voters, quorum=quorum)
    driver.open()
    for voter in range(ballots):
        driver.vote(voter, driver.ranking([(voter + 1) % 5, (voter + 2) % 5]))
    driver.end()
    (receipt,) = driver.close(step=1)
    (log,) = driver.contract.RoundClosed.from_receipt(receipt)
    assert (log.ballots, list(log.winners), list(log.points)) == (ballots, [], [])
    assert driver.result() == ((), ())
    assert driver.open()


def test_a_quorum_that_is_met_decides(bordas, deployer, voters):
    """Exactly as many ballots as asked for are enough."""
    driver = open_session(bordas, deployer, voters, quorum=2)
    driver.open()
    for voter in (0, 1):
        driver.vote(voter, driver.ranking([2, 3]))
    driver.end()
    driver.close()
    assert driver.result() == ((2, 3), (4, 2))


@pytest.mark.parametrize("step", [1, 2, 3, 256])
def test_commitments_count_for_the_quorum_and_abandoned_ones_cost_a_seat(
    bordas, deployer, voters, step
):
    """Three of five commit, two open, in whatever steps it is closed; a round in which nobody opens
    elects nobody."""
    driver = open_session(
        bordas, deployer, voters, quorum=3, winners=3, revealTime=REVEAL_TIME, period=PERIOD
    )
    cast = {0: [4, 2, 1], 1: [2, 4, 0], 2: [0, 1, 3]}
    for number, opened in enumerate([(0, 1), ()]):
        driver.open()
        packed = {voter: driver.ranking(names) for voter, names in cast.items()}
        for voter, ballot in packed.items():
            commit(driver, voter, ballot)
        driver.end_ballots()
        for voter in opened:
            driver.contract.reveal(*opening(driver, voter, packed[voter]), sender=driver.owner)
        driver.end()
        driver.close(step)
        expected = driver.election.close({v: cast[v] for v in opened}, committed=cast)
        assert driver.result(number) == (expected.winners, expected.points)
    assert set(driver.result(0)[0]) == {0, 1, 4}
    assert driver.result(1) == ((), ())


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_closing_in_steps_gives_the_same_result(session, stranger, step):
    """However a closing is cut up, and whoever makes its calls."""
    cast = {0: [3, 4], 1: [4, 0], 2: [4, 3], 3: [2, 1]}
    for voter, names in cast.items():
        session.vote(voter, session.ranking(names))
    session.end()
    calls = session.close(step, sender=stranger)
    assert len(calls) == -(-5 // step)
    looked = [session.contract.RoundClosing.from_receipt(call) for call in calls[:-1]]
    assert [log.candidates for (log,) in looked] == [step * (i + 1) for i in range(len(calls) - 1)]
    expected = session.election.close(cast)
    assert session.result() == (expected.winners, expected.points)


def test_a_closing_cannot_be_disturbed(session, deployer):
    """From its first step on neither ballots nor another round are taken, until it is done."""
    session.vote(0, session.ranking([1, 2]))
    session.end()
    session.contract.close(0, 1, sender=deployer)
    assert session.newest[1] == CLOSING
    account = session.voters[1].account
    args = session.vote_args(1, session.ranking([2, 3]))
    assert session.refusal("vote", *args, sender=account) == refused("RoundNotOpen", 0)
    assert session.refusal("openRound", 1) == refused("RoundNotOver", 0)
    assert session.refusal("result", 0) == refused("RoundNotOver", 0)
    session.close()
    assert session.result() == ((1, 2), (2, 1))


# ---------------------------------------------------------------- windows


def test_ballots_end_at_the_second(session):
    """A ballot counts in the last second before the end, not in the end's."""
    account = session.voters[0].account
    args = session.vote_args(0, session.ranking([1, 2]))
    signed = session.signed(1, session.ranking([2, 3]))
    end = session.newest[2]
    session.go_to(end - 1)
    assert session.refusal("vote", *args, sender=account) is None
    assert session.refusal("voteSigned", signed) is None
    assert session.refusal("close", 0, 5) == refused("TooEarly", end - 1, end)
    session.go_to(end)
    assert session.refusal("vote", *args, sender=account) == refused("TooLate", end, end)
    assert session.refusal("voteSigned", signed) == refused("TooLate", end, end)
    assert session.refusal("close", 0, 5) is None


def test_commitments_and_openings_follow_each_other_at_the_second(hidden):
    """At the instant when commitments end openings begin, and where these end closing begins."""
    ballot = hidden.ranking([1, 2])
    commit(hidden, 0, ballot)
    account = hidden.voters[1].account
    made = hidden.round, 1, hidden.hide(1, ballot, SALT)
    signed = hidden.signed_commitment(2, made[2])
    shown = opening(hidden, 0, ballot)
    end, last = hidden.newest[2], hidden.newest[3]
    assert last == end + REVEAL_TIME
    hidden.go_to(end - 1)
    assert hidden.refusal("commit", *made, sender=account) is None
    assert hidden.refusal("commitSigned", *signed) is None
    assert hidden.refusal("reveal", *shown) == refused("TooEarly", end - 1, end)
    hidden.go_to(end)
    assert hidden.refusal("commit", *made, sender=account) == refused("TooLate", end, end)
    assert hidden.refusal("commitSigned", *signed) == refused("TooLate", end, end)
    assert hidden.refusal("reveal", *shown) is None
    hidden.go_to(last - 1)
    assert hidden.refusal("reveal", *shown) is None
    assert hidden.refusal("close", 0, 5) == refused("TooEarly", last - 1, last)
    hidden.go_to(last)
    assert hidden.refusal("reveal", *shown) == refused("TooLate", last, last)
    assert hidden.refusal("close", 0, 5) is None


def test_rounds_open_by_the_schedule_whoever_opens_them(hidden, stranger):
    """Not a second before, by anybody from then on, and whenever that is, with the terms' times."""
    hidden.end()
    hidden.close()
    opening = hidden.opening(1)
    hidden.go_to(opening - 1)
    assert hidden.refusal("openRound", 1) == refused("TooEarly", opening - 1, opening)
    hidden.go_to(opening + BALLOT_TIME - 2)
    (log,) = hidden.contract.RoundOpened.from_receipt(hidden.contract.openRound(1, sender=stranger))
    assert (log.round, log.opener, log.ballotEnd, log.revealEnd) == (
        1, stranger.address, opening + BALLOT_TIME, opening + BALLOT_TIME + REVEAL_TIME,
    )  # fmt: skip
    assert tuple(hidden.newest)[2:4] == (log.ballotEnd, log.revealEnd)
    assert bytes(log.seed) == bytes(hidden.newest[4])


def test_a_round_that_nobody_opens_is_left_out(bordas, deployer, voters):
    """It has no winners, and the next round comes at its own time under its own number."""
    driver = open_session(bordas, deployer, voters)
    driver.go_to(driver.opening(0) + BALLOT_TIME - 1)
    assert driver.refusal("result", 0) == refused("RoundNotOver", 0)
    end = driver.opening(0) + BALLOT_TIME
    driver.go_to(end)
    assert driver.refusal("openRound", 0) == refused("TooLate", end, end)
    assert driver.result(0) == ((), ())
    driver.open(1)
    assert driver.newest[0] == 2
    driver.vote(0, driver.ranking([1, 2]))
    driver.end()
    driver.close()
    assert driver.result(1) == ((1, 2), (2, 1))
    assert driver.result(0) == ((), ())
    assert driver.refusal("openRound", 0) == refused("WrongRound", 0, 2)
