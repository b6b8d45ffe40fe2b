"""The consensus of a round without a chain: its rules, its fairness, and where colluders win."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.seccl import ballots as b
from offchain.seccl.borda import BallotError, Election

SEED = bytes(range(16))
POLL = b.Poll(31_337, "0x" + "11" * 20, bytes(32), 7)


@st.composite
def rounds(draw):
    """An election and rankings of some of its members."""
    members = draw(st.integers(2, 9))
    election = Election(
        members, draw(st.integers(1, members - 1)), draw(st.binary(min_size=16, max_size=16))
    )
    voters = draw(st.sets(st.integers(0, members - 1)))
    others = {v: [i for i in range(members) if i != v] for v in sorted(voters)}
    return election, {v: draw(st.permutations(o))[: election.winners] for v, o in others.items()}


def test_the_first_gets_as_many_points_as_win_and_the_last_gets_one():
    """Three winners: 3, 2, 1, by hand."""
    result = Election(5, 3, SEED).close({0: [1, 2, 3], 4: [2, 1, 0]})
    assert result.totals == (1, 5, 5, 1, 0)
    assert set(result.winners[:2]) == {1, 2}
    assert result.points == (5, 5, 1)
    assert result.ballots == 2


@given(rounds())
@settings(derandomize=True)
def test_winners_are_the_highest(case):
    """As many different members as asked for, none below a loser; all points come from ballots."""
    election, cast = case
    result = election.close(cast)
    m = election.winners
    assert sum(result.totals) == len(cast) * m * (m + 1) // 2
    assert len(set(result.winners)) == len(result.winners) == (m if cast else 0)
    losers = set(range(election.members)) - set(result.winners)
    if cast:
        assert min(result.points) >= max(result.totals[i] for i in losers)
        assert list(result.points) == sorted(result.points, reverse=True)
        assert min(result.points) > 0


@given(rounds(), st.randoms(use_true_random=False))
@settings(derandomize=True)
def test_renaming_participants_renames_the_result(case, rng):
    """Totals follow their owners; who wins without a tie wins under every name."""
    election, cast = case
    names = list(range(election.members))
    rng.shuffle(names)
    renamed = {names[v]: [names[i] for i in order] for v, order in cast.items()}
    before, after = election.close(cast), election.close(renamed)
    assert [after.totals[names[i]] for i in range(election.members)] == list(before.totals)
    assert after.points == before.points
    if before.points:
        sure = {i for i, total in enumerate(before.totals) if total > before.points[-1]}
        assert {names[i] for i in sure} <= set(after.winners)


def test_every_profile_of_three_and_four_members():
    """All ballots of all members, with one winner and with two: the definition, checked by hand."""
    for members, winners in [(3, 1), (3, 2), (4, 1)]:
        election = Election(members, winners, SEED)
        ballots = [
            list(permutations([i for i in range(members) if i != v], winners))
            for v in range(members)
        ]
        for profile in product(*ballots):
            totals = Counter()
            for order in profile:
                totals.update({name: winners - k for k, name in enumerate(order)})
            result = election.close(dict(enumerate(profile)))
            assert result.totals == tuple(totals[i] for i in range(members))
            assert sorted(totals.values(), reverse=True)[:winners] == list(result.points)


def test_ties_are_decided_evenly_by_the_seed():
    """Three tied members, two places: over many seeds each loses a third of the time."""
    tied = {0: [1, 2], 1: [2, 0], 2: [0, 1]}
    losers = Counter()
    for i in range(3_000):
        result = Election(5, 2, i.to_bytes(16, "big")).close(tied)
        (loser,) = {0, 1, 2} - set(result.winners)
        losers[loser] += 1
    # Chi-square with two degrees of freedom: 13.8 is exceeded once in a thousand.
    assert sum((losers[i] - 1_000) ** 2 / 1_000 for i in range(3)) < 13.8


def test_a_quorum_is_needed_where_one_is_asked_for():
    cast = {0: [1], 1: [2]}
    assert Election(3, 1, SEED, quorum=2).close(cast).winners
    assert Election(3, 1, SEED, quorum=3).close(cast).winners == ()
    assert Election(3, 1, SEED).close({}).winners == ()


def test_who_abandons_its_commitment_voids_nothing_and_loses_its_seat():
    """Three commit, as many as the quorum, and two open: these decide, without the third."""
    election = Election(5, 2, SEED, quorum=3)
    cast = {0: [3, 4], 1: [3, 4]}
    assert election.close(cast).winners == ()
    assert election.close(cast, committed=[0, 1, 2]).winners == (3, 4)
    assert election.close(cast, committed=[0, 1, 3]).winners == (4,)
    assert election.close(cast, committed=[0, 1]).winners == ()
    assert election.close({}, committed=[0, 1, 2]).winners == ()
    assert election.close(cast, committed=[0, 1, 2], absent=[3]).winners == (4,)


@pytest.mark.parametrize(("share", "breaks_at"), [(0.1, 8), (0.2, 6), (0.4, 4)])
def test_where_colluders_get_one_of_theirs_in(share, breaks_at):
    """Of 20 members, the honest agree on who is best; colluders put one of theirs first.

    The more win, the fewer colluders it takes, as the paper says of its trade-off. By hand: from h
    honest members the last winner has h - M + 2 (M - 1) points, from f colluders their favourite
    M (f - 1).
    """
    members = 20
    winners = round(members * share)

    def colluder_wins(colluders: int) -> bool:
        honest = members - colluders
        cast = {v: [i for i in range(members) if i != v][:winners] for v in range(honest)}
        for v in range(honest, members):
            favourite = honest if v != honest else honest + 1
            losers = [i for i in reversed(range(members)) if i not in (v, favourite)]
            cast[v] = [favourite, *losers][:winners]
        # Whoever the seed favours: a tie with the last winner counts as a win.
        totals = Election(members, winners, SEED).totals(cast)
        return max(totals[honest:]) >= sorted(totals, reverse=True)[winners - 1]

    assert next(f for f in range(2, 10) if colluder_wins(f)) == breaks_at


@pytest.mark.parametrize(
    ("ranking", "reason"),
    [
        ([1], "RankingLength"),
        ([1, 2, 3], "RankingLength"),
        ([0, 1], "SelfVote"),
        ([1, 5], "UnknownCandidate"),
        ([-1, 1], "UnknownCandidate"),
        ([2, 2], "DuplicateCandidate"),
    ],
)
def test_what_is_no_ballot(ranking, reason):
    with pytest.raises(BallotError, match=reason) as caught:
        Election(5, 2, SEED).check(0, ranking)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "args",
    [
        (1, 1, SEED),
        (1_025, 1, SEED),
        (5, 0, SEED),
        (5, 5, SEED),
        (5, 2, b""),
        (5, 2, SEED, 6),
        (5, 2, SEED, 0),
    ],
)
def test_what_is_no_election(args):
    with pytest.raises(ValueError, match="must"):
        Election(*args)


# ---------------------------------------------------------------- ballots as they travel


@given(st.data())
@settings(derandomize=True, max_examples=50)
def test_packing_rankings(data):
    """What is packed comes back, in one byte a name up to 256 members and two above."""
    members = data.draw(st.sampled_from([2, 30, 256, 257, 1_024]))
    ranking = data.draw(st.lists(st.integers(0, members - 1), max_size=20))
    ballot = b.pack_ranking(ranking, members)
    assert b.unpack_ranking(ballot.content, members) == ranking
    assert len(ballot.content) == len(ranking) * (1 if members <= 256 else 2)


def test_packing_scores():
    """From 0 to 1 in steps of 1/65,535; the voter's own is left out."""
    ballot = b.pack_scores([0, 1, 0.5, 0.9], 3)
    assert b.unpack_scores(ballot.content) == [0, 65_535, 32_768, 0]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_scores_out_of_range(score):
    with pytest.raises(ValueError, match=f"score {score} of member 1"):
        b.pack_scores([0, score], 0)


