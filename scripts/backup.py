"""`ape run backup`: keeps what is lost with this machine, and puts it back."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Back up secrets, or restore them")
@network_option(default="ethereum:sepolia:node")
@verbosity_option(default="WARNING")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--restore", is_flag=True, help="Put back what FILE holds.")
def cli(file: Path, restore: bool) -> None:
    """Write to FILE the secrets of the network's chain under .souk/, or read them from it.

    Keys of shards, one-time keys and journals are made on this machine and nowhere else: who loses
    them loses the money that rests on them. They are locked under a passphrase, asked for or taken
    from SOUK_PASSPHRASE; so is FILE. What is there and another is never overwritten.

    Restore a server's journal (SecCL) only if it is the newest: who signs again what was signed
    otherwise loses its stake.
    """
    from scripts._stage.chain import chain_home
    from scripts._stage.errors import one_line_each
    from scripts._stage.secrets import back_up, passphrase, put_back

    home = chain_home()
    with one_line_each():
        names = (put_back if restore else back_up)(home, file, passphrase())
    click.echo(
        f"{len(names)} files {'are back in' if restore else 'in'} {home if restore else file}"
    )
    for name in names:
        click.echo(f"  {name}")
