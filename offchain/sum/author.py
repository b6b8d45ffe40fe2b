"""Who teaches a shared model, stands by what it taught, and takes its deposits back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from offchain.roles import Action
from offchain.sum.model import Contribution, SharedModelState
from offchain.sum.reporter import Due, Reporter

Lesson = tuple[tuple[int, ...], int]
"""A sample, as words of a bitmap, and its label."""


@dataclass(frozen=True)
class Limits:
    """What an author's owner lets it pay, in the smallest unit; None for no limit.

    deposit: of one contribution; it waits until the deposit has fallen so far. cost: of one
    contribution. stake: of all deposits and costs that it paid and has not got back, lost ones too.
    """

    deposit: int | None = None
    cost: int | None = None
    stake: int | None = None


class Author(Reporter):
    """Teaches lessons one by one; announces, claims, objects and upholds; reports if it is to.

    What it did is in the events: a lesson is done when a contribution of its own has its sample and
    label. It answers when the model denies what it announced as good, or when such stands
    announced as bad and nobody could object for half of the wait: it contributes the same again,
    and by that upholds it. No more often than twice in a wait.
    """

    def __init__(
        self,
        account: str,
        session: SharedModelState,
        receiver: str,
        lessons: Sequence[Lesson],
        limits: Limits | None = None,
        *,
        reports: bool = True,
        least: int = 0,
    ) -> None:
        super().__init__(account, session, receiver, least)
        self.lessons = tuple(lessons)
        self.limits = limits or Limits()
        self._reports = reports

    def is_done(self, now: int) -> bool:
        if any(one.open for one in self._mine()) or self._untaught() or self._owed():
            return False
        # What came in during the first days is shared later.
        return not self.session.good[self.account] or now >= self.session.shares_from

    def is_done_but_for_rewards(self) -> bool:
        return not any(one.open for one in self._mine()) and not self._untaught()

    def taught(self) -> int:
        """How many of its lessons the model was taught."""
        return len(self.lessons) - len(self._untaught())

    def _wanted(self, now: int) -> Iterator[Action]:
        mine = [one for one in self._mine() if one.open]
        yield from chain.from_iterable(self._upheld(one) for one in mine)
        yield from chain.from_iterable(self._for(one, now) for one in mine)
        # An answer before what brings money: it has until the next quiet moment.
        yield from chain.from_iterable(self._answer(one, now) for one in mine)
        yield from super()._wanted(now)
        if not self._poised(now):
            for features, label in self._untaught()[:1]:
                yield from self._teach(features, label, now)

    def _others(self) -> Iterator[Contribution]:
        return super()._others() if self._reports else iter(())

    def _mine(self) -> list[Contribution]:
        return self.session.of(self.account)

    def _untaught(self) -> list[Lesson]:
        known = self.session.taught[self.account]
        return [lesson for lesson in self.lessons if lesson not in known]

    def _times(self, now: int) -> Iterator[Due]:
        yield from super()._times(now)
        waits, quiet = self.session.terms.waits, self.session.quiet_from()
        for one in self._mine():
            if one.open:
                due = one.announced_at + waits.verdict if one.good else one.added_at + waits.refund
                what = "a refund may be due" if one.good else "a refund may be announced"
                yield max(due, quiet), what
                if one.bad:
                    yield one.announced_at + waits.verdict // 2, "an answer may be due"
                yield self._left_over_from(one), "what is left may be taken over"
        if self._untaught():
            yield max(self._affordable_from(), quiet), "the next lesson"

    def _upheld(self, one: Contribution) -> Iterator[Action]:
        """What stands announced as bad falls by what was contributed again since."""
        since = max(one.added_at + 1, one.announced_at)
        again = [
            other.added_at
            for other in self._same(one)
            if other.added_at >= since and other.is_at_stake
        ]
        if one.bad and again:
            features, label, added_at, _ = one.named
            yield Action("uphold", (features, label, added_at, again[0]), about=3)

    def _for(self, one: Contribution, now: int) -> Iterator[Action]:
        """What the model's word brings now for a contribution of its own."""
        waits = self.session.terms.waits
        if now >= self.session.quiet_from():
            due = now >= one.added_at + waits.refund
            if one.good:
                call = "refund" if now >= one.announced_at + waits.verdict else ""
            else:
                call = "announce" if due else "object" if one.bad else ""
            if call and self.session.agrees(one):
                named = (*one.named[:3], self.receiver) if call == "refund" else one.named
                yield Action(call, named, about=4)
        yield from self._left_over(one, now)

    def _answer(self, one: Contribution, now: int) -> Iterator[Action]:
        """The same again, where what it announced as good is in danger."""
        half = self.session.terms.waits.verdict // 2
        if not one.vouched or any(other.added_at > now - half for other in self._same(one)):
            return
        late = one.bad and now >= one.announced_at + half
        if late or not self.session.agrees(one):
            yield from self._teach(*one.what, now)

    def _teach(self, features: tuple[int, ...], label: int, now: int) -> Iterator[Action]:
        """A contribution, if its owner lets it pay what that needs now."""
        price = self.session.terms.price
        deposit = price.deposit(max(1, now - self.session.last_lesson))
        agrees = self.session.predict(features) == label
        cost = price.agree_cost if agrees else price.disagree_cost
        most, paid = self.limits, self.session.outlay[self.account]
        within = (
            (most.deposit is None or deposit <= most.deposit)
            and (most.cost is None or cost <= most.cost)
            and (most.stake is None or paid + deposit + cost <= most.stake)
        )
        if within:
            needed = deposit + cost
            yield Action("addData", (features, label, needed, cost), needed, about=2)

    def _same(self, one: Contribution) -> list[Contribution]:
        """Its other contributions of the same sample and label, oldest first."""
        return [other for other in self._mine() if other.what == one.what and other is not one]

    def _poised(self, now: int) -> bool:
        """Whether something could be done now, were it quiet: then it lets it be quiet."""
        return now < self.session.quiet_from() and any(
            due <= self.session.quiet_from() for due, _ in self._verdicts()
        )

    def _verdicts(self) -> Iterator[Due]:
        """When verdicts that the model now gives may be announced or claimed, without the quiet."""
        waits = self.session.terms.waits
        for one in self._mine():
            due = one.announced_at + waits.verdict if one.good else one.added_at + waits.refund
            if one.open and due <= self.session.quiet_from() and self.session.agrees(one):
                yield due, "verdict"

    def _affordable_from(self) -> int:
        """From when the deposit is within its limit, unless somebody teaches meanwhile."""
        price, most = self.session.terms.price, self.limits.deposit
        if most is None or price.deposit(1) <= most:
            return self.session.last_lesson + 1
        units = most // price.unit
        if units < 1:
            return self.session.last_lesson + 1
        # floor(60 w / floor(sqrt(s))) <= units from floor(sqrt(s)) > 60 w / (units + 1) on.
        root = 60 * price.cost_weight // (units + 1) + 1
        return self.session.last_lesson + root * root
