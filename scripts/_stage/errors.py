"""What the libraries complain about, turned into one line for people: the only place that does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from ape.exceptions import ApeException

from offchain.errors import SoukError

PEOPLES_ERRORS = (SoukError, ApeException, OSError)
"""What a user, a stranger or the machine may cause; anything else is a bug and shows where."""


@contextmanager
def one_line_each() -> Iterator[None]:
    """Turns each of `PEOPLES_ERRORS` into a ClickException of one line."""
    try:
        yield
    except PEOPLES_ERRORS as error:
        raise click.ClickException(" ".join(str(error).split())) from error
