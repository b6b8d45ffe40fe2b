"""What `ape run federate` does: a whole session, from empty accounts to the audited record."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import ape
import click
import torch

from offchain.crypto.secrets_file import SecretsFile
from offchain.report.text import amount
from offchain.seccl.attacks import Attack
from offchain.seccl.audit import Findings
from offchain.seccl.contest import Contest, Played, State
from offchain.seccl.defences import Defence, Posted
from offchain.seccl.federation import Judge
from offchain.seccl.parameters import Layout, initial_model, model_digest
from offchain.seccl.session import FAULTS, Session
from offchain.seccl.similarity import Copied
from offchain.seccl.training import Samples
from offchain.storage import Datastore, open_datastore
from scripts._accounts import is_local
from scripts._audit import audit_session
from scripts._chain import Receipt
from scripts._federate_chain import FederationChain
from scripts._federate_engine import EngineChoice
from scripts._federate_options import FederateOptions
from scripts._federate_report import make_record, write
from scripts._federate_round import Table
from scripts._federate_setup import Agreed, make_table, open_session
from scripts._federate_telling import FederateTelling


def federate(
    options: FederateOptions, reports: Path, keep: Path | None, ipfs: str | None, resume: str | None
) -> None:
    """Plays a session, or goes on with one, tells of it and writes the record.

    keep: folder of content and secrets; without one those of a node that stays are under .souk/.
    """
    if not is_local():
        raise click.ClickException(
            f"federate plays all members and lets time pass: on a local chain, not on "
            f"{ape.chain.provider.network.name}"
        )
    with _kept_at(keep, resume) as home:
        if resume:
            path = home / f"{resume.removeprefix('0x')}.json"
            if not path.exists():
                raise click.ClickException(f"resume: no session {resume} was begun here: no {path}")
            secrets = SecretsFile(path)
            options = FederateOptions.from_json(secrets.get("options"))
        options.check()
        Run(options, home, ipfs).play(resume, reports)


def node_stays() -> bool:
    """Whether the connected node is somebody else's, so that it outlives the command."""
    return getattr(ape.chain.provider, "process", None) is None


def default_home() -> Path:
    """Where content and secrets of sessions on the connected chain are kept."""
    return Path(ape.project.path) / ".souk" / str(ape.chain.chain_id) / "seccl"


