"""What each mechanism brings to the commands that all have: browse, watch, withdraw,
export and keep.

Each of its modules is loaded when it is asked for, since a room is slow to load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from offchain.storage import Datastore
    from scripts._stage.keeping import Duty
    from scripts._stage.market import Open
    from scripts._stage.party import ExportOptions, WithdrawOptions

MECHANISMS = ("hide", "hyperx", "mde", "seccl", "sum")
"""Those whose rooms have `browsing` (`listed`, `knows`), `watching` (`run_watch`), `withdrawing`
(`run_withdraw`) and `exporting` (`run_export`)."""
KEPT = ("hide", "hyperx", "mde", "seccl", "sum")
"""Those where anybody may do something for others: their rooms have `keeping` (`duties`)."""


def listed(mechanism: str, deployments: Path) -> Sequence[Open]:
    """All of a mechanism on the connected chain that was ever open."""
    found: Sequence[Open] = _module(mechanism, "browsing").listed(deployments)
    return found


def run_watch(
    reference: str,
    *,
    once: bool,
    content: bool,
    listen: str,
    peer: tuple[str, ...],
    ipfs: str | None,
    deployments: Path,
    as_json: bool,
) -> None:
    """Tells what happens in what `reference` names; content: and what of it cannot be fetched.

    Raises ClickException where no mechanism knows it, or content is asked of what browse does not
    tell.
    """
    name = _whose(reference, deployments)
    watch = _module(name, "watching").run_watch
    if not content:
        watch(reference, once, deployments, as_json)
        return
    from offchain.storage import Network
    from scripts._stage.content import watched_content

    # The first: what was announced anybody can announce once more, with a task of their own.
    told = [one for one in listed(name, deployments) if one.address.lower() == reference.lower()]
    if not told:
        raise click.ClickException(
            f"--content goes with a reference as browse tells it: {reference} is none"
        )
    with watched_content(told[0], ipfs, Network(listen, peer), as_json) as found:
        watch(reference, once, deployments, as_json, found)


def run_withdraw(reference: str, options: WithdrawOptions) -> None:
    """Pays out what is owed there to an account."""
    _of(reference, options.deployments, "withdrawing").run_withdraw(reference, options)


def run_export(reference: str, options: ExportOptions) -> None:
    """Writes what was bought there."""
    _of(reference, options.deployments, "exporting").run_export(reference, options)


def duties(
    mechanism: str, deployments: Path, store: Datastore | None = None
) -> Callable[[], Iterator[Duty]]:
    """What tells, as often as it is called, what is due in a mechanism and anybody may do.

    store: for what SecCL's servers are asked.
    """
    keeping = _module(mechanism, "keeping")
    if mechanism != "seccl" or store is None:
        return partial(keeping.duties, deployments)
    return partial(keeping.duties, deployments, keeping.Catalogues(store))


def _of(reference: str, deployments: Path, module: str) -> Any:
    """A module of the mechanism that a reference belongs to. Raises as `_whose` does."""
    return _module(_whose(reference, deployments), module)


def _whose(reference: str, deployments: Path) -> str:
    """The mechanism that a reference, as browse tells it, belongs to.

    Raises ClickException where no mechanism on the connected chain knows it.
    """
    for name in MECHANISMS:
        if _module(name, "browsing").knows(reference, deployments):
            return name
    raise click.ClickException(
        f"nothing on this chain is called {reference}: ape run browse --all says what there is"
    )


def _module(mechanism: str, name: str) -> Any:
    return import_module(f"scripts._{mechanism}.{name}")
