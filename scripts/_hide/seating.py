"""Where a rehearsal of a sale takes place: accounts, contract, and what outlives a crash.

On a local chain accounts are Ape's test accounts, the contract is new, and what is kept is gone
with the run. Elsewhere they come from the keystore, the contract is the deployed one, and the same
command goes on where it was stopped.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ape
import click
from ape.api import AccountAPI

from offchain.hide.family import SECRET_BYTES, Secret
from scripts._hide.chain import SALE
from scripts._hide.options import SellOptions
from scripts._stage.accounts import is_local, load
from scripts._stage.chain import chain_home
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.secrets import secrets_at

SELLER_SECRETS = "seller.json"


def accounts_of(options: SellOptions, count: int) -> tuple[AccountAPI, tuple[AccountAPI, ...]]:
    """The seller, and `count` buyers. Raises ClickException where some are missing."""
    if is_local():
        accounts = ape.accounts.test_accounts
        return accounts[1], tuple(accounts[2 : 2 + count])
    if options.seller is None or len(options.buyer) != count:
        raise click.ClickException(
            f"off a local chain name --seller and {count} times --buyer, "
            f"not {len(options.buyer)} times"
        )
    seller, *buyers = (load(alias, options.yes) for alias in (options.seller, *options.buyer))
    return seller, tuple(buyers)


def sale_of(options: SellOptions) -> Deployed:
    """The contract. Raises ClickException where it was not deployed."""
    if not is_local():
        return deployed(SALE, options.deployments)
    contract = ape.accounts.test_accounts[0].deploy(ape.project.CleanerSale)
    return Deployed(contract, ape.chain.blocks.height)


@contextmanager
def kept_at(home: Path | None) -> Iterator[Path]:
    """The folder of secrets and content. home: where that is said."""
    if home is not None:
        yield home
    elif is_local():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        yield chain_home()


def mask_secret(home: Path, repeatable: Secret) -> Secret:
    """What masks draw from: elsewhere than on a local chain nobody must be able to foresee it."""
    if is_local():
        return repeatable
    kept = secrets_at(home / SELLER_SECRETS)
    return Secret(kept.remember("family", lambda: os.urandom(SECRET_BYTES)))