@contextmanager
def _kept_at(keep: Path | None, resume: str | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
    elif node_stays():
        yield default_home()
    elif resume:
        raise click.ClickException("resume: the local chain of that session is gone")
    else:
        with tempfile.TemporaryDirectory(prefix="souk-") as folder:
            yield Path(folder)


class Election:
    """Borda ballots on the chain, as a defence that a contest can use."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.round = 0
        self.model = ""

    def choose(self, posted: Posted, found: Sequence[Copied]) -> Sequence[int]:
        """The winners of the round, whose number and model's digest were set before."""
        evaluate: Callable[[], torch.Tensor] = lambda: posted.ballots(found)  # noqa: E731
        return self.table.play(self.round, posted.updates, self.model, evaluate)


class Run:
    """One session from the data to the record."""

    def __init__(self, options: FederateOptions, home: Path, ipfs: str | None) -> None:
        self.options, self.home, self.ipfs = options, home, ipfs
        self.telling = FederateTelling()
        self.attack = Attack.parse(options.attack)
        self._told_fault = False

    def play(self, resume: str | None, reports: Path) -> None:
        """Everything."""
        started, options, telling = time.monotonic(), self.options, self.telling
        with telling.doing("loading the data") as progress:
            parts, test = options.data(progress)
        task = options.task(test)
        layout = Layout.of(task.factory())
        first = initial_model(task.factory, task.seed)
        with telling.doing("opening the datastore"):
            store = open_datastore(self.ipfs, self.home / "ipfs")
        with store:
            engine = EngineChoice(options.rounds)
            if resume:
                chain = FederationChain.find(resume, store)
                engine.name = self._secrets(chain.session.id).get("engine").decode()
            with telling.doing("measuring which engine is fastest here"):
                contest = Contest(task, parts, test, [self.attack], options.hostile, engine)
            try:
                if not resume:
                    agreed = Agreed(task.class_count, test.shape, layout, first)
                    chain = self._create(agreed, store, engine.name)
                self._tell_begin(chain, engine, layout)
                judge = Judge(task, Samples.of(test, 0, task.device))
                accuracies, gas, state = self._rounds(chain, store, contest, judge, layout)
            finally:
                contest.close()
            self.table.finish()
            with telling.doing("auditing") as progress:
                findings = audit_session(chain, store, progress)
            _same_model(findings, layout, state)
        record = make_record(
            options,
            chain,
            [seat.account for seat in self.table.seats],
            findings,
            accuracies,
            gas,
            engine.report,
            self._conclusions(chain.session),
            time.monotonic() - started,
        )
        telling.end(record, findings, write(record, reports / "federate"))

    def _secrets(self, session: bytes) -> SecretsFile:
        """What only the players know: who attacks, what the server is up to, how they compute."""
        return SecretsFile(self.home / f"{session.hex()}.json")

    def _create(self, agreed: Agreed, store: Datastore, engine: str) -> FederationChain:
        """A new session, whose secrets are on disk before it exists: then it can be resumed."""

        def before(session: bytes) -> None:
            secrets = self._secrets(session)
            secrets.remember("options", self.options.to_json)
            secrets.remember("engine", engine.encode)

        # A node that does not answer shows before anything is deployed.
        store.put(b"")
        with self.telling.doing("deploying"):
            return open_session(self.options, agreed, store, before)

    # ---------------------------------------------------------------- playing

    def _rounds(
        self,
        chain: FederationChain,
        store: Datastore,
        contest: Contest,
        judge: Judge,
        layout: Layout,
    ) -> tuple[list[float], list[int | None], State]:
        """All rounds that are left: accuracies, the first before any round, and gas by round."""
        options, session = self.options, chain.session
        state = contest.begin()
        accuracies = [judge.accuracy(state.model)]
        gas: list[int | None] = []
        if session.closed:
            state = self._recovered(chain, store, state, judge)
            accuracies += [played.accuracy for played in state.history]
            gas += [None] * len(state.history)
        self.table = make_table(options, chain, store, self._sent(chain))
        election = Election(self.table)
        defence = Defence("borda", election.choose)
        for number in range(len(state.history), options.rounds):
            election.round, election.model = number, model_digest(layout, state.model)
            before = len(chain.receipts)
            attacked = number >= options.attack_from
            with self.telling.doing(f"round {number}"):
                state = contest.play(
                    state,
                    defence,
                    self.attack if attacked else None,
                    options.hostile if attacked else (),
                )
            if number not in session.closed:
                raise click.ClickException(f"round {number}: training diverged, nothing was posted")
            gas.append(sum(receipt.gas for receipt in chain.receipts[before:]))
            accuracies.append(state.history[-1].accuracy)
            self.telling.round(
                number,
                accuracies[-1],
                session.closed[number],
                options.hostile if attacked else (),
                self.table.sent[number],
                gas[-1] or 0,
            )
        return accuracies, gas, state

    def _recovered(
        self, chain: FederationChain, store: Datastore, state: State, judge: Judge
    ) -> State:
        """Where a run stands that was interrupted, from the chain and the datastore, audited."""
        with self.telling.doing("checking the rounds so far") as progress:
            found = audit_session(chain, store, progress)
        history = tuple(
            Played(judge.accuracy(model.to(state.model.device)), 0.0, result.winners)
            for model, result in zip(found.models[1:], found.results, strict=True)
        )
        missing = set(range(self.options.participants)) - found.updates[-1].keys()
        if missing:
            raise click.ClickException(
                f"round {len(history) - 1}: no usable update of member {min(missing)}, so that "
                "attackers cannot go on from it"
            )
        previous = tuple(found.updates[-1][i] for i in range(self.options.participants))
        change = found.models[-1] - found.models[-2]
        self.telling.say(f"{len(history)} rounds were done before, and are as they should be")
        model = found.models[-1].to(state.model.device)
        return replace(state, model=model, history=history, previous=previous, last_change=change)

    # ---------------------------------------------------------------- telling

    def _sent(self, chain: FederationChain) -> Callable[[str, Receipt], None]:
        def tell(who: str, receipt: Receipt) -> None:
            fault = chain.session.fault
            if fault is not None and not self._told_fault:
                self._told_fault = True
                self.telling.convicted(fault, who, amount(fault.share))

        self._told_fault = chain.session.fault is not None
        return tell

    def _tell_begin(self, chain: FederationChain, engine: EngineChoice, layout: Layout) -> None:
        options, share = self.options, 100 * self.options.share
        for line in engine.report:
            self.telling.say(line)
        self.telling.say(
            f"{options.participants} members, {options.elected} elected a round, "
            f"{layout.total:,} parameters of which {share:g} % are uploaded"
        )
        if options.hostile and options.attack != "none":
            who = ", ".join(map(str, options.hostile))
            self.telling.say(
                f"attack {options.attack} by members {who} from round {options.attack_from}"
            )
        if options.liar:
            lie = options.server_lie
            self.telling.say(
                f"the server {options.lie} in round {lie.round}, about member {lie.victim}"
            )
        self.telling.say(f"-- session 0x{chain.session.id.hex()}", "bold")

    def _conclusions(self, session: Session) -> tuple[str, ...]:
        """What came of attack and lie."""
        options, said = self.options, []
        if options.attack != "none" and options.attack_from < options.rounds:
            late = [session.closed[r] for r in range(options.attack_from, options.rounds)]
            seats = [winner for closed in late for winner in closed.winners]
            taken = sum(winner in options.hostile for winner in seats) / len(seats)
            share = len(options.hostile) / options.participants
            said.append(
                f"The attackers, {share:.0%} of the members, took {taken:.0%} of the seats since "
                f"round {options.attack_from}."
            )
        fault = session.fault
        if fault is not None:
            said.append(
                f"The server {FAULTS[fault.fault]} in round {fault.key.round}; its stake went to "
                f"the members, {amount(fault.share)} ETH each, and they went on without it."
            )
        elif options.liar:
            said.append(f"The server {options.lie}, and nobody could convict it.")
        else:
            said.append("The server kept its word and has its stake back.")
        return tuple(said)


def _same_model(findings: Findings, layout: Layout, state: State) -> None:
    """The model that was trained must be the one that the audit computed."""
    if findings.digests[-1] != model_digest(layout, state.model):
        raise click.ClickException("the model trained is not the one that the audit computed")
