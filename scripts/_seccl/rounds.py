"""The rounds of `ape run federate`: training elsewhere, elections on the chain, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import click

from offchain.seccl.attacks import Attack
from offchain.seccl.contest import Contest, Played, State
from offchain.seccl.defences import Defence, PostedUpdates
from offchain.seccl.federation import Judge
from offchain.seccl.parameters import model_digest
from offchain.seccl.similarity import Copied
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.conductor import Conductor
from scripts._seccl.options import FederateOptions
from scripts._seccl.setup import new_key
from scripts._seccl.telling import FederateTelling


class ChainElection:
    """Borda ballots on the chain, as a defence that a contest can use."""

    def __init__(self, conductor: Conductor) -> None:
        self.conductor = conductor
        self.round = 0
        self.model = ""

    def choose(self, posted: PostedUpdates, found: Sequence[Copied]) -> Sequence[int]:
        """The winners of the round, whose number and model's digest were set before.

        The conductor screens for copies itself, by what lies on the board; `found` is empty.
        """
        return self.conductor.play(
            self.round, posted.updates, posted.order, self.model, posted.ballots
        )


@dataclass
class Outcome:
    """state: after the last round. accuracies: before the first round and after each. gas: of each
    round; None where a run before this one played it."""

    state: State
    accuracies: list[float]
    gas: list[int | None] = field(default_factory=list)


class Rounds:
    """All rounds of a session that are left."""

    def __init__(
        self,
        options: FederateOptions,
        attack: Attack,
        chain: FederationChain,
        conductor: Conductor,
        contest: Contest,
        judge: Judge,
        telling: FederateTelling,
    ) -> None:
        self._options, self._attack, self._chain, self._conductor = (
            options,
            attack,
            chain,
            conductor,
        )
        self._contest, self._judge, self._telling = contest, judge, telling

    def play(self) -> Outcome:
        """Plays them, after those that were played before are checked and judged again."""
        options, session, telling = self._options, self._chain.session, self._telling
        state = self._contest.begin()
        outcome = Outcome(state, [self._judge.accuracy(state.model)])
        if session.closed:
            outcome.state = state = self._recovered(state)
            outcome.accuracies += [played.accuracy for played in state.history]
            outcome.gas += [None] * len(state.history)
        election = ChainElection(self._conductor)
        defence = Defence("borda", election.choose)
        for number in range(len(state.history), options.rounds):
            election.round = number
            if number == options.new_key and number not in session.signers:
                self._conductor.replace_key(new_key(options))
            election.model = model_digest(self._judge.layout, state.model)
            before = len(self._chain.receipts)
            hostile = options.hostile if number >= options.attack_from else ()
            with telling.doing(f"round {number}", announced=False):
                state = self._contest.play(
                    state, defence, self._attack if hostile else None, hostile
                )
            if number not in session.closed:
                raise click.ClickException(f"round {number}: training diverged, nothing was posted")
            gas = sum(receipt.gas for receipt in self._chain.receipts[before:])
            outcome.state = state
            outcome.gas.append(gas)
            outcome.accuracies.append(state.history[-1].accuracy)
            telling.round(
                number,
                outcome.accuracies[-1],
                session.closed[number],
                hostile,
                self._conductor.sent[number],
                self._conductor.copied[number],
                gas,
            )
        return outcome

    def _recovered(self, state: State) -> State:
        """Where a run stands that was interrupted, from the chain and the datastore, audited."""
        with self._telling.doing("checking the rounds so far", announced=False) as progress:
            found = audit_session(self._chain, self._conductor.store, progress, self._options.model)
        history = tuple(
            Played(self._judge.accuracy(model.to(state.model.device)), 0.0, result.winners)
            for model, result in zip(found.models[1:], found.results, strict=True)
        )
        updates, everybody = found.last.updates, range(self._options.participants)
        missing = set(everybody) - updates.keys()
        if missing:
            raise click.ClickException(
                f"round {len(history) - 1}: no usable update of member {min(missing)}, so that "
                "attackers cannot go on from it"
            )
        self._conductor.last = found.last
        self._telling.say(f"{len(history)} rounds were done before, and are as they should be")
        return replace(
            state,
            model=found.models[-1].to(state.model.device),
            history=history,
            previous=tuple(updates[i] for i in everybody),
            last_change=found.last.change,
        )
