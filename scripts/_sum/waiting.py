"""A shared model where nobody moves the time: agents come when their time has come, and what they
call happens at the second of its block.

What the chain said is noted before anything rests on it. Begun again, the same command hears of
that once more, in the same order, and so stands where it stood.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI

from offchain.crypto.settlement import NATIVE
from offchain.report.text import amount
from offchain.sum.perceptron import SparsePerceptron
from offchain.sum.result import Call, Event, Result
from offchain.sum.reviews import ReviewSet
from offchain.sum.rules import CLASSES, DAY, StakeTerms
from offchain.sum.simulation import Simulation
from scripts._stage.chain import clock, logs_of, transact, wait_until
from scripts._stage.deployments import Deployed
from scripts._stage.party import PartyTelling
from scripts._stage.pool import NodeBusy
from scripts._stage.pulse import PULSE
from scripts._sum.chain import ModelViews, Sent, of_contracts
from scripts._sum.lockstep import Lockstep
from scripts._sum.parts import PERCEPTRON, classifier_part, contract_at, incentive_part
from scripts._sum.publishing import Draft, put_on_chain

_REST_SECONDS = 5.0


class Journal:
    """What was answered, in the order in which it was asked for, as lines of JSON in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        data = path.read_bytes() if path.exists() else b""
        *lines, rest = data.split(b"\n")
        self._known = [json.loads(line) for line in lines]
        self._at = 0
        if rest:  # its writer was killed within the line
            os.truncate(path, len(data) - len(rest))

    @property
    def replaying(self) -> bool:
        """Whether what is asked next was answered in an earlier life."""
        return self._at < len(self._known)

    def remember(self, make: Callable[[], Any]) -> Any:
        """The next answer: of an earlier life, or what `make` gives, once it is on disk."""
        if not self.replaying:
            self._known.append(make())
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(json.dumps(self._known[-1]).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self._at += 1
        return self._known[self._at - 1]


class WaitingModel(ModelViews):
    """A SharedModel under the terms, made by the factory, and called from Ape's accounts."""

    def __init__(
        self,
        twin: SparsePerceptron,
        terms: StakeTerms,
        people: Sequence[AccountAPI],
        factory: Deployed,
        journal: Journal,
        telling: PartyTelling,
    ) -> None:
        """twin: the first model. people: the owner, then the participants. Raises ActionRefused."""
        self._journal, self._people = journal, people[1:]
        owner = people[0]
        # Of each rehearsal its own, or it would find the classifier of the one before.
        task = bytes.fromhex(journal.remember(lambda: secrets.token_hex(32)))
        cost, waits = of_contracts(terms)
        shape = twin.feature_count, twin.max_active, CLASSES
        classifier = classifier_part(PERCEPTRON, str(owner.address), task, *shape)
        accuracy, unit = terms.stated_accuracy, terms.unit
        incentive = incentive_part(
            terms.cost_weight, cost, unit, waits, classifier.address, accuracy
        )
        draft = Draft(
            str(owner.address),
            task,
            twin.feature_count,
            classifier,
            incentive,
            NATIVE,
            twin.words(),
            str(factory.contract.address),
        )
        put_on_chain(draft, owner, factory, telling)
        model = contract_at("SharedModel", draft.model)
        self._calls = model
        accounts = [str(one.address) for one in self._people]
        super().__init__(model, contract_at(PERCEPTRON, classifier.address), twin, accounts)
        self.created_at = journal.remember(lambda: int(self.ask("lastUpdate")))
        self._first = [journal.remember(partial(self.balance, i)) for i in range(len(accounts))]

    @property
    def replaying(self) -> bool:
        return self._journal.replaying

    def held_at_first(self, participant: int) -> int:
        return int(self._first[participant])

    def close(self) -> None:
        """Nothing was changed that is to be changed back."""

    def arrive(self, planned: int) -> int:
        """Waits until so many seconds after the model was made; how many there are then."""
        return int(self._journal.remember(lambda: self._waited(planned)))

    def send(self, call: str, arguments: Sequence[Any], participant: int, value: int = 0) -> Sent:
        """Calls the model. Raises ActionRefused with its reason."""
        known = self.replaying
        height = self._journal.remember(lambda: clock().block)

        def made() -> dict[str, Any]:
            data = self._encoded(self.model, call, arguments)
            # Whoever was killed in between may have sent it.
            hash_ = self._sent_since(height, data, self.accounts[participant]) if known else None
            if hash_ is None:
                method, account = getattr(self._calls, call), self._people[participant]
                hash_ = str(transact(method, arguments, account, value).txn_hash)
            return self._told(hash_)

        told = self._journal.remember(made)
        return Sent(told["gas"], told["fees"], tuple(map(tuple, told["events"])), told["at"])

    def _waited(self, planned: int) -> int:
        while True:
            try:
                if (at := clock().now - self.created_at) >= planned:
                    return at
                wait_until(self.created_at + planned)
            except NodeBusy:
                PULSE.rest(_REST_SECONDS)

    def _sent_since(self, height: int, data: str, account: str) -> str | None:
        """The transaction of an account with that data, after a block."""
        for log in logs_of(self.model.address, height + 1, []):
            hash_ = _hex(log["transactionHash"])
            found = ape.chain.provider.web3.eth.get_transaction(hash_)
            if (_hex(found["input"]), found["from"]) == (data, account):
                return hash_
        return None

    def _told(self, hash_: str) -> dict[str, Any]:
        receipt = ape.chain.provider.web3.eth.get_transaction_receipt(hash_)
        block = ape.chain.provider.web3.eth.get_block(receipt["blockNumber"])
        return {
            "at": int(block["timestamp"]) - self.created_at,
            "gas": receipt["gasUsed"],
            "fees": receipt["gasUsed"] * receipt["effectiveGasPrice"],
            "events": [(name, _plain(said)) for name, said in self.events_of(receipt["logs"])],
        }


class WaitingSimulation(Simulation):
    """Agents whose every call is made on a chain, and counts at the second of its block.

    Attributes:
        both: where they are made and compared; to be set before the first step.
    """

    both: Lockstep
    _sent: Sent

    def _arrive(self, planned: int) -> int:
        chain = self.both.chain
        assert isinstance(chain, WaitingModel)
        return max(self.now, chain.arrive(planned))

    def _call(self, call: Call) -> None:
        self._sent = self.both.make(call)
        self.now = self._sent.at

    def _pay(self, agent: int, kind: str, number: int, amount: int, predicted: int) -> None:
        super()._pay(agent, kind, number, amount, predicted)
        assert self.events is not None
        self.both.compare(self.events[-1], self._sent)


def lockstep(simulation: WaitingSimulation, stream: ReviewSet, chain: WaitingModel) -> Lockstep:
    """Both, joined."""
    simulation.both = Lockstep(simulation, stream, chain)
    return simulation.both


def take_credits(both: Lockstep) -> None:
    """Takes out what agents paid too much, since a deposit falls while its call is on the way."""
    for who, credit in enumerate(both.credit):
        if credit:
            sent = both.make(Call("collect", who, -1))
            balance = both.simulation.balances[who]
            both.compare(Event(sent.at, "collect", who, -1, 0, balance, -1), sent)


@dataclass(frozen=True)
class Outlook:
    """What a rehearsal takes where it has to wait, by a run without a chain.

    seconds: of the chain. needed: wei that each agent has in the model at most.
    """

    seconds: int
    needed: tuple[int, ...]

    @classmethod
    def of(cls, run: Result) -> Outlook:
        """Calls that come a little later change little of it."""
        coin = run.setting.coin
        paid = [round((h.balances[0] - h.balances.min()) * coin) for h in run.histories]
        return cls(run.ended_at, tuple(paid))

    def agreed(self, people: Sequence[AccountAPI], yes: bool) -> None:
        """Tells and asks. Raises ClickException where an account has too little, Abort."""
        days, most = self.seconds / DAY, amount(max(self.needed), 18)
        for account, needed in zip(people[1:], self.needed, strict=True):
            if account.balance <= needed:
                raise click.ClickException(
                    f"{account.address} has {amount(account.balance, 18)} ETH, "
                    f"{amount(needed, 18)} ETH and gas are needed"
                )
        click.echo(
            f"Agents wait in the chain's own time: about {days:.1f} days. Each has {most} ETH in "
            "the model at most, and pays gas. The same command goes on where it was stopped."
        )
        if not yes:
            click.confirm("Begin?", abort=True)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if isinstance(value, int | str)}


def _hex(value: Any) -> str:
    return value if isinstance(value, str) else "0x" + bytes(value).hex()
