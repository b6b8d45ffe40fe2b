"""The simulation and the chain side by side: whatever the one does, the other must do too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

import click

from offchain.sum.perceptron import WEIGHT_LIMIT, SparsePerceptron
from offchain.sum.result import Call, Event
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


class ModelChain(Protocol):
    """A model on a chain, and what is done and asked there; see ModelViews and its classes."""

    accounts: list[str]
    created_at: int

    @property
    def replaying(self) -> bool: ...

    def held_at_first(self, participant: int) -> int: ...

    def close(self) -> None: ...

    def send(
        self, call: str, arguments: Sequence[Any], participant: int, value: int = 0
    ) -> Sent: ...

    def ask(self, view: str, *arguments: Any) -> Any: ...

    def balance(self, participant: int | None = None) -> int: ...

    def words(self) -> list[int]: ...


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

    calls: gas of every call, by name. fees, gas: wei and gas, by participant. credit: wei that each
    paid beyond what its contributions needed, as these came later than they were sent. checked: how
    many answers of the chain were compared; each was the simulation's, or `step` raised
    Disagreement.
    """

    def __init__(self, simulation: Simulation, stream: ReviewSet, chain: ModelChain) -> None:
        """stream: the simulation's; chain: with its model, and one account for each agent."""
        if simulation.events is None:
            raise ValueError("the simulation keeps no log")
        self.simulation = simulation
        self.chain = chain
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
        self.credit = [0 for _ in agents]
        self._samples = [list(words) for words in bitmaps(stream)]
        # What an account held beside the agent's money before it paid any fee.
        self._aside = [self.chain.held_at_first(i) - simulation.balances[i] for i in agents]

    @classmethod
    def alone(
        cls, simulation: Simulation, stream: ReviewSet, people: Sequence[Any]
    ) -> AloneLockstep:
        """On a chain whose time this process sets. people: the owner, then one account for each
        agent."""
        chain = SharedModelChain(twin_of(simulation), simulation.setting.terms, people)
        return AloneLockstep(simulation, stream, chain)

    def step(self) -> None:
        """The next agent comes, in the simulation and on chain."""
        first = self._played
        self.simulation.step()
        self._catch_up()
        if self._played > first and not self.chain.replaying:
            self._check_totals()

    def check_model(self) -> None:
        """Compares all weights and the intercept, word for word."""
        if self.chain.replaying:
            return
        self._same("words of the model", self.chain.words(), twin_of(self.simulation).words())

    def _catch_up(self) -> None:
        """Plays what the simulation has done and the chain has not."""

    def make(self, call: Call) -> Sent:
        """Sends a call, with what it is about as arguments."""
        who, number = call.agent, call.contribution
        if call.kind == "collect":
            arguments = []
        elif call.kind == "add":
            review, label = call.sample
            arguments = [self._samples[review], label, sum(call.payment), call.payment[1]]
        else:
            arguments = self._named(number)
        if call.kind == "refund":
            del arguments[3:]
        elif call.kind == "uphold":  # By what it has just contributed again.
            arguments[3] = self.chain.created_at + self.simulation.contributions[-1].added_at
        if call.kind in PAID_OUT:
            arguments.append(self.chain.accounts[who])
        if call.predicted >= 0 and not self.chain.replaying:
            predicted = self.chain.ask("predict", arguments[0])
            self._same("prediction", predicted, call.predicted)
        value = sum(call.payment)
        return self.chain.send(CALLS[call.kind][0], arguments, who, value)

    def compare(self, event: Event, sent: Sent) -> None:
        """What came of a call, with the simulation's event."""
        who = event.agent
        call, name = CALLS[event.kind]
        self.calls[call].append(sent.gas)
        self.fees[who] += sent.fees
        self.gas[who] += sent.gas
        moved = _moved(sent, name, self.chain.accounts[who])
        if event.kind == "collect":
            moved -= self.credit[who]
            self.credit[who] = 0
        self._same("amount", moved, event.amount)
        self.credit[who] += sum(told["amount"] for one, told in sent.events if one == "Credited")
        self._follow(event)
        if not self.chain.replaying:
            self._look(event)
        self._played += 1

    def _look(self, event: Event) -> None:
        """What the chain says after it."""
        who, number = event.agent, event.contribution
        held = self.chain.balance(who) + self.fees[who] + self.credit[who] - self._aside[who]
        self._same("balance", held, event.balance)
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
        owed = run.pot.held + sum(self.credit)
        self._same("pot", chain.ask("pot") + claimable, owed)
        self._same("money of the model", chain.balance(), sum(run.left) + owed)

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


class AloneLockstep(Lockstep):
    """The simulation goes before, and sets the chain's time."""

    chain: SharedModelChain

    def _catch_up(self) -> None:
        while self._played < len(self._events):
            event = self._events[self._played]
            self.chain.go_to(event.now)
            self.compare(event, self.make(self._call_of(event)))

    def _call_of(self, event: Event) -> Call:
        call = Call(event.kind, event.agent, event.contribution, event.predicted)
        if event.kind != "add":
            return call
        made = self.simulation.contributions[event.contribution]
        payment = made.deposit, event.amount - made.deposit
        return call._replace(sample=(made.review, made.label), payment=payment)


def _moved(sent: Sent, name: str, account: str) -> int:
    """What one call moved by its own event, which must name the caller and be the only one, but for
    what was paid too much."""
    if [told for told, _ in sent.events if told != "Credited"] != [name]:
        raise Disagreement(f"{name} expected, not {', '.join(n for n, _ in sent.events)}")
    values = sent.events[0][1]
    if account not in values.values():
        raise Disagreement(f"{name} names another account than {account}")
    if name == "DataAdded":
        return int(values["deposit"] + values["cost"])
    return int(values.get("amount", 0))
