"""What every command that needs a chain is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from ape.cli import ConnectedProviderCommand


class ChainCommand(ConnectedProviderCommand):
    """A command that runs connected to `--network`, whose node may be busy at times."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.params.append(
            click.Option(
                ["--most-fee"],
                type=click.FloatRange(min=0, min_open=True),
                default=200.0,
                show_default=True,
                help="Gwei for a unit of gas at most, off a local chain.",
            )
        )
        if self.callback is not None:
            self.callback = _patient(self.callback)


def _patient(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def patient(*arguments: Any, most_fee: float, **options: Any) -> Any:
        import ape

        from scripts._stage.chain import MOST_FEE, outlast_reorganisations
        from scripts._stage.node import have_patience
        from scripts._stage.pool import GWEI

        MOST_FEE.set(round(most_fee * GWEI))
        if not ape.chain.provider.network.is_local:
            have_patience()
        try:
            done = work(*arguments, **options)
            outlast_reorganisations()
            return done
        except KeyboardInterrupt:
            if "account" in options:
                click.echo("ended; the same command goes on from here", err=True)
            raise

    return patient
