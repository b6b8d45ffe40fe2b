"""One curve serves all levels, and what cannot be reached is said."""

import numpy as np
import pytest

from offchain.hide.errors import LevelError
from offchain.hide.levels import Curve, check_levels, find_levels

EIGHT = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


class Counted:
    """A response that counts how often it was measured."""

    def __init__(self, response):
        self.response, self.count = response, 0

    def __call__(self, dial):
        self.count += 1
        return self.response(dial)


def rising(dial):
    """As measured on CIFAR: flat at both ends, steep between."""
    return 0.1 + 0.45 / (1 + np.exp(-8 * (dial - 0.6)))


def with_gap(dial):
    return 0.1 + 0.2 * dial if dial < 0.5 else 0.6 + 0.3 * dial


def test_every_level_is_found_within_tolerance():
    found = find_levels(Curve(rising), EIGHT, 0.02)
    assert all(one.within for one in found)
    for one in found:
        assert abs(rising(one.dial) - one.wanted) <= 0.02
        assert one.reached == rising(one.dial)
    assert [one.dial for one in found] == sorted({one.dial for one in found})


def test_no_point_is_measured_twice_and_eight_levels_cost_a_third_of_eight_searches():
    shared = Counted(rising)
    find_levels(Curve(shared), EIGHT, 0.02)
    alone = 0
    for level in EIGHT:
        one = Counted(rising)
        find_levels(Curve(one), [level], 0.02)
        alone += one.count
    assert shared.count <= alone / 3


def test_a_level_in_a_gap_is_reported_with_both_its_sides():
    low, gap, high = find_levels(Curve(with_gap), (0.15, 0.5, 0.8), 0.03)
    assert low.within
    assert high.within
    assert not gap.within
    assert gap.why == "the accuracy jumps from 0.199 to 0.750 there"


def test_levels_beyond_the_ends_are_reported_after_two_measurements():
    counted = Counted(rising)
    low, high = find_levels(Curve(counted), (0.05, 0.9), 0.02)
    assert not low.within
    assert "below the 0.104 that fully masked data reaches" in low.why
    assert not high.within
    assert "above the 0.532 that clean data reaches" in high.why
    assert counted.count == 2


def test_levels_at_the_very_ends_are_reached_or_reported():
    (low,) = find_levels(Curve(lambda dial: 0.2 if dial < 0.5 else 0.6), (0.19,), 0.02)
    assert low.within
    assert low.dial > 0
    top, above = find_levels(Curve(lambda dial: dial), (0.99, 0.995), 0.02, 0.5)
    assert (top.dial, top.within) == (1.0, True)
    assert not above.within
    assert above.why == "the level below it has all images already"
    (step,) = find_levels(Curve(lambda dial: 0.2 if dial < 1 else 0.6), (0.195,), 0.001, 0.4)
    assert not step.within


def test_noise_does_not_lead_the_search_astray():
    noise = np.random.default_rng(3)
    found = find_levels(Curve(lambda dial: rising(dial) + noise.normal(0, 0.01)), EIGHT, 0.03)
    assert all(one.within for one in found)
    assert all(abs(rising(one.dial) - one.wanted) < 0.07 for one in found)


def test_points_known_beforehand_are_not_measured_again():
    first = Curve(rising)
    find_levels(first, EIGHT, 0.02)
    again = Counted(rising)
    find_levels(Curve(again, dict(first.points)), EIGHT, 0.02)
    assert again.count == 0


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((), "1 to 32 levels, not 0"),
        ((0.0,), "above 0 and below 1, not 0"),
        ((1.5,), "above 0 and below 1, not 1.5"),
        ((float("nan"),), "above 0 and below 1, not nan"),
        ((0.3, 0.3), "each level is asked for once"),
    ],
)
def test_levels_that_cannot_be_asked_for(levels, words):
    with pytest.raises(LevelError, match=words):
        check_levels(levels)


def test_a_tolerance_out_of_range_is_refused():
    with pytest.raises(LevelError, match="tolerance and resolution"):
        find_levels(Curve(rising), (0.3,), 0.0)
