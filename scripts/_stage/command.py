"""What every command that needs a chain is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ape.cli import ConnectedProviderCommand


class ChainCommand(ConnectedProviderCommand):
    """A command that runs connected to `--network`, whose node may be busy at times."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        if self.callback is not None:
            self.callback = _patient(self.callback)


def _patient(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    def patient(*arguments: Any, **options: Any) -> Any:
        import ape

        from scripts._stage.node import have_patience

        if not ape.chain.provider.network.is_local:
            have_patience()
        return work(*arguments, **options)

    return patient
