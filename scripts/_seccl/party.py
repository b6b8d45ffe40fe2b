"""What a server and a member have in common: a line to each other, and how their session ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ape.api import AccountAPI

from offchain.post.exchange import everybody
from offchain.report.text import amount
from offchain.seccl.letters import PostLine
from offchain.seccl.session import FAULTS, Session
from offchain.storage import Node
from scripts._stage.chain import chain_home
from scripts._stage.deployments import Deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling
from scripts._stage.post import party_post


def home() -> Path:
    """Where what a party of SecCL keeps lies."""
    return chain_home() / "seccl"


@contextmanager
def line_of(
    store: Node,
    board: Deployed,
    subject: bytes,
    account: AccountAPI,
    admits: Callable[[str], bool] = everybody,
) -> Iterator[PostLine]:
    """The letters about an announcement or a session, by its id. admits: whose are taken."""
    post = party_post(store, account, str(board.contract.address), subject, admits)
    try:
        yield PostLine(post)
    finally:
        post.close()


def among(addresses: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether an address is one of these."""
    known = {one.lower() for one in addresses}
    return lambda address: address.lower() in known


def tell_fault(session: Session, telling: PartyTelling) -> None:
    """What the server was convicted of, if it was."""
    fault = session.fault
    if fault is not None:
        coin, decimals = currency(session.terms.token)
        telling.event(
            "convicted",
            fault=FAULTS[fault.fault],
            round=fault.key.round,
            member=fault.key.author,
            share=f"{amount(fault.share, decimals)} {coin}",
        )
