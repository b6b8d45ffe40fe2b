"""SUM's part of `ape run browse`: the models that its factory made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scripts._stage.chain import decoded, logs_of
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open
from scripts._sum.model import ModelOnChain, made_in
from scripts._sum.parts import FACTORY


def listed(deployments: Path) -> Sequence[Open]:
    """All models of this version's code that take lessons; none where there is no factory.

    Who made a model of foreign parts is told of by the factory, too: such are passed over.
    """
    factory = find(FACTORY, deployments_path(deployments))
    if factory is None:
        return ()
    logs = decoded(factory.contract, logs_of(str(factory.contract.address), factory.block, []))
    return [
        found
        for log in logs
        if (found := _open(str(log.event_arguments["model"]), int(log.block_number))) is not None
    ]


def knows(address: str, deployments: Path) -> bool:
    """Whether it is the address of a model that the factory made."""
    factory = find(FACTORY, deployments_path(deployments))
    return factory is not None and made_in(factory, address) is not None


def _open(address: str, block: int) -> Open | None:
    try:
        model = ModelOnChain(address, block)
    except click.ClickException:
        return None
    state, terms = model.read(), model.terms
    return Open(
        mechanism="sum",
        address=model.address,
        block=block,
        author=terms.owner,
        task=terms.task,
        reward=0,
        deposit=terms.price.largest_deposit,
        token=terms.token,
        until=None,
        joined=len({one.author for one in state.contributions.values()}),
    )
