"""A command of `ape run` in a thread of its own, on the network that is connected already."""

from __future__ import annotations

import contextvars
import logging
import time
import tomllib
import traceback
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread

import click
from ape import chain
from ape.logging import logger

from bots.finding import JOINS, Filter, join_found
from offchain.errors import SoukError
from scripts._stage.pulse import PULSE, STANDING, Stopped

STOP_SECONDS = 60.0
"""For what a party is at when it is asked to end."""
ALWAYS = ("--yes", "--json")
"""Nobody is there to be asked, and what it says is read by programs."""


class PartyFileError(click.ClickException):
    """A party's file that cannot be used."""


class PartyThread:
    """One party: a command with its arguments, which runs until it ends or is stopped.

    Attributes:
        failure: why it ended, where it should not have; not "".
    """

    def __init__(self, command: str, arguments: list[str], find: Filter | None = None) -> None:
        """find: what is joined, in the place of a reference among the arguments.

        Raises PartyFileError where there is no such command, it is no party's, or joins nothing.
        """
        try:
            self._command: click.Command = import_module(f"scripts.{command}").cli
        except ModuleNotFoundError as error:
            raise PartyFileError(f"no command {command!r}: {error}") from error
        known = {option for one in self._command.params for option in one.opts}
        if not set(ALWAYS) <= known:
            raise PartyFileError(f"{command!r} is no party's command: it has no {ALWAYS}")
        if any(one.partition("=")[0] == "--network" for one in arguments):
            raise PartyFileError(
                "--network stands on silverback's command line, not in a party's file: the bot is "
                "connected before it reads that"
            )
        if find and command not in JOINS:
            raise PartyFileError(
                f"find: {command!r} joins nothing that others made; {', '.join(JOINS)} do"
            )
        self._name, self._find = command, find
        # What is found takes the place of an empty reference.
        place = [""] if find else []
        self._arguments = [*place, *arguments, *(one for one in ALWAYS if one not in arguments)]
        self.failure: str | None = None
        context = contextvars.copy_context()
        self._thread = Thread(target=context.run, args=(self._run,), name=command, daemon=True)

    @classmethod
    def from_file(cls, path: Path) -> PartyThread:
        """As a TOML file says: `command`, its `arguments`, a list of text, and perhaps `find`.

        Raises PartyFileError.
        """
        try:
            said = tomllib.loads(path.read_text())
            command, arguments = said.pop("command"), said.pop("arguments")
            find = Filter.parse(said.pop("find")) if "find" in said else None
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, SoukError) as error:
            raise PartyFileError(f"{path} is no party's file: {error}") from error
        texts = isinstance(arguments, list) and all(isinstance(one, str) for one in arguments)
        if said or not isinstance(command, str) or not texts:
            raise PartyFileError(
                f"{path} has more or other than command, a text, and arguments, a list of text"
            )
        return cls(command, arguments, find)

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """The chain has a new block."""
        PULSE.beat()

    def stop(self) -> None:
        """Ends it between two actions; nothing is lost. Waits for `STOP_SECONDS` at most."""
        PULSE.end()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def metrics(self, block_time: int) -> dict[str, int]:
        """How it stands at a block: whole numbers, times in seconds and the balance in gwei.

        deadline: until what it waits for; absent where it waits for nothing.
        """
        found = {
            "head_lag": max(0, int(time.time()) - block_time),
            "sent": STANDING.sent,
            "errors": STANDING.errors,
        }
        if STANDING.account:
            found["balance"] = chain.provider.get_balance(STANDING.account) // 10**9
        if STANDING.until is not None:
            found["deadline"] = STANDING.until - block_time
        return found

    def _run(self) -> None:
        try:
            # The command sets the level of Silverback's own log as well.
            level = "--verbosity", logging.getLevelName(logger.level)
            arguments = [*self._arguments, *level]
            context = self._command.make_context(str(self._command.name), arguments)
            # Silverback has connected; a thread cannot.
            for name in ("network", "provider_settings"):
                context.params.pop(name, None)
            assert self._command.callback is not None
            work = partial(context.invoke, self._command.callback)
            if self._find is None:
                work(**context.params)
                return
            (place,) = (one.name for one in self._command.params if isinstance(one, click.Argument))

            def join(reference: str) -> None:
                work(**(context.params | {str(place): reference}))

            join_found(self._name, self._find, context.params, join)
        except Stopped:
            return
        except click.ClickException as error:
            # Nothing said is a failure all the same.
            self.failure = error.format_message() or type(error).__name__
        except BaseException as error:
            self.failure = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        if self.failure:
            click.echo(f"Error: {self.failure}", err=True)
