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
from offchain.sum.agents import STRATEGIES, Moment, Submission, draw
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
    taken: set[tuple[bytes, int]] = set()
    reviews_used = 0
    evaluate_at = setting.evaluate_every_s

    def measured() -> float:
        return float(((test @ weights + intercept > 0) == split.test.labels).mean())

    def predict(review: int) -> int:
        return int(data[review] @ weights + intercept > 0)

    def wait(agent: int) -> int:
        who = agents[agent]
        return draw(random[agent], who.mean_update_wait_s, who.stdev_update_wait_s)

    def pay(kind: str, agent: int, claim: int, amount: int, predicted: int) -> None:
        balances[agent] += amount
        if amount:
            events.append(Event(now, kind, agent, claim, abs(amount), balances[agent], predicted))

    queue: PriorityQueue[tuple[int, int]] = PriorityQueue()
    for agent in range(len(agents)):
        queue.put((wait(agent), agent))
    accuracy, now, submitted = measured(), 0, 0
    while (claims or (reviews_used < len(truths) and any(balances))) and (
        now < setting.max_days * DAY
    ):
        now, agent = queue.get()
        if now >= evaluate_at:
            accuracy, evaluate_at = measured(), evaluate_at + setting.evaluate_every_s
        who = agents[agent]
        if reviews_used < len(truths) and balances[agent] > 0:
            others = (what for author, what in reversed(contributed) if author != agent)
            submission = STRATEGIES[who.strategy](
                Moment(
                    review=reviews_used,
                    truth=truths[reviews_used],
                    classes=2,
                    predict=partial(predict, reviews_used),
                    accuracy=accuracy,
                    good_data=incentive.good[agent],
                    latest=next(others, None),
                    now=now,
                    random=random[agent],
                )
            )
            if submission is not None:
                review, label = submission
                predicted = predict(review)
                if who.prob_mistake and random[agent].random() < who.prob_mistake:
                    label = 1 - label
                offered = draw(random[agent], who.mean_deposit, who.stdev_deposit) * setting.coin
                pair = data[review].tobytes(), label
                try:
                    if not data[review].any() or pair in taken:
                        reviews_used += review == reviews_used
                        raise Refused("AlreadyAdded", f"review {review}, or it has no feature")
                    deposit, cost = incentive.on_add(
                        min(offered, balances[agent]), predicted == label, now
                    )
                except Refused:
                    pass
                else:
                    pot.put(cost)
                    taken.add(pair)
                    contributed.append((agent, Submission(review, label)))
                    claims.append(Open(submitted, agent, review, label, now, deposit, deposit))
                    if predicted != label:
                        moved = weights + data[review] * (1 if label else -1)
                        weights = moved.clip(-setting.weight_limit, setting.weight_limit)
                    pay("add", agent, submitted, -deposit - cost, predicted)
                    reviews_used += review == reviews_used
                    submitted += 1
        for claim in claims:
            added_at, left = claim.added_at, claim.left
            try:
                amount = incentive.on_take_over(added_at, left, now)
                claim.left = 0
                pay("take over", agent, claim.number, amount, -1)
                continue
            except Refused:
                predicted = predict(claim.review)
            agrees = predicted == claim.label
            try:
                if claim.author == agent:
                    if now >= added_at + terms.refund_wait_s and agrees:
                        pot.before_good(agent)
                    amount = incentive.on_refund(agent, added_at, left, agrees, now)
                    kind = "refund"
                elif agent in claim.reporters:
                    continue
                else:
                    amount = incentive.on_report(
                        agent, claim.author, added_at, claim.deposit, left, agrees, now
                    )
                    claim.reporters.add(agent)
                    kind = "report"
            except Refused:
                continue
            claim.left -= amount
            pay(kind, agent, claim.number, amount, predicted)
        claims = [claim for claim in claims if claim.left]
        pay("collect", agent, -1, pot.collect(agent), -1)
        queue.put((now + wait(agent), agent))
    return events
