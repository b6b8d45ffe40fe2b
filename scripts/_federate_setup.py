"""How a session of SecCL begins: contracts, terms and description, and everybody's role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ape
import torch
from ape.api import AccountAPI

from offchain.crypto import commitments as cm
from offchain.seccl.documents import Description
from offchain.seccl.lies import LIES, Lie
from offchain.seccl.messages import SessionTerms
from offchain.seccl.parameters import Layout, model_digest
from offchain.seccl.participant import Participant
from offchain.seccl.server import Server
from offchain.storage import Datastore, cid_of, digest_of
from scripts._chain import Receipt
from scripts._federate_chain import AccountWallet, FederationChain, now, recover, twin_of
from scripts._federate_options import SPARE_ACCOUNTS, FederateOptions
from scripts._federate_round import Seat, Table

BOND = 10**15
"""Wei that a challenge costs when it is answered, more than an answer's gas."""

_START_SECONDS = 120
"""Between the session's creation and its first window."""


@dataclass(frozen=True, eq=False)
class Agreed:
    """The network that is trained: its classes, the images' shape (C, H, W), where its parameters
    lie, and the first global model, float32 (P,)."""

    classes: int
    shape: tuple[int, int, int]
    layout: Layout
    first: torch.Tensor


def open_session(
    options: FederateOptions,
    agreed: Agreed,
    store: Datastore,
    before: Callable[[bytes], None],
) -> FederationChain:
    """Deploys the contracts and opens a session; `before` gets its id before it exists."""
    deployer, server, *members = _accounts(options)
    board = deployer.deploy(ape.project.BulletinBoard)
    factory = deployer.deploy(ape.project.BordaConsensusFactory)
    addresses = tuple(str(member.address) for member in members)
    description = Description(
        members=addresses,
        consensus=str(factory.address),
        winners=options.elected,
        quorum=0,
        parameters=agreed.layout.total,
        share=options.share,
        model=model_digest(agreed.layout, agreed.first),
        classes=agreed.classes,
        shape=agreed.shape,
        seed=options.seed,
        dataset=options.dataset,
    )
    window = round(options.hours * 3600)
    terms = SessionTerms(
        server=str(server.address),
        member_root=cm.root_of(twin_of(board).member_leaves(addresses)),
        members=len(addresses),
        rounds=options.rounds,
        start=now() + _START_SECONDS,
        upload_time=window,
        evaluation_time=window,
        response_time=window // 8,
        batched_uploads=options.posts == "batch",
        batched_evaluations=options.posts == "batch",
        stake=options.stake_wei() * len(addresses),
        bond=BOND,
        document=digest_of(cid_of(description.to_bytes())),
    )
    before(twin_of(board).session_id(terms))
    # Ballots, and then the time until members may open a round, end within the next window.
    times = window // 2, window // 2
    return FederationChain.create(board, factory, server, terms, times, description, store)


def make_table(
    options: FederateOptions,
    chain: FederationChain,
    store: Datastore,
    tell: Callable[[str, Receipt], None],
) -> Table:
    """Everybody at a table, as the options have them."""
    _, server, *members = _accounts(options)
    lie = options.server_lie if options.liar else None
    return seat_all(chain, server, members, store, tell, options.lie, lie)


def seat_all(
    chain: FederationChain,
    account: AccountAPI,
    members: Sequence[AccountAPI],
    store: Datastore,
    tell: Callable[[str, Receipt], None],
    name: str = "none",
    lie: Lie | None = None,
) -> Table:
    """Roles that remember nothing, for the server's account and the members', by index.

    name, lie: what the server does wrong, and about whom.
    """
    session, wallet = chain.session, AccountWallet(account)
    server = (
        Server(session, wallet, store) if lie is None else LIES[name](session, wallet, store, lie)
    )
    seats = [
        Seat(
            f"member {i}",
            member,
            Participant(session, i, AccountWallet(member), recover, store),
        )
        for i, member in enumerate(members)
    ]
    patience = int(chain.consensus.terms(skip_trace=True).patience)
    return Table(chain, server, account, seats, store, patience, tell)


def _accounts(options: FederateOptions) -> list[AccountAPI]:
    """Deployer, server and members, these in the order of their addresses."""
    accounts = list(ape.accounts.test_accounts[: SPARE_ACCOUNTS + options.participants])
    members = sorted(accounts[SPARE_ACCOUNTS:], key=lambda one: int(one.address, 16))
    return [*accounts[:SPARE_ACCOUNTS], *members]
