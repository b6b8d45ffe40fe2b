"""The stake incentive's rules against cases computed by hand."""

from fractions import Fraction
from math import log2

import pytest

from offchain.sum.rules import (
    DAY,
    FULL,
    Pot,
    Refused,
    StakeIncentive,
    StakeTerms,
    Verdict,
    bits_of,
    reporter_share,
    required_deposit,
    surprise_costs,
)


@pytest.mark.parametrize(
    ("weight", "seconds", "deposit"),
    [
        (1, 0, 60),
        (1, 1, 60),
        (1, 3, 60),  # the root is cut to 1
        (1, 4, 30),
        (1, 600, 2),  # 60 / 24 = 2.5
        (1, 3_600, 1),
        (1, 3_721, 1),  # 60 / 61 is cut to 0, and 1 is the least
        (10**6, 600, 2_500_000),
        (0, 10, 1),
    ],
)
def test_the_deposit_falls_with_the_root_of_the_time_since_the_last_update(
    weight, seconds, deposit
):
    assert required_deposit(weight, seconds) == deposit


def test_who_comes_in_the_second_of_another_pays_the_most_and_is_taken():
    incentive = StakeIncentive(StakeTerms(verdict=Verdict()), participants=1)
    for _ in range(3):
        assert incentive.on_add(60, True, now=1) == (60, 0)
    assert incentive.on_add(30, True, now=5) == (30, 0)


def test_by_the_papers_rules_two_contributions_in_one_second_are_one_too_many():
    incentive = StakeIncentive(StakeTerms(), participants=1)
    assert incentive.on_add(60, True, now=1) == (60, 0)
    with pytest.raises(Refused, match="TooSoonAfterUpdate"):
        incentive.on_add(10_000, True, now=1)
    assert incentive.on_add(30, True, now=5) == (30, 0)


def test_the_cost_is_asked_for_beside_the_deposit_and_a_refusal_changes_nothing():
    incentive = StakeIncentive(StakeTerms(submission_cost=7), participants=1)
    with pytest.raises(Refused, match="DepositTooSmall: 66 offered, 67 required"):
        incentive.on_add(66, True, now=1)
    assert incentive.last_update == 0
    assert incentive.on_add(1_000, True, now=1) == (60, 7)


@pytest.mark.parametrize("ratio", [(1, 1), (2, 1), (8, 1), (10_000, 7_700), (3, 2), (10**9, 7)])
def test_bits_are_the_logarithm_rounded_down(ratio):
    exact = log2(Fraction(*ratio))
    assert 0 <= exact - bits_of(*ratio) / 2**32 < 2**-31


@pytest.mark.parametrize("accuracy", [5_001, 6_000, 7_700, 9_000, 9_999])
def test_who_is_confirmed_as_often_as_stated_pays_the_submission_cost_on_average(accuracy):
    cost = 10**18
    contradict, agree = surprise_costs(cost, accuracy)
    mean = (accuracy * agree + (FULL - accuracy) * contradict) / FULL
    assert mean == pytest.approx(cost, rel=1e-8)
    assert contradict / agree == pytest.approx(
        log2(1 - accuracy / FULL) / log2(accuracy / FULL), rel=1e-5
    )


def test_the_better_the_model_the_dearer_a_contradiction():
    costs = [surprise_costs(10**6, accuracy) for accuracy in (5_001, 6_000, 7_700, 9_000, 9_900)]
    contradict, agree = zip(*costs, strict=True)
    assert list(contradict) == sorted(contradict)
    assert list(agree) == sorted(agree, reverse=True)


def test_a_contradiction_is_charged_for_what_it_tells():
    incentive = StakeIncentive(StakeTerms(submission_cost=100, stated_accuracy=7_700), 1)
    assert incentive.on_add(1_000, True, now=1) == (60, 48)
    assert incentive.on_add(1_000, False, now=2) == (60, 272)


@pytest.mark.parametrize("accuracy", [0, 5_000, 10_000])
def test_an_accuracy_no_better_than_chance_or_perfect_is_refused(accuracy):
    with pytest.raises(ValueError, match=f"between 5000 and 10000 basis points, not at {accuracy}"):
        StakeTerms(stated_accuracy=accuracy)


