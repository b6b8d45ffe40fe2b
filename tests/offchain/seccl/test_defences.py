"""Each defence against what can be worked out by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.seccl.defences import (
    Defence,
    DefenceError,
    PostedUpdates,
    borda,
    coordinate_median,
    krum,
    krum_scores,
    trimmed_mean,
)
from offchain.seccl.updates import SparseUpdate, largest_changes, mean_update


def update(*values):
    """Of a model of len(values) parameters; zeros are not sent."""
    named = [i for i, value in enumerate(values) if value]
    return SparseUpdate(
        torch.tensor(named, dtype=torch.int32),
        torch.tensor([float(values[i]) for i in named]),
        len(values),
    )


def posted(updates, scores=None):
    def ballots(copies):
        found = scores.clone()
        found[:, [copy.author for copy in copies]] = 0
        return found

    return PostedUpdates(updates, list(range(len(updates))), (), None, ballots)


def decided(text, updates, winners=2, scores=None):
    defence = Defence.parse(text, len(updates), winners, 0)
    return defence.decide(posted(updates, scores))


THREE = [update(1, 0, 9), update(3, 4, 0), update(100, 6, 0)]


def test_the_mean_is_dragged_away_and_the_median_is_not():
    assert decided("mean", THREE).change.tolist() == pytest.approx([104 / 3, 10 / 3, 3])
    assert decided("median", THREE).change.tolist() == [3, 4, 0]
    assert decided("median", THREE).winners == (0, 1, 2)


def test_a_parameter_that_few_name_stays_under_the_median():
    sent_by_two_of_five = [update(5, 1), update(5, 1), update(0, 1), update(0, 1), update(0, 1)]
    assert coordinate_median(sent_by_two_of_five).tolist() == [0, 1]


def test_the_median_of_an_even_number_lies_halfway():
    four = [update(1), update(2), update(4), update(50)]
    assert coordinate_median(four).tolist() == [3]


def test_the_trimmed_mean_drops_both_ends():
    five = [update(-100), update(1), update(2), update(6), update(100)]
    assert trimmed_mean(0.2)(five).tolist() == [3]
    assert trimmed_mean(0.4)(five).tolist() == [2]
    assert trimmed_mean(0.0)(five).tolist() == mean_update(five).tolist()


def test_krum_scores_are_sums_of_squared_distances_to_the_nearest():
    five = [update(1), update(2), update(4), update(7), update(20)]
    # f = 1: the two nearest, as 1 + 9, 1 + 4, 4 + 9, 9 + 25, 169 + 256.
    assert krum_scores(five, 1).tolist() == [10, 5, 13, 34, 425]
    assert krum(five, 1) == (1,)
    assert krum(five, 1, winners=3) == (1, 0, 2)
    assert decided("krum", five).change.tolist() == [2]
    assert decided("multi-krum", five).change.tolist() == [1.5]


def test_krum_leaves_out_what_lies_apart_until_it_is_the_crowd():
    honest = [update(1, 1.1), update(1.2, 1), update(0.9, 1), update(1, 0.8)]
    false = [update(-9, -9)] * 4
    assert set(krum([*honest, *false[:3]], 2, winners=4)) == {0, 1, 2, 3}
    assert krum([*honest[:3], *false], 2)[0] >= 3


def test_krum_needs_enough_updates():
    with pytest.raises(DefenceError, match="2 f \\+ 3 updates or more: f is 2, there are 6"):
        krum_scores([update(1)] * 6, 2)


SCORES = torch.tensor(
    [  # voter, candidate; what stands on the diagonal must not count
        [1.0, 0.9, 0.5, 0.4],
        [0.9, 1.0, 0.5, 0.4],
        [0.9, 0.8, 1.0, 0.4],
        [0.5, 0.9, 0.8, 1.0],
    ],
    dtype=torch.float64,
)


def test_borda_gives_points_by_place_to_the_others():
    # Points 2, 1: voter 0 -> 1, 2; voter 1 -> 0, 2; voter 2 -> 0, 1; voter 3 -> 1, 2.
    # Totals: 4, 5, 3, 0.
    assert borda(2, 0)(SCORES) == (1, 0)
    chosen = decided("borda", [update(i + 1) for i in range(4)], 2, SCORES)
    assert chosen.winners == (1, 0)
    assert chosen.change.tolist() == [1.5]


def test_nobody_elects_itself():
    vain = torch.full((3, 3), 0.5, dtype=torch.float64).fill_diagonal_(1.0)
    vain[1:, 0] = vain[0, 1] = 0.4  # all think least of 0, save 0 itself
    assert 0 not in borda(2, 0)(vain)


def test_ties_follow_the_seed_and_not_the_number():
    level = torch.full((6, 6), 0.5, dtype=torch.float64)
    found = {tuple(borda(2, seed)(level)) for seed in range(12)}
    assert len(found) > 4
    assert borda(2, 3)(level) == borda(2, 3)(level)


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 9), st.integers(1, 3), st.integers(0, 2**31 - 1))
def test_renaming_the_participants_renames_the_result(count, winners, seed):
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=draw)
    changes = torch.randn(count, 12, generator=draw)
    before = [update(*row.tolist()) for row in changes]
    after = [before[i] for i in order.tolist()]
    for text in ("mean", "median", "trimmed:0.2", "krum", "multi-krum"):
        left, right = decided(text, before, winners), decided(text, after, winners)
        torch.testing.assert_close(left.change, right.change)
        assert sorted(order[list(right.winners)].tolist()) == sorted(left.winners)
    # An election without ties: the points of distinct candidates differ by construction.
    scores = torch.rand(count, count, generator=draw, dtype=torch.float64)
    totals = _totals(scores, winners)
    if len(set(totals)) == count:
        left = borda(winners, 0)(scores)
        right = borda(winners, 0)(scores[order][:, order])
        assert order[list(right)].tolist() == list(left)


def _totals(scores, winners):
    """Borda's totals, the slow way."""
    totals = [0] * len(scores)
    for voter, row in enumerate(scores.tolist()):
        others = sorted((c for c in range(len(row)) if c != voter), key=lambda c: -row[c])
        for place, candidate in enumerate(others[:winners]):
            totals[candidate] += winners - place
    return totals


def test_a_copy_is_ranked_last_by_the_screened_election():
    draw = torch.Generator().manual_seed(1)
    five = largest_changes(torch.randn(5, 300, generator=draw), 0.1)
    five[4] = five[1]
    scores = torch.tensor([[0.2, 0.9, 0.5, 0.4, 0.95]] * 5, dtype=torch.float64)
    assert 4 in decided("borda", five, 2, scores).winners
    screened = decided("borda+screen", five, 2, scores)
    assert set(screened.winners) == {1, 2}
    assert [(copy.author, copy.of) for copy in screened.copies] == [(4, 1)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hope", "'hope' is no defence: one of mean, median, "),
        ("trimmed", "'trimmed' is not trimmed:<share below 0.5>"),
        ("trimmed:0.5", "'trimmed:0.5' is not trimmed"),
        ("median:2", "is no defence"),
    ],
)
def test_what_is_no_defence_is_refused_by_name(text, why):
    with pytest.raises(DefenceError, match=why):
        Defence.parse(text, 10, 2, 0)


def test_electing_everyone_or_nobody_is_refused():
    for winners in (0, 10):
        with pytest.raises(DefenceError, match=f"10 participants elect 1 to 9, not {winners}"):
            Defence.parse("borda", 10, winners, 0)
