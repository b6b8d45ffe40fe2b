"""Verdicts that somebody would buy by teaching the model, and copies where that succeeds.

A perceptron that knows nothing says 0. Alice taught it 1 of a sample, so that it says 1, and one
lesson of anybody's turns that. The striker has all good data but Alice's, and makes many calls in
one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from tests.kit.refusals import refusal, refused
from tests.kit.solidity import compile_contracts
from tests.kit.weakened import check_attack, compile_switched
from tests.sum.model_driver import (
    ANYONE,
    AUTHOR,
    COST_WEIGHT,
    DAY,
    MOST,
    QUIET,
    REFUND,
    SUBMISSION_COST,
    TASK,
    UNIT,
    VERDICT,
    WAITS,
    Contribution,
    ModelDriver,
    naming,
)
from tests.sum.weakened import (
    ALL_INCENTIVES,
    ALL_MODELS,
    INCENTIVE,
    INCENTIVES,
    MODEL,
    MODELS,
)

STRIKER = "tests/sum/mocks/Striker.sol"
SAMPLE = 0b111
OTHER = 1 << 199
COINS = 10**17
"""More than any deposit here; the rest is credited."""


@dataclass
class Siege(ModelDriver):
    """A model that learns, with what Alice contributed and what the striker does about it."""

    striker: Any = None
    alice: Any = None
    victim: Contribution = field(default=None)

    def teach(self, author: Any, label: int, sample: int = SAMPLE) -> Contribution:
        """Somebody teaches the model; the striker by a strike."""
        return self.add(author, label, after=100, features=(sample,))

    def strike(self, *calls: tuple[Any, ...]) -> bool:
        """Whether the striker's calls, (name, argument, ...), all go through at once; if so they
        do. A lesson is paid for, and what a call pays is the striker's."""
        datas = []
        for name, *args in calls:
            args += [COINS, MOST] if name == "addData" else []
            args = naming(name, tuple(args), self.striker)
            datas.append(getattr(self.model, name).encode_input(*args))
        values = [COINS if name == "addData" else 0 for name, *_ in calls]
        args = self.model.address, datas, values
        if refusal(self.striker.strike, *args, sender=self.owner):
            return False
        self.striker.strike(*args, sender=self.owner)
        return True

    def stall(self, until: int, look: int) -> None:
        """It is never quiet until then: the striker teaches every 59 seconds. Once, so many seconds
        on, Alice looks."""
        looked = False
        while self.now + 2 * QUIET < until:
            self.go_to(self.now + QUIET - 1)
            assert self.strike(("addData", [OTHER], 0))
            if self.now > look and not looked:
                looked = True
                self.uphold()

    def uphold(self) -> None:
        """Alice teaches the sample again, however quiet it is, and upholds what she taught."""
        again = self.add(self.alice, 1, after=1, features=(SAMPLE,))
        refusal_ = self.refusal("object", *self.victim.named, sender=self.alice)
        assert refusal_
        assert refusal_.name in ("NotQuiet", "NothingAnnounced")
        self.model.uphold(*self.victim.args, again.added_at, sender=self.alice)

    def turn(self) -> bool:
        """The striker teaches the contrary, and time goes on until it is quiet again."""
        done = self.strike(("addData", [SAMPLE], 0))
        self.go_to(self.now + QUIET)
        return done

    def answer(self, *calls: str) -> None:
        """Alice teaches the sample again; when it is quiet, she makes these calls."""
        self.teach(self.alice, 1)
        self.go_to(self.now + QUIET)
        for name in calls:
            getattr(self.model, name)(*self.victim.named, sender=self.alice)


@pytest.fixture(scope="module")
def striking(project):
    text = (Path(project.path) / STRIKER).read_text()
    return compile_contracts({"Striker": STRIKER}, {STRIKER: text})["Striker"]


