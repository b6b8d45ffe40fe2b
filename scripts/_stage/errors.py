"""What the libraries complain about, turned into one line for people: the only place that does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import click
from ape.exceptions import ApeException
from web3.exceptions import Web3RPCError

from offchain.errors import SoukError
from offchain.report.text import plain
from offchain.storage.datastore import DatastoreLocked
from offchain.task.errors import ClassesUnknown, OfferRefused

MOST_CHARS = 2_000
"""Of one line: what strangers wrote may be in it."""
PEOPLES_ERRORS = (SoukError, ApeException, OSError)
"""What a user, a stranger or the machine may cause; anything else is a bug and shows where."""


@contextmanager
def one_line_each() -> Iterator[None]:
    """Turns each of `PEOPLES_ERRORS` into a ClickException of one line."""
    try:
        yield
    except PEOPLES_ERRORS as error:
        line = plain(" ".join(reason_of(error).split()), MOST_CHARS) + _remedy(error)
        raise click.ClickException(line or type(error).__name__) from error


def reason_of(error: Exception) -> str:
    """What went wrong; in the node's own words where a node would not take a request."""
    cause = error.__cause__
    if isinstance(cause, Web3RPCError) and cause.rpc_response:
        said = cause.rpc_response["error"]
        return said if isinstance(said, str) else str(said.get("message", said))
    return _without_keys(str(error))


def _remedy(error: Exception) -> str:
    """By which option a party may have what it has taken, where there is one."""
    if isinstance(error, ClassesUnknown):
        return ". --class-name OWN=TASK says which is which, --class-name OWN= leaves one out"
    if isinstance(error, DatastoreLocked):
        return ". A second command at the same time wants a SOUK_HOME of its own, or --ipfs"
    if isinstance(error, OfferRefused) and error.shape and len(error.shape) == 3:
        _, height, width = error.shape
        return f". --image-size {width} makes it so" if height == width else ""
    return ""


def _without_keys(said: str) -> str:
    """What libraries say, less what follows a host: hosted nodes have the user's key there."""
    said = re.sub(r"://[^@/\s'\"]+@", "://", said)
    said = re.sub(r"((?:https?|wss?)://[^/?\s'\"]+)[/?][^\s'\"]*", r"\1/...", said)
    return re.sub(r"(with url: )\S+", r"\1...", said)
