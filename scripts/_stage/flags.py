"""Options that several parties' commands have; nothing here is slow to load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scripts._stage import options as common
from scripts._stage.options import Decorator


def grouped(*decorators: Decorator) -> Decorator:
    """One decorator that adds the options of all, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return add


data = grouped(
    common.dataset,
    common.data_root,
    common.download,
    common.skip_broken,
    click.option("--image-size", type=click.IntRange(min=8, max=512), help="Resize to, in pixels."),
)
"""Of whose pictures."""

samples = grouped(common.label, common.text, data)
"""Of whose pictures, table or texts."""

column_name = click.option(
    "--column-name",
    multiple=True,
    metavar="OWN=TASK",
    help="What the task calls a column of your table. Repeat.",
)

deployments = click.option(
    "--deployments",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("deployments"),
    show_default=True,
    help="Folder of the files that ape run deploy wrote.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Say what happens in lines of JSON.")

signing = grouped(
    click.option(
        "--account", required=True, help="Keystore account; on a local chain also TEST::NUMBER."
    ),
    click.option("--yes", is_flag=True, help="Sign without asking."),
)
"""Whose account, and whether it asks."""

reading = grouped(
    click.option(
        "--listen",
        default="/ip4/127.0.0.1/tcp/0",
        show_default=True,
        help="Where the embedded node is reached, as /ip4/0.0.0.0/tcp/4001; port 0 is any.",
    ),
    click.option(
        "--peer", multiple=True, help="Multiaddress of a node to stay connected to; repeat."
    ),
    common.ipfs,
    common.gateway,
    common.pin_service,
    deployments,
    as_json,
)
"""What whoever fetches from the datastore says."""

party = grouped(signing, reading)
"""What every party's command takes."""

retention = click.option(
    "--retention",
    type=click.FloatRange(0, 3_660),
    default=0.0,
    show_default=True,
    help="Days after the end for which all who store content have to keep it.",
)

most_retention = click.option(
    "--most-retention",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Days; tasks are refused that ask you to keep content for longer after the end.",
)

class_name = click.option(
    "--class-name",
    multiple=True,
    metavar="OWN=TASK",
    help="What the task calls a class of yours; OWN= leaves a class out. Repeat.",
)

pay_out = grouped(common.pay_to, signing, deployments, as_json)
"""What whoever takes money out says."""