def test_a_refund_waits_a_day_and_needs_the_models_agreement():
    incentive = StakeIncentive(StakeTerms(), participants=2)
    with pytest.raises(Refused, match="RefundTooEarly"):
        incentive.on_refund(0, added_at=100, left=5, agrees=True, now=100 + DAY - 1)
    with pytest.raises(Refused, match="ModelDisagrees"):
        incentive.on_refund(0, added_at=100, left=5, agrees=False, now=100 + DAY)
    assert incentive.good == [0, 0]
    assert incentive.on_refund(0, added_at=100, left=5, agrees=True, now=100 + DAY) == 5
    assert (incentive.good, incentive.total_good) == ([1, 0], 1)


@pytest.fixture
def announced():
    """An incentive with the contracts' verdict, last taught at 0, of which 0 has good data."""
    incentive = StakeIncentive(StakeTerms(verdict=Verdict()), participants=2)
    incentive.good, incentive.total_good = [1, 0], 1
    return incentive


def test_the_author_announces_before_others(announced):
    for claimant, author, due, agrees, reason in (
        (1, 1, DAY, True, "RefundTooEarly"),
        (0, 1, 3 * DAY, False, "ReportTooEarly"),
    ):
        with pytest.raises(Refused, match=reason):
            announced.on_announce(claimant, author, 0, agrees, due - 1)
        announced.on_announce(claimant, author, 0, agrees, due)
    with pytest.raises(Refused, match="ModelDisagrees"):
        announced.on_announce(1, 1, 0, False, DAY)
    with pytest.raises(Refused, match="ModelAgrees"):
        announced.on_announce(0, 1, 0, True, 3 * DAY)
    with pytest.raises(Refused, match="NoGoodData"):
        announced.on_announce(1, 0, 0, False, 3 * DAY)


def test_a_claim_waits_for_its_announcement_and_then_for_a_day(announced):
    def refund(now, since):
        return announced.on_refund(1, 0, 5, True, now, since)

    def report(now, since):
        return announced.on_report(0, 1, 0, 60, 60, False, now, since)

    for claim, since in ((refund, DAY), (report, 3 * DAY)):
        with pytest.raises(Refused, match="NotAnnounced"):
            claim(since + DAY, None)
        with pytest.raises(Refused, match="VerdictTooEarly"):
            claim(since + DAY - 1, since)
        assert claim(since + DAY, since)


def test_nothing_is_judged_within_a_minute_of_an_update(announced):
    announced.last_update = 4 * DAY - 59
    for call in (
        lambda now: announced.on_announce(1, 1, 0, True, now),
        lambda now: announced.on_object(False, True, now),
        lambda now: announced.on_refund(1, 0, 5, True, now, DAY),
        lambda now: announced.on_report(0, 1, 0, 60, 60, False, now, DAY),
    ):
        with pytest.raises(Refused, match="NotQuiet"):
            call(4 * DAY)
        call(4 * DAY + 1)


def test_an_objection_needs_the_contrary_word(announced):
    for good, reason in ((True, "ModelAgrees"), (False, "ModelDisagrees")):
        with pytest.raises(Refused, match=reason):
            announced.on_object(agrees=good, good=good, now=DAY)
        announced.on_object(agrees=not good, good=good, now=DAY)


@pytest.mark.parametrize(
    ("deposit", "good", "total", "left", "share"),
    [
        (60, 1, 3, 60, 20),
        (60, 2, 3, 60, 40),
        (60, 1, 100, 60, 60),  # nothing, by the formula: all that is left
        (60, 2, 3, 20, 20),  # more than is left: all that is left
        (60, 1, 3, 20, 20),
        (7, 1, 2, 7, 3),
    ],
)
def test_a_reporters_share_is_in_proportion_to_its_good_data(deposit, good, total, left, share):
    assert reporter_share(deposit, good, total, left) == share


