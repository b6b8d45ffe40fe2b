"""Who plays: test accounts on a local chain, keystore accounts anywhere else."""

from __future__ import annotations

from dataclasses import dataclass

import ape
import click
from ape.api import AccountAPI
from ape.exceptions import ConversionError
from ape.types import AddressType


@dataclass(frozen=True)
class Parties:
    """The accounts of one session.

    Attributes:
        deployer: pays for the factory where there is none yet.
        collector: buys.
        providers: sell.
    """

    deployer: AccountAPI
    collector: AccountAPI
    providers: tuple[AccountAPI, ...]


def is_local() -> bool:
    """Whether the connected chain is a test chain of this machine, where time can be moved."""
    return bool(ape.chain.provider.network.is_local)


def seat_parties(
    count: int,
    collector: str | None,
    providers: tuple[str, ...],
    *,
    sign_unasked: bool,
    called: tuple[str, str] = ("collector", "provider"),
) -> Parties:
    """Accounts for a collector and `count` providers, `called` otherwise by the command.

    Raises ClickException, one line, where accounts are missing or are everybody's.
    """
    if is_local():
        accounts = ape.accounts.test_accounts
        if count + 2 > len(accounts):
            raise click.ClickException(
                f"{count} {called[1]}s, but only {len(accounts) - 2} test accounts are left for "
                "them"
            )
        return Parties(accounts[0], accounts[1], tuple(accounts[2 : 2 + count]))
    if collector is None or len(providers) != count:
        raise click.ClickException(
            f"off a local chain name --{called[0]} and {count} times --{called[1]}, "
            f"not {len(providers)} times"
        )
    buyer, *sellers = (load(alias, sign_unasked) for alias in (collector, *providers))
    return Parties(buyer, buyer, tuple(sellers))


TEST = "TEST::"
"""What a test account's name begins with, before its number, as in Ape's own commands."""


def receiver(text: str | None, owner: str) -> str:
    """The 0x address that is paid in the place of `owner`, which it is where none is named.

    Raises ClickException, naming the option.
    """
    if text is None:
        return owner
    try:
        address = str(ape.convert(text, AddressType))
    except ConversionError as error:
        raise click.ClickException(f"pay-to: {text!r} is no account") from error
    if int(address, 16) == 0:
        raise click.ClickException("pay-to: nobody has the account of zero")
    return address


def payee(text: str | None) -> str | None:
    """The 0x address that is paid in everybody's place; None where none is named.

    Raises ClickException, naming the option.
    """
    return receiver(text, "") or None


def load(alias: str, sign_unasked: bool) -> AccountAPI:
    """The account `alias` of Ape's keystore or of a hardware wallet that a plugin knows, or on a
    local chain test account `TEST::NUMBER`.

    Elsewhere it must not be one of the public test mnemonic's. A hardware wallet asks on the device
    whatever `sign_unasked` says. Raises ClickException.
    """
    if is_local() and alias.startswith(TEST):
        number, tests = alias.removeprefix(TEST), ape.accounts.test_accounts
        if not number.isdecimal() or int(number) >= len(tests):
            raise click.ClickException(f"there is no {alias}: they go from 0 to {len(tests) - 1}")
        return tests[int(number)]
    try:
        account = ape.accounts.load(alias)
    except KeyError as error:
        raise click.ClickException(f"there is no keystore account called {alias!r}") from error
    known = {test.address for test in ape.accounts.test_accounts}
    if account.address in known and not is_local():
        raise click.ClickException(
            f"{alias} is {account.address}, whose key everybody knows: not on "
            f"{ape.chain.provider.network.name}"
        )
    if sign_unasked and hasattr(account, "set_autosign"):
        account.set_autosign(True)
    return account
