"""Keys of Ape's accounts as roles use them, and who signed what."""

from __future__ import annotations

from typing import Any

import click
from ape.api import AccountAPI
from eth_account import Account
from eth_account.messages import encode_typed_data


class AccountWallet:
    """An account of Ape's, as roles sign with it."""

    def __init__(self, account: AccountAPI) -> None:
        self.account = account
        self.address = str(account.address)

    def sign(self, typed: dict[str, Any]) -> bytes:
        """The signature, 65 bytes r, s, v."""
        signature = self.account.sign_message(encode_typed_data(full_message=typed))
        if signature is None:
            raise click.ClickException(f"{self.address} did not sign")
        return bytes(signature.encode_rsv())


def recover(typed: dict[str, Any], signature: bytes) -> str | None:
    """Who signed typed data; None where nobody did."""
    try:
        message = encode_typed_data(full_message=typed)
        return str(Account.recover_message(message, signature=signature))
    # Whatever a false signature makes the library raise: its own errors are no common class.
    except Exception:
        return None