@pytest.fixture
def besiege(project, deployer, alice, striking):
    """Makes the siege under the incentive (and of the model) whose container is given."""

    def make(incentive=None, model=None, waits=WAITS) -> Siege:
        terms = (COST_WEIGHT, SUBMISSION_COST, UNIT, waits)
        rules = deployer.deploy(incentive or project.StakeIncentive, *terms)
        classifier = project.SparsePerceptron.deploy(deployer, 256, 10, sender=deployer)
        parts = classifier, rules, ZERO_ADDRESS, deployer, TASK
        one = deployer.deploy(model or project.SharedModel, *parts)
        classifier.open(one, sender=deployer)
        striker = deployer.deploy(striking)
        ape.chain.provider.set_balance(striker.address, 10**20)
        siege = Siege(one, classifier, rules, deployer, striker=striker, alice=alice)
        # What the model says anyway proves good, so that the striker may report.
        siege.go_to(siege.now + 100)
        assert siege.strike(("addData", [1 << 200], 0))
        at = siege.now
        siege.go_to(at + REFUND)
        assert siege.strike(("announce", [1 << 200], 0, at, striker))
        siege.go_to(siege.now + VERDICT)
        assert siege.strike(("refund", [1 << 200], 0, at))
        siege.victim = siege.teach(alice, 1)
        return siege

    return make


@pytest.fixture(scope="module")
def incentives():
    return compile_switched(ALL_INCENTIVES, INCENTIVE)


@pytest.fixture(scope="module")
def models():
    return compile_switched(ALL_MODELS, MODEL)


def turns_and_reports_at_one_stroke(siege):
    """In one transaction: the contrary is taught, and Alice's deposit taken."""
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    lesson, report = ("addData", [SAMPLE], 0), ("report", *siege.victim.named)
    announce = ("announce", *siege.victim.named)
    return siege.strike(lesson, report) or siege.strike(lesson, announce, report)


def washes_a_lie_at_one_stroke(siege):
    """In one transaction: a lie that the model does not believe is taught again, and refunded."""
    siege.go_to(siege.now + QUIET)
    assert siege.strike(("addData", [SAMPLE], 0))
    lie = [SAMPLE], 0, siege.now
    siege.answer()
    siege.go_to(siege.now + REFUND)
    lesson, refund = ("addData", [SAMPLE], 0), ("refund", *lie)
    announce = ("announce", *lie, siege.striker)
    return siege.strike(lesson, refund) or siege.strike(lesson, announce, refund)


def objects_at_one_stroke(siege):
    """In one transaction: the contrary is taught, and Alice's refund objected to."""
    siege.announce(siege.victim, by=siege.alice)
    return siege.strike(("addData", [SAMPLE], 0), ("object", *siege.victim.named))


def turns_at_both_ends(siege):
    """Over blocks: taught at the announcement, answered, and taught again for the claim."""
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    siege.turn()
    assert siege.strike(("announce", *siege.victim.named))
    due = siege.now + VERDICT
    siege.answer("object")
    siege.go_to(due)
    siege.turn()
    return siege.strike(("report", *siege.victim.named))


def washes_in_the_wait_of_an_older_announcement(siege):
    """Over blocks: Alice's refund, nearly awaited, falls to a report that would be due with it."""
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    siege.model.announce(*siege.victim.named, sender=siege.alice)
    due = siege.now + VERDICT
    siege.go_to(due - 2 * QUIET)
    siege.turn()
    assert siege.strike(("announce", *siege.victim.named))
    siege.go_to(due)
    return siege.strike(("report", *siege.victim.named))


def strikes_before_the_author_comes(siege):
    """Over blocks: Alice comes on the second day, which is in time; the report was before."""
    siege.go_to(siege.victim.added_at + REFUND)
    siege.turn()
    if not siege.strike(("announce", *siege.victim.named)):
        return False
    siege.go_to(siege.now + VERDICT)
    return siege.strike(("report", *siege.victim.named))


def objects_until_it_may_take_over(siege):
    """Over blocks: Alice's refund is hindered, until her deposit seems to be left over."""
    siege.announce(siege.victim, by=siege.alice)
    siege.turn()
    assert siege.strike(("object", *siege.victim.named))
    siege.go_to(siege.victim.added_at + 8 * DAY)
    siege.answer("announce")
    siege.go_to(siege.victim.added_at + ANYONE)
    return siege.strike(("takeOver", *siege.victim.named))


def teaches_until_it_may_take_over(siege):
    """It was never quiet, so that Alice could not announce; and it is not when the deposit goes."""
    siege.go_to(siege.victim.added_at + ANYONE)
    lesson = "addData", [SAMPLE | 1 << 100], 1
    return siege.strike(lesson, ("takeOver", *siege.victim.named))


