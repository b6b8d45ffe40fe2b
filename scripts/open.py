"""`ape run open`: a collector opens a HyperX session with its own validation pictures."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags as hyperx
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Open a HyperX session and buy the best dataset")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@flags.samples
@common.licence()
@flags.retention
@flags.class_name
@click.option("--content", default="", help="What a sample may contain, in words.")
@click.option("--contact", multiple=True, help="Mail or page of yours; repeat.")
@click.option("--any-size", is_flag=True, help="Take pictures of any size, not of yours alone.")
@click.option(
    "--least-per-class",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples of each class that a provider has at all.",
)
@click.option(
    "--least-samples",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples in all.",
)
@click.option(
    "--distinct",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples that are no copies of others.",
)
@hyperx.terms
@click.option(
    "--expect",
    type=click.IntRange(1, 200),
    default=6,
    show_default=True,
    help="Providers that get their turns before the session expires.",
)
@hyperx.judging
@common.pay_to
@common.seed("Of the training of heads.")
@common.device
@click.option("--resume", help="Address of a session to go on with.")
@flags.party
def cli(**options: object) -> None:
    """Create a session through the deployed factory and play the collector until its end.

    The pictures under --dataset judge what others offer; nothing of them is published. The same
    command goes on with the same session after a crash. What is needed by others lies in the
    datastore: leave this running, or give --ipfs a node that stays.
    """
    from scripts._hyperx.collecting import run_open
    from scripts._hyperx.options import OpenOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_open(OpenOptions(**options))  # type: ignore[arg-type]
