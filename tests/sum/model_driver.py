"""A shared model as tests use it: contributions by number, time by the second, money in a book."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import Any

import ape
from ape.contracts import ContractInstance

from tests.kit.driver import Driver

DAY = 86_400
REFUND, AUTHOR, VERDICT, OWNER, ANYONE, QUIET = WAITS = (
    DAY,
    2 * DAY,
    DAY + 600,
    7 * DAY,
    9 * DAY,
    60,
)
"""Of the refund, the author alone, the verdict, the owner, anyone, and the quiet time: apart from
each other, so that tests tell them apart."""
MOST = 2**256 - 1
"""The cost that a caller takes who takes any."""
UNIT = 10**12
COST_WEIGHT = 5
TASK = b"\1" * 32
"""Digest of a task document; the contracts look at no more of it."""
SUBMISSION_COST = 3


PAYING = ("refund", "report", "takeOver")
"""Calls of a contribution that name, last, who receives the money."""


def naming(name: str, args: tuple[Any, ...], receiver: Any) -> tuple[Any, ...]:
    """The arguments of a call, with the receiver where it pays."""
    return (*args, receiver) if name in PAYING else args


@dataclass(frozen=True)
class Contribution:
    """What names a contribution, and what was paid for it in wei."""

    features: tuple[int, ...]
    label: int
    added_at: int
    author: Any
    deposit: int
    cost: int

    @property
    def args(self) -> tuple[Any, ...]:
        """As ``refund`` takes it."""
        return list(self.features), self.label, self.added_at

    @property
    def named(self) -> tuple[Any, ...]:
        """As ``report`` and ``takeOver`` take it."""
        return *self.args, self.author


def stake_deposit(seconds: int) -> int:
    """The deposit, in wei, so many seconds after the last update."""
    return max(1, 60 * COST_WEIGHT // isqrt(max(1, seconds))) * UNIT


@dataclass
class ModelDriver(Driver):
    """A model whose classifier says what it is told, and everybody who has touched it."""

    model: ContractInstance
    classifier: ContractInstance
    incentive: ContractInstance
    owner: Any
    contributions: list[Contribution] = field(default_factory=list)
    people: set[Any] = field(default_factory=set)

    @property
    def contract(self) -> ContractInstance:
        """The model."""
        return self.model

    def say(self, label: int) -> None:
        """From now on the model gives every sample this label."""
        self.classifier.tell(label, sender=self.owner)

    def add(
        self,
        author: Any,
        label: int = 1,
        *,
        after: int = 100,
        excess: int = 0,
        features: tuple[int, ...] = (),
    ) -> Contribution:
        """Contributes a fresh sample, or one that is given, ``after`` seconds after the last update
        or else at once."""
        features = features or (len(self.contributions) + 1,)
        added_at = max(self.model.lastUpdate() + after, self.now + 1)
        ape.chain.pending_timestamp = added_at
        value = self.price(features, label, added_at) + excess
        receipt = self.model.addData(list(features), label, value, MOST, value=value, sender=author)
        (log,) = self.model.DataAdded.from_receipt(receipt)
        made = Contribution(features, label, log.addedAt, author, log.deposit, log.cost)
        assert made.added_at == added_at
        self.contributions.append(made)
        self.people.add(author)
        return made

    def price(self, features: tuple[int, ...], label: int, at: int) -> int:
        """What a contribution at time ``at`` needs."""
        updated = self.model.lastUpdate()
        # Asked of the latest block, in which the model may have been updated; the cost is the same.
        deposit, cost = self.incentive.required(list(features), label, min(updated, self.now - 1))
        if "costWeight" not in self.incentive.contract_type.view_methods:
            return deposit + cost
        return stake_deposit(at - updated) + cost

    def due(self, made: Contribution, by: Any) -> int:
        """From when that account may announce: its author earlier than others."""
        return made.added_at + REFUND + (0 if by == made.author else AUTHOR)

    def announce(self, *made: Contribution, by: Any) -> None:
        """Has an account announce, as soon as it may, and goes to the first second of its claims.

        The author announces that its contributions are good, others that they are bad.
        """
        for one in made:
            self.go_to(max(self.due(one, by), self.model.lastUpdate() + QUIET))
            self.model.announce(*one.named, sender=by)
        self.go_to(self.now + VERDICT)

    def good(self, author: Any, count: int = 1) -> None:
        """Has so many of the author's contributions prove good; waits until income is shared."""
        made = [self.add(author) for _ in range(count)]
        self.say(1)
        self.announce(*made, by=author)
        for one in made:
            self.model.refund(*one.args, author, sender=author)
        self.go_to(self.model.sharesFrom())

    def left(self, made: Contribution) -> int:
        """What is left of its deposit."""
        return self.model.contribution(*made.named).left

    def check_books(self) -> None:
        """The balance is what is left of deposits, what is claimable and the pot, to the wei."""
        deposits = sum(map(self.left, self.contributions))
        claimable = sum(map(self.model.claimable, self.people))
        assert self.model.balance == deposits + claimable + self.model.pot()