def test_a_report_is_refused_for_each_reason_by_name():
    incentive = StakeIncentive(StakeTerms(), participants=3)
    incentive.good, incentive.total_good = [1, 0, 3], 4

    def report(reporter=0, author=1, agrees=False, now=DAY):
        return incentive.on_report(reporter, author, 0, 60, 60, agrees, now)

    assert report() == 15
    assert report(reporter=2) == 45
    for reason, given in {
        "ReportTooEarly": {"now": DAY - 1},
        "OwnData": {"author": 0},
        "ModelAgrees": {"agrees": True},
        "NoGoodData": {"reporter": 1, "author": 0},
    }.items():
        with pytest.raises(Refused) as refused:
            report(**given)
        assert refused.value.reason == reason


def test_nothing_is_taken_over_before_it_is_quiet(announced):
    announced.last_update = 9 * DAY - 119
    with pytest.raises(Refused, match="NotQuiet"):
        announced.on_take_over(touched_at=0, left=3, now=9 * DAY)
    assert announced.on_take_over(touched_at=0, left=3, now=9 * DAY + 1) == 3


def test_what_nobody_settled_in_nine_days_is_anybodys():
    incentive = StakeIncentive(StakeTerms(), participants=1)
    with pytest.raises(Refused, match="TakeOverTooEarly"):
        incentive.on_take_over(touched_at=5, left=3, now=9 * DAY + 4)
    assert incentive.on_take_over(touched_at=5, left=3, now=9 * DAY + 5) == 3


def test_the_pot_goes_to_good_data_in_proportion_and_keeps_what_does_not_divide():
    incentive = StakeIncentive(StakeTerms(), participants=2)
    pot = Pot(incentive)

    def prove_good(who):
        pot.before_good(who, DAY)
        incentive.on_refund(who, 0, 1, True, DAY)

    pot.put(10, 0)  # nobody has good data yet: it waits for the first
    assert pot.collect(0, DAY) == 0
    prove_good(0)
    assert pot.collect(0, DAY) == 10
    prove_good(1)
    prove_good(1)
    pot.put(11, DAY)  # 3 each for three good contributions, 2 stay
    assert (pot.collect(0, DAY), pot.collect(1, DAY), pot.held) == (3, 6, 2)
    pot.put(1, DAY)
    assert [pot.collect(who, DAY) for who in (1, 1, 0)] == [2, 0, 1]
    assert pot.held == 0


def test_what_a_young_model_takes_in_is_shared_by_all_who_taught_it():
    """The first to prove good gets no more of it than the others, to the second."""
    incentive = StakeIncentive(StakeTerms(verdict=Verdict()), participants=2)
    pot = Pot(incentive)
    pot.put(4, 50)
    pot.put(8, DAY)
    for who in (0, 1, 1):
        pot.before_good(who, 3 * DAY)
        incentive.on_refund(who, 0, 1, True, 3 * DAY, DAY)
    due = 50 + 9 * DAY
    assert pot.shares_from == due
    assert (pot.collect(0, due - 1), pot.collect(1, due - 1)) == (0, 0)
    assert (pot.collect(0, due), pot.collect(1, due), pot.held) == (4, 8, 0)


def test_good_data_earns_nothing_of_what_came_in_before_it():
    incentive = StakeIncentive(StakeTerms(), participants=2)
    pot = Pot(incentive)
    pot.put(0, 0)
    pot.before_good(0, DAY)
    incentive.on_refund(0, 0, 1, True, DAY)
    pot.put(8, DAY)
    pot.before_good(1, DAY)
    incentive.on_refund(1, 0, 1, True, DAY)
    assert (pot.collect(1, DAY), pot.collect(0, DAY)) == (0, 8)


@pytest.mark.parametrize(
    "given",
    [
        {"cost_weight": -1},
        {"submission_cost": -1},
        {"unit": 0},
        {"refund_wait_s": 0},
        {"refund_wait_s": 9 * DAY},
        {"takeover_wait_s": 4 * DAY, "verdict": Verdict()},
    ],
)
def test_terms_that_make_no_sense_are_refused(given):
    with pytest.raises(ValueError, match="must"):
        StakeTerms(**given)


@pytest.mark.parametrize("given", [{"wait_s": 0}, {"author_s": DAY}, {"quiet_s": 0}])
def test_a_verdict_that_can_be_bought_in_a_moment_is_refused(given):
    with pytest.raises(ValueError, match="must hold"):
        Verdict(**given)