def test_names_and_bytes_that_cannot_be():
    with pytest.raises(ValueError, match="name 30 is not one of 30 members"):
        b.pack_ranking([30], 30)
    with pytest.raises(ValueError, match="3 bytes are no names"):
        b.unpack_ranking(bytes(3), 300)
    with pytest.raises(ValueError, match="3 bytes are no scores"):
        b.unpack_scores(bytes(3))


@pytest.mark.parametrize("kind", ["ballot", "commitment"])
def test_typed_data_are_signed_and_recovered(kind):
    """A wallet signs them as they are; any field changed points to another signer."""
    key = (5).to_bytes(32, "big")
    voter = Account.from_key(key).address
    value = b.pack_ranking([1, 2], 30) if kind == "ballot" else bytes(range(32))
    data = getattr(POLL, kind)(voter, value)
    signed = Account.sign_typed_data(key, full_message=data)
    r, vs = b.compact(signed.r, signed.s, signed.v)
    assert int.from_bytes(r, "big") == signed.r
    number = int.from_bytes(vs, "big")
    assert (number & (1 << 255) - 1, number >> 255) == (signed.s, signed.v - 27)
    message = encode_typed_data(full_message=data)
    assert Account.recover_message(message, signature=signed.signature) == voter
    changed = data | {"message": data["message"] | {"round": 8}}
    other = encode_typed_data(full_message=changed)
    assert Account.recover_message(other, signature=signed.signature) != voter


def test_compact_signatures_refuse_what_they_cannot_hold():
    with pytest.raises(ValueError, match="v must be 27 or 28, not 1"):
        b.compact(1, 1, 1)
    with pytest.raises(ValueError, match="lower half"):
        b.compact(1, 1 << 255, 27)
