"""`ape run serve`: a server's session, from the announcement to the stake that it takes back.

The same command goes on with the same federation, wherever it was killed.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from ape.api import AccountAPI

from offchain.data.imageset import ImageSet
from offchain.files import write_whole
from offchain.models.canonical import DocumentError
from offchain.models.device import pick_device
from offchain.post.exchange import everybody
from offchain.report.text import amount
from offchain.seccl.announcement import Announcement, publish_announcement
from offchain.seccl.federation import Judge
from offchain.seccl.image_privacy import ImagePrivacy
from offchain.seccl.journal import Journal
from offchain.seccl.own_data import task_of
from offchain.seccl.server import Server
from offchain.seccl.server_role import ServerRole
from offchain.seccl.training import LocalData
from offchain.storage import Node
from offchain.task import Task, fetch_task, publish_task
from offchain.task.images import relabelled
from scripts._seccl.agreeing import server_costs_sheet, server_worst_sheet, terms_sheet
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain, twin_of
from scripts._seccl.finding import Contracts, announced_on, sessions_of
from scripts._seccl.party import among, applications, home, line_of, tell_fault
from scripts._seccl.party_options import LEAST_IMAGES, VALIDATION, ServeOptions
from scripts._seccl.seats import PartyTable
from scripts._seccl.setup import check_balance
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock, entry_of, transact, wait_until
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_options import name_of
from scripts._stage.party_sheets import task_sheet
from scripts._stage.retention import Looking, keep_on, own_datastore, play_kept
from scripts._stage.table import Seat, Step
from scripts._stage.wallet import AccountWallet, recover

OPEN_TO_ALL = "keys are free: one person may take every place; --invite names who may join"


def run_serve(options: ServeOptions) -> None:
    """Announces a federation, or goes on with it, and plays the server to the end."""
    options.check()
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    to = receiver(options.pay_to, str(account.address))
    contracts = Contracts.on(options.deployments)
    test = _test_set(options, telling)
    with own_datastore(options.ipfs, home().parent, options.network) as store:
        reachable(telling, store.addresses)
        offer = Offer(options, account, contracts, store)
        announced = offer.begun()
        if announced is None:
            announced = _new(options, account, contracts, test, store)
            if not options.invite:
                telling.event("open_to_all", hint=OPEN_TO_ALL)
            if not _agreed(announced, options.asked(test, store.addresses), options, telling):
                return
            offer.begin(announced)
        id_ = publish_announcement(store, announced)
        if all(one.id != id_ for one in announced_on(contracts.board, str(account.address))):
            words = id_, announced.task, announced.until
            receipt = transact(contracts.board.contract.announce, words, account)
            telling.step(Step("server", entry_of("announce", receipt)))
        telling.event(
            "announced", id="0x" + id_.hex(), until=announced.until, start=announced.start
        )
        chain = offer.opened(announced, id_, telling)
        if chain is not None:
            telling.event(
                "session", id="0x" + chain.session.id.hex(), members=chain.session.members
            )
            _serve(chain, contracts, account, to, store, telling)
        offer.over()
        if chain is not None:
            _tell_end(chain, store, options, test, telling)
            task = fetch_task(store, announced.task)
            keep_on(store, task, "0x" + chain.session.id.hex(), telling)


class Offer:
    """What one command announced, and whom it took: on disk before anything rests on it."""

    def __init__(
        self, options: ServeOptions, account: AccountAPI, contracts: Contracts, store: Node
    ) -> None:
        self._path = home() / "serving" / f"{account.address}-{name_of(options)}"
        self._options, self._account = options, account
        self._contracts, self._store = contracts, store

    def begun(self) -> Announcement | None:
        """What was announced before; None for nothing. Raises ClickException."""
        path = self._file("announcement")
        try:
            return Announcement.from_bytes(path.read_bytes()) if path.exists() else None
        except DocumentError as error:
            raise click.ClickException(f"{path}: {error}") from error

    def begin(self, announced: Announcement) -> None:
        """Keeps what is about to be announced."""
        write_whole(self._file("announcement"), announced.to_bytes())

    def over(self) -> None:
        """Whoever calls again wants another federation."""
        # The announcement last: those who applied to one are never taken into the next.
        for kind in ("members", "peers", "announcement"):
            self._file(kind).unlink(missing_ok=True)

    def opened(
        self, announced: Announcement, id_: bytes, telling: PartyTelling
    ) -> FederationChain | None:
        """The session of those who applied, once it is open; None where too few did in time."""
        path, peers = self._file("members"), self._file("peers")
        if not path.exists():
            taken = self._applicants(announced, id_, telling)
            if taken is None:
                return None
            write_whole(peers, json.dumps(sum(taken.values(), ())).encode())
            write_whole(path, json.dumps(list(taken)).encode())
        self._store.connect([str(one) for one in json.loads(peers.read_bytes())])
        members = [str(one) for one in json.loads(path.read_bytes())]
        board, factory = self._contracts.board.contract, self._contracts.factory.contract
        terms, about = announced.agreed(twin_of(board), members)
        session = twin_of(board).session_id(terms)
        deployed = self._contracts.board
        known = [one for one, _ in sessions_of(deployed, terms.server, deployed.block)]
        if session in known:
            self._store.put(about.to_bytes())
            text = "0x" + session.hex()
            return FederationChain.find(
                text, self._store, self._account, board=self._contracts.board
            )
        if clock().now >= announced.start:
            telling.event("over", opened=False, reason="the first round's time has come")
            return None
        check_balance(terms)
        chain = FederationChain.create(board, factory, self._account, terms, about, self._store)
        for receipt in chain.receipts:
            telling.step(Step("server", receipt))
        return chain

    def _applicants(
        self, announced: Announcement, id_: bytes, telling: PartyTelling
    ) -> dict[str, tuple[str, ...]] | None:
        """Who is taken, in the order in which they applied, each with its node's addresses."""
        found: dict[str, tuple[str, ...]] = {}
        invited = self._options.invited
        admits = among(invited) if invited else everybody
        looking = Looking(self._store, telling)
        with line_of(self._store, self._contracts.board, id_, self._account, admits) as line:
            while len(found) < announced.most:
                for who, peers in applications(line, id_):
                    if admits(who) and who not in found:
                        found[who] = peers
                        telling.event("applied", member=who, applied=len(found))
                now = clock().now
                if now >= announced.until or set(found) == set(invited) != set():
                    break
                looking.patiently()  # who would apply reads announcement and task
                wait_until(announced.until)
        if len(found) < announced.least:
            telling.event("over", opened=False, reason=f"{len(found)} applied")
            return None
        return dict(list(found.items())[: announced.most])

    def _file(self, kind: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{kind}")


def _test_set(options: ServeOptions, telling: PartyTelling) -> ImageSet | None:
    """The server's own pictures, if it has any."""
    if not options.dataset:
        return None
    with telling.doing("loading the data") as progress:
        return relabelled(options.load(telling.left_out, progress), names=options.names)


def _new(
    options: ServeOptions,
    account: AccountAPI,
    contracts: Contracts,
    test: ImageSet | None,
    store: Node,
) -> Announcement:
    """What is offered; its task is in the datastore. Raises ClickException and what it is made
    of raises."""
    task = options.asked(test, store.addresses)
    channels, height, width = task.shape
    return options.announced(
        server=str(account.address),
        consensus=str(contracts.factory.contract.address),
        task=publish_task(store, task),
        classes=len(task.classes),
        shape=(channels, height, width),
        privacy=_privacy(options),
        members=(options.least_members, options.most_members),
        times=options.times(clock().now),
    )


def _privacy(options: ServeOptions) -> ImagePrivacy | None:
    """Noise that is enough for whoever has as few images as the task allows."""
    least = max(LEAST_IMAGES, options.least_samples)
    return options.settings([round(least * (1 - VALIDATION))]).image_privacy


def _agreed(
    announced: Announcement, task: Task, options: ServeOptions, telling: PartyTelling
) -> bool:
    """Shows what is about to be announced; whether it is to be."""
    telling.sheets(
        (
            task_sheet(task),
            terms_sheet(announced, clock().now),
            server_costs_sheet(announced, gas_price(options.gas_price)),
            server_worst_sheet(announced),
        )
    )
    if options.dry_run:
        telling.event("dry_run", accepted=True)
        return False
    if not options.yes:
        coin, decimals = currency(announced.token)
        most = amount(announced.stake * announced.most, decimals)
        click.confirm(
            f"Announce this, and stake up to {most} {coin} once enough have applied?", abort=True
        )
    return True


def _serve(
    chain: FederationChain,
    contracts: Contracts,
    account: AccountAPI,
    to: str,
    store: Node,
    telling: PartyTelling,
) -> None:
    session, wallet = chain.session, AccountWallet(account)
    journal = Journal(home() / f"{session.id.hex()}-server", session.id)
    admits = among((*session.description.members, session.terms.server))
    with line_of(store, contracts.board, session.id, account, admits) as line:
        server = Server(session, wallet, recover, store, journal)
        role = ServerRole(server, line, store, recover, to, telling.event)
        seat = Seat("server", account, lambda _: role)
        play_kept(PartyTable(chain, role), seat, telling, store)


def _tell_end(
    chain: FederationChain,
    store: Node,
    options: ServeOptions,
    test: ImageSet | None,
    telling: PartyTelling,
) -> None:
    """What came of it."""
    session = chain.session
    tell_fault(session, telling)
    with telling.doing("auditing") as progress:
        findings = audit_session(chain, store, progress, options.model)
    values: dict[str, object] = {}
    if test is not None:
        device = pick_device(options.device)
        task = task_of(session.description, device, trusted=options.model)
        judge = Judge(task, LocalData.of(test, 0, device))
        values["accuracy"] = round(judge.accuracy(findings.models[-1].to(device)), 4)
    coin, decimals = currency(session.terms.token)
    back = session.terms.stake if session.withdrawn else 0
    telling.event(
        "over",
        opened=True,
        rounds=len(findings.results),
        model=findings.digests[-1],
        stake_back=f"{amount(back, decimals)} {coin}",
        **values,
    )
