"""What a command is called with, unless its user says otherwise."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import click

Options = TypeVar("Options")


def options_of(command: click.Command, kind: type[Options], **changes: Any) -> Options:
    """The command line's defaults as the command's dataclass of options, with `changes`."""
    context, names = click.Context(command), {field.name for field in fields(kind)}
    defaults = {
        p.name: p.type_cast_value(context, p.get_default(context))
        for p in command.params
        if p.name in names
    }
    return replace(kind(**defaults), **changes)
