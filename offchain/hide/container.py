"""Safetensors with one JSON document beside them: the form of every file of Hide-and-Seek.

Nothing in a file is ever executed, and its sizes are checked before anything is allocated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from offchain.hide.errors import CleanerHeader, OversizedCleaner, TruncatedCleaner
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical

MAX_HEADER_BYTES = 1 << 20
"""Longest safetensors header read; the names of 65,536 classes are the most it holds."""

MAX_FILE_BYTES = 1 << 34
"""Largest file read: 16 GiB."""


def pack(kind: str, said: dict[str, Any], tensors: dict[str, torch.Tensor]) -> bytes:
    """A file of this `kind`; equal content is equal bytes."""
    # One key: safetensors writes several in an order that changes from run to run.
    held = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(held, {_key(kind): to_canonical(said).decode()})


def unpack(
    data: bytes, kind: str, fields: dict[str, type], names: set[str], limit: int
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The document and the tensors in untrusted bytes, at most `limit` of them.

    fields: what the document must hold, and of which types. names: the tensors there must be.
    Raises OversizedCleaner, TruncatedCleaner or CleanerHeader, naming the `kind` of file.
    """
    if len(data) > limit:
        raise OversizedCleaner(f"a {kind} has at most {limit} bytes here, not {len(data)}")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > MAX_HEADER_BYTES or 8 + length > len(data):
        raise TruncatedCleaner(
            f"no {kind}, or a truncated one: {len(data)} bytes, of which the header claims {length}"
        )
    document = _said(data[8 : 8 + length], kind)
    try:
        tensors = load(data)
    # KeyError: a number type that safetensors knows and this version of torch does not.
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise TruncatedCleaner(f"no {kind}, or a truncated one: {error}") from error
    if tensors.keys() != names:
        raise CleanerHeader(f"a {kind} holds {sorted(names)}, not {sorted(tensors)!r:.80}")
    try:
        take(document, f"the {kind}", **fields)
    except DocumentError as error:
        raise CleanerHeader(str(error)) from error
    return document, tensors


def read_bytes(path: Path, kind: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """The whole file. Raises OversizedCleaner before reading more than `limit`."""
    size = path.stat().st_size
    if size > limit:
        raise OversizedCleaner(f"{path}: a {kind} has at most {limit} bytes here, not {size}")
    return path.read_bytes()


def _said(header: bytes, kind: str) -> dict[str, Any]:
    try:
        text = json.loads(header)["__metadata__"][_key(kind)]
        return from_canonical(text.encode(), f"what the {kind} says", MAX_HEADER_BYTES)
    # RecursionError: brackets nested a thousand deep.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CleanerHeader(f"the header is not that of a {kind}") from error


def _key(kind: str) -> str:
    return f"souk.hide.{kind}.v1"
