"""EIP-712: what a wallet signs of typed data, for structures of plain fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak

from offchain.crypto.commitments import word

DOMAIN = "EIP712Domain"


def digest(typed: Mapping[str, Any]) -> bytes:
    """The 32 bytes that are signed of typed data, as `eth_signTypedData_v4` takes it.

    Fields are strings, addresses as 0x strings, 32 bytes or unsigned integers. Raises
    CommitmentError for bytes of another length.
    """
    kind, types = typed["primaryType"], typed["types"]
    message = _struct_hash(kind, types[kind], typed["message"])
    return keccak(b"\x19\x01" + separator(typed) + message)


def separator(typed: Mapping[str, Any]) -> bytes:
    """The 32 bytes by which a contract knows what is signed for it; fields as in `digest`."""
    return _struct_hash(DOMAIN, typed["types"][DOMAIN], typed["domain"])


def _struct_hash(name: str, fields: list[Mapping[str, str]], values: Mapping[str, Any]) -> bytes:
    text = ",".join(f"{field['type']} {field['name']}" for field in fields)
    words = [_word(field["type"], values[field["name"]]) for field in fields]
    return keccak(keccak(f"{name}({text})".encode()) + b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    return keccak(value.encode()) if kind == "string" else word(value)
