"""How a session of SecCL begins: contracts, terms and description, and everybody's role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ape
import click
import torch
from ape.api import AccountAPI

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import SHORTEST_WINDOW
from offchain.report.text import amount
from offchain.seccl.description import Description, majority, voting_times
from offchain.seccl.journal import Journal
from offchain.seccl.messages import SessionTerms
from offchain.seccl.parameters import Layout, model_digest
from offchain.seccl.participant import Participant
from offchain.seccl.server import Server
from offchain.seccl.similarity import Likeness
from offchain.seccl.training import Task
from offchain.storage import Datastore, cid_of, digest_of
from scripts._seccl.chain import FederationChain, twin_of
from scripts._seccl.conductor import Conductor, Member
from scripts._seccl.options import SPARE_ACCOUNTS, FederateOptions
from scripts._stage.chain import Receipt, now
from scripts._stage.deployments import ready
from scripts._stage.money import balance_of, currency, parse_token
from scripts._stage.wallet import AccountWallet, recover

_START_SECONDS = 120
"""Between the session's creation and its first window."""


@dataclass(frozen=True, eq=False)
class Agreed:
    """What is trained, on images of which shape (C, H, W), where the parameters lie, and the first
    global model, float32 (P,)."""

    task: Task
    shape: tuple[int, int, int]
    layout: Layout
    first: torch.Tensor


def open_session(
    options: FederateOptions,
    agreed: Agreed,
    store: Datastore,
    before: Callable[[bytes], None],
) -> FederationChain:
    """Deploys the contracts, unless they are there, and opens a session.

    before: gets its id before it exists.
    """
    deployer, server, *members = _accounts(options)
    board, factory = ready(deployer, "BulletinBoard", "BordaConsensusFactory")
    addresses = tuple(str(member.address) for member in members)
    window = _window(options)
    description = Description(
        members=addresses,
        consensus=str(factory.address),
        winners=options.elected,
        quorum=majority(options.participants),
        ballots=options.ballots,
        **voting_times(window, options.ballots),
        screen=Likeness() if options.screen else None,
        parameters=agreed.layout.total,
        share=options.share,
        network=options.model,
        model=model_digest(agreed.layout, agreed.first),
        classes=agreed.task.class_count,
        shape=agreed.shape,
        seed=options.seed,
        image_privacy=agreed.task.settings.image_privacy,
        dataset=options.dataset,
    )
    terms = SessionTerms(
        server=str(server.address),
        member_root=cm.root_of(twin_of(board).member_leaves(addresses)),
        members=len(addresses),
        rounds=options.rounds,
        start=now() + _START_SECONDS,
        upload_time=window,
        evaluation_time=window,
        response_time=max(SHORTEST_WINDOW, window // 8),
        batched_uploads=options.posts == "batch",
        batched_evaluations=options.posts == "batch",
        stake=options.stake_wei() * len(addresses),
        bond=options.bond_wei(),
        document=digest_of(cid_of(description.to_bytes())),
        token=parse_token(options.token),
    )
    _check_balance(terms)
    before(twin_of(board).session_id(terms))
    return FederationChain.create(board, factory, server, terms, description, store)


def resume_session(options: FederateOptions, session: str, store: Datastore) -> FederationChain:
    """A session that was begun with these options, though it were killed while it began."""
    _, server, *_ = _accounts(options)
    return FederationChain.find(session, store, server)


def _check_balance(terms: SessionTerms) -> None:
    """Raises ClickException, one line, where the server does not have the stake."""
    held = balance_of(terms.token, terms.server)
    if held < terms.stake:
        coin, decimals = currency(terms.token)
        raise click.ClickException(
            f"stake: the server, {terms.server}, has {amount(held, decimals)} {coin}, "
            f"{amount(terms.stake, decimals)} are wanted"
        )


def _window(options: FederateOptions) -> int:
    """Seconds for uploads, and for evaluations."""
    return round(options.hours * 3600)


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
    """Deployer, server and members, these in the order of their addresses."""
    accounts = list(ape.accounts.test_accounts[: SPARE_ACCOUNTS + options.participants])
    members = sorted(accounts[SPARE_ACCOUNTS:], key=lambda one: int(one.address, 16))
    return [*accounts[:SPARE_ACCOUNTS], *members]
