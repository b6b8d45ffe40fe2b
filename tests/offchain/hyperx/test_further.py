"""The further shards of a review: one that is worse than chance allows is found, honest ones pass.

A shard is as many answers of the collector's head, each right or wrong.
"""

from __future__ import annotations

import pytest
import torch

from offchain.hyperx.further import rubbish_shard

SAMPLED, FURTHER, SIZE = 13, 12, 7
ALARMS = 0.01


def shards(count, right, size=SIZE, seed=0):
    """`count` shards of which the head agrees with a share of `right`."""
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, size, generator=random) < right


@pytest.mark.parametrize("right", [0.95, 0.6, 0.3])
def test_honest_datasets_pass_however_many_labels_are_wrong(right):
    """At most one of a hundred is called rubbish."""
    alarms = 0
    for seed in range(300):
        opened = shards(SAMPLED + FURTHER, right, seed=seed)
        alarms += rubbish_shard(opened[:SAMPLED].flatten(), opened[SAMPLED:], ALARMS) is not None
    assert alarms <= 3


def test_a_pooled_alarm_is_as_rare_where_more_is_opened_than_was_sampled():
    """A bound from the sample alone would take the larger number's certainty for its own."""
    alarms = 0
    for seed in range(300):
        opened = shards(44, 0.7, seed=seed)
        alarms += rubbish_shard(opened[:4].flatten(), opened[4:], ALARMS) is not None
    assert alarms <= 6


@pytest.mark.parametrize(("right", "size", "least"), [(0.95, 7, 0.9), (0.7, 20, 0.9)])
def test_a_single_shard_of_rubbish_is_found(right, size, least):
    """Labels out of ten by chance; small shards suffice where the head is good."""
    found = 0
    for seed in range(200):
        opened = shards(SAMPLED + FURTHER, right, size, seed)
        opened[SAMPLED + 4] = shards(1, 0.1, size, 1_000 + seed)[0]
        verdict = rubbish_shard(opened[:SAMPLED].flatten(), opened[SAMPLED:], ALARMS)
        found += verdict is not None and verdict[0] == 4
    assert found / 200 >= least


@pytest.mark.parametrize(
    ("size", "right"), [(1, 0.95), (2, 0.99), (4, 0.9), (5, 0.8), (6, 0.7), (7, 0.6), (10, 0.5)]
)
def test_many_small_shards_of_rubbish_are_found_together(size, right):
    """None of them alone is worse than chance allows; the twin looks at one alone."""
    sampled = torch.arange(SAMPLED * size) < right * SAMPLED * size
    further = torch.zeros(FURTHER, size, dtype=torch.bool)
    verdict = rubbish_shard(sampled, further, ALARMS)
    assert verdict is not None
    assert verdict[1].startswith(f"0 of {FURTHER * size} labels of all further shards")
    honest = torch.arange(FURTHER * size).view(FURTHER, size) % 10 < 10 * right
    honest[0] = False
    assert rubbish_shard(sampled, honest, ALARMS) is None


def test_the_reason_says_what_was_found():
    opened = torch.ones(SAMPLED + FURTHER, SIZE, dtype=torch.bool)
    opened[SAMPLED + 2] = False
    verdict = rubbish_shard(opened[:SAMPLED].flatten(), opened[SAMPLED:], ALARMS)
    assert verdict == (2, "0 of 7 labels are as expected, 100% sampled")


def test_a_dataset_of_which_nothing_can_be_expected_passes():
    """Where the head agrees with nothing sampled, no further shard is worse."""
    nothing = torch.zeros(SAMPLED + FURTHER, SIZE, dtype=torch.bool)
    assert rubbish_shard(nothing[:SAMPLED].flatten(), nothing[SAMPLED:], ALARMS) is None
