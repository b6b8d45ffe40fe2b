"""The stake incentive's rules on integers, the same as the contract's.

Amounts are whole units of money, times whole seconds. The rules are those of 0xDeCA10B's stake
incentive, and the SUM paper's submission cost is a term of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isqrt

DAY = 86_400
"""Seconds."""

FULL = 10_000
"""Basis points in one."""

CLASSES = 2
"""Labels that a review can have."""

_ONE = 127  # the mantissa of a logarithm is a multiple of 2**-127
_FRACTION_BITS = 32


class Refused(Exception):
    """The contract would refuse the call; `reason` is the name of its error."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True)
class Verdict:
    """How a verdict that time cannot buy is come to: announced, waited for, claimed.

    Defaults are the contract's customary waits, in seconds. author_s: so long after the refund wait
    the author is alone, before others may announce a report. wait_s: from an announcement to its
    claim. quiet_s: so long after an update nobody announces, objects or claims, and twice as long
        nobody takes over. upholding: whether an author may stake on its contribution again,
        quiet or not; the contracts always let it, and without it is only for comparison.
    """

    author_s: int = 2 * DAY
    wait_s: int = DAY
    quiet_s: int = 60
    upholding: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.wait_s < self.author_s or self.quiet_s < 1:
            raise ValueError(
                f"0 < wait {self.wait_s} s < the author's {self.author_s} s, and a quiet time of "
                f"1 s or more, not {self.quiet_s}, must hold"
            )


