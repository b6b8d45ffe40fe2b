"""`ape run join`: a member with its own pictures in somebody's federation.

The same command goes on, wherever it was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from secrets import token_bytes

import click
from ape.api import AccountAPI

from offchain.data.imageset import ImageSet
from offchain.models.device import pick_device
from offchain.policy import TermsRefused
from offchain.report.text import amount
from offchain.seccl.announcement import Announcement
from offchain.seccl.audit import FirstModel
from offchain.seccl.costs import offered
from offchain.seccl.global_model import GlobalModel
from offchain.seccl.letters import Application, PostLine, written
from offchain.seccl.member_role import MemberRole
from offchain.seccl.outgoing import Outgoing
from offchain.seccl.own_data import OwnData, task_of
from offchain.seccl.participant import Participant
from offchain.seccl.partition import divided
from offchain.seccl.readings import Readings
from offchain.storage import ContentError, Node
from offchain.storage.places import told as told_places
from offchain.task import Task, check_offer, fetch_task
from offchain.task.checks import DAY, check_retention
from offchain.task.images import offer_of, relabelled
from scripts._seccl.agreeing import member_costs_sheet, member_worst_sheet, terms_sheet
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.finding import Contracts, Told, announcement, session_for
from scripts._seccl.party import among, applications, home, line_of, tell_fault
from scripts._seccl.party_options import VALIDATION, JoinOptions
from scripts._seccl.seats import PartyTable
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock, wait_until
from scripts._stage.money import currency, parse_token
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat, Step
from scripts._stage.wallet import AccountWallet, recover


def run_join(reference: str, options: JoinOptions) -> None:
    """Applies to what was announced, or goes on in its session, until nothing is left to do.

    Nothing is signed before terms, task and data were checked and agreed to, and no round is taken
    part in before the session is what was announced, with this account among its members.
    """
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    to = receiver(options.pay_to, str(account.address))
    contracts = Contracts.on(options.deployments)
    with own_datastore(options.ipfs, home().parent, options.network) as store:
        reachable(telling, store.addresses)
        with telling.doing("fetching the announcement"):
            announced, told = announcement(contracts.board, reference, store)
            task = fetch_task(store, announced.task)
            store.connect(task.peers)
        own = Own.of(announced, task, options, telling)
        chain = session_for(contracts, announced, told, store)
        # A session may name somebody who never applied: only an own letter says that it did.
        with line_of(store, contracts.board, told.id, account) as line:
            applied = _applied(line, told.id, str(account.address))
        if not applied and chain is None and (late := clock().now - announced.until) >= 0:
            raise click.ClickException(f"applications ended {late} seconds ago")
        if (options.dry_run or not applied) and not _agreed(announced, task, options, telling):
            return
        if chain is None:
            chain = _admitted(contracts, announced, told, account, store, telling)
        if chain is None or str(account.address) not in chain.session.description.members:
            telling.event("over", joined=False)
            return
        telling.event("session", id="0x" + chain.session.id.hex(), members=chain.session.members)
        _take_part(chain, contracts, own, account, to, options, store, telling)
        keep_on(store, task, "0x" + chain.session.id.hex(), telling)


@dataclass(frozen=True, eq=False)
class Own:
    """A member's images, as the task numbers their labels."""

    images: ImageSet

    @classmethod
    def of(
        cls, announced: Announcement, task: Task, options: JoinOptions, telling: PartyTelling
    ) -> Own:
        """Raises ClassesUnknown, OfferRefused, TermsRefused, ClickException."""
        _check_task(announced, task, options)
        _check_terms(announced, options)
        if options.image_size is None and task.shape[1] == task.shape[2] >= 8:
            options = replace(options, image_size=task.shape[1])
        with telling.doing("loading the data") as progress:
            loaded = options.load(telling.left_out, progress)
        images = relabelled(as_asked(loaded, task), task.classes, options.names)
        check_offer(task, offer_of(images))
        return cls(images)


def as_asked(images: ImageSet, task: Task) -> ImageSet:
    """Grey pictures that are kept in three channels in one, or the other way round, as the task
    has them; all others as they are."""
    channels = images.images.shape[1]
    if task.shape[0] == channels or task.shape[0] not in (1, 3):
        return images
    if channels == 1:
        return replace(images, images=images.images.expand(-1, 3, -1, -1).contiguous())
    grey = images.images[:, :1].contiguous()
    if bool((images.images == grey).all()):
        return replace(images, images=grey)
    return images


