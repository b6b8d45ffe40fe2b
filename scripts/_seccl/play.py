"""What `ape run federate` does: a whole session, from empty accounts to the audited record."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

import ape
import click

from offchain.crypto.secrets_file import SecretsFile
from offchain.seccl.attacks import Attack
from offchain.seccl.audit import Findings
from offchain.seccl.choose import EnginePicker
from offchain.seccl.contest import Contest, State
from offchain.seccl.federation import Judge
from offchain.seccl.journal import Journal
from offchain.seccl.parameters import Layout, model_digest
from offchain.seccl.training import LocalData
from offchain.storage import Datastore, open_datastore
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain, id_of
from scripts._seccl.options import FederateOptions
from scripts._seccl.record import make_record
from scripts._seccl.report import report_of
from scripts._seccl.rounds import Rounds
from scripts._seccl.setup import Agreed, make_conductor, open_session, resume_session
from scripts._seccl.telling import FederateTelling
from scripts._stage.chain import chain_home
from scripts._stage.secrets import secrets_at


def federate(
    options: FederateOptions, reports: Path, keep: Path | None, ipfs: str | None, resume: str | None
) -> None:
    """Plays a session, or goes on with one, tells of it and writes the record.

    keep: folder of content and secrets; without one those of a node that stays are under .souk/.
    """
    with _kept_at(keep, resume) as home:
        if resume:
            path = home / f"{resume.removeprefix('0x')}.json"
            if not path.exists():
                raise click.ClickException(f"resume: no session {resume} was begun here: no {path}")
            options = FederateOptions.from_json(secrets_at(path).get("options"))
        options.check()
        Run(options, home, ipfs).play(resume, reports)


def node_stays() -> bool:
    """Whether the connected node is somebody else's, so that it outlives the command."""
    return getattr(ape.chain.provider, "process", None) is None


def default_home() -> Path:
    """Where content and secrets of sessions on the connected chain are kept."""
    return chain_home() / "seccl"


def audited_home(keep: Path | None) -> Path:
    """Where content of sessions is looked for: federate's, or else that of one's own party."""
    rehearsed = keep or default_home()
    return rehearsed if keep or (rehearsed / "ipfs").exists() else chain_home()


@dataclass(frozen=True)
class Hidden:
    """Random bytes of one session: what members draw noise from, and what hides their ballots."""

    noise: bytes
    salts: bytes

    @classmethod
    def new(cls) -> Hidden:
        """Fresh ones, from the system's randomness."""
        return cls(token_bytes(16), token_bytes(32))

    @classmethod
    def read(cls, secrets: SecretsFile) -> Hidden:
        """Those that `write` wrote. Raises what the secrets file raises."""
        return cls(secrets.get("noise"), secrets.get("salts"))

    def write(self, secrets: SecretsFile) -> None:
        """Writes them to disk, before anything rests on them."""
        secrets.remember("noise", lambda: self.noise)
        secrets.remember("salts", lambda: self.salts)


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


class Run:
    """One session from the data to the record."""

    def __init__(self, options: FederateOptions, home: Path, ipfs: str | None) -> None:
        self.options, self.home, self.ipfs = options, home, ipfs
        self.telling = FederateTelling()
        self.attack = Attack.parse(options.attack)

    def play(self, resume: str | None, reports: Path) -> None:
        """Plays the session, or what is left of `resume`, and writes the report to `reports`."""
        started, options, telling = time.monotonic(), self.options, self.telling
        hidden = Hidden.new() if resume is None else Hidden.read(self._secrets(id_of(resume)))
        with telling.doing("loading the data", announced=False) as progress:
            parts, test = options.data(telling.left_out, progress)
        task = options.task(parts, test, hidden.noise)
        layout = Layout.of(task.factory())
        with telling.doing("opening the datastore", announced=False):
            store = open_datastore(self.ipfs, self.home / "ipfs")
        with store:
            engine = EnginePicker(options.rounds)
            if resume:
                chain = resume_session(options, resume, store)
                engine.name = self._secrets(chain.session.id).get("engine").decode()
            with telling.doing("measuring which engine is fastest here", announced=False):
                contest = Contest(task, parts, test, [self.attack], options.hostile, engine)
            try:
                if not resume:
                    agreed = Agreed(task, test.classes, test.shape)
                    chain = self._create(agreed, store, engine.name, hidden)
                telling.begin(options, chain, engine.report, task)
                journal = Journal(self.home / f"{chain.session.id.hex()}-server", chain.session.id)
                tell = telling.faults(chain)
                conductor = make_conductor(options, chain, store, journal, tell, hidden.salts)
                conductor.begin()
                judge = Judge(task, LocalData.of(test, 0, task.device))
                rounds = Rounds(options, self.attack, chain, conductor, contest, judge, telling)
                played = rounds.play()
            finally:
                contest.close()
            conductor.finish()
            with telling.doing("auditing", announced=False) as progress:
                findings = audit_session(chain, store, progress, options.model)
            _same_model(findings, layout, played.state)
        record = make_record(
            options,
            chain,
            [member.account for member in conductor.members],
            findings,
            played.accuracies,
            played.gas,
            engine.report,
            options.epsilons(task, parts),
            time.monotonic() - started,
        )
        report = report_of(record, findings, telling.log)
        telling.end(record, findings, report.write(reports / "federate"))

    def _secrets(self, session: bytes) -> SecretsFile:
        """What only the players know: who attacks, what the server is up to, how they compute."""
        return secrets_at(self.home / f"{session.hex()}.json")

    def _create(
        self, agreed: Agreed, store: Datastore, engine: str, hidden: Hidden
    ) -> FederationChain:
        """A new session, whose secrets are on disk before it exists: then it can be resumed."""

        def before(session: bytes) -> None:
            secrets = self._secrets(session)
            secrets.remember("options", self.options.to_json)
            secrets.remember("engine", engine.encode)
            hidden.write(secrets)

        # A node that does not answer shows before anything is deployed.
        store.put(b"")
        with self.telling.doing("deploying", announced=False):
            return open_session(self.options, agreed, store, before)


def _same_model(findings: Findings, layout: Layout, state: State) -> None:
    """The model that was trained must be the one that the audit computed."""
    if findings.digests[-1] != model_digest(layout, state.model):
        raise click.ClickException("the model trained is not the one that the audit computed")