@dataclass(frozen=True)
class StakeTerms:
    """What the incentive was set up with.

    cost_weight: the deposit asked for one second after an update is 60 of it.
    unit: what deposits are counted in, in units of money: 1, as on chain, for the rule as it
        stands; one coin for whole coins, as in 0xDeCA10B's simulation.
    refund_wait_s: from so many seconds after a contribution it can be refunded or reported, or its
        author can announce a refund.
    takeover_wait_s: from so many seconds after it, or its last announcement, anybody can take what
        is left.
    submission_cost: units kept of every contribution, beside its deposit, for those whose data
        proved good (Figures 14 and 15).
    stated_accuracy: None for a cost that is the same for all; else basis points, above 5,000 and
        below 10,000, by which EntropyIncentive.sol ties it to the information in the label.
    verdict: how refunds and reports are decided, as the contracts do. None for the paper's rules,
        which the contracts do not offer: the model decides at the instant of the claim, repeats and
        empty samples are good data, costs are shared from the start, and nothing is taken within
        the second of an update.
    """

    cost_weight: int = 1
    unit: int = 1
    refund_wait_s: int = DAY
    takeover_wait_s: int = 9 * DAY
    submission_cost: int = 0
    stated_accuracy: int | None = None
    verdict: Verdict | None = None

    def __post_init__(self) -> None:
        if self.unit < 1:
            raise ValueError(f"unit must be 1 or more, not {self.unit}")
        if self.cost_weight < 0 or self.submission_cost < 0:
            raise ValueError(
                f"cost_weight {self.cost_weight} and submission_cost {self.submission_cost} "
                "must be 0 or more"
            )
        if not 0 < self.refund_wait_s < self.takeover_wait_s:
            raise ValueError(
                f"the refund wait, {self.refund_wait_s} s, must lie between 0 and the take-over "
                f"wait, {self.takeover_wait_s} s"
            )
        settled = self.refund_wait_s
        if self.verdict is not None:
            settled += self.verdict.author_s + self.verdict.wait_s
        if not settled < self.takeover_wait_s:
            raise ValueError(
                f"all must be settled, {settled} s, before the take-over, {self.takeover_wait_s} s"
            )
        if self.stated_accuracy is not None and not (FULL // CLASSES < self.stated_accuracy < FULL):
            raise ValueError(
                f"the stated accuracy must lie between {FULL // CLASSES} and {FULL} basis points, "
                f"not at {self.stated_accuracy}"
            )

    @cached_property
    def costs(self) -> tuple[int, int]:
        """Units kept of a contribution that the model (contradicts, agrees with) beforehand."""
        if self.stated_accuracy is None:
            return self.submission_cost, self.submission_cost
        return surprise_costs(self.submission_cost, self.stated_accuracy)


def required_deposit(cost_weight: int, since_update_s: int) -> int:
    """`max(1, 60 * cost_weight // isqrt(since_update_s))`: haste is dear.

    since_update_s: whole seconds since the model was last updated, 0 or more; 0 counts as 1, so
    that nobody is kept out by whoever comes first.
    """
    return max(1, 60 * cost_weight // isqrt(max(1, since_update_s)))


def surprise_costs(cost: int, accuracy: int) -> tuple[int, int]:
    """What a label costs that the model (contradicts, agrees with), by the bits it carries.

    The model is taken for a channel that is right `accuracy` / 10,000 of the time. A label that it
    gives with probability p carries log2(1/p) bits; their mean over what the channel puts out is
    its entropy, and so many bits cost `cost`. Contradicting costs a multiple, the more the better
    the model is. All divisions are floors, and bits are fixed-point numbers (`bits_of`), as on
    chain.
    """
    agree = bits_of(FULL, accuracy)
    contradict = bits_of(FULL * (CLASSES - 1), FULL - accuracy)
    entropy = (accuracy * agree + (FULL - accuracy) * contradict) // FULL
    return cost * contradict // entropy, cost * agree // entropy


def bits_of(numerator: int, denominator: int) -> int:
    """floor(log2(numerator / denominator)) in units of 2**-32, for a ratio of 1 or more."""
    ratio = (numerator << _ONE) // denominator
    whole = ratio.bit_length() - 1 - _ONE
    mantissa = ratio >> whole
    bits = whole
    for _ in range(_FRACTION_BITS):
        mantissa = mantissa * mantissa >> _ONE
        above = mantissa >> (_ONE + 1)
        mantissa >>= above
        bits = bits << 1 | above
    return bits


def reporter_share(deposit: int, good: int, total_good: int, left: int) -> int:
    """`deposit * good // total_good`, or all that is `left` where that is 0 or more than is left.

    good: the reporter's contributions that proved good, at least 1; total_good: everybody's.
    """
    share = deposit * good // total_good
    return share if 0 < share <= left else left


class StakeIncentive:
    """The incentive's state and calls, in the order and with the errors of IIncentive.sol.

    Participants are numbers 0 to `participants` - 1. `started_at` is when the contract was made.
    Every call either changes the state or raises Refused and changes nothing.
    """

    def __init__(self, terms: StakeTerms, participants: int, started_at: int = 0) -> None:
        self.terms = terms
        self.last_update = started_at
        self.good = [0] * participants
        self.total_good = 0

    def required(self, agrees: bool, now: int) -> tuple[int, int]:
        """(deposit, cost) of a contribution at `now` that the model `agrees` with or not."""
        terms, since = self.terms, now - self.last_update
        if terms.verdict is None and not since:
            raise Refused("TooSoonAfterUpdate", "in the second of the last update")
        deposit = required_deposit(terms.cost_weight, since) * terms.unit
        return deposit, terms.costs[agrees]

    def on_add(self, offered: int, agrees: bool, now: int) -> tuple[int, int]:
        """Accept a contribution that offers so much; what is offered beyond is not taken.

        agrees: whether the model gives it the label contributed, before it learns.
        """
        taken = self.taken(offered, agrees, now)
        self.last_update = now
        return taken

    def taken(self, offered: int, agrees: bool, now: int) -> tuple[int, int]:
        """What `on_add` would take, and refuse."""
        deposit, cost = self.required(agrees, now)
        if offered < deposit + cost:
            raise Refused("DepositTooSmall", f"{offered} offered, {deposit + cost} required")
        return deposit, cost

    def on_announce(
        self, claimant: int, author: int, added_at: int, agrees: bool, now: int
    ) -> None:
        """Announce a verdict: the author that its contribution is good, others that it is bad."""
        good = claimant == author
        due = added_at + self.terms.refund_wait_s + (0 if good else self._verdict.author_s)
        if now < due:
            reason = "RefundTooEarly" if good else "ReportTooEarly"
            raise Refused(reason, f"{now} before {due}")
        self._check_quiet(now)
        self._check_word(agrees, good)
        if not good and self.good[claimant] == 0:
            raise Refused("NoGoodData", f"of participant {claimant}")

    def on_object(self, agrees: bool, good: bool, now: int) -> None:
        """Object to a verdict that stands announced, `good` or bad, when the model denies it."""
        self._check_quiet(now)
        self._check_word(agrees, not good)

    def on_uphold(self, added_at: int, again_at: int, announced_at: int | None, now: int) -> None:
        """Let what stands announced of the author's contribution fall: it staked on it again.

        again_at: when the author added the same again, of which nothing was paid out yet.
        announced_at: when what stands announced was; None if nothing does. Neither the model nor
        the quiet is asked.
        """
        since = max(added_at + 1, announced_at or 0)
        if not since <= again_at <= now:
            raise Refused("TaughtBefore", f"{again_at} before {since}")

    def on_refund(
        self,
        author: int,
        added_at: int,
        left: int,
        agrees: bool,
        now: int,
        announced_at: int | None = None,
        *,
        first: bool = True,
    ) -> int:
        """What the author gets back: all that is left, if the model agrees by now.

        announced_at: when it was announced as good, while that stands. first: whether it is the
        first of its sample and label; a repeat is no good data.
        """
        if now < added_at + self.terms.refund_wait_s:
            raise Refused("RefundTooEarly", f"{now} before {added_at + self.terms.refund_wait_s}")
        self._check_awaited(announced_at, now)
        self._check_word(agrees, True)
        self.good[author] += first
        self.total_good += first
        return left

    def on_report(
        self,
        reporter: int,
        author: int,
        added_at: int,
        deposit: int,
        left: int,
        agrees: bool,
        now: int,
        announced_at: int | None = None,
    ) -> int:
        """What a reporter gets of a contribution that the model disagrees with.

        announced_at: when it was announced as bad, while that stands.
        """
        if now < added_at + self.terms.refund_wait_s:
            raise Refused("ReportTooEarly", f"{now} before {added_at + self.terms.refund_wait_s}")
        if reporter == author:
            raise Refused("OwnData", f"of participant {author}")
        self._check_awaited(announced_at, now)
        self._check_word(agrees, False)
        if self.good[reporter] == 0:
            raise Refused("NoGoodData", f"of participant {reporter}")
        return reporter_share(deposit, self.good[reporter], self.total_good, left)

    def on_take_over(self, touched_at: int, left: int, now: int) -> int:
        """What anybody gets of a contribution nobody settled in time: all that is left.

        touched_at: when it was added, or last announced, whatever came of that.
        """
        if now < touched_at + self.terms.takeover_wait_s:
            raise Refused(
                "TakeOverTooEarly", f"{now} before {touched_at + self.terms.takeover_wait_s}"
            )
        # Twice as long as its author, who can announce before.
        self._check_quiet(now, times=2)
        return left

    def quiet(self, now: int, times: int = 1) -> bool:
        """Whether verdicts can be dealt with: the model was left alone for so many quiet times."""
        verdict = self.terms.verdict
        return verdict is None or now >= self.last_update + times * verdict.quiet_s

    @property
    def _verdict(self) -> Verdict:
        if self.terms.verdict is None:
            raise ValueError("nothing is announced where the model decides at one instant")
        return self.terms.verdict

    def _check_awaited(self, announced_at: int | None, now: int) -> None:
        if self.terms.verdict is None:
            return
        if announced_at is None:
            raise Refused("NotAnnounced", "or objected to since")
        due = announced_at + self.terms.verdict.wait_s
        if now < due:
            raise Refused("VerdictTooEarly", f"{now} before {due}")
        self._check_quiet(now)

    def _check_quiet(self, now: int, times: int = 1) -> None:
        if not self.quiet(now, times):
            raise Refused("NotQuiet", f"{now - self.last_update} s after an update")

    @staticmethod
    def _check_word(agrees: bool, good: bool) -> None:
        if agrees != good:
            reason = "ModelDisagrees" if good else "ModelAgrees"
            raise Refused(reason, "with the label contributed")


class Pot:
    """Holds submission costs until those with good data collect them: the twin of Totals.sol.

    What comes in is shared equally among all contributions that proved good so far; whose author
    may collect it at any time. `per_good` is what a contribution that was good from the start has
    earned. Shares are whole units: what does not divide waits in the pot, as does what comes in
    before anybody has good data, and before `shares_from`, in seconds: the take-over wait after the
    first contribution. By the paper's rules nothing waits for that.
    """

    def __init__(self, incentive: StakeIncentive) -> None:
        self._incentive = incentive
        self._undivided = 0
        self._offset = [0] * len(incentive.good)
        self.per_good = 0
        self.held = 0
        self.shares_from: int | None = None

    @property
    def owes(self) -> bool:
        """Whether more is left than does not divide, for somebody to collect now or later."""
        return 0 < self._incentive.total_good <= self.held

    def put(self, amount: int, now: int) -> None:
        """Take in `amount` units, 0 or more, of a contribution, to be divided later."""
        if self.shares_from is None:
            terms = self._incentive.terms
            self.shares_from = now + (terms.takeover_wait_s if terms.verdict else 0)
        self._undivided += amount
        self.held += amount

    def before_good(self, participant: int, now: int) -> None:
        """Share what came in so far; to be called before a contribution proves good."""
        self._share(now)
        self._offset[participant] -= self.per_good

    def collect(self, participant: int, now: int) -> int:
        """Pay the participant what it is owed, in units."""
        amount = self.owed(participant, now)
        self._offset[participant] -= amount
        self.held -= amount
        return amount

    def owed(self, participant: int, now: int) -> int:
        """What `collect` would pay, in units."""
        self._share(now)
        return self._incentive.good[participant] * self.per_good + self._offset[participant]

    def _share(self, now: int) -> None:
        total = self._incentive.total_good
        if total and self.shares_from is not None and now >= self.shares_from:
            self.per_good += self._undivided // total
            self._undivided %= total