def _check_task(announced: Announcement, task: Task, options: JoinOptions) -> None:
    about = announced.about
    if (len(task.classes), task.shape) != (about.classes, about.shape):
        raise click.ClickException(
            f"the task has {len(task.classes)} classes of {task.shape}, the announced model "
            f"{about.classes} of {about.shape}"
        )
    check_retention(task, round(options.most_retention * DAY))
    if options.licence and task.licence not in options.licence:
        raise TermsRefused(
            f"terms refused: the model is under {task.licence!r:.80}, accepted: "
            f"{', '.join(options.licence)}"
        )


def _check_terms(announced: Announcement, options: JoinOptions) -> None:
    options.policy().check(offered(announced, clock().now))
    accepted = {parse_token(one).lower() for one in (None, *options.accept_token)}
    if announced.token.lower() not in accepted:
        raise TermsRefused(f"terms refused: stake and bonds are in {announced.token}")


def _agreed(
    announced: Announcement, task: Task, options: JoinOptions, telling: PartyTelling
) -> bool:
    """Shows what is agreed to; whether it is."""
    telling.sheets(
        (
            task_sheet(task),
            terms_sheet(announced, clock().now),
            member_costs_sheet(announced, gas_price(options.gas_price)),
            member_worst_sheet(announced),
        )
    )
    if options.dry_run:
        telling.event("dry_run", accepted=True)
        return False
    if not options.yes:
        click.confirm(f"Apply to {announced.server} under these terms?", abort=True)
    return True


def _admitted(
    contracts: Contracts,
    announced: Announcement,
    told: Told,
    account: AccountAPI,
    store: Node,
    telling: PartyTelling,
) -> FederationChain | None:
    """Applies, and waits for the session; None where none was opened in time."""
    with line_of(store, contracts.board, told.id, account) as line:
        if not _applied(line, told.id, str(account.address)):
            line.send(written(Application(told.id, told_places(store.addresses))))
        telling.event("applied", announcement="0x" + told.id.hex())
        telling.time("the first round starts", announced.start)
        while clock().now < announced.start:
            try:
                if chain := session_for(contracts, announced, told, store):
                    return chain
            except ContentError:
                pass  # not there yet
            wait_until(announced.start)
    return session_for(contracts, announced, told, store)


def _applied(line: PostLine, id_: bytes, account: str) -> bool:
    """Whether it did so in a life before this one."""
    return any(who.lower() == account.lower() for who, _ in applications(line, id_))


def _take_part(
    chain: FederationChain,
    contracts: Contracts,
    own: Own,
    account: AccountAPI,
    to: str,
    options: JoinOptions,
    store: Node,
    telling: PartyTelling,
) -> None:
    session, wallet = chain.session, AccountWallet(account)
    about = session.description
    index = about.members.index(str(account.address))
    name = f"{session.id.hex()}-{account.address}"
    secrets = secrets_at(home() / f"{name}.json")
    salts, noise = (secrets.remember(one, lambda: token_bytes(32)) for one in ("salts", "noise"))
    first = FirstModel(session, options.model)
    device = pick_device(options.device)
    task = task_of(about, device, int.from_bytes(noise, "big"), options.model)
    admits = among((*about.members, session.terms.server))
    with line_of(store, contracts.board, session.id, account, admits) as line:
        role = MemberRole(
            Participant(session, index, wallet, recover, store, salts),
            str(chain.consensus.address),
            GlobalModel(first.layout, first.flat),
            OwnData(task, divided(own.images, VALIDATION, about.seed), index),
            line,
            Outgoing(home() / name),
            Readings(store, recover),
            store,
            to,
            telling.event,
        )
        telling.event("taking_part", member=index)
        seat = Seat("member", account, lambda _: role)
        play_kept(PartyTable(chain, role), seat, telling, store)
    _settle(chain, account, index, to, options, store, telling)


def _settle(
    chain: FederationChain,
    account: AccountAPI,
    index: int,
    to: str,
    options: JoinOptions,
    store: Node,
    telling: PartyTelling,
) -> None:
    """Its bonds back, and what came of it."""
    session, before = chain.session, len(chain.receipts)
    chain.withdraw_bonds(account, to)
    for receipt in chain.receipts[before:]:
        telling.step(Step("member", receipt))
    tell_fault(session, telling)
    with telling.doing("auditing") as progress:
        findings = audit_session(chain, store, progress, options.model)
    coin, decimals = currency(session.terms.token)
    telling.event(
        "over",
        joined=True,
        rounds=len(findings.results),
        elected=sum(index in result.winners for result in findings.results),
        model=findings.digests[-1],
        paid=f"{amount(session.shares.get(index, 0), decimals)} {coin}",
    )
