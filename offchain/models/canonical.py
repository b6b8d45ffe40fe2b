"""Canonical JSON: one sequence of bytes for one small document, so that its hash names it."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

from offchain.errors import SoukError

MAX_DEPTH = 16
"""Deepest nesting read. json goes as deep as the interpreter's limit, which some libraries raise
beyond what the stack holds: then a few thousand brackets end the process."""

# A string that does not end goes to the end, so that each byte is looked at once.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?')
_NO_BRACKET = bytes(set(range(256)) - set(b"[{]}"))
_STEPS = {byte: 1 if byte in b"[{" else -1 for byte in b"[{]}"}


class DocumentError(SoukError):
    """Bytes that are no document in its one form; the message is one line for people."""


def to_canonical(document: dict[str, Any]) -> bytes:
    """`document` as JSON: keys sorted, no spaces, ASCII, numbers as Python prints them.

    Raises ValueError on NaN and infinity, which JSON does not have.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode()


def from_canonical(data: bytes, what: str, limit: int) -> dict[str, Any]:
    """The document that `to_canonical` wrote as `data`, at most `limit` bytes, untrusted.

    `what` names it in errors. Raises DocumentError when it is too long, no JSON object, or not
    in its one form (spaces, order, repeated keys, other spellings of a number).
    """
    if len(data) > limit:
        raise DocumentError(f"{what} has at most {limit} bytes, not {len(data)}")
    if _depth(data) > MAX_DEPTH:
        raise DocumentError(f"{what} is nested deeper than {MAX_DEPTH} levels")
    try:
        document = json.loads(data)
        form = to_canonical(document) if isinstance(document, dict) else b""
    except ValueError as error:
        raise DocumentError(f"{what} is no JSON document: {_line(error)}") from error
    if not isinstance(document, dict):
        raise DocumentError(f"{what} is a JSON object, not a {type(document).__name__}")
    if form != data:
        raise DocumentError(f"{what} is not in canonical form (sorted keys, no spaces)")
    return document


def take(document: dict[str, Any], what: str, **fields: type | tuple[type, ...]) -> list[Any]:
    """The values of exactly these `fields`, each of its type, in the order given.

    Raises DocumentError naming the field that is missing, unknown or of another type. A bool
    is no int here.
    """
    if document.keys() != fields.keys():
        odd = [name[:60] for name in sorted(document.keys() ^ fields.keys())[:5]]
        raise DocumentError(f"{what} has the fields {sorted(fields)}; wrong or missing: {odd}")
    for name, kind in fields.items():
        value = document[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise DocumentError(f"{what}: {name} cannot be {value!r:.60}")
    return [document[name] for name in fields]


def _depth(data: bytes) -> int:
    """How deep brackets outside strings are nested at most."""
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKET)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
