"""Options that several commands have, so that each means the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

dataset = click.option(
    "--dataset", default="digits", show_default=True, help="Name, directory or table."
)

label = click.option(
    "--label",
    help="Column of the classes, where the dataset is a table: a .csv or .parquet file.",
)

text = click.option(
    "--text", help="Column of a table that holds texts: of these the dataset is, and of no other."
)

data_root = click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where torchvision's datasets are; default ~/.cache/souk.",
)

download = click.option("--download", is_flag=True, help="Let torchvision fetch what is missing.")

skip_broken = click.option(
    "--skip-broken",
    is_flag=True,
    help="Go on without pictures of a directory that cannot be read, and list them.",
)

gas_price = click.option(
    "--gas-price",
    type=click.FloatRange(0, 1_000_000),
    default=20.0,
    show_default=True,
    help="In gwei, for tables.",
)

token = click.option("--token", help="Address of the ERC-20 that pays; default the native coin.")

pay_to = click.option(
    "--pay-to",
    metavar="ACCOUNT",
    help="Account that is paid what comes out of contracts; default whoever it is owed to.",
)

device = click.option("--device", help="cpu or cuda; default the best there is.")

ipfs = click.option("--ipfs", help="URL of a Kubo RPC endpoint; default an embedded node.")


def _helped(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Notes who helps the datastore that the command opens; no command has to hand it on."""
    from offchain.storage.helped import HELP

    HELP.set(replace(HELP.get(), **{str(parameter.name): tuple(value)}))


gateway = click.option(
    "--gateway",
    "gateways",
    multiple=True,
    metavar="URL",
    expose_value=False,
    callback=_helped,
    help="HTTP gateway to read from what no peer has, checked by CID; repeat.",
)

pin_service = click.option(
    "--pin-service",
    "services",
    multiple=True,
    type=(str, click.Path(path_type=Path, dir_okay=False, exists=True)),
    metavar="URL FILE",
    expose_value=False,
    callback=_helped,
    help="Service that keeps what is stored, and the file of its token, mode 0600; repeat.",
)


def licence(default: str | None = None) -> Decorator:
    """`--licence`. default: without one it must be named."""
    return click.option(
        "--licence",
        required=default is None,
        default=default,
        show_default=True,
        help="Of what is bought: an SPDX identifier, or the text itself.",
    )


def seed(of: str) -> Decorator:
    """`--seed`. of: what hangs on it, as its help says."""
    return click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help=of
    )


def story(names: Sequence[str]) -> Decorator:
    """`--story`. names: of the stories that there are; "honest" is one of them."""
    return click.option(
        "--story",
        type=click.Choice([*names, "all"]),
        default="honest",
        show_default=True,
        help="Who misbehaves: one of the stories, or all of them in turn.",
    )


def reports(of: str, default: str = "reports") -> Decorator:
    """`--reports`. of: what the folder holds in the end, as its help says."""
    return click.option(
        "--reports",
        type=click.Path(path_type=Path, file_okay=False, writable=True),
        default=Path(default),
        show_default=True,
        help=of,
    )


workers = click.option(
    "--workers",
    type=click.IntRange(1, 1_024),
    help="How many processes share the runs, each computing on one thread; default one for each "
    "core, or a single one with a GPU.",
)

ray = click.option(
    "--ray",
    metavar="ADDRESS",
    help="Spread the runs over the Ray cluster at this address instead, or over one started here "
    "(local). Each of its machines needs the locked requirements.",
)
