"""What a server and a member have in common: a line to each other, who applied by it, and how their
session ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ape.api import AccountAPI

from offchain.models.canonical import DocumentError
from offchain.post.exchange import everybody
from offchain.report.text import amount
from offchain.seccl.letters import Application, PostLine, read_letter
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


def applications(line: PostLine, id_: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """Who applied to an announcement by letters that are new, each with its node's addresses."""
    found = []
    for who, content in line.received():
        try:
            letter = read_letter(content)
        except DocumentError:
            continue  # a stranger's
        if isinstance(letter, Application) and letter.announcement == id_:
            found.append((who, letter.peers))
    return found


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
