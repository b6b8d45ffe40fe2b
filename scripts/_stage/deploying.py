"""`ape run deploy`, step by step: asked, reckoned, deployed, noted, and ready to be verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI
from rich.console import Console

from offchain.files import write_whole
from offchain.report.text import amount
from scripts._stage.accounts import is_local, load
from scripts._stage.deployments import (
    ARGUMENTS,
    Missing,
    address_of,
    deploy,
    deployments_path,
    missing,
    note_what_is_there,
)
from scripts._stage.node import ConnectedPool
from scripts._stage.preflight import check_chain


def run_deploy(alias: str | None, sign_unasked: bool, dry_run: bool, folder: Path) -> None:
    """What the command does. Raises ClickException before anything is sent that cannot end."""
    if alias is None and not is_local() and not dry_run:
        raise click.ClickException("off a local chain name --account, a keystore account")
    console = Console(highlight=False, soft_wrap=True)
    for poorer in check_chain():
        console.print(f"-- {poorer}")
    path = deployments_path(folder)
    wanted = missing()
    price = ConnectedPool().price().base + ConnectedPool().price().tip
    _show(console, wanted, price)
    if dry_run:
        return
    note_what_is_there(path)
    if wanted:
        account = load(alias, sign_unasked) if alias else ape.accounts.test_accounts[0]
        _check_balance(account, sum(one.gas for one in wanted) * price)
        for one in wanted:
            deploy(account, one, path)
            console.print(f"{one.name:<24} {one.address}  deployed")
    _prepare_verification(path)
    console.print(f"written to {path}")


def _show(console: Console, wanted: list[Missing], price: int) -> None:
    """One line each, with what is to be paid."""
    gas = {one.name: one.gas for one in wanted}
    for name in ARGUMENTS:
        what = f"{gas[name]:>12,} gas" if name in gas else "is there"
        console.print(f"{name:<24} {address_of(name)}  {what}")
    total = sum(gas.values())
    if total:
        cost = amount(total * price, 18)
        console.print(f"together {total:,} gas, {cost} ETH at {price / 10**9:,.3f} gwei")


def _check_balance(account: AccountAPI, cost: int) -> None:
    if account.balance < cost:
        raise click.ClickException(
            f"{account.address} has {amount(account.balance, 18)} ETH, "
            f"all of it costs {amount(cost, 18)} ETH"
        )


def _prepare_verification(path: Path) -> None:
    """The compiler's input for explorers; sent to the network's own where a plugin is set up."""
    compiler: Any = ape.compilers.registered_compilers[".sol"]
    explorer = ape.chain.provider.network.explorer
    for name in ARGUMENTS:
        source = Path(ape.project.path) / str(getattr(ape.project, name).contract_type.source_id)
        (compiled,) = compiler.get_standard_input_json([source]).values()
        content = json.dumps(compiled, indent=1).encode()
        write_whole(path.with_suffix("") / f"{name}.json", content)
        if explorer is not None:
            explorer.publish_contract(address_of(name))
