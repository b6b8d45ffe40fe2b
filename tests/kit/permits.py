"""Signed allowances (ERC-2612), as the contracts' struct Permit takes them."""

from __future__ import annotations

from typing import Any

import ape
from ape.contracts import ContractInstance
from eth_account import Account

_TYPES = {
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}


def signed_permit(
    token: ContractInstance, owner: Any, spender: str, amount: int, ahead: int = 3_600
) -> tuple[int, int, bytes, bytes]:
    """deadline, v, r, s of an allowance that a test account signs; good for `ahead` seconds."""
    deadline = ape.chain.pending_timestamp + ahead
    domain = {
        "name": token.name(),
        "version": "1",
        "chainId": ape.chain.chain_id,
        "verifyingContract": str(token.address),
    }
    message = {
        "owner": str(owner.address),
        "spender": spender,
        "value": amount,
        "nonce": token.nonces(owner),
        "deadline": deadline,
    }
    made = Account.sign_typed_data(owner.private_key, domain, _TYPES, message)
    return deadline, made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big")
