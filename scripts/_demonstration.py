"""One session, from empty accounts to the report: sets the table, lets it play, says what came."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import ape
import click
from ape.api import AccountAPI
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from offchain.crypto.secrets_file import SecretsFile
from offchain.data.imageset import ImageSet, Progress
from offchain.hyperx import adversaries
from offchain.hyperx.collector import Collector, Policy
from offchain.hyperx.evaluation import Evaluation, EvaluationSettings
from offchain.hyperx.heads import PRESETS, HeadScorer
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.models.device import pick_device
from offchain.report.html import write_report
from offchain.report.record import SessionRecord
from offchain.report.tables import (
    gas_by_call_table,
    gas_by_party_table,
    ledger_table,
    providers_table,
)
from offchain.storage import Datastore, open_datastore
from scripts._accounts import Parties, is_local, seat_parties
from scripts._baselines import baseline_scores
from scripts._chain import ChainSession
from scripts._deployments import find_factory
from scripts._market import Seat, Step, play
from scripts._options import Options
from scripts._record import Market, Offer, injustices, make_record
from scripts._stories import STORIES


@dataclass
class Demonstration:
    """Plays the story called `name` on the connected chain.

    Attributes:
        forgetful: kill and rebuild every role before every step.
        record: what happened, once it did.
        log: one line for everything that was done.
    """

    name: str
    options: Options
    forgetful: bool = False
    record: SessionRecord | None = None
    log: list[str] = field(default_factory=list)
    console: Console = field(default_factory=Console)

    def run(self) -> list[str]:
        """Plays and reports; returns what did not end as the story demands."""
        started = datetime.now(UTC)
        story, options = STORIES[self.name], self.options
        self.console.rule(f"[bold]{self.name}[/]: {story.title}")
        plan = options.corruption_plan()
        count = len(plan) if story.providers else 0
        parties = seat_parties(count, options.collector, options.provider, sign_unasked=options.yes)
        with self._bar("loading the data") as progress:
            validation, parts, clean = options.data(plan, progress)
        home = self._home()
        with open_datastore(options.ipfs, home / "ipfs") as store:
            evaluation = self._evaluation(validation, home)
            chain, factory = self._session(evaluation, store, parties)
            offers = tuple(
                self._offer(i, parties.providers[i], parts[i], clean[i], store, home)
                for i in range(count)
            )
            buyer = self._buyer(evaluation, store, parties.collector, home)
            market = Market.open(chain, factory, buyer, offers)
            session = play(
                chain, market.seats, self._tell, forgetful=self.forgetful, at_time=self._wait
            )
            collector = buyer.role
            assert isinstance(collector, Collector)
            received = collector.dataset() if session.deal else None
        wrong = injustices(market, session, story, received)
        baselines = {}
        if options.baselines:
            with self._bar("training the baselines") as progress:
                baselines = baseline_scores(session, validation, offers, options, progress)
        self.record = make_record(
            self.name, market, session, collector, options, received, baselines, started, self.log
        )
        self._conclude(self.record, wrong)
        return wrong

    # ------------------------------------------------------------------ setting the table

    def _home(self) -> Path:
        """Where secrets and content are kept; a local chain's live no longer than the chain."""
        home = Path(ape.project.path) / ".souk" / str(ape.chain.chain_id)
        if is_local():
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        return home

    def _evaluation(self, validation: ImageSet, home: Path) -> Evaluation:
        options = self.options
        settings = EvaluationSettings(
            options.extractor, options.cut, options.input_size, seed=options.seed
        )
        return Evaluation.prepare(
            settings,
            validation,
            HeadScorer(PRESETS[options.head]),
            SecretsFile(home / "collector.json"),
            pick_device(options.device),
        )

    def _session(
        self, evaluation: Evaluation, store: Datastore, parties: Parties
    ) -> tuple[ChainSession, str]:
        """A new session, or the one to go on with, and its factory's address."""
        factory = find_factory()
        if factory is None:
            if not is_local():
                raise click.ClickException(
                    f"no factory on {ape.chain.provider.network.name}: run ape run deploy first"
                )
            factory = parties.deployer.deploy(ape.project.TradingSessionFactory)
        if self.options.resume:
            return ChainSession.resume(factory, self.options.resume), str(factory.address)
        terms = self.options.terms(
            STORIES[self.name],
            evaluation.publish(store),
            str(parties.collector.address),
            len(parties.providers),
        )
        chain = ChainSession.create(factory, terms, parties.collector)
        for receipt in chain.receipts:
            self._tell(Step("collector", receipt))
        return chain, str(factory.address)

    def _buyer(
        self, evaluation: Evaluation, store: Datastore, account: AccountAPI, home: Path
    ) -> Seat:
        options, cast = self.options, STORIES[self.name].collector
        role = getattr(adversaries, cast) if cast else Collector
        policy = Policy(
            least_accuracy=options.least_accuracy,
            draw_on_chain=options.draw,
            # Elsewhere nobody must be able to foresee the samples.
            sample_seed=options.seed if is_local() else None,
        )

        def make(session: Session) -> Collector:
            secrets = SecretsFile(home / "collector.json")
            return role(session, evaluation, store, secrets, policy)

        return Seat("collector", account, make)

    def _offer(
        self,
        index: int,
        account: AccountAPI,
        data: ImageSet,
        clean: ImageSet,
        store: Datastore,
        home: Path,
    ) -> Offer:
        plan, story = self.options.corruption_plan(), STORIES[self.name]
        guilty = story.culprit is not None and index == (len(plan) - 1 if story.worst else 0)
        role = getattr(adversaries, story.culprit) if guilty and story.culprit else Provider
        if role is adversaries.OtherFeatures:
            role = partial(role, better=clean)

        def make(session: Session) -> Provider:
            secrets = SecretsFile(home / f"provider-{index + 1}.json")
            device = pick_device(self.options.device)
            return role(str(account.address), session, data, store, secrets, device)

        seat = Seat(f"provider {index + 1}", account, make)
        return Offer(seat, data, str(plan.corruptions[index]), guilty)

    # ------------------------------------------------------------------ telling

    def _tell(self, step: Step) -> None:
        receipt = step.receipt
        line = f"{step.seat:<12} {receipt.call:<14} {receipt.gas:>9,} gas"
        self.log.append(line)
        self.console.print(line, highlight=False)

    def _wait(self, timestamp: int) -> None:
        line = f"{'':<12} {datetime.fromtimestamp(timestamp, UTC):%d %b %H:%M:%S}"
        self.log.append(line.strip())
        self.console.print(f"[dim]{line}[/]", highlight=False)

    @contextmanager
    def _bar(self, what: str) -> Iterator[Progress]:
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bars(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(what, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    def _conclude(self, record: SessionRecord, wrong: list[str]) -> None:
        for table in (providers_table, gas_by_party_table, gas_by_call_table, ledger_table):
            self.console.print(table(record))
        paths = write_report(record, self.options.reports / self.name)
        if record.dataset_matches:
            self.console.print(
                f"{record.winner} wins. The collector's decrypted dataset equals the winner's: "
                f"sha256 {record.digest_received}"
            )
        for line in wrong:
            self.console.print(f"[bold red]not as it should be:[/] {line}")
        self.console.print(f"report: {paths.html}", soft_wrap=True)
