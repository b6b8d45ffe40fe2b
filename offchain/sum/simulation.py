"""The SUM paper's simulation: agents share one stream of reviews under the stake incentive.

Time runs from event to event. An agent comes when its wait is over; it submits the next review of
the stream, then claims what it can, oldest first: what nobody settled in time, refunds of its own,
shares of what the model disagrees with, and its part of the pot. Where verdicts are announced first
(`StakeTerms.verdict`, as the contracts have it), it deals with claims before it submits, since the
model must have been left alone: it announces what it wants to claim, claims what it announced, and
objects to refunds of what the model disagrees with.

Three points differ from 0xDeCA10B's simulation: agents claim by the same rules after the stream has
ended (there, only what nine days have passed over), an agent without money can still claim, and
what waits a day is due when the day is over, not a second later.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

from offchain.data.seeds import generator
from offchain.sum.agents import STRATEGIES, Moment, Submission, Target, draw
from offchain.sum.claims import AS_BAD, AS_GOOD, NOTHING, OpenClaims
from offchain.sum.learner import Judge, train
from offchain.sum.result import Call, Contribution, Event, History, Result, Tally
from offchain.sum.reviews import Split
from offchain.sum.rules import DAY, Pot, Refused, StakeIncentive
from offchain.sum.setting import Setting

if TYPE_CHECKING:  # imageset imports torch, which nothing here needs
    from offchain.data.imageset import Progress


class Simulation:
    """One run, event by event; `simulate` runs it to its end.

    balances: units, by agent. contributions, left: what was accepted, and units of each deposit
    that nobody has claimed yet. repeats: numbers of those whose sample and label somebody had
    contributed before. Money is conserved: `sum(balances) + sum(left) + pot.held` never
    changes.
    """

    def __init__(self, split: Split, setting: Setting, seed: int, *, log: bool = False) -> None:
        agents = setting.agents
        self.setting = setting
        self.model = train(
            split.initial, seed, largest=setting.largest_weight, limit=setting.weight_limit
        )
        self.incentive = StakeIncentive(setting.terms, len(agents))
        self.pot = Pot(self.incentive)
        self.balances = [agent.start_balance * setting.coin for agent in agents]
        self.contributions: list[Contribution] = []
        self.left: list[int] = []
        self.tallies = [Tally() for _ in agents]
        self.events: list[Event] | None = [] if log else None
        self.now = 0
        self._announced = setting.terms.verdict is not None  # as the contracts do, not the paper
        self._initial = self.model.weights.copy()
        self._judge = Judge(split.test)
        self.accuracies = [(0, self._judge.accuracy(self.model))]
        self._evaluate_at = setting.evaluate_every_s
        self._stream = split.stream
        self._truths = split.stream.labels.tolist()
        self._next_review = 0
        # Features and label of all contributions, but for first ones that are spent; a further one
        # of the same earns nothing.
        self._known: set[tuple[bytes, int]] = set()
        self.repeats: set[int] = set()
        self._numbers: dict[tuple[int, bytes, int], list[int]] = {}  # of each author and pair
        # The latest contribution, and the latest by anybody but its author.
        self._last_by_two: tuple[Contribution | None, Contribution | None] = None, None
        self._claims = OpenClaims(self.model, len(agents), setting.terms)
        self._immature = 0  # the oldest contribution that can not be refunded or reported yet
        self._oldest = 0  # the oldest with something left
        self._touched: list[int] = []  # when each was added or last announced
        self._forgotten: list[tuple[int, int]] = []  # (when it was touched, number), a heap
        self._random = [generator(seed, f"agent {i}") for i in range(len(agents))]
        self._history = [[(0, balance)] for balance in self.balances]
        self._queue = [(self._wait(i), i) for i in range(len(agents))]
        heapq.heapify(self._queue)

    @property
    def done(self) -> bool:
        """Whether nothing more can come: all is submitted, settled and collected, or time or money
        is up. By the paper's rules nobody waits for what is collected."""
        if self._oldest < len(self.contributions) or (self._announced and self.pot.owes):
            return self.now >= self.setting.max_days * DAY
        return (
            self._next_review == len(self._truths)
            or self.now >= self.setting.max_days * DAY
            or not any(self.balances)
        )

    @property
    def submitted(self) -> int:
        """How many reviews of the stream were accepted, or passed over, as they have no word."""
        return self._next_review

    def step(self) -> None:
        """Let the next agent come: it submits, takes over and claims what it may."""
        planned, agent = heapq.heappop(self._queue)
        self.now = self._arrive(planned)
        if self.now >= self._evaluate_at:
            self.accuracies.append((self.now, self._judge.accuracy(self.model)))
            self._evaluate_at += self.setting.evaluate_every_s
        if not self._announced:
            self._submit(agent)
        self._take_over(agent)
        while self._oldest < len(self.contributions) and not self.left[self._oldest]:
            self._oldest += 1
        self._claim(agent)
        if self.pot.held and self.pot.owed(agent, self.now):
            self._call(Call("collect", agent, -1))
            self._pay(agent, "collect", -1, self.pot.collect(agent, self.now), -1)
        if self._announced:
            self._submit(agent)
        self._history[agent].append((self.now, self.balances[agent]))
        heapq.heappush(self._queue, (self.now + self._wait(agent), agent))

    def result(self) -> Result:
        """Accuracies and balances until now; the model is evaluated once more."""
        coin = self.setting.coin
        last = (self.now, self._judge.accuracy(self.model))
        return Result(
            setting=self.setting,
            accuracies=(*self.accuracies, last),
            histories=tuple(
                History(
                    np.array([t for t, _ in history], dtype=np.int64),
                    np.array([b / coin for _, b in history]),
                )
                for history in self._history
            ),
            tallies=tuple(self.tallies),
            initial=self._initial,
            final=self.model.weights.copy(),
            contributions=tuple(self.contributions),
            events=tuple(self.events or ()),
            ended_at=self.now,
            unused=len(self._truths) - self._next_review,
        )

    def _wait(self, agent: int) -> int:
        who = self.setting.agents[agent]
        wait = draw(self._random[agent], who.mean_update_wait_s, who.stdev_update_wait_s)
        return wait + -wait % self.setting.block_s

    def _submit(self, agent: int) -> None:
        if self._next_review == len(self._truths) or self.balances[agent] <= 0:
            return
        who, random = self.setting.agents[agent], self._random[agent]
        submission = STRATEGIES[who.strategy](self._moment(agent))
        if submission is None:
            return
        review, label = submission
        if who.prob_mistake and random.random() < who.prob_mistake:
            label = 1 - label
        active = self._stream.active(review)
        predicted = self.model.predict(active)
        offered = draw(random, who.mean_deposit, who.stdev_deposit) * self.setting.coin
        try:
            if self._announced and not len(active):  # Nobody can contribute it: the stream goes on.
                self._next_review += review == self._next_review
                raise Refused("NoFeatures", f"review {review}")
            offered = min(offered, self.balances[agent])
            asked = self.incentive.taken(offered, predicted == label, self.now)
        except Refused:  # It comes again after its next wait.
            self.tallies[agent].refused += 1
            return
        number = len(self.contributions)
        self._call(Call("add", agent, number, predicted, (review, label), asked))
        deposit, cost = self.incentive.on_add(offered, predicted == label, self.now)
        first_unused = self._next_review
        self._next_review += review == first_unused
        self.pot.put(cost, self.now)
        pair = active.tobytes(), label
        if self._announced and pair in self._known:
            self.repeats.add(number)
        self._known.add(pair)
        self.contributions.append(what := Contribution(agent, review, label, self.now, deposit))
        latest, before = self._last_by_two
        self._last_by_two = what, before if latest and latest.author == agent else latest
        self.left.append(deposit)
        self._touched.append(self.now)
        heapq.heappush(self._forgotten, (self.now, number))
        self.tallies[agent].submitted += 1
        self.tallies[agent].answered += review < first_unused
        if predicted != label:
            saturated = self.model.teach(active, label)
            self._claims.learnt(active, label, saturated)
        self._pay(agent, "add", number, -deposit - cost, predicted)
        mine = self._numbers.setdefault((agent, *pair), [])
        self._uphold(agent, mine)
        mine.append(number)

    def _uphold(self, agent: int, numbers: list[int]) -> None:
        """The agent has just contributed again what these are: no report of them stands."""
        verdict = self.setting.terms.verdict
        if verdict is None or not verdict.upholding:
            return
        again = self.now
        for number in numbers:
            if number not in self._claims:
                continue
            stands, since = self._claims.announced(number)
            if stands != AS_BAD:
                continue
            self._call(Call("uphold", agent, number))
            self.incentive.on_uphold(self.contributions[number].added_at, again, since, self.now)
            self._claims.object(number)
            self._touched[number] = self.now
            self.tallies[agent].upheld += 1
            self._pay(agent, "uphold", number, 0, -1)

    def _moment(self, agent: int) -> Moment:
        review = self._next_review
        return Moment(
            review=review,
            truth=self._truths[review],
            classes=2,
            predict=lambda: self.model.predict(self._stream.active(review)),
            accuracy=self.accuracies[-1][1],
            good_data=self.incentive.good[agent],
            total_good=self.incentive.total_good,
            holds=self.setting.agents[agent].holds,
            latest=self._latest_by_others(agent),
            turned=lambda: self._turned(agent),
            soonest=lambda own: self._soonest(agent, own),
            poised=lambda: self._poised(agent),
            now=self.now,
            random=self._random[agent],
        )

    def _turned(self, agent: int) -> Submission | None:
        self._mature()
        number = self._claims.first_turned(agent, self.now)
        if number is None:
            return None
        what = self.contributions[number]
        return Submission(what.review, what.label)

    def _soonest(self, agent: int, own: bool) -> Target | None:
        self._mature()
        found = self._claims.soonest(agent, own)
        if found is None:
            return None
        what = self.contributions[found.number]
        return Target(Submission(what.review, what.label), found.lessons, found.served)

    def _poised(self, agent: int) -> bool:
        if self.incentive.quiet(self.now):  # What could be done has been.
            return False
        self._mature()
        return bool(self._claims.actionable(agent, self.now))

    def _latest_by_others(self, agent: int) -> Submission | None:
        for what in self._last_by_two:
            if what is not None and what.author != agent:
                return Submission(what.review, what.label)
        return None

    def _take_over(self, agent: int) -> None:
        if not self.incentive.quiet(self.now, times=2):
            return
        last_touched = self.now - self.setting.terms.takeover_wait_s
        due = []
        while self._forgotten and self._forgotten[0][0] <= last_touched:
            number = heapq.heappop(self._forgotten)[1]
            if not self.left[number]:
                continue
            if self._touched[number] > last_touched:
                heapq.heappush(self._forgotten, (self._touched[number], number))
            else:
                due.append(number)
        for number in sorted(due):
            self._call(Call("take over", agent, number))
            amount = self.incentive.on_take_over(self._touched[number], self.left[number], self.now)
            if number < self._immature:
                self._claims.remove(number)
            self.left[number] = 0
            self._spend(number)
            self.tallies[agent].taken_over += 1
            self._pay(agent, "take over", number, amount, -1)

    def _claim(self, agent: int) -> None:
        self._mature()
        if not self.incentive.quiet(self.now):
            return
        terms, tally = self.incentive, self.tallies[agent]
        for number, own in self._claims.actionable(agent, self.now):
            what, left = self.contributions[number], self.left[number]
            predicted = what.label if own else 1 - what.label
            stands, since = self._claims.announced(number)
            if self._announced and stands != (AS_GOOD if own else AS_BAD):
                self._announce(agent, number, predicted, stands)
                continue
            if own:
                self._call(Call("refund", agent, number, predicted))
                first = number not in self.repeats
                if first:
                    self.pot.before_good(agent, self.now)
                amount = terms.on_refund(
                    agent, what.added_at, left, True, self.now, since, first=first
                )
                tally.refunded += 1
                tally.awaited_s += self.now - what.added_at
            elif terms.good[agent]:
                self._call(Call("report", agent, number, predicted))
                amount = terms.on_report(
                    agent, what.author, what.added_at, what.deposit, left, False, self.now, since
                )
                tally.reported += 1
            else:  # Without good data a report would be refused.
                continue
            self.left[number] -= amount
            if self.left[number]:
                self._claims.reported(number, agent)
            else:
                self._claims.remove(number)
                if not own:
                    self._spend(number)
            self._pay(agent, "refund" if own else "report", number, amount, predicted)

    def _spend(self, number: int) -> None:
        """Nothing is left of a contribution that never proved good: if it is the first of its
        sample and label, the next of these takes its place."""
        if number not in self.repeats:
            what = self.contributions[number]
            self._known.discard((self._stream.active(what.review).tobytes(), what.label))

    def _announce(self, agent: int, number: int, predicted: int, stands: int) -> None:
        """Announce what the agent would claim later; where that is refused, object at least."""
        what, own = self.contributions[number], self.contributions[number].author == agent
        try:
            self.incentive.on_announce(
                agent, what.author, what.added_at, predicted == what.label, self.now
            )
        except Refused:
            if stands == NOTHING:
                return
            self.incentive.on_object(predicted == what.label, stands == AS_GOOD, self.now)
            self._call(Call("object", agent, number, predicted))
            self._claims.object(number)
            self.tallies[agent].objected += 1
            self._pay(agent, "object", number, 0, predicted)
            return
        self._call(Call("announce", agent, number, predicted))
        self._claims.announce(number, AS_GOOD if own else AS_BAD, self.now)
        self._touched[number] = self.now
        self.tallies[agent].announced += 1
        self._pay(agent, "announce", number, 0, predicted)

    def _arrive(self, planned: int) -> int:
        """When who comes at `planned` is there; later, where others keep the time."""
        return planned

    def _call(self, call: Call) -> None:
        """Before each call, whose second `now` is from here on, where others keep the time."""

    def _mature(self) -> None:
        last_added = self.now - self.setting.terms.refund_wait_s
        while self._immature < len(self.contributions):
            what = self.contributions[self._immature]
            if what.added_at > last_added:
                return
            if self.left[self._immature]:
                active = self._stream.active(what.review)
                self._claims.add(self._immature, what.author, what.label, active, what.added_at)
            self._immature += 1

    def _pay(self, agent: int, kind: str, number: int, amount: int, predicted: int) -> None:
        self.balances[agent] += amount
        if self.events is not None and (amount or kind in ("announce", "object", "uphold")):
            event = Event(
                self.now, kind, agent, number, abs(amount), self.balances[agent], predicted
            )
            self.events.append(event)


def simulate(
    split: Split,
    setting: Setting,
    seed: int,
    *,
    log: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Run the agents until the stream is used up and every deposit settled, or time is up.

    seed: 0 or more, of the first model and of the agents' draws; `split` has its own. The same
    arguments give the same result. log: keep every event. progress: of reviews submitted.
    """
    run = Simulation(split, setting, seed, log=log)
    while not run.done:
        run.step()
        if progress is not None and run.submitted % 500 == 0:
            progress(run.submitted, len(split.stream))
    return run.result()
