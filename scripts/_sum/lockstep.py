"""The simulation and the chain side by side: whatever the one does, the other must do too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import click

from offchain.sum.perceptron import WEIGHT_LIMIT, SparsePerceptron
from offchain.sum.result import Event
from offchain.sum.reviews import ReviewSet, bitmaps
from offchain.sum.simulation import Simulation
from scripts._sum.chain import Sent, SharedModelChain

CALLS = {
    "add": ("addData", "DataAdded"),
    "announce": ("announce", "Announced"),
    "object": ("object", "Objected"),
    "uphold": ("uphold", "Upheld"),
    "refund": ("refund", "Refunded"),
    "report": ("report", "Reported"),
    "take over": ("takeOver", "TakenOver"),
    "collect": ("claimRewards", "RewardsClaimed"),
}
"""The contract's call and event for each kind of event of the simulation."""


PAID_OUT = ("refund", "report", "take over", "collect")
"""Kinds of events whose call names who receives the money; here that is the caller."""


class Disagreement(click.ClickException):
    """Chain and simulation differ; one line that says when and in what."""


def twin_of(simulation: Simulation) -> SparsePerceptron:
    """The simulation's model as it stands, as the contract's twin; it must have the same limit."""
    model = simulation.model
    if model.limit != WEIGHT_LIMIT:
        raise click.ClickException(
            f"weights on chain stay within {WEIGHT_LIMIT}, not {model.limit}"
        )
    twin = SparsePerceptron(len(model.weights), len(model.weights))
    twin.weights[:] = model.weights
    twin.intercept = model.intercept
    return twin


class Lockstep:
    """A simulation (with its log) whose every event is made to happen on chain, and compared.

    calls: gas of every call, by name. fees, gas: wei and gas, by participant. checked: how many
    answers of the chain were compared; each was the simulation's, or `step` raised Disagreement.
    """

    def __init__(self, simulation: Simulation, stream: ReviewSet, people: Sequence[Any]) -> None:
        """stream: the simulation's; people: the owner, then one account for each agent."""
        if simulation.events is None:
            raise ValueError("the simulation keeps no log")
        self.simulation = simulation
        self.chain = SharedModelChain(twin_of(simulation), simulation.setting.terms, people)
        self.calls: dict[str, list[int]] = defaultdict(list)
        agents = range(len(simulation.setting.agents))
        self.fees = [0 for _ in agents]
        self.gas = [0 for _ in agents]
        self.checked = 0
        self._events = simulation.events
        self._played = 0
        self._left: dict[int, int] = {}
        self._announced: dict[int, tuple[bool, bool, int]] = {}
        self._good = [0 for _ in agents]
        self._samples = [list(words) for words in bitmaps(stream)]
        # What an account held beside the agent's money before it paid any fee.
        self._aside = [self.chain.balance(i) - simulation.balances[i] for i in agents]

    def step(self) -> None:
        """The next agent comes, in the simulation and then on chain."""
        self.simulation.step()
        first = self._played
        while self._played < len(self._events):
            self._play(self._events[self._played])
            self._played += 1
        if self._played > first:
            self._check_totals()

    def check_model(self) -> None:
        """Compares all weights and the intercept, word for word."""
        self._same("words of the model", self.chain.words(), twin_of(self.simulation).words())

    def _play(self, event: Event) -> None:
        who, number = event.agent, event.contribution
        self.chain.go_to(event.now)
        arguments = [] if event.kind == "collect" else self._named(number)
        if event.kind == "add":
            cost = event.amount - self.simulation.contributions[number].deposit
            arguments[2:] = [event.amount, cost]
        elif event.kind == "refund":
            del arguments[3:]
        elif event.kind == "uphold":  # By what it has just contributed again.
            arguments[3] = self.chain.created_at + event.now
        if event.kind in PAID_OUT:
            arguments.append(self.chain.accounts[who])
        if event.predicted >= 0:
            predicted = self.chain.ask("predict", arguments[0])
            self._same("prediction", predicted, event.predicted)
        call, name = CALLS[event.kind]
        value = event.amount if event.kind == "add" else 0
        sent = self.chain.send(call, arguments, who, value)
        self.calls[call].append(sent.gas)
        self.fees[who] += sent.fees
        self.gas[who] += sent.gas
        self._same("amount", _moved(sent, name, self.chain.accounts[who]), event.amount)
        held = self.chain.balance(who) + self.fees[who] - self._aside[who]
        self._same("balance", held, event.balance)
        self._follow(event)
        if number >= 0:
            record = self.chain.ask("contribution", *self._named(number))
            made = self.simulation.contributions[number]
            self._same("deposit", record[3], made.deposit)
            self._same("what is left", record[4], self._left[number])
            announced = tuple(self.chain.ask("announcement", *self._named(number)))
            self._same("announcement", announced, self._announced[number])
        good = self.chain.ask("goodData", self.chain.accounts[who])
        self._same("good contributions", good, self._good[who])

    def _follow(self, event: Event) -> None:
        number = event.contribution
        if event.kind == "add":
            self._left[number] = self.simulation.contributions[number].deposit
            self._announced[number] = False, False, 0
        elif event.kind == "announce":
            good = event.agent == self.simulation.contributions[number].author
            self._announced[number] = good, not good, self.chain.created_at + event.now
        elif event.kind == "object":
            self._announced[number] = False, False, self._announced[number][2]
        elif event.kind == "uphold":
            self._announced[number] = False, False, self.chain.created_at + event.now
        elif number >= 0:
            self._left[number] -= event.amount
        if event.kind == "refund":
            self._good[event.agent] += number not in self.simulation.repeats

    def _check_totals(self) -> None:
        """What the whole model holds, after each agent's turn."""
        run, chain = self.simulation, self.chain
        self._same("good contributions by agent", self._good, run.incentive.good)
        self._same("total of good data", chain.ask("totalGoodData"), run.incentive.total_good)
        claimable = sum(chain.ask("claimable", account) for account in chain.accounts)
        self._same("pot", chain.ask("pot") + claimable, run.pot.held)
        self._same("money of the model", chain.balance(), sum(run.left) + run.pot.held)

    def _named(self, number: int) -> list[Any]:
        """What names a contribution on chain."""
        made = self.simulation.contributions[number]
        added_at = self.chain.created_at + made.added_at
        author = self.chain.accounts[made.author]
        return [self._samples[made.review], made.label, added_at, author]

    def _same(self, what: str, chain: Any, simulation: Any) -> None:
        self.checked += 1
        if chain != simulation:
            event = self._events[min(self._played, len(self._events) - 1)]
            raise Disagreement(
                f"event {self._played}, {event.kind} by agent {event.agent} {event.now} s on: "
                f"{what} is {chain} on chain and {simulation} in the simulation"
            )


def _moved(sent: Sent, name: str, account: str) -> int:
    """What one call moved by its own event, which must be the only one and name the caller."""
    if [told for told, _ in sent.events] != [name]:
        raise Disagreement(f"{name} expected, not {', '.join(n for n, _ in sent.events)}")
    values = sent.events[0][1]
    if account not in values.values():
        raise Disagreement(f"{name} names another account than {account}")
    if name == "DataAdded":
        return int(values["deposit"] + values["cost"])
    return int(values.get("amount", 0))
