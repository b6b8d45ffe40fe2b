"""`ape run predict`: what a shared model says of texts (SUM)."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags
from scripts._stage.command import ChainCommand
from scripts._sum import party_flags


@click.command(cls=ChainCommand, short_help="Ask a shared model (SUM)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("model")
@click.argument("text", nargs=-1)
@party_flags.texts("Instead of TEXT")
@flags.reading
def cli(model: str, **options: Any) -> None:
    """Tell the class of each TEXT, from MODEL's weights and by the contract's own word.

    It costs nothing. Task and vocabulary lie in the datastore: without --ipfs name a node by
    --peer.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.party_options import PredictOptions
    from scripts._sum.predicting import run_predict

    with one_line_each():
        run_predict(model, PredictOptions(**options))
