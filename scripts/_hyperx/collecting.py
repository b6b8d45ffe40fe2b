"""`ape run open`: a collector's session, from its validation folder to the money it takes back.

The same command goes on with the same session, wherever it was killed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click
from ape.api import AccountAPI

from offchain.data.originals import Dataset
from offchain.hyperx.collector import Collector
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.evaluation import Evaluation
from offchain.hyperx.session import Session
from offchain.hyperx.terms import Terms
from offchain.report.text import amount
from offchain.storage import Datastore, cid_from_digest
from offchain.task import fetch_task, publish_task
from offchain.task.forms import as_author
from scripts._hyperx.chain import ChainSession, deployed_factory
from scripts._hyperx.opening import Opening
from scripts._hyperx.options import OpenOptions
from scripts._hyperx.seats import collector_seat, evaluation_of
from scripts._hyperx.stories import STORIES
from scripts._hyperx.terms import make_terms
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, party_account, reachable
from scripts._stage.party_options import name_of
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.table import Step


def run_open(options: OpenOptions) -> None:
    """Opens a session, or goes on with it, and plays the collector until nothing is left to do."""
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    account = party_account(options.account, options.yes)
    to = receiver(options.pay_to, str(account.address))
    factory = deployed_factory(options.deployments)
    if not options.resume:
        # What the factory would refuse is told before anything is loaded.
        make_terms(options, STORIES["honest"], str(account.address), options.expect)
    validation = _validation(options, telling)
    with telling.doing("loading the extractor"):
        evaluation = evaluation_of(options, validation, home, telling.progress)
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        opening = Opening(home / "openings", factory, account, name_of(options, "pay_to"))
        with telling.doing("publishing the task"):
            documents = evaluation.publish(store)
        if options.resume:
            chain = ChainSession.resume(factory.contract, factory.block, options.resume)
        else:
            chain = _opened(options, opening, account, evaluation, documents, store)
        _check_extractor(chain, documents, store)
        for receipt in chain.receipts:
            telling.step(Step("collector", receipt))
        task = cid_from_digest(chain.terms.task)
        telling.event("session", address=chain.address, task=task, block=chain.created)
        policy = options.policy(foreseeable=False)
        kept = telling.far("shards kept")
        seat = collector_seat(account, evaluation, store, home, policy, kept, pay_to=to)
        session = play_kept(chain, seat, telling, store, partial(_publish_again, evaluation, store))
        _tell_end(chain, session, seat.role, telling)
        keep_on(store, None, f"session {chain.address}", telling)
    opening.told()


def _publish_again(evaluation: Evaluation, store: Datastore) -> None:
    evaluation.publish(store)


def _validation(options: OpenOptions, telling: PartyTelling) -> Dataset:
    with telling.doing("loading the data") as progress:
        loaded = options.load_samples(telling.left_out, progress)
    return as_author(loaded, telling.left_out, options.names)


def _opened(
    options: OpenOptions,
    opening: Opening,
    account: AccountAPI,
    evaluation: Evaluation,
    documents: dict[str, str],
    store: Datastore,
) -> ChainSession:
    """The session of these options: the one that was begun before, or a new one."""
    if begun := opening.begun():
        return begun
    terms = make_terms(options, STORIES["honest"], str(account.address), options.expect)
    task = replace(options.asked(evaluation.validation, store.addresses), documents=documents)
    terms = replace(terms, task=publish_task(store, task), encryption_key=evaluation.encryption_key)
    if not options.yes:
        _ask(terms)
    return opening.open(terms)


def _ask(terms: Terms) -> None:
    coin, decimals = currency(terms.token)
    click.confirm(
        f"Pay {amount(terms.escrow, decimals)} {coin} into a session, of which what is not spent "
        "comes back?",
        abort=True,
    )


def _check_extractor(chain: ChainSession, documents: dict[str, str], store: Datastore) -> None:
    """Raises ClickException where a session publishes another extractor than this one."""
    task = fetch_task(store, chain.terms.task)
    if task.document(EXTRACTOR) != documents[EXTRACTOR]:
        raise click.ClickException(
            f"resume: session {chain.address} publishes another extractor: give "
            "--extractor, --cut and --input-size as when it began"
        )


def _tell_end(chain: ChainSession, session: Session, role: object, telling: PartyTelling) -> None:
    """What came of it. The bought dataset is decrypted here, so that all of it is in our node."""
    assert isinstance(role, Collector)
    for provider, score in sorted(role.scored.items(), key=lambda one: -one[1].accuracy):
        range_ = f"{score.low:.1%} to {score.high:.1%}"
        telling.event("scored", provider=provider, accuracy=f"{score.accuracy:.1%}", range=range_)
    for provider, reason in role.objections.items():
        telling.event("passed_over", provider=provider, reason=reason)
    if session.deal is None:
        telling.event("over", deal=False)
        return
    with telling.doing("decrypting the dataset") as progress:
        bought = role.dataset()
        digest = bought.digest(progress)
    coin, decimals = currency(chain.terms.token)
    telling.event(
        "over",
        deal=True,
        provider=session.deal.provider,
        paid=f"{amount(chain.terms.reward, decimals)} {coin}",
        samples=len(bought),
        sha256=digest,
    )
