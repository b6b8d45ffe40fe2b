"""`ape run pins`: what a pinning service keeps for you."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="List, await or remove what a pinning service keeps")
@click.option(
    "--pin-service",
    "service",
    required=True,
    type=(str, click.Path(path_type=Path, dir_okay=False, exists=True)),
    metavar="URL FILE",
    help="The service, and the file of its token, mode 0600.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="Wait until all that is asked for is kept.",
)
@click.option("--remove", multiple=True, metavar="CID", help="Keep this no more; repeat.")
@click.option("--json", "as_json", is_flag=True, help="Say it in lines of JSON.")
def cli(
    service: tuple[str, Path], wait: float | None, remove: tuple[str, ...], as_json: bool
) -> None:
    """List what the service keeps, is about to keep, or failed to keep.

    Your own node has to be reachable while the service fetches from it: keep the command that
    stored the content running, and wait here.
    """
    from offchain.storage.pinning import PinService, read_token
    from scripts._stage.errors import one_line_each

    with one_line_each():
        url, file = service
        asked = PinService(url, read_token(file))
        for cid in remove:
            click.echo(f"{asked.remove(cid)} removed: {cid}", err=as_json)
        if wait is not None:
            asked.wait(sorted({pin.cid for pin in asked.pins()}), 60 * wait)
        for pin in asked.pins():
            line = json.dumps({"event": "pin", "cid": pin.cid, "state": pin.state})
            click.echo(line if as_json else f"{pin.state:8} {pin.cid}")
