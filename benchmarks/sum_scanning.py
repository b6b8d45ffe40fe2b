"""The SUM simulation the plain way: every open claim is tried at every turn, and asks the model.

What offchain/sum/simulation.py must equal, event for event, and is measured against. It shares the
rules and the agents with it, and neither the claims nor the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from queue import PriorityQueue

import numpy as np

from offchain.data.seeds import generator
from offchain.sum.agents import STRATEGIES, Moment, Submission, Target, draw
from offchain.sum.claims import AS_BAD, AS_GOOD, NOTHING
from offchain.sum.learner import train
from offchain.sum.result import Event
from offchain.sum.reviews import Split
from offchain.sum.rules import DAY, Pot, Refused, StakeIncentive
from offchain.sum.setting import Setting


@dataclass
class Open:
    """A claim that is not settled: times in seconds, money in units. reporters: who was paid."""

    number: int
    author: int
    review: int
    label: int
    added_at: int
    deposit: int
    left: int
    reporters: set[int] = field(default_factory=set)
    announced: int = NOTHING
    touched_at: int = 0
    vouched: bool = False
    first: bool = True


def simulate_by_scanning(split: Split, setting: Setting, seed: int) -> list[Event]:
    """All events of a run, in order; arguments as for offchain.sum.simulation.simulate."""
    agents, terms = setting.agents, setting.terms
    incentive = StakeIncentive(terms, len(agents))
    pot = Pot(incentive)
    first = train(split.initial, seed, largest=setting.largest_weight, limit=setting.weight_limit)
    weights, intercept = first.weights.astype(np.int64), first.intercept
    data, truths = split.stream.dense(), split.stream.labels.tolist()
    test = split.test.dense()
    balances = [agent.start_balance * setting.coin for agent in agents]
    random = [generator(seed, f"agent {i}") for i in range(len(agents))]
    events: list[Event] = []
    claims: list[Open] = []
    contributed: list[tuple[int, Submission]] = []
    known: set[tuple[bytes, int]] = set()
    reviews_used = submitted = now = 0
    evaluate_at = setting.evaluate_every_s

    def due(agent: int, own: bool, agreed: bool) -> list[Open]:
        return [
            claim
            for claim in claims
            if (claim.author == agent) == own
            and now >= claim.added_at + terms.refund_wait_s
            and (predict(claim.review) == claim.label) == agreed
        ]

    def soonest(agent: int, own: bool) -> Target | None:
        ranked = []
        for claim in due(agent, own, not own):
            score = int(data[claim.review] @ weights + intercept)
            margin = score if score > 0 else 1 - score
            lessons = -(-margin // max(int(data[claim.review].sum()), 1))
            served = claim.announced == (AS_GOOD if own else AS_BAD)
            ranked.append(
                (not served, lessons, claim.number, Submission(claim.review, claim.label))
            )
        if not ranked:
            return None
        unserved, lessons, _, what = min(ranked)
        return Target(what, lessons, not unserved)

    def turned(agent: int) -> Submission | None:
        fallen = [claim for claim in due(agent, True, False) if claim.vouched]
        if terms.verdict is not None and terms.verdict.upholding:
            half = terms.verdict.wait_s // 2
            stuck = (c for c in due(agent, True, True) if c.vouched and c.announced == AS_BAD)
            fallen += [claim for claim in stuck if claim.touched_at + half <= now]
        first = min(fallen, key=lambda claim: claim.number, default=None)
        return None if first is None else Submission(first.review, first.label)

    def poised(agent: int) -> bool:
        if terms.verdict is None or incentive.quiet(now):
            return False
        for claim in (*due(agent, True, True), *due(agent, False, False)):
            own = claim.author == agent
            if agent in claim.reporters:
                continue
            alone = claim.added_at + terms.refund_wait_s + terms.verdict.author_s
            if claim.announced == (AS_GOOD if own else AS_BAD):
                if awaited(claim.touched_at):
                    return True
            elif own or claim.announced == AS_GOOD or alone <= now:
                return True
        return False

    def spend(claim: Open) -> None:
        if claim.first:
            known.discard((data[claim.review].tobytes(), claim.label))

    def measured() -> float:
        return float(((test @ weights + intercept > 0) == split.test.labels).mean())

    def predict(review: int) -> int:
        return int(data[review] @ weights + intercept > 0)

    def wait(agent: int) -> int:
        who = agents[agent]
        return draw(random[agent], who.mean_update_wait_s, who.stdev_update_wait_s)

    def pay(kind: str, agent: int, claim: int, amount: int, predicted: int) -> None:
        balances[agent] += amount
        if amount or kind in ("announce", "object", "uphold"):
            events.append(Event(now, kind, agent, claim, abs(amount), balances[agent], predicted))

    def submit(agent: int) -> None:
        nonlocal weights, reviews_used, submitted
        who = agents[agent]
        if reviews_used == len(truths) or balances[agent] <= 0:
            return
        others = (what for author, what in reversed(contributed) if author != agent)
        submission = STRATEGIES[who.strategy](
            Moment(
                review=reviews_used,
                truth=truths[reviews_used],
                classes=2,
                predict=partial(predict, reviews_used),
                accuracy=accuracy,
                good_data=incentive.good[agent],
                total_good=incentive.total_good,
                holds=who.holds,
                latest=next(others, None),
                turned=partial(turned, agent),
                soonest=partial(soonest, agent),
                poised=partial(poised, agent),
                now=now,
                random=random[agent],
            )
        )
        if submission is None:
            return
        review, label = submission
        predicted = predict(review)
        if who.prob_mistake and random[agent].random() < who.prob_mistake:
            label = 1 - label
        offered = draw(random[agent], who.mean_deposit, who.stdev_deposit) * setting.coin
        try:
            if terms.verdict is not None and not data[review].any():
                reviews_used += review == reviews_used
                raise Refused("NoFeatures", f"review {review}")
            deposit, cost = incentive.on_add(min(offered, balances[agent]), predicted == label, now)
        except Refused:
            return
        pot.put(cost, now)
        contributed.append((agent, Submission(review, label)))
        pair = data[review].tobytes(), label
        made = Open(submitted, agent, review, label, now, deposit, deposit, touched_at=now)
        made.first = terms.verdict is None or pair not in known
        known.add(pair)
        claims.append(made)
        if predicted != label:
            moved = weights + data[review] * (1 if label else -1)
            weights = moved.clip(-setting.weight_limit, setting.weight_limit)
        pay("add", agent, submitted, -deposit - cost, predicted)
        reviews_used += review == reviews_used
        submitted += 1
        if terms.verdict is None or not terms.verdict.upholding:
            return
        for claim in claims[:-1]:
            same = data[claim.review].tobytes() == pair[0] and claim.label == label
            if same and claim.author == agent and claim.announced == AS_BAD:
                incentive.on_uphold(claim.added_at, now, claim.touched_at, now)
                claim.announced, claim.touched_at = NOTHING, now
                pay("uphold", agent, claim.number, 0, -1)

    def take_over(agent: int) -> None:
        for claim in claims:
            try:
                amount = incentive.on_take_over(claim.touched_at, claim.left, now)
            except Refused:
                continue
            claim.left = 0
            spend(claim)
            pay("take over", agent, claim.number, amount, -1)
        claims[:] = [claim for claim in claims if claim.left]

    def deal_with(agent: int, claim: Open) -> None:
        """Claims what is due; else announces; else objects to what stands announced."""
        added_at, left, own = claim.added_at, claim.left, claim.author == agent
        predicted = predict(claim.review)
        agrees = predicted == claim.label
        if agent in claim.reporters:
            return
        stands = claim.announced == (AS_GOOD if own else AS_BAD)
        since = claim.touched_at if stands else None
        try:
            if own:
                due_now = now >= added_at + terms.refund_wait_s and agrees and awaited(since)
                if due_now and claim.first:
                    pot.before_good(agent, now)
                amount = incentive.on_refund(
                    agent, added_at, left, agrees, now, since, first=claim.first
                )
            else:
                amount = incentive.on_report(
                    agent, claim.author, added_at, claim.deposit, left, agrees, now, since
                )
                claim.reporters.add(agent)
        except Refused:
            if terms.verdict is not None and not stands:
                announce_or_object(agent, claim, predicted)
            return
        claim.left -= amount
        if not own and not claim.left:
            spend(claim)
        pay("refund" if own else "report", agent, claim.number, amount, predicted)

    def awaited(since: int | None) -> bool:
        if terms.verdict is None:
            return True
        return since is not None and now >= since + terms.verdict.wait_s

    def announce_or_object(agent: int, claim: Open, predicted: int) -> None:
        own, agrees = claim.author == agent, predicted == claim.label
        try:
            incentive.on_announce(agent, claim.author, claim.added_at, agrees, now)
        except Refused:
            if own or agrees or claim.announced != AS_GOOD:
                return
            claim.announced = NOTHING
            pay("object", agent, claim.number, 0, predicted)
            return
        claim.announced, claim.touched_at = (AS_GOOD if own else AS_BAD), now
        claim.vouched |= own
        pay("announce", agent, claim.number, 0, predicted)

    queue: PriorityQueue[tuple[int, int]] = PriorityQueue()
    for agent in range(len(agents)):
        queue.put((wait(agent), agent))
    accuracy = measured()
    while now < setting.max_days * DAY and (
        claims
        or (terms.verdict is not None and pot.owes)
        or (reviews_used < len(truths) and any(balances))
    ):
        now, agent = queue.get()
        if now >= evaluate_at:
            accuracy, evaluate_at = measured(), evaluate_at + setting.evaluate_every_s
        if terms.verdict is None:
            submit(agent)
        take_over(agent)
        if incentive.quiet(now):
            for claim in claims:
                deal_with(agent, claim)
        claims[:] = [claim for claim in claims if claim.left]
        pay("collect", agent, -1, pot.collect(agent, now), -1)
        if terms.verdict is not None:
            submit(agent)
        queue.put((now + wait(agent), agent))
    return events
