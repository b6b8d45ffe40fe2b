"""`ape run federate`: members train one model through a server that none of them trusts."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._seccl import flags
from scripts._stage import flags as party
from scripts._stage import options as common
from scripts._stage.command import ChainCommand

LIES = ("none", "alters", "drops", "replays", "equivocates", "withholds", "stalls")


@click.command(cls=ChainCommand, short_help="Train together (SecCL)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option(
    "--participants",
    type=click.IntRange(min=3),
    default=10,
    show_default=True,
    help="How many members train.",
)
@flags.terms
@common.licence("CC-BY-4.0")
@common.seed("Of data, split, training and attackers.")
@common.dataset
@common.data_root
@common.download
@common.skip_broken
@click.option(
    "--image-size", type=click.IntRange(min=16, max=256), help="Resize images, in pixels."
)
@click.option("--images", type=click.IntRange(min=1), help="Use only so many images.")
@click.option(
    "--test",
    type=click.IntRange(min=10),
    default=1_000,
    show_default=True,
    help="Images that nobody trains on, by which accuracy is measured.",
)
@click.option(
    "--split",
    default="equal",
    show_default=True,
    help="How the data is spread: equal, classes:<count> (each member holds so many classes) or "
    "dirichlet:<alpha> (the smaller, the more uneven).",
)
@click.option(
    "--attack",
    default="none",
    show_default=True,
    help="What attackers do: tricks joined by +, each with a level after a colon where it has one: "
    "flip, backdoor, sign-flip, scaled, copy, copy-previous, noise, ballots.",
)
@click.option(
    "--attackers",
    "--epsilon",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the members that attack.",
)
@click.option(
    "--attack-from",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help="Round in which the attack begins; the first is round 0.",
)
@click.option(
    "--lie",
    type=click.Choice(LIES),
    default="none",
    show_default=True,
    help="What the server does wrong, once, with one member's update: alters it, drops it, replays "
    "the one before, equivocates (tells another member of another one), withholds what is in its "
    "batch, or stalls (posts nothing any more).",
)
@click.option(
    "--lie-round",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Round of the lie; the first is round 0.",
)
@click.option(
    "--new-key",
    metavar="ROUND",
    type=click.IntRange(min=0),
    help="Round from which on the server signs with another key.",
)
@common.pay_to
@click.option("--server", help="Keystore account of the server, off a local chain.")
@click.option(
    "--member", multiple=True, help="Keystore account of a member, off a local chain; repeat."
)
@click.option("--yes", is_flag=True, help="Sign without asking, off a local chain.")
@party.deployments
@common.gas_price
@common.device
@common.ipfs
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    help="Folder for content and secrets; default under .souk/ on a node that stays, else none.",
)
@click.option(
    "--resume",
    metavar="SESSION",
    help="Go on with a session on a node that stayed; its own options count, not those given.",
)
@common.reports("Folder under which federate/ gets page, plots and record.")
def cli(
    data_root: Path | None,
    ipfs: str | None,
    keep: Path | None,
    resume: str | None,
    reports: Path,
    **options: object,
) -> None:
    """Let members train one model through a server that none of them trusts.

    Each round every member trains on its own images and uploads the largest part of the change; all
    evaluate all, vote, and the elected updates move the model. Hashes of all messages are on the
    bulletin board, ballots and results on the consensus contract; a server that lies is convicted
    on chain and loses its stake. At the end the session is audited as `ape run audit` does.

    One process plays all members here; between strangers it is serve and join. Off a local chain
    it waits for each window.

    A node that stays: anvil, then this with APE_FOUNDRY_HOST=http://127.0.0.1:8545.
    """
    from scripts._seccl.options import FederateOptions
    from scripts._seccl.play import federate
    from scripts._stage.errors import one_line_each

    with one_line_each():
        root = None if data_root is None else str(data_root)
        given = FederateOptions(data_root=root, **options)  # type: ignore[arg-type]
        federate(given, reports, keep, ipfs, resume)
