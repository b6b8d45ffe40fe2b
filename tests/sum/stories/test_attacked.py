"""An author that answers keeps its deposit from one that turns the model; one that does not, not.

Both play by the roles of `ape run teach` on the contracts; the attacker teaches besides.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offchain.roles import Action
from offchain.sum.author import Author
from offchain.sum.events import DataAdded
from offchain.sum.model import Contribution
from offchain.sum.reporter import Due, Reporter
from scripts._stage.table import Seat
from tests.sum.stories.made_texts import teach_options, write_csv
from tests.sum.stories.rehearsal import Rehearsal

UNIT = 3 * 10**15
LESSONS = 4
"""That the attacker can pay for."""


class Flipper(Reporter):
    """Teaches the contrary of what others announced as good, to report it; at most `LESSONS`, one a
    second, as the contract takes them."""

    def _wanted(self, now: int) -> Iterator[Action]:
        for one in self._turned():
            price = self.session.terms.price
            needed = price.largest_deposit + price.disagree_cost
            lesson = one.features, 1 - one.label, needed, price.disagree_cost
            if now > self.session.last_lesson:
                yield Action("addData", lesson, needed, about=2)
        yield from super()._wanted(now)

    def _times(self, now: int) -> Iterator[Due]:
        yield from super()._times(now)
        if any(self._turned()):
            yield self.session.last_lesson + 1, "the next lesson"

    def _turned(self) -> Iterator[Contribution]:
        """What is to be turned, while it can pay for that."""
        taught = [one for one in self.session.of(self.account) if one.open]
        some = (one for one in self._others() if one.vouched and self.session.agrees(one))
        return some if len(taught) < LESSONS else iter(())

    def is_done(self, now: int) -> bool:
        return not any(one.open for one in self._others())


class Absent(Author):
    """Announces and claims, and answers nobody: the twin."""

    def _upheld(self, one) -> Iterator[Action]:
        return iter(())

    def _answer(self, one, now) -> Iterator[Action]:
        return iter(())


@pytest.fixture
def rehearsal(project, tmp_path, accounts) -> Rehearsal:
    """A model that a lesson or two turn; Mallory has good data in it."""
    few = [("lovely", "positive"), ("awful", "negative")]
    texts = write_csv(tmp_path / "few.csv", few)
    made = Rehearsal(tmp_path, accounts[1], texts=texts, epochs=1)
    own = write_csv(tmp_path / "mallory.csv", few[1:])
    made.play(made.seat("mallory", accounts[4], teach_options(tmp_path, own)))
    assert made.model.read().good[str(accounts[4].address)] == 1
    return made


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "absent"])
def test_who_answers_keeps_what_it_staked(rehearsal, accounts, tmp_path, answers) -> None:
    anna, mallory = accounts[2], accounts[4]
    path = write_csv(tmp_path / "anna.csv", [("lovely", "positive")])
    seat = rehearsal.seat("anna", anna, teach_options(tmp_path, path, reports=False))
    lessons = seat.make(rehearsal.model.read()).lessons
    own, other = str(anna.address), str(mallory.address)
    kind = Author if answers else Absent
    seat = Seat("anna", anna, lambda session: kind(own, session, own, lessons, reports=False))
    attacker = Seat("mallory", mallory, lambda session: Flipper(other, session, other))
    gains = rehearsal.play(seat, attacker)
    taught = [
        one
        for one, _ in rehearsal.model.events()
        if isinstance(one, DataAdded) and one.author == own
    ]
    state = rehearsal.model.read()
    reported = [one for one, _ in rehearsal.model.events() if type(one).__name__ == "Reported"]
    assert state.contributions[taught[0].key].refunded is answers
    assert bool(reported) is not answers
    costs = sum(one.cost for one in taught)
    if answers:
        # All that its answers cost it, and no deposit of them.
        assert all(one.refunded for one in state.of(own))
        assert gains["anna"] == -costs
    else:
        assert gains["anna"] < -costs
