"""`ape run deploy`, step by step: asked, reckoned, deployed, noted, and ready to be verified."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI

from offchain.files import write_whole
from offchain.report.text import amount
from scripts._stage.accounts import is_local, load
from scripts._stage.chain import MOST_FEE
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
from scripts._stage.party import PartyTelling
from scripts._stage.preflight import check_chain


def run_deploy(
    alias: str | None, sign_unasked: bool, dry_run: bool, folder: Path, *, as_json: bool = False
) -> None:
    """What the command does. Raises ClickException before anything is sent that cannot end."""
    if alias is None and not is_local() and not dry_run:
        raise click.ClickException("off a local chain name --account, a keystore account")
    telling = PartyTelling(as_json=as_json)
    with telling.doing("compiling the contracts, minutes the first time", announced=False):
        _compile()
    for poorer in check_chain():
        _tell(telling, f"-- {poorer}", "poorer", what=poorer)
    path = deployments_path(folder)
    wanted = missing()
    price = ConnectedPool().price()
    _show(telling, wanted, price.base + price.tip)
    if dry_run:
        return
    note_what_is_there(path)
    if wanted:
        account = load(alias, sign_unasked) if alias else ape.accounts.test_accounts[0]
        # What a node wants to see before it takes them: limits above the estimates, at a base fee
        # that may double.
        limits = sum(one.gas for one in wanted) * 6 // 5
        _check_balance(account, limits * price.fee(MOST_FEE.get()).most)
        for one in wanted:
            deploy(account, one, path)
            line = f"{one.name:<24} {one.address}  deployed"
            _tell(telling, line, "deployed", name=one.name, address=one.address)
    _prepare_verification(path)
    _tell(telling, f"written to {path}", "written", path=str(path))


def _tell(telling: PartyTelling, line: str, event: str, **values: object) -> None:
    """A line for people, or an event for programs."""
    if telling.as_json:
        telling.event(event, **values)
    else:
        telling.show(line, whole=True)


def _compile() -> None:
    """Ape leaves files as they were whose imports changed; such code has another address.

    Raises ClickException where something had to be compiled anew: this process has read the old
    code.
    """
    kept = Path(ape.project.path) / ".build" / "__local__.json"
    before = kept.read_bytes() if kept.exists() else b""
    done = subprocess.run(
        [sys.executable, "-m", "tools.compile"],
        cwd=ape.project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"the contracts do not compile: {done.stderr.strip()[-500:]}")
    if kept.read_bytes() == before:
        return
    if before:
        raise click.ClickException("the contracts have just been compiled: run it again")
    ape.project.load_manifest()  # else it would compile them all once more


def _show(telling: PartyTelling, wanted: list[Missing], price: int) -> None:
    """One line each, with what is to be paid. price: wei for a unit of gas."""
    gas = {one.name: one.gas for one in wanted}
    for name in ARGUMENTS:
        what = f"{gas[name]:>12,} gas" if name in gas else "is there"
        address = address_of(name)
        line = f"{name:<24} {address}  {what}"
        _tell(telling, line, "contract", name=name, address=address, gas=gas.get(name, 0))
    total = sum(gas.values())
    if total:
        cost = amount(total * price, 18)
        line = f"together {total:,} gas, {cost} ETH at {price / 10**9:,.3f} gwei"
        _tell(telling, line, "cost", gas=total, wei=str(total * price))


def _check_balance(account: AccountAPI, cost: int) -> None:
    if account.balance < cost:
        raise click.ClickException(
            f"{account.address} has {amount(account.balance, 18)} ETH, "
            f"{amount(cost, 18)} ETH must be there, most of which stays"
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