def takes_over_in_the_first_quiet_second(siege):
    """Until then Alice could not announce; who sends the dearer transaction is first."""
    siege.go_to(siege.victim.added_at + ANYONE)
    assert siege.strike(("addData", [SAMPLE | 1 << 100], 1))
    siege.go_to(siege.now + QUIET)
    return siege.strike(("takeOver", *siege.victim.named))


def turns_back_before_it_is_quiet(siege):
    """Over blocks: Alice answers, once; the contrary is taught again within the minute in which
    nobody can object, and stays so."""
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    siege.turn()
    assert siege.strike(("announce", *siege.victim.named))
    due = siege.now + VERDICT
    siege.go_to(due - DAY // 2)
    siege.uphold()
    siege.go_to(siege.now + QUIET // 2)
    assert siege.strike(("addData", [SAMPLE], 0))
    siege.go_to(due)
    return siege.strike(("report", *siege.victim.named))


def stalls_and_reports(siege):
    """Over blocks: it is quiet only where the striker has turned the model and judges by it."""
    waits = siege.incentive.waits()
    siege.go_to(siege.victim.added_at + waits.refund + waits.author)
    siege.turn()
    assert siege.strike(("announce", *siege.victim.named))
    due = siege.now + waits.verdict
    siege.stall(due, look=siege.now + waits.verdict // 3)
    assert siege.strike(("addData", [SAMPLE], 0))
    siege.go_to(max(due, siege.now + QUIET))
    return siege.strike(("report", *siege.victim.named))


def stalls_until_it_may_take_over(siege):
    """Over blocks: it is never quiet, but for the two minutes in which Alice sleeps."""
    siege.victim = siege.teach(siege.alice, 1)
    due = siege.victim.added_at + siege.incentive.waits().anyone
    siege.stall(due, look=due - 300)
    siege.go_to(max(due, siege.now + 2 * QUIET))
    return siege.strike(("takeOver", *siege.victim.named))


def upholds_a_lie_for_nothing(siege):
    """Over blocks: what bad data was taught with long ago keeps every report of it off."""
    siege.announce(siege.victim, by=siege.alice)
    siege.model.refund(*siege.victim.args, siege.alice, sender=siege.alice)
    lies = []
    for _ in range(2):
        siege.turn()
        lies.append(siege.now - QUIET)
        siege.answer()
    lie = [SAMPLE], 0, lies[0], siege.striker
    siege.go_to(lies[0] + REFUND + AUTHOR)
    siege.model.announce(*lie, sender=siege.alice)
    siege.strike(("uphold", *lie[:3], lies[1]))
    siege.go_to(siege.now + VERDICT)
    return refusal(siege.model.report, *lie, siege.alice, sender=siege.alice) is not None


def upholds_by_what_is_gone(siege):
    """The deposit that was staked is back, and nothing answers for the older contribution."""
    again = siege.teach(siege.alice, 1)
    siege.announce(again, by=siege.alice)
    siege.model.refund(*again.args, siege.alice, sender=siege.alice)
    call = siege.model.uphold, *siege.victim.args, again.added_at
    return refusal(*call, sender=siege.alice) is None


def upholds_twice_by_one(siege):
    """Lesson and stake in one transaction, and once more when the nine days are all but over."""
    siege.go_to(siege.now + QUIET)
    assert siege.strike(("addData", [SAMPLE], 0))
    lie, at = siege.now, siege.now + QUIET
    lesson = siege.model.addData.encode_input([SAMPLE], 0, COINS, MOST)
    stake = siege.model.uphold.encode_input([SAMPLE], 0, lie, at)
    ape.chain.pending_timestamp = at
    calls = siege.model.address, [lesson, stake], [COINS, 0]
    siege.striker.strike(*calls, sender=siege.owner)
    assert siege.now == at
    siege.go_to(at + ANYONE - 1)
    return siege.strike(("uphold", [SAMPLE], 0, lie, at))


SHORT = (600, 601, 600, 1_802, 1_802, QUIET)
"""The shortest waits there are, in which a stall is played lesson for lesson."""


@pytest.mark.parametrize(
    ("attack", "copy"),
    [
        (turns_back_before_it_is_quiet, "lets nobody uphold"),
        (upholds_a_lie_for_nothing, "upholds for nothing"),
        (upholds_by_what_is_gone, "upholds by what is gone"),
        (upholds_twice_by_one, "upholds twice by one"),
        (turns_and_reports_at_one_stroke, "reports at once"),
        (washes_a_lie_at_one_stroke, "refunds at once"),
        (objects_at_one_stroke, "knows no quiet"),
        (strikes_before_the_author_comes, "leaves no author alone"),
        (objects_until_it_may_take_over, "takes over who announces"),
        (teaches_until_it_may_take_over, "takes over in the noise"),
        (takes_over_in_the_first_quiet_second, "takes over as soon as it is quiet"),
        (turns_at_both_ends, "forgets objections"),
        (washes_in_the_wait_of_an_older_announcement, "starts no wait anew"),
    ],
)
def test_a_verdict_is_not_bought(besiege, incentives, models, attack, copy):
    """Each defence is needed: without it, the attack succeeds."""
    weak = {"incentive": incentives[copy]} if copy in incentives else {"model": models[copy]}
    check_attack(attack, besiege(), besiege(**weak))


@pytest.mark.parametrize(
    ("attack", "copy"),
    [
        (stalls_and_reports, "lets nobody uphold"),
        (stalls_until_it_may_take_over, "takes over who upholds"),
    ],
)
def test_who_looks_once_is_not_stalled_out(besiege, models, attack, copy):
    """However long it is never quiet: one answer in the wait keeps the deposit."""
    check_attack(attack, besiege(waits=SHORT), besiege(model=models[copy], waits=SHORT))


def test_every_copy_is_attacked():
    """A defence that no attack tries is not known to be one."""
    tests = test_a_verdict_is_not_bought, test_who_looks_once_is_not_stalled_out
    marks = [mark for test in tests for mark in test.pytestmark]
    assert {copy for mark in marks for _, copy in mark.args[1]} == INCENTIVES.keys() | MODELS.keys()


def test_who_is_stalled_has_all_back_in_the_end(besiege):
    """Once it is quiet Alice announces, whatever happened, and what she answered with counts, too;
    the striker has its lies reported."""
    siege = besiege(waits=SHORT)
    refund, _, verdict, *_ = SHORT
    stalls_and_reports(siege)
    assert siege.left(siege.victim) == siege.victim.deposit
    mine = siege.contributions[1]
    siege.answer()
    siege.go_to(mine.added_at + refund)
    for made in (siege.victim, mine):
        siege.model.announce(*made.named, sender=siege.alice)
    siege.go_to(siege.now + verdict)
    for made in (siege.victim, mine):
        siege.model.refund(*made.args, siege.alice, sender=siege.alice)
    assert siege.left(siege.victim) == siege.left(mine) == 0
    assert siege.model.goodData(siege.alice) == 1


def test_who_is_answered_has_lost_its_lessons(besiege):
    """The striker turned the model twice and was answered twice; Alice has all back, it has not."""
    siege = besiege()
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    siege.turn()
    lie = siege.now - QUIET
    assert siege.strike(("announce", *siege.victim.named))
    siege.answer("announce")
    siege.go_to(siege.now + VERDICT)
    assert not siege.strike(("report", *siege.victim.named))
    siege.model.refund(*siege.victim.args, siege.alice, sender=siege.alice)
    assert siege.left(siege.victim) == 0
    named = [SAMPLE], 0, lie, siege.striker
    siege.go_to(lie + REFUND + AUTHOR)
    siege.model.announce(*named, sender=siege.alice)
    siege.go_to(siege.now + VERDICT)
    assert refusal(siege.model.report, *named, siege.alice, sender=siege.alice) is None


def test_who_does_not_answer_for_a_day_is_outlasted(besiege):
    """What remains: the model says so at both ends, and nobody objected between."""
    siege = besiege()
    siege.go_to(siege.victim.added_at + REFUND + AUTHOR)
    siege.turn()
    assert siege.strike(("announce", *siege.victim.named))
    siege.go_to(siege.now + VERDICT)
    assert siege.strike(("report", *siege.victim.named))
    outcome = refused("NothingLeft")
    assert siege.refusal("announce", *siege.victim.named, sender=siege.alice) == outcome
