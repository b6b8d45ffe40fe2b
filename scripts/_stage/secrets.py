"""Souk's own secrets on a chain that is not local: locked at rest, and their backup."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from functools import cache
from pathlib import Path

import click

from offchain.crypto.passphrase import Locked, Passphrase, is_locked
from offchain.crypto.secrets_file import SecretsFile
from offchain.database import content_of
from offchain.files import write_whole
from offchain.post.kept import without_own_runs
from scripts._stage.accounts import is_local
from scripts._stage.chain import chain_home
from scripts._stage.post import LETTERS

VARIABLE = "SOUK_PASSPHRASE"
"""Where a passphrase is looked for before it is asked for."""
MAX_BACKUP_BYTES = 1 << 30
"""Largest backup read."""

_FOUND_AGAIN = (
    "ipfs",
    "logs.sqlite",
    "logs.sqlite-journal",
    "outbox.sqlite-journal",
    "post.sqlite-journal",
    "shards.sqlite",
    "shards.sqlite-journal",
    "stocks",
)
"""What lies beside the secrets and comes from chain, datastore or the file that it belongs to."""


def secrets_at(path: Path) -> SecretsFile:
    """The secrets in a file; on a chain that is not local they are locked.

    Raises SecretsError where another passphrase locked them.
    """
    return SecretsFile(path, None if is_local() else passphrase())


@cache
def passphrase() -> Passphrase:
    """The user's, asked for once. Raises ClickException where nobody can be asked."""
    words = os.environ.get(VARIABLE)
    if words is None and not sys.stdin.isatty():
        raise click.ClickException(f"secrets are locked under a passphrase: set {VARIABLE}")
    if words is None:
        new = not any(chain_home().rglob("*.json"))
        words = click.prompt("Passphrase of your secrets", hide_input=True, confirmation_prompt=new)
    try:
        return Passphrase(str(words))
    except Locked as error:
        raise click.ClickException(str(error)) from error


def back_up(home: Path, target: Path, key: Passphrase) -> list[str]:
    """Writes one locked file that holds all that is lost with `home`; the names in it.

    Raises ClickException where there is nothing, `target` exists, the passphrase is not that of the
    secrets, or all is too much; PostError.
    """
    if target.exists():
        raise click.ClickException(f"{target} exists already")
    names = _names(home)
    if not names:
        raise click.ClickException(f"there are no secrets under {home}")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            content = _content(home / name, key)
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    if packed.tell() * 4 // 3 > MAX_BACKUP_BYTES:
        raise click.ClickException(f"{home} holds more than {MAX_BACKUP_BYTES:,} bytes when packed")
    write_whole(target, key.lock(packed.getvalue()), 0o600)
    return names


def put_back(home: Path, source: Path, key: Passphrase) -> list[str]:
    """Puts back what a backup has and `home` lacks; the names of it.

    Raises ClickException, and changes nothing, where a file is there and another, or where
    `source` is no backup under this passphrase.
    """
    if not source.exists():
        raise click.ClickException(f"there is no {source}")
    if source.stat().st_size > MAX_BACKUP_BYTES:
        raise click.ClickException(f"{source} is larger than {MAX_BACKUP_BYTES:,} bytes")
    try:
        packed = io.BytesIO(key.unlock(source.read_bytes()))
        with tarfile.open(fileobj=packed) as archive:
            members = archive.getmembers()
            # Not the filter of tarfile, which Python has from 3.11.4 on.
            if strange := [one.name for one in members if not _is_inside(one, home)]:
                raise click.ClickException(f"{source} has {strange[0]}, no file of {home}")
            files = ((one.name, archive.extractfile(one)) for one in members)
            contents = {name: file.read() for name, file in files if file}
    except (Locked, tarfile.TarError) as error:
        raise click.ClickException(f"{source}: {error}") from error
    there = {name for name in contents if (home / name).exists()}
    other = sorted(name for name in there if _there(home / name) != contents[name])
    if other:
        raise click.ClickException(f"{home} has another {', another '.join(other)}")
    for name in contents.keys() - there:
        write_whole(home / name, contents[name], 0o600)
    return sorted(contents.keys() - there)


def _is_inside(member: tarfile.TarInfo, home: Path) -> bool:
    """Whether it is a file that lies in the folder."""
    return member.isfile() and (home / member.name).resolve().is_relative_to(home.resolve())


def _content(path: Path, key: Passphrase) -> bytes:
    """Of a file that `key` opens, if it is locked. Raises ClickException."""
    if path.name == LETTERS:
        return without_own_runs(path)
    if path.suffix == ".sqlite":
        return content_of(path)
    content = path.read_bytes()
    try:
        if is_locked(content):
            key.unlock(content)
    except Locked as error:
        raise click.ClickException(f"{path}: {error}") from error
    return content


def _there(path: Path) -> bytes:
    """What a backup would have of a file, locked or not."""
    return without_own_runs(path) if path.name == LETTERS else path.read_bytes()


def _names(home: Path) -> list[str]:
    """Files that nobody can make again."""
    files = (path.relative_to(home) for path in home.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] not in _FOUND_AGAIN)
