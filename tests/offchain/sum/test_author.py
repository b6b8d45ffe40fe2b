"""What authors and reporters of a shared model do next, by events and the model's word alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from offchain.roles import Action, Clock
from offchain.sum import events as ev
from offchain.sum.author import Author, Limits
from offchain.sum.model import ModelTerms, Price, SharedModelState, Waits, first_key
from offchain.sum.reporter import Reporter

ANNA, BERT, OLGA = (f"0x{i:040x}" for i in (1, 2, 3))
START = 1_000_000
WAITS = Waits(refund=1_000, author=2_000, verdict=1_200, owner=6_000, anyone=7_000, quiet=60)
PRICE = Price(cost_weight=1, unit=100, agree_cost=30, disagree_cost=70)
TERMS = ModelTerms(OLGA, bytes(32), OLGA, START, WAITS, PRICE)
GREAT, DULL = ((1,), 1), ((2,), 0)
"""Lessons: bitmap and label."""


@dataclass
class Story:
    """A model whose word the test decides: what it says of each bitmap, 1 unless said otherwise."""

    says: dict[tuple[int, ...], int] = field(default_factory=lambda: {(2,): 0})
    owed: int = 0
    state: SharedModelState = field(init=False)

    def __post_init__(self) -> None:
        self.state = SharedModelState(
            31337, OLGA, TERMS, lambda bits: self.says.get(bits, 1), lambda _: self.owed
        )

    def added(self, lesson, at, author=ANNA, deposit=500) -> bytes:
        features, label = lesson
        key = first_key(features, label)
        if key in self.state.contributions:
            key = bytes([at % 256, *key[1:]])
        event = ev.DataAdded(author, key, features, label, at, deposit, 30)
        self.state.apply(event, at)
        return key

    def says_no(self, lesson) -> None:
        self.says[lesson[0]] = 1 - lesson[1]

    def good(self, author=ANNA) -> None:
        """Some of its data proved good, long ago."""
        key = self.added(((64,), 1), START + 1, author)
        self.state.apply(ev.Refunded(author, key, 500), START + 1)

    def author(self, *lessons, limits=None, reports=True) -> Author:
        return Author(ANNA, self.state, BERT, lessons, limits, reports=reports)

    def reporter(self, least: int = 0) -> Reporter:
        return Reporter(BERT, self.state, OLGA, least)


@pytest.fixture
def story() -> Story:
    return Story()


def next_(role, now) -> Action | None:
    return role.next_action(Clock(now, 1))


def call(role, now) -> str | None:
    found = next_(role, now)
    return found and found.call


def named(lesson, at, author=ANNA):
    return (*lesson, at, author)


# ---------------------------------------------------------------- teaching


@pytest.mark.parametrize(("lesson", "says", "cost"), [(GREAT, 1, 30), (GREAT, 0, 70)])
def test_a_lesson_pays_what_this_second_needs(story, lesson, says, cost) -> None:
    """And what goes into the pot depends on what the model says before."""
    story.says[lesson[0]] = says
    found = next_(story.author(lesson), START + 3_600)
    assert found == Action("addData", (*lesson, 100 + cost, cost), 100 + cost, about=2)
    assert next_(story.author(lesson), START + 100).pays == 600 + cost


def test_a_lesson_is_done_when_the_chain_has_it(story) -> None:
    """Whoever taught the same before."""
    role = story.author(GREAT, DULL)
    story.added(GREAT, START + 10, BERT)
    assert next_(role, START + 100).arguments[:2] == GREAT
    story.added(GREAT, START + 100)
    assert role.taught() == 1
    assert next_(role, START + 200).arguments[:2] == DULL


def test_it_waits_until_the_deposit_is_within_its_limit(story) -> None:
    """From the very second on that it says."""
    role = story.author(GREAT, limits=Limits(deposit=300))
    due, what = role.next_time(START + 1)
    assert what == "the next lesson"
    assert call(role, due - 1) is None
    assert call(role, due) == "addData"


@pytest.mark.parametrize("deposit", [100, 101, 250, 999, 5_999, 6_000])
def test_the_second_is_the_first_that_is_cheap_enough(story, deposit) -> None:
    role = story.author(GREAT, limits=Limits(deposit=deposit))
    seconds = next(s for s in range(1, 4_000) if PRICE.deposit(s) <= deposit)
    assert (call(role, START + max(1, seconds) - 1) is None) == (seconds > 1)
    assert call(role, START + seconds) == "addData"
    if seconds > WAITS.quiet:
        assert role.next_time(START)[0] == START + seconds


@pytest.mark.parametrize(
    ("limits", "goes"),
    [
        (Limits(cost=29), False),
        (Limits(cost=30), True),
        (Limits(stake=659), False),
        (Limits(stake=660), True),
    ],
)
def test_it_pays_no_more_than_its_owner_lets_it(story, limits, goes) -> None:
    """What it paid before counts: 530 here, and 100 and 30 more."""
    story.added(DULL, START)
    role = story.author(GREAT, DULL, limits=limits)
    assert (call(role, START + WAITS.refund - 1) == "addData") is goes


def test_it_lets_it_be_quiet_when_a_verdict_is_due(story) -> None:
    """Its own next lesson would keep its own refund off."""
    story.added(GREAT, START)
    now = START + WAITS.refund + 30
    story.added(((32,), 1), now - 10, BERT)
    role = story.author(GREAT, DULL)
    assert call(role, now) is None
    assert role.next_time(now)[0] == now - 10 + WAITS.quiet
    assert call(role, now - 10 + WAITS.quiet) == "announce"
    story.says_no(GREAT)
    assert call(story.author(GREAT, DULL), now) == "addData"


# ---------------------------------------------------------------- standing by it


def test_it_announces_waits_and_claims(story) -> None:
    key = story.added(GREAT, START)
    role = story.author(GREAT)
    due = START + WAITS.refund
    assert role.next_time(START + 1)[0] == due
    assert call(role, due - 1) is None
    assert next_(role, due) == Action("announce", named(GREAT, START), about=4)
    story.state.apply(ev.Announced(ANNA, key, True), due)
    claim = due + WAITS.verdict
    assert call(role, claim - 1) is None
    assert next_(role, claim) == Action("refund", (*GREAT, START, BERT), about=4)
    story.state.apply(ev.Refunded(ANNA, key, 500), claim)
    assert story.state.good[ANNA] == 1
    # What came in since the first day is shared later.
    assert not role.is_done(claim)
    assert role.next_time(claim) == (story.state.shares_from, "income is shared")
    story.owed = 7
    assert not role.is_done(story.state.shares_from)
    assert next_(role, story.state.shares_from) == Action("claimRewards", (BERT,))
    story.owed = 0
    assert role.is_done(story.state.shares_from)


def test_a_repeat_is_no_good_data(story) -> None:
    story.added(GREAT, START, BERT)
    key = story.added(GREAT, START + 5)
    story.state.apply(ev.Refunded(ANNA, key, 500), START + 2_000)
    assert story.state.good[ANNA] == 0


def test_what_the_model_denies_is_not_announced_and_left_over_in_the_end(story) -> None:
    """The deposit that nobody reports comes back when nobody dealt with it for long."""
    story.added(GREAT, START)
    story.says_no(GREAT)
    role = story.author(GREAT)
    assert call(role, START + WAITS.refund) is None
    left = START + WAITS.anyone
    assert role.next_time(left - 1)[0] == left
    assert next_(role, left) == Action("takeOver", (*named(GREAT, START), BERT), about=4)


@pytest.mark.parametrize(("late", "wants"), [(False, "object"), (True, "announce")])
def test_a_false_announcement_is_answered_in_a_quiet_moment(story, late, wants) -> None:
    key = story.added(GREAT, START)
    at = START + WAITS.refund * late + 100
    story.state.apply(ev.Announced(BERT, key, False), at)
    assert call(story.author(GREAT), at + 1) == wants


def test_what_it_announced_is_taught_again_when_the_model_turns(story) -> None:
    """And upholds it, as soon as somebody announced the contrary; twice in a wait at most."""
    key = story.added(GREAT, START)
    due = START + WAITS.refund
    story.state.apply(ev.Announced(ANNA, key, True), due)
    story.says_no(GREAT)
    role = story.author(GREAT)
    assert next_(role, due + 100).arguments[:2] == GREAT
    story.added(GREAT, due + 100)
    assert call(role, due + 161) is None
    story.state.apply(ev.Announced(BERT, key, False), due + 300)
    # The lesson came before the announcement: another is needed, half a wait later.
    assert call(role, due + 301) is None
    again = due + 100 + WAITS.verdict // 2
    assert call(role, again) == "addData"
    story.added(GREAT, again)
    assert next_(role, again + 1) == Action("uphold", (*GREAT, START, again), about=3)
    story.state.apply(ev.Upheld(ANNA, key), again + 1)
    assert call(role, again + 2) is None


def test_a_stake_that_somebody_had_a_part_of_upholds_nothing(story) -> None:
    key = story.added(GREAT, START)
    story.state.apply(ev.Announced(ANNA, key, True), START + WAITS.refund)
    story.state.apply(ev.Announced(BERT, key, False), START + 3_000)
    again = story.added(GREAT, START + 3_100)
    role = story.author(GREAT)
    assert call(role, START + 3_101) == "uphold"
    story.state.apply(ev.Reported(BERT, again, 1), START + 3_101)
    assert call(role, START + 3_102) != "uphold"


def test_where_it_is_never_quiet_it_answers_half_way(story) -> None:
    """Though the model agrees: nobody could object."""
    key = story.added(GREAT, START)
    story.state.apply(ev.Announced(ANNA, key, True), START + WAITS.refund)
    bad = START + 3_000
    story.state.apply(ev.Announced(BERT, key, False), bad)
    half = bad + WAITS.verdict // 2
    for at in (half - 30, half - 1):
        story.added(((32 + at,), 1), at, BERT)
    role = story.author(GREAT)
    assert call(role, half - 1) is None
    assert next_(role, half).arguments[:2] == GREAT


def test_it_does_not_stand_by_what_the_model_never_confirmed(story) -> None:
    """That would cost a stake in each wait, for nothing."""
    key = story.added(GREAT, START)
    story.says_no(GREAT)
    story.state.apply(ev.Announced(BERT, key, False), START + 3_000)
    assert call(story.author(GREAT), START + 3_000 + WAITS.verdict // 2) is None


def test_it_answers_within_its_limits(story) -> None:
    key = story.added(GREAT, START)
    story.state.apply(ev.Announced(ANNA, key, True), START + WAITS.refund)
    story.says_no(GREAT)
    assert call(story.author(GREAT, limits=Limits(stake=550)), START + 1_100) is None


# ---------------------------------------------------------------- reporting


def test_who_has_no_good_data_reports_nothing(story) -> None:
    """But takes over what nobody wants, which anybody may."""
    story.added(GREAT, START + 2)
    story.says_no(GREAT)
    role = story.reporter()
    assert call(role, START + 4_000) is None
    left = START + 2 + WAITS.anyone
    assert role.next_time(START + 4_000)[0] == left
    assert call(role, left) == "takeOver"


def test_a_reporter_announces_when_the_author_has_been_alone_and_claims_later(story) -> None:
    story.good(BERT)
    key = story.added(GREAT, START + 2)
    story.says_no(GREAT)
    role = story.reporter()
    due = START + 2 + WAITS.refund + WAITS.author
    assert call(role, due - 1) is None
    assert next_(role, due) == Action("announce", named(GREAT, START + 2), about=4)
    story.state.apply(ev.Announced(BERT, key, False), due)
    claim = due + WAITS.verdict
    assert call(role, claim - 1) is None
    assert next_(role, claim) == Action("report", (*named(GREAT, START + 2), OLGA), about=4)
    story.state.apply(ev.Reported(BERT, key, 100), claim)
    assert call(role, claim) is None
    story.says.pop(GREAT[0])
    assert call(role, claim + 1) is None


def test_a_lie_that_stands_announced_as_good_is_objected_to(story) -> None:
    story.good(BERT)
    key = story.added(GREAT, START + 2)
    story.says_no(GREAT)
    at = START + 2 + WAITS.refund
    story.state.apply(ev.Announced(ANNA, key, True), at)
    assert next_(story.reporter(), at) == Action("object", named(GREAT, START + 2), about=4)
    story.says.pop(GREAT[0])
    assert call(story.reporter(), at) is None


def test_nothing_is_said_within_the_quiet_time(story) -> None:
    story.good(BERT)
    story.added(GREAT, START + 2)
    story.says_no(GREAT)
    now = START + 4_000
    story.added(DULL, now)
    assert call(story.reporter(), now + WAITS.quiet - 1) is None
    assert call(story.reporter(), now + WAITS.quiet) == "announce"


def test_what_brings_less_than_it_costs_is_left_alone(story) -> None:
    """A share of a third of 500 here; what is left over, all of it."""
    story.good(BERT)
    for i in (8, 9):
        key = story.added(((2**i,), 1), START + 1, ANNA)
        story.state.apply(ev.Refunded(ANNA, key, 500), START + 1)
    story.added(GREAT, START + 2)
    story.says_no(GREAT)
    now = START + 4_000
    assert call(story.reporter(166), now) == "announce"
    assert call(story.reporter(167), now) is None
    left = START + 2 + WAITS.anyone
    story.says.pop(GREAT[0])
    assert call(story.reporter(500), left) == "takeOver"
    assert call(story.reporter(501), left) is None
    assert story.reporter(501).is_done(now)


def test_an_author_may_leave_others_alone(story) -> None:
    story.good(ANNA)
    story.added(GREAT, START + 2, BERT)
    story.says_no(GREAT)
    now = START + 4_000
    assert call(story.author(), now) == "announce"
    assert call(story.author(reports=False), now) is None


def test_the_owner_takes_over_before_others(story) -> None:
    story.added(GREAT, START)
    role = Reporter(OLGA, story.state, OLGA)
    assert call(role, START + WAITS.owner - 1) is None
    assert call(role, START + WAITS.owner) == "takeOver"


def test_what_is_left_is_taken_so_long_after_the_last_announcement_and_two_quiet_times(story):
    """Before, the chain would refuse it: the author may still answer."""
    key = story.added(GREAT, START)
    story.says_no(GREAT)
    announced = START + 5_000
    story.state.apply(ev.Announced(BERT, key, False), announced)
    left = announced + WAITS.anyone
    story.added(DULL, left - 1, BERT)
    quiet = left - 1 + 2 * WAITS.quiet
    role = story.author()
    assert call(role, quiet - 1) is None
    assert call(role, quiet) == "takeOver"
    assert quiet > left
    story.state.last_lesson = START
    assert call(role, left - 1) is None
    assert call(role, left) == "takeOver"


# ---------------------------------------------------------------- refusals, and what replaces what


def test_what_the_chain_refuses_is_tried_again_later(story) -> None:
    """Others come first every now and then, and that is no reason to give up."""
    role = story.author(GREAT)
    now = START + 100
    refused = next_(role, now)
    role.put_off.now = now
    assert role.drop(refused)
    assert call(role, now) is None
    role.put_off.now = now + 121
    assert call(role, now + 121) == "addData"


def test_a_spent_contribution_gives_its_place_to_the_next(story) -> None:
    """What is told of the key from then on is of the later one, which comes last."""
    key = story.added(GREAT, START, BERT)
    before = story.added(DULL, START + 50)
    story.state.apply(ev.TakenOver(OLGA, key, 500), START + 8_000)
    event = ev.DataAdded(ANNA, key, *GREAT, START + 8_100, 400, 30)
    story.state.apply(event, START + 8_100)
    assert list(story.state.contributions) == [before, key]
    one = story.state.contributions[key]
    assert (one.author, one.left, one.repeated) == (ANNA, 400, False)
    assert story.state.of(BERT) == []
    assert story.state.first_lesson == START


def test_a_lesson_whose_place_another_has_is_not_paid_again(story) -> None:
    """Its deposit was lost, and anybody may bring the same then."""
    key = story.added(GREAT, START + 1)
    story.state.apply(ev.Reported(BERT, key, 500), START + 2)
    story.state.apply(ev.DataAdded(BERT, key, *GREAT, START + 3, 500, 30), START + 3)
    author = story.author(GREAT)
    assert story.state.of(ANNA) == []
    assert author.taught() == 1
    assert author.next_action(Clock(START + 500, 1)) is None


def test_what_came_back_can_be_staked_again_and_what_was_lost_cannot(story) -> None:
    """An answer to each attack would else cost more than the owner said."""
    back, left, lost = (story.added(((2**i,), 1), START + i) for i in (5, 6, 7))
    assert story.state.outlay[ANNA] == 3 * 530
    story.state.apply(ev.Refunded(ANNA, back, 500), START + 2_000)
    story.state.apply(ev.TakenOver(ANNA, left, 500), START + 9_000)
    story.state.apply(ev.Reported(BERT, lost, 500), START + 9_000)
    assert story.state.outlay[ANNA] == 3 * 530 - 2 * 500
    taken = story.added(DULL, START + 9_100)
    story.state.apply(ev.TakenOver(BERT, taken, 500), START + 19_000)
    assert story.state.outlay == {ANNA: 4 * 530 - 2 * 500}
