"""What the noise is worth: against published figures and another library's, and in the bytes."""

import math

import pytest
import torch

from offchain.gaussian import gaussian_delta, gaussian_epsilon
from offchain.seccl.privacy import UpdatePrivacy


@pytest.mark.parametrize(
    ("deviation", "sensitivity", "epsilon", "delta"),
    [(1, 1, 1, 0.12693674), (2, 6, 1, 0.78760074), (5, 5, 2, 0.02092364)],
)
def test_delta_is_the_published_one(deviation, sensitivity, epsilon, delta):
    # From the tests of Google's dp-accounting: test_gaussian_hockey_stick_divergence.
    ratio = deviation / sensitivity
    assert gaussian_delta(ratio, 1, epsilon) == pytest.approx(delta, abs=1e-8)


@pytest.mark.parametrize(
    ("ratio", "times", "upper", "loose"),
    [
        # Opacus 1.6.0, sample rate 1, delta 1e-5: its PRV and its RDP accountant.
        (1.0, 1, 4.387413787977764, 4.728507067217624),
        (5.0, 30, 4.876339455854978, 5.252401293794603),
    ],
)
def test_epsilon_is_just_below_the_bounds_that_opacus_gives(ratio, times, upper, loose):
    exact = gaussian_epsilon(ratio, times, 1e-5)
    assert upper - 0.02 < exact < upper < loose


@pytest.mark.parametrize("ratio", [0.01, 0.5, 3.0, 200.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5, 0.1])
def test_epsilon_undoes_delta(ratio, delta):
    epsilon = gaussian_epsilon(ratio, 10, delta)
    if epsilon:
        assert gaussian_delta(ratio, 10, epsilon) == pytest.approx(delta, rel=1e-4)
    else:
        assert gaussian_delta(ratio, 10, 0.0) <= delta


def test_four_rounds_cost_what_half_the_noise_costs():
    assert gaussian_epsilon(4.0, 4, 1e-5) == pytest.approx(gaussian_epsilon(2.0, 1, 1e-5))


def test_more_noise_and_fewer_rounds_are_more_private():
    costs = [UpdatePrivacy(1.0, noise).epsilon(10, 1e-5) for noise in (0.5, 1, 2, 4)]
    assert costs == sorted(costs, reverse=True)
    costs = [UpdatePrivacy(1.0, 1.0).epsilon(rounds, 1e-5) for rounds in (1, 5, 25)]
    assert costs == sorted(costs)


def test_two_data_sets_may_lie_twice_the_clip_apart():
    assert UpdatePrivacy(7.0, 2.0).epsilon(1, 1e-5) == gaussian_epsilon(1.0, 1, 1e-5)


def test_the_clip_shortens_only_what_is_too_long():
    changes = torch.stack([torch.full((100,), 1.0), torch.full((100,), 0.01), torch.zeros(100)])
    released = UpdatePrivacy(5.0, 1e-9).released(changes, 0, 0)
    torch.testing.assert_close(released[0].norm(), torch.tensor(5.0))
    torch.testing.assert_close(released[1:], changes[1:])


def test_the_noise_has_the_stated_spread_on_every_parameter():
    released = UpdatePrivacy(0.5, 3.0).released(torch.zeros(4, 20_000), 2, 1)
    assert released.std(dim=1).tolist() == pytest.approx([1.5] * 4, rel=0.03)
    assert released.mean(dim=1).tolist() == pytest.approx([0] * 4, abs=0.05)


def test_noise_differs_by_round_participant_and_seed_and_by_nothing_else():
    mechanism, zero = UpdatePrivacy(1.0, 1.0), torch.zeros(2, 50)
    base = mechanism.released(zero, 0, 0)
    assert torch.equal(base, mechanism.released(zero, 0, 0))
    assert not torch.equal(base[0], base[1])
    assert not torch.equal(base, mechanism.released(zero, 1, 0))
    assert not torch.equal(base, mechanism.released(zero, 0, 1))


def test_settings_out_of_range_are_refused_by_name():
    for clip, noise, why in (
        (0, 1, "clip must be above 0 and finite, not 0"),
        (1, math.inf, "noise must be above 0 and finite, not inf"),
    ):
        with pytest.raises(ValueError, match=why):
            UpdatePrivacy(clip, noise)
    with pytest.raises(ValueError, match="delta must be above 0 and below 1, not 1"):
        gaussian_epsilon(1, 1, 1)
    with pytest.raises(ValueError, match="ratio must be above 0"):
        gaussian_delta(0, 1, 1)
