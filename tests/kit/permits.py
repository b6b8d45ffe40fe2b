"""Allowances that an account signs (ERC-2612), as a PermitToken takes them."""

from __future__ import annotations

from typing import Any

import ape
from ape.contracts import ContractInstance
from eth_account.messages import encode_typed_data

_FIELDS = ("owner address", "spender address", "value uint256", "nonce uint256", "deadline uint256")
_DOMAIN = ("name string", "version string", "chainId uint256", "verifyingContract address")


def signed_permit(
    token: ContractInstance, owner: Any, spender: Any, value: int, deadline: int
) -> tuple[int, int, bytes, bytes]:
    """Deadline, v, r and s of `owner`'s allowance of `value` to `spender`."""
    nonce = token.nonces(owner)
    words = (owner.address, spender.address, value, nonce, deadline)
    names = [field.split()[0] for field in _FIELDS]
    typed = {
        "primaryType": "Permit",
        "types": {"Permit": _fields(_FIELDS), "EIP712Domain": _fields(_DOMAIN)},
        "domain": {
            "name": "Plain",
            "version": "1",
            "chainId": ape.chain.chain_id,
            "verifyingContract": token.address,
        },
        "message": dict(zip(names, words, strict=True)),
    }
    signature = owner.sign_message(encode_typed_data(full_message=typed))
    # Ape leaves leading zeros out.
    r, s = (bytes(part).rjust(32, b"\0") for part in (signature.r, signature.s))
    return deadline, signature.v, r, s


def permitted(
    method: Any, *args: Any, token: ContractInstance, value: int, signed: tuple[Any, ...]
) -> list[bytes]:
    """What `multicall` takes: the signed allowance, then the call of `method` that it is for."""
    permit = method.contract.permit
    return [permit.encode_input(token.address, value, signed), method.encode_input(*args)]


def _fields(fields: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in (field.split() for field in fields)]
