"""One order and one seller with tiny data, played by a process that may be killed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import ape
from ape_foundry import FoundryProvider

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.artefact import artefact_bytes
from offchain.mde.buyer import Buyer, Wants
from offchain.mde.extraction import ExtractionSettings
from offchain.mde.owner import Owner
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import OrderTerms
from offchain.mde.seller import Seller
from offchain.mde.stall import Stall
from offchain.mde.training import Trainer
from offchain.post import FolderPost
from scripts._mde.chain import DealChain
from scripts._mde.mail import Mail
from scripts._stage.table import Seat, play
from scripts._stage.wallet import AccountWallet, recover
from tests.kit.folder_store import FolderStore
from tests.kit.killed import StepKind, forked
from tests.offchain.mde.small import drawn, fitted, linear, small_asked, small_task

WINDOW = 600
PRICE = PriceFunction(Piecewise(((0, 10), (10**6, 10**6))), 10**6, 10, useful=10)
BUYER, SELLER = 1, 2
"""Numbers of the test accounts."""

# Loaded and fitted once, in the process that all others are forked from.
TASK = small_task()
OWNER = Owner(TASK, TASK.validation, Trainer(), linear(fitted(TASK)))


def kinds() -> Sequence[StepKind]:
    """Every file that is written, and every transaction that is sent."""
    return [(Path, "replace"), (FoundryProvider, "send_transaction")]


@forked
def deal(contract: str, first: int, until: int, home: Path) -> None:
    """Goes on from wherever it stands to the end.

    contract: 0x address of the DatasetSale, made in block `first`. until: when the
    seller takes its money home, Unix seconds. home: what outlives the process.
    """
    deals = ape.project.DatasetSale.at(contract)
    buyer, seller = (ape.accounts.test_accounts[number] for number in (BUYER, SELLER))
    mail = Mail(buyer.address, seller.address, post=partial(FolderPost, home / "letters"))
    chain = DealChain(deals, NATIVE, mail, first, WINDOW, until)
    store = FolderStore(home / "store")
    terms = OrderTerms(NATIVE, 400, Settlement.SEALED, WINDOW, WINDOW)
    settings = ExtractionSettings(leaves=4, points=50)
    asked = small_asked()
    wants = Wants(
        terms, 2 * 10**6, lambda of: artefact_bytes(of.oracle(settings), PRICE), asked, WINDOW
    )
    stall = Stall(NATIVE, 400, 10 * WINDOW, until, asked.classes)

    def buy(session):
        secrets = SecretsFile(home / "buyer.json")
        return Buyer(AccountWallet(buyer), session, OWNER, wants, store, secrets)

    def sell(session):
        wallet, secrets = AccountWallet(seller), SecretsFile(home / "seller.json")
        return Seller(wallet, recover, session, drawn(8, 9), stall, store, secrets)

    seats = [Seat("buyer", buyer, buy), Seat("seller", seller, sell)]
    play(chain, seats, lambda step: None)
    (got,) = seats[0].role.vault.bought().values()
    (home / "bought.json").write_text(json.dumps([one.hex() for one in got.hashes()]))
