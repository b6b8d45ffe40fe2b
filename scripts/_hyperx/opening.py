"""A session is opened once, however often the process that opens it is killed.

Its terms hold times, so that the same command a second later would open another one, with another
escrow. So what is about to be sent is on disk first, and stays until whoever opens it has no more
use for it: knows the address, or has played the session to its end.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI

from offchain.crypto.settlement import SHORTEST_WINDOW, Settlement
from offchain.files import write_whole
from offchain.hyperx.terms import Terms
from scripts._hyperx.chain import ChainSession
from scripts._stage.chain import clock, plain, waits
from scripts._stage.deployments import Deployed


@dataclass(frozen=True)
class Begun:
    """A session that is, or may be, opened: with its collector both decide its address."""

    terms: Terms
    nonce: int

    def is_for(self, asked: Terms) -> bool:
        """Whether it is what is asked for, only earlier."""
        later = asked.registration_end - self.terms.registration_end
        moved = replace(
            self.terms,
            registration_end=self.terms.registration_end + later,
            submission_end=self.terms.submission_end + later,
            expiry=self.terms.expiry + later,
        )
        return moved == asked

    def may_come(self, account: AccountAPI) -> bool:
        """Whether something that was sent may still open it."""
        latest = self.terms.registration_end - SHORTEST_WINDOW
        return clock().now <= latest and waits(account)


class Opening:
    """What one collector was about to open with one factory, under a folder of its own.

    name: of one command among several that a collector may run side by side.
    """

    def __init__(
        self, folder: Path, factory: Deployed, account: AccountAPI, name: str = "session"
    ) -> None:
        self._path = folder / f"{factory.contract.address}-{account.address}-{name}.terms"
        self._factory = factory
        self._account = account

    def open(self, asked: Terms) -> ChainSession:
        """The session under `asked`: a new one, or the one that a killed process began.

        Raises ClickException where that one has other terms, and what `ChainSession.create` raises.
        """
        begun = self._read()
        if begun is not None:
            address = self._factory.contract.sessionOf(plain(begun.terms), begun.nonce)
            if ape.chain.provider.get_code(address):
                return self._found(str(address), begun.is_for(asked))
            if not begun.may_come(self._account):
                begun = None
            elif not begun.is_for(asked):
                raise click.ClickException(
                    f"session {address} of other terms was sent and may still be opened: give the "
                    "options of then to go on with it, or wait until its registration is over"
                )
        if begun is None:
            begun = Begun(asked, ape.chain.blocks.height)
            self._write(begun)
        return ChainSession.create(self._factory.contract, begun.terms, begun.nonce, self._account)

    def begun(self) -> ChainSession | None:
        """The session that a killed process began, whatever this one would ask for.

        None where there is none, and none may come. Raises what `ChainSession.create` raises.
        """
        begun = self._read()
        if begun is None:
            return None
        address = self._factory.contract.sessionOf(plain(begun.terms), begun.nonce)
        if ape.chain.provider.get_code(address):
            return ChainSession.resume(self._factory.contract, self._factory.block, str(address))
        if not begun.may_come(self._account):
            return None
        return ChainSession.create(self._factory.contract, begun.terms, begun.nonce, self._account)

    def told(self) -> None:
        """Whoever calls again wants another session."""
        self._path.unlink(missing_ok=True)

    def _found(self, address: str, wanted: bool) -> ChainSession:
        if not wanted:
            self.told()
            raise click.ClickException(
                f"session {address} of other terms was opened before: --resume {address} goes on "
                "with it, the same command again opens another one"
            )
        return ChainSession.resume(self._factory.contract, self._factory.block, address)

    def _read(self) -> Begun | None:
        if not self._path.exists():
            return None
        kept = json.loads(self._path.read_bytes())
        words: dict[str, Any] = {
            one.name: bytes.fromhex(kept["terms"][one.name])
            if one.type == "bytes"
            else kept["terms"][one.name]
            for one in fields(Terms)
        }
        settlement = Settlement(words["settlement"])
        return Begun(Terms(**words | {"settlement": settlement}), kept["nonce"])

    def _write(self, begun: Begun) -> None:
        words = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in asdict(begun.terms).items()
        }
        write_whole(self._path, json.dumps({"terms": words, "nonce": begun.nonce}).encode())
