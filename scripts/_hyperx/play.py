"""One session, from empty accounts to the report: sets the table, lets it play, says what came."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI

from offchain.data.originals import Dataset, originals_of
from offchain.hyperx.adversaries import OtherFeatures
from offchain.hyperx.collector import Collector
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import Evaluation
from offchain.hyperx.policy import offered
from offchain.hyperx.provider import Provider
from offchain.hyperx.report.record import SessionRecord
from offchain.hyperx.terms import Terms
from offchain.storage import Datastore, open_datastore
from offchain.task import Task, fetch_task, publish_task
from scripts._hyperx.baselines import baseline_scores
from scripts._hyperx.chain import FACTORY, ChainSession
from scripts._hyperx.opening import Opening
from scripts._hyperx.options import TradeOptions
from scripts._hyperx.record import make_record
from scripts._hyperx.report import report_of
from scripts._hyperx.scene import Contender, Scene, injustices
from scripts._hyperx.seats import collector_seat, evaluation_of, provider_seat
from scripts._hyperx.second_opinion import second_opinion
from scripts._hyperx.stories import STORIES
from scripts._hyperx.telling import SessionTelling
from scripts._hyperx.terms import accepted_tokens, make_terms, provider_policy
from scripts._stage.accounts import is_local, payee, seat_parties
from scripts._stage.chain import chain_home
from scripts._stage.deployments import Deployed, deployments_path, find
from scripts._stage.money import parse_token
from scripts._stage.table import Seat, Step, play


@dataclass
class Demonstration:
    """Plays the story called `name` on the connected chain.

    Attributes:
        forgetful: kill and rebuild every role before every step.
        home: folder of secrets and content. Without one a local chain's are gone when the run
            ends, and any other chain's are kept in .souk/ of the project.
        record: what happened, once it did.
    """

    name: str
    options: TradeOptions
    forgetful: bool = False
    home: Path | None = None
    record: SessionRecord | None = None
    telling: SessionTelling = field(default_factory=SessionTelling)

    def run(self) -> list[str]:
        """Plays and reports; returns what did not end as the story demands.

        Nothing is stored, sent or signed before all that was asked for has been checked.
        """
        self.telling.console.rule(f"[bold]{self.name}[/]: {STORIES[self.name].title}")
        with self._kept_at() as home:
            wrong, record = self._play(home)
        self.record = record
        with self.telling.doing("writing the report"):
            files = report_of(record).write(self.options.reports / self.name)
        self.telling.conclude(record, wrong, files)
        return wrong

    def _play(self, home: Path) -> tuple[list[str], SessionRecord]:
        started = datetime.now(UTC)
        story, options, telling = STORIES[self.name], self.options, self.telling
        plan = options.corruption_plan(story.clean)
        count = len(plan) if story.providers else 0
        parties = seat_parties(count, options.collector, options.provider, sign_unasked=options.yes)
        terms = make_terms(options, story, parties.collector.address, count)
        payee(options.pay_to)
        if not options.resume:
            # The collector learns it here, before it has paid for a session that nobody joins.
            provider_policy(options).check(offered(terms, ape.chain.pending_timestamp))
        factory = self._factory()
        with telling.doing("loading the data") as progress:
            validation, parts, clean = options.data(plan, telling.left_out, progress)
        with telling.doing("loading the extractor"):
            evaluation = evaluation_of(options, validation, home, telling.progress)
        with telling.doing("opening the datastore"):
            store = open_datastore(options.ipfs, home / "ipfs")
        with store:
            with telling.doing("publishing the task"):
                documents = evaluation.publish(store)
                task = replace(options.task(validation), documents=documents)
            with telling.doing("opening the session"):
                if factory is None:
                    contract = parties.deployer.deploy(ape.project.TradingSessionFactory)
                    factory = Deployed(contract, ape.chain.blocks.height)
                opening = Opening(home / "openings", factory, parties.collector)
                chain = self._session(factory, opening, terms, task, evaluation, store)
                contenders = tuple(
                    self._contender(i, parties.providers[i], parts[i], clean[i], store, home, task)
                    for i in range(count)
                )
                buyer = self._buyer(evaluation, store, parties.collector, home)
                telling.session(chain.address)
                opening.told()
                telling.terms(chain.terms)
                address = str(factory.contract.address)
                scene = Scene.open(chain, address, buyer, contenders, payee(options.pay_to))
            with telling.doing("trading"):
                session = play(
                    chain,
                    scene.seats,
                    telling.step,
                    refused=telling.refused,
                    forgetful=self.forgetful,
                    before=lambda seat: telling.turn_to(f"{seat} at work"),
                    at_time=telling.time,
                )
            if scene.payee:
                chain.paid_away(chain.paid(), scene.payee)
            collector = buyer.role
            assert isinstance(collector, Collector)
            received = None
            if session.deal:
                with telling.doing("decrypting the dataset") as progress:
                    received = collector.dataset().digest(progress)
            efficacy = {}
            if options.second_opinion:
                with telling.doing("pricing the sampled features") as progress:
                    seats = [one.seat for one in contenders]
                    efficacy = second_opinion(
                        session, collector, validation, seats, store, options.seed, progress
                    )
        wrong = injustices(scene, session, story, received)
        baselines = {}
        if options.baselines:
            with telling.doing("training the baselines") as progress:
                baselines = baseline_scores(session, validation, contenders, options, progress)
        record = make_record(
            self.name,
            scene,
            session,
            collector,
            options,
            received,
            baselines,
            efficacy,
            started,
            telling.log,
        )
        return wrong, record

    # ------------------------------------------------------------------ setting the table

    @contextmanager
    def _kept_at(self) -> Iterator[Path]:
        """The folder of secrets and content."""
        if self.home is not None:
            yield self.home
        elif not is_local():
            yield chain_home()
        elif self.options.resume:
            raise click.ClickException("resume: a local chain's secrets are gone with the run")
        else:
            with tempfile.TemporaryDirectory(prefix="souk-") as folder:
                yield Path(folder)

    def _factory(self) -> Deployed | None:
        """The factory; None where it has yet to be deployed, on a local chain."""
        factory = find(FACTORY, deployments_path(self.options.deployments))
        if factory is None and self.options.resume:
            raise click.ClickException(f"resume: no factory, so no session {self.options.resume}")
        if factory is None and not is_local():
            raise click.ClickException(
                f"no factory on {ape.chain.provider.network.name}: run ape run deploy first"
            )
        return factory

    def _session(
        self,
        factory: Deployed,
        opening: Opening,
        terms: Terms,
        task: Task,
        evaluation: Evaluation,
        store: Datastore,
    ) -> ChainSession:
        """A new session under `terms`, or the one to go on with."""
        if self.options.resume:
            resumed = ChainSession.resume(factory.contract, factory.block, self.options.resume)
            begun = fetch_task(store, resumed.terms.task)
            if begun.document(EXTRACTOR) != task.document(EXTRACTOR):
                raise click.ClickException(
                    f"resume: session {self.options.resume} publishes another extractor: give "
                    "--extractor, --cut and --input-size as when it began"
                )
            return resumed
        terms = replace(
            terms,
            task=publish_task(store, task),
            encryption_key=evaluation.encryption_key,
        )
        chain = opening.open(terms)
        for receipt in chain.receipts:
            self.telling.step(Step("collector", receipt))
        return chain

    def _buyer(
        self, evaluation: Evaluation, store: Datastore, account: AccountAPI, home: Path
    ) -> Seat:
        story = STORIES[self.name]
        # Elsewhere nobody must be able to foresee the samples.
        policy = self.options.policy(burns=story.burns, foreseeable=is_local())
        progress = self.telling.progress
        return collector_seat(
            account,
            evaluation,
            store,
            home,
            policy,
            progress,
            story.collector,
            payee(self.options.pay_to),
        )

    def _contender(
        self,
        index: int,
        account: AccountAPI,
        data: Dataset,
        clean: Dataset,
        store: Datastore,
        home: Path,
        task: Task,
    ) -> Contender:
        story = STORIES[self.name]
        plan = self.options.corruption_plan(story.clean)
        guilty = story.culprit is not None and index == (len(plan) - 1 if story.worst else 0)
        role = (guilty and story.culprit) or Provider
        more: dict[str, Any] = {
            "policy": provider_policy(self.options),
            # In a rehearsal one owner plays all: it takes what it asks for as the collector.
            "extractors": (*self.options.accept_extractor, *self.options.private_extractor(task)),
            "tokens": accepted_tokens(self.options, parse_token(self.options.token)),
            "pay_to": payee(self.options.pay_to),
        }
        if role is OtherFeatures:
            more["better"] = originals_of(clean)
        name, secrets = f"provider {index + 1}", home / f"provider-{index + 1}.json"
        sold, device = originals_of(data), self.options.device
        seat = provider_seat(name, account, sold, store, secrets, device, role, **more)
        return Contender(seat, data, str(plan.corruptions[index]), guilty)
