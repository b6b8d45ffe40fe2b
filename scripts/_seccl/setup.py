"""How a session of SecCL begins: contracts, terms and description, and everybody's role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ape
import click
from ape.api import AccountAPI

from offchain.report.text import amount
from offchain.seccl.announcement import TO_OPEN
from offchain.seccl.journal import Journal
from offchain.seccl.messages import SessionTerms
from offchain.seccl.participant import Participant
from offchain.seccl.server import Server
from offchain.seccl.training import Task
from offchain.storage import Datastore
from offchain.task import Task as AskedFor
from offchain.task import publish_task
from offchain.task.images import MODALITY
from scripts._seccl.chain import FederationChain, twin_of
from scripts._seccl.conductor import Conductor, Member
from scripts._seccl.finding import BOARD, CONSENSUS, Contracts
from scripts._seccl.options import SPARE_ACCOUNTS, FederateOptions
from scripts._stage.accounts import is_local, load
from scripts._stage.chain import Receipt, now
from scripts._stage.deployments import ready
from scripts._stage.money import balance_of, currency
from scripts._stage.wallet import AccountWallet, recover


@dataclass(frozen=True, eq=False)
class Agreed:
    """What is trained, and the names of its classes, on images of which shape (C, H, W)."""

    task: Task
    classes: tuple[str, ...]
    shape: tuple[int, int, int]


def open_session(
    options: FederateOptions,
    agreed: Agreed,
    store: Datastore,
    before: Callable[[bytes], None],
) -> FederationChain:
    """Deploys the contracts on a local chain, unless they are there, and opens a session.

    before: gets its id before it exists.
    """
    deployer, server, *members = _accounts(options)
    if is_local():
        board, factory = ready(deployer, BOARD, CONSENSUS)
    else:
        known = Contracts.on(Path(options.deployments))
        board, factory = known.board.contract, known.factory.contract
    asked = publish_task(store, AskedFor(MODALITY, agreed.classes, agreed.shape, options.licence))
    announced = options.announced(
        server=str(server.address),
        consensus=str(factory.address),
        task=asked,
        classes=agreed.task.class_count,
        shape=agreed.shape,
        privacy=agreed.task.settings.image_privacy,
        members=(len(members), len(members)),
        times=(now(), now() + TO_OPEN),
    )
    terms, description = announced.agreed(
        twin_of(board), [str(member.address) for member in members]
    )
    check_balance(terms)
    before(twin_of(board).session_id(terms))
    return FederationChain.create(board, factory, server, terms, description, store)


def resume_session(options: FederateOptions, session: str, store: Datastore) -> FederationChain:
    """A session that was begun with these options, though it were killed while it began."""
    _, server, *_ = _accounts(options)
    board = None if is_local() else Contracts.on(Path(options.deployments)).board
    return FederationChain.find(session, store, server, board=board)


def check_balance(terms: SessionTerms) -> None:
    """Raises ClickException, one line, where the server does not have the stake."""
    held = balance_of(terms.token, terms.server)
    if held < terms.stake:
        coin, decimals = currency(terms.token)
        raise click.ClickException(
            f"stake: the server, {terms.server}, has {amount(held, decimals)} {coin}, "
            f"{amount(terms.stake, decimals)} are wanted"
        )


def make_conductor(
    options: FederateOptions,
    chain: FederationChain,
    store: Datastore,
    journal: Journal,
    tell: Callable[[str, Receipt], None],
    secret: bytes,
) -> Conductor:
    """Who leads everybody, as the options have them. secret: what hides all members' ballots."""
    _, account, *members = _accounts(options)
    wallet = AccountWallet(account)
    server = options.make_server(chain.session, wallet, store, journal)
    # A run before this one may have brought it into use.
    server.use(new_key(options))
    conductor = conductor_of(chain, server, account, members, store, tell, secret)
    conductor.pay_to = options.pay_to
    return conductor


def new_key(options: FederateOptions) -> AccountWallet:
    """What the server signs with from the round `new_key` of the options on."""
    return AccountWallet(_accounts(options)[0])


def conductor_of(
    chain: FederationChain,
    server: Server,
    account: AccountAPI,
    members: Sequence[AccountAPI],
    store: Datastore,
    tell: Callable[[str, Receipt], None],
    secret: bytes | None = None,
) -> Conductor:
    """The server with its account, and members that remember nothing, by index.

    secret: as `Voter` takes it, here of all.
    """
    played = [
        Member(
            f"member {i}",
            one,
            Participant(chain.session, i, AccountWallet(one), recover, store, secret),
        )
        for i, one in enumerate(members)
    ]
    return Conductor(chain, server, account, played, store, tell)


def _accounts(options: FederateOptions) -> list[AccountAPI]:
    """Deployer, server and members, these in the order of their addresses; off a local chain the
    server stands for the deployer."""
    if is_local():
        accounts = list(ape.accounts.test_accounts[: SPARE_ACCOUNTS + options.participants])
    else:
        server = load(str(options.server), options.yes)
        accounts = [server, server, *(load(one, options.yes) for one in options.member)]
    members = sorted(accounts[SPARE_ACCOUNTS:], key=lambda one: int(one.address, 16))
    return [*accounts[:SPARE_ACCOUNTS], *members]
