"""A role's secrets: the one thing besides the chain that must survive a crash."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from offchain.crypto.errors import CryptoError
from offchain.crypto.passphrase import Locked, Passphrase, is_locked
from offchain.files import write_whole


class SecretsError(CryptoError):
    """A secrets file that others can read, that is none, or that lacks a secret."""


class SecretsFile:
    """Named secrets in a JSON file of mode 0600, locked where there is a passphrase.

    A secret is on disk before it is handed out, so nothing that rests on it can outlive it. The
    values appear in no message and no representation. A locked file knows its own name.

    Raises SecretsError when the file is readable by others, is not what this class writes, is
    locked under another passphrase or is another's; with a passphrase also when it is not locked,
    since whoever can write it could have put it there.
    """

    def __init__(self, path: Path, passphrase: Passphrase | None = None) -> None:
        self.path = path
        self._passphrase = passphrase
        self._values = self._read()

    def __repr__(self) -> str:
        return f"SecretsFile({str(self.path)!r}, {len(self._values)} secrets)"

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> bytes:
        """The secret called `name`. Raises SecretsError if there is none."""
        if name not in self._values:
            raise SecretsError(f"{self.path} holds no secret called {name!r}")
        return bytes.fromhex(self._values[name])

    def remember(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret called `name`; the first time, what `make` returns, once it is on disk."""
        if name not in self._values:
            with self._alone():
                # Read again: another object may have added to the file, and first.
                values = self._read()
                if name not in values:
                    values[name] = make().hex()
                    self._write(values)
            self._values = values
        return self.get(name)

    def _read(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        mode = self.path.stat().st_mode & 0o777
        if mode & 0o077:
            raise SecretsError(f"{self.path} has mode {mode:04o}, needs 0600: others could read it")
        content = self.path.read_bytes()
        if is_locked(content) or self._passphrase:
            content = self._unlocked(content)
        try:
            values = json.loads(content)
            return {str(name): bytes.fromhex(v).hex() for name, v in values.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise SecretsError(f"{self.path} is no secrets file") from error

    def _unlocked(self, content: bytes) -> bytes:
        if self._passphrase is None:
            raise SecretsError(f"{self.path} is locked: it takes a passphrase")
        if not is_locked(content):
            raise SecretsError(f"{self.path} is not locked, so nobody knows who wrote it")
        try:
            name, _, content = self._passphrase.unlock(content).partition(b"\0")
        except Locked as error:
            raise SecretsError(f"{self.path}: {error}") from error
        if name != self.path.name.encode():
            raise SecretsError(f"{self.path} was {name.decode(errors='replace')!r:.60} when locked")
        return content

    def _write(self, values: dict[str, str]) -> None:
        content = json.dumps(values).encode()
        if self._passphrase:
            content = self._passphrase.lock(self.path.name.encode() + b"\0" + content)
        write_whole(self.path, content, 0o600)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process adds to a file of this folder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            flock(folder, LOCK_EX)
            yield
        finally:
            os.close(folder)
