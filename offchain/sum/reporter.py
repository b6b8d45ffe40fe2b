"""Who looks through what others contributed, and has the model's word on it for money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from offchain.roles import Action, Clock, Dropping
from offchain.sum.model import Contribution, SharedModelState
from offchain.sum.rules import reporter_share

Due = tuple[int, str]
"""When something can be done, in Unix seconds, and what."""


class Reporter(Dropping):
    """Reports what the model denies, objects to what it denies, and takes over what is left.

    It needs good data of its own, and keeps nothing: all is in the events. Where others come first
    the chain refuses what was right a moment before, so that all its calls can be put off.

    What brings less than its calls cost it leaves alone: whoever made the model, or teaches it,
    could else have it pay gas for deposits of nothing.

    Attributes:
        account: its 0x address. receiver: who is paid. least: that a report or a take-over must
            bring, in the smallest unit.
    """

    may_drop: ClassVar[frozenset[str]] = frozenset(
        ("addData", "announce", "object", "uphold", "refund", "report", "takeOver", "claimRewards")
    )

    def __init__(
        self, account: str, session: SharedModelState, receiver: str, least: int = 0
    ) -> None:
        self.account = account
        self.session = session
        self.receiver = receiver
        self.least = least

    def next_action(self, clock: Clock) -> Action | None:
        """The most urgent thing to do now; None for nothing."""
        return next((one for one in self._wanted(clock.now) if self.still(one)), None)

    def next_time(self, now: int) -> Due | None:
        """When it will next have something to do, if nobody else does anything; None for never."""
        ahead = [due for due in self._times(now) if due[0] > now]
        return min(ahead) if ahead else None

    def is_done(self, now: int) -> bool:
        """Whether nothing that there is now can bring it anything any more."""
        return not any(one.open for one in self._others()) and not self._owed()

    def _wanted(self, now: int) -> Iterator[Action]:
        if self.session.good[self.account]:
            for one in self._others():
                yield from self._against(one, now)
        for one in self._others():
            yield from self._left_over(one, now)
        if self.is_done_but_for_rewards() and self._owed():
            yield Action("claimRewards", (self.receiver,))

    def is_done_but_for_rewards(self) -> bool:
        """Whether all deposits that it has to do with are settled."""
        return not any(one.open for one in self._others())

    def _times(self, now: int) -> Iterator[Due]:
        """When something may be due, past ones too."""
        waits, quiet = self.session.terms.waits, self.session.quiet_from()
        reports = bool(self.session.good[self.account])
        for one in self._others():
            if not one.open:
                continue
            if reports and self.account not in one.reporters:
                due = (
                    one.announced_at + waits.verdict
                    if one.bad
                    else one.added_at + waits.refund + waits.author
                )
                yield max(due, quiet), "a report may be due"
            yield self._left_over_from(one), "what is left may be taken over"
        if self.session.good[self.account]:
            yield self.session.shares_from, "income is shared"

    def _others(self) -> Iterator[Contribution]:
        return (
            one
            for one in self.session.contributions.values()
            if one.author != self.account and one.open and one.left >= self.least
        )

    def _share(self, one: Contribution) -> int:
        """What a report would bring now, in the smallest unit (StakeIncentive.sol)."""
        good, total = self.session.good[self.account], sum(self.session.good.values())
        return reporter_share(one.deposit, good, total, one.left)

    def _against(self, one: Contribution, now: int) -> Iterator[Action]:
        """What can be done now about another's contribution that the model denies."""
        waits = self.session.terms.waits
        if now < self.session.quiet_from() or self.account in one.reporters:
            return
        if one.bad:
            call = "report" if now >= one.announced_at + waits.verdict else ""
        elif now >= one.added_at + waits.refund + waits.author:
            call = "announce"
        else:
            call = "object" if one.good else ""
        if call and self._share(one) >= self.least and not self.session.agrees(one):
            paid = (self.receiver,) if call == "report" else ()
            yield Action(call, (*one.named, *paid), about=4)

    def _left_over(self, one: Contribution, now: int) -> Iterator[Action]:
        if now >= self._left_over_from(one):
            yield Action("takeOver", (*one.named, self.receiver), about=4)

    def _left_over_from(self, one: Contribution) -> int:
        waits = self.session.terms.waits
        owner = self.account == self.session.terms.owner
        due = max(one.added_at, one.announced_at) + (waits.owner if owner else waits.anyone)
        return max(due, self.session.quiet_from(2))

    def _owed(self) -> int:
        return self.session.claimable(self.account)
