"""What both parties of an order start from: the contract, the order, its letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import click
from ape.api import AccountAPI

from offchain.files import write_whole
from offchain.mde.letters import Letter, readable
from offchain.mde.session import DealSession
from offchain.post import Topic
from offchain.post.kept import KeptLetters
from offchain.storage import Node
from scripts._mde.chain import read_deals
from scripts._mde.mail import Mail
from scripts._stage.chain import chain_home
from scripts._stage.deployments import Deployed
from scripts._stage.post import LETTERS, party_post

CONTRACT = "DatasetSale"
_ID = re.compile(r"0x[0-9a-fA-F]{64}")


def id_of(reference: str) -> bytes | None:
    """The 32 bytes that an order or a dataset is known by; None for other text."""
    return bytes.fromhex(reference[2:]) if _ID.fullmatch(reference) else None


def known(reference: str, sale: Deployed) -> tuple[bytes, DealSession]:
    """The id of an order or a dataset, and all that the contract knows. Raises ClickException."""
    id_, session = id_of(reference), read_deals(sale.contract, sale.block)
    if id_ is None or id_ not in session.books:
        raise click.ClickException(
            f"no order or dataset {reference:.80} at {sale.contract.address}"
        )
    return id_, session


def buyer_secrets(buyer: str) -> Path:
    """The file of the secrets of a buyer, by its 0x account."""
    return chain_home() / f"buyer-{buyer}.json"


def mail_about(
    order: bytes,
    account: AccountAPI,
    sale: Deployed,
    store: Node,
    admits: Callable[[str], bool],
) -> Mail:
    """The letters about an order, by one's own node. admits: whose are taken."""
    return Mail(
        str(account.address),
        post=lambda _: party_post(store, account, str(sale.contract.address), order, admits),
    )


def letters_here(session: DealSession, order: bytes) -> list[Letter]:
    """What was said about an order, as far as it came to this machine; nobody is asked."""
    topic = Topic(session.place.chain_id, session.place.contract, order)
    kept = KeptLetters(chain_home() / LETTERS, topic.name)
    try:
        return readable(kept.letters())
    finally:
        kept.close()


class Begun:
    """What one command's order is kept apart by, until it is over: then it would post another."""

    def __init__(self, folder: Path, contract: str, account: str, name: str) -> None:
        self._path = folder / f"{contract}-{account}-{name}.scope"

    def scope(self) -> str:
        """The same until `over`."""
        if not self._path.exists():
            write_whole(self._path, token_hex(8).encode())
        return self._path.read_text()

    def over(self) -> None:
        """The order is."""
        self._path.unlink(missing_ok=True)
