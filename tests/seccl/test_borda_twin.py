"""The contract's scoring and offchain/seccl/borda.py give the same, ballot by ballot."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.seccl import ballots as b
from offchain.seccl.borda import BallotError, Election
from tests.kit.refusals import refusal
from tests.kit.solidity import compile_contracts

HARNESS = "tests/invariants/BordaHarness.sol"
SIZES = [(2, 1), (5, 2), (20, 4), (30, 6), (30, 12), (100, 40), (256, 26), (257, 26), (1024, 103)]
FUZZ = settings(max_examples=15, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def harness(project, deployer):
    """The libraries as external functions."""
    text = (Path(project.path) / HARNESS).read_text()
    return deployer.deploy(
        compile_contracts({"BordaHarness": HARNESS}, {HARNESS: text})["BordaHarness"]
    )


def size(election):
    """As the harness takes it."""
    return election.members, election.winners, election.seed


def agree(harness, election, voter, ballot, order, sender):
    """Both give the same points, or refuse by the same name."""
    args = ballot.form, ballot.content, voter, size(election)
    got = refusal(harness.points, *args, sender=sender)
    try:
        expected = election.totals({voter: order()})
    except BallotError as error:
        reason = error.reason
    else:
        assert got is None
        assert list(harness.points(*args, skip_trace=True)) == expected
        return
    assert got is not None
    assert got.name == reason


@pytest.mark.parametrize(("members", "winners"), SIZES)
def test_rankings(harness, stranger, members, winners):
    """Good ones, and ones with a wrong name or length, at every size."""
    names = st.integers(0, members - 1 if members > 256 else min(members + 2, 255))

    @FUZZ
    @given(st.data())
    def check(data):
        election = Election(members, winners, data.draw(st.binary(min_size=16, max_size=16)))
        voter = data.draw(st.integers(0, members - 1))
        order = data.draw(st.permutations([i for i in range(members) if i != voter]))[:winners]
        if data.draw(st.booleans()):
            order[data.draw(st.integers(0, winners - 1))] = data.draw(names)
        if data.draw(st.integers(0, 4)) == 0:
            order = order[:-1]
        width = 1 if members <= 256 else 2
        content = b"".join(name.to_bytes(width, "big") for name in order)
        assert b.unpack_ranking(content, members) == order
        agree(harness, election, voter, b.Ballot(b.Form.RANKING, content), lambda: order, stranger)

    check()


@pytest.mark.parametrize(("members", "winners"), SIZES)
@pytest.mark.parametrize("most", [0, 3, 65_535])
def test_scores(harness, stranger, members, winners, most):
    """The order that follows from scores, from all equal to hardly any equal."""

    @settings(FUZZ, max_examples=5)
    @given(st.data())
    def check(data):
        election = Election(members, winners, data.draw(st.binary(min_size=16, max_size=16)))
        voter = data.draw(st.integers(0, members - 1))
        rng = data.draw(st.randoms(use_true_random=False))
        scores = [rng.randint(0, most) for _ in range(members)]
        if data.draw(st.integers(0, 4)):
            scores[voter] = 0
        content = b"".join(score.to_bytes(2, "big") for score in scores)
        assert b.unpack_scores(content) == scores
        ballot = b.Ballot(b.Form.SCORES, content)
        agree(harness, election, voter, ballot, lambda: election.best(voter, scores), stranger)

    check()


@pytest.mark.parametrize("length", [0, 9, 11, 12])
def test_scores_of_a_wrong_length(harness, stranger, length):
    """Both refuse what is not two bytes for each member."""
    election = Election(5, 2, bytes(16))
    ballot = b.Ballot(b.Form.SCORES, bytes(length))
    got = refusal(harness.points, ballot.form, ballot.content, 0, size(election), sender=stranger)
    assert got is not None
    assert got.name == "ScoresLength"
    with pytest.raises(BallotError, match="ScoresLength"):
        election.best(0, [0] * (length // 2 if length != 11 else 6))


@FUZZ
@given(data=st.data())
def test_commitments(harness, data):
    """The hash that hides a ballot binds the same things on both sides."""
    word = st.binary(min_size=32, max_size=32)
    context, salt = data.draw(word), data.draw(word)
    round_ = data.draw(st.integers(0, 65_534))
    voter = "0x" + data.draw(st.binary(min_size=20, max_size=20)).hex()
    ballot = b.Ballot(data.draw(st.sampled_from(b.Form)), data.draw(st.binary(max_size=100)))
    poll = b.Poll(harness.provider.chain_id, harness.address, context, round_)
    args = context, round_, voter, int(ballot.form), ballot.content, salt
    assert bytes(harness.hide(*args)) == poll.hide(voter, ballot, salt)
