"""Wallets that need no chain, and who signed what."""

from __future__ import annotations

from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak


class KeyWallet:
    """A role's `Wallet` of one private key in memory."""

    def __init__(self, name: str) -> None:
        self._key = keccak(name.encode())
        self.address = str(Account.from_key(self._key).address)

    def sign(self, typed: dict[str, Any]) -> bytes:
        made = Account.sign_typed_data(self._key, full_message=typed)
        return bytes(made.signature)


def recover(typed: dict[str, Any], signature: bytes) -> str | None:
    """The 0x address that signed EIP-712 data; None where the signature is none."""
    try:
        message = encode_typed_data(full_message=typed)
        return str(Account.recover_message(message, signature=signature))
    except Exception:
        return None
