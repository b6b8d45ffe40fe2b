"""Calls that pay: in the native coin, by an allowance signed with the call, or approved before it.

Where the token knows ERC-2612 and the contract takes signed allowances (Permitted.sol), call and
allowance are one transaction. Who sends the allowance first, out of the queue of transactions,
hinders nobody: the contract passes over a permit that fails.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ape
from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractInstance

from offchain.crypto import eip712
from offchain.crypto.settlement import NATIVE
from scripts._stage.chain import now, transact
from scripts._stage.foreign import NO_ANSWER
from scripts._stage.money import erc20
from scripts._stage.wallet import AccountWallet

HOLDS_SECONDS = 3_600
"""How long a signed allowance can be used."""

_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_PERMIT_FIELDS = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)


class PaidCall(NamedTuple):
    """A transaction to be sent: what it is called in records, its method, arguments and wei."""

    name: str
    method: Any
    arguments: tuple[Any, ...]
    value: int


def paid_calls(
    contract: ContractInstance,
    name: str,
    arguments: Any,
    account: AccountAPI,
    token: str,
    amount: int,
) -> list[PaidCall]:
    """The transactions, in order, by which an account calls a method that draws `amount` of the
    coin that pays. The last is the call itself, whatever it is wrapped in."""
    method, arguments = getattr(contract, name), tuple(arguments)
    if token == NATIVE or amount == 0:
        return [PaidCall(name, method, arguments, amount)]
    call = PaidCall(name, method, arguments, 0)
    if _takes_permits(contract):
        permit = signed_permit(token, account, str(contract.address), amount, now() + HOLDS_SECONDS)
        if permit is not None:
            both = [
                contract.permit.encode_input(token, amount, permit),
                method.encode_input(*arguments),
            ]
            return [call._replace(method=contract.multicall, arguments=(both,))]
    approval = erc20(token).approve, (str(contract.address), amount)
    return [PaidCall("approve", *approval, 0), call]


def transact_paying(
    contract: ContractInstance,
    name: str,
    arguments: Any,
    account: AccountAPI,
    token: str,
    amount: int,
) -> list[tuple[str, ReceiptAPI]]:
    """Sends `paid_calls`; what each is called, and its receipt, the call itself last."""
    return [
        (one.name, transact(one.method, one.arguments, account, one.value))
        for one in paid_calls(contract, name, arguments, account, token, amount)
    ]


def signed_permit(
    token: str, owner: AccountAPI, spender: str, amount: int, deadline: int
) -> tuple[int, int, bytes, bytes] | None:
    """Deadline, v, r and s of `owner`'s allowance; None where the token knows no ERC-2612.

    The token tells its name and its version alone. Address and chain are ours: a token that tells
    of another's domain gets no signature for that one.
    """
    coin = erc20(token)
    try:
        nonce, separator = (
            int(coin.nonces(owner.address, skip_trace=True)),
            bytes(coin.DOMAIN_SEPARATOR(skip_trace=True)),
        )
        name = str(coin.name(skip_trace=True))
    except NO_ANSWER:
        return None
    words = str(owner.address), spender, amount, nonce, deadline
    names = [field for field, _ in _PERMIT_FIELDS]
    typed = {
        "primaryType": "Permit",
        "types": {
            eip712.DOMAIN: [{"name": n, "type": t} for n, t in _DOMAIN_FIELDS],
            "Permit": [{"name": n, "type": t} for n, t in _PERMIT_FIELDS],
        },
        "domain": {
            "name": name,
            "version": _version(coin),
            "chainId": ape.chain.chain_id,
            "verifyingContract": token,
        },
        "message": dict(zip(names, words, strict=True)),
    }
    if eip712.separator(typed) != separator:
        return None
    signature = AccountWallet(owner).sign(typed)
    return deadline, signature[64], signature[:32], signature[32:64]


def _version(coin: ContractInstance) -> str:
    """A token's version in its EIP-712 domain; "1" where it tells none, as most have it."""
    try:
        return str(coin.version(skip_trace=True))
    except NO_ANSWER:
        return "1"


def _takes_permits(contract: ContractInstance) -> bool:
    methods = {method.name for method in contract.contract_type.mutable_methods}
    return {"permit", "multicall"} <= methods
