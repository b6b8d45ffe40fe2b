"""SUM's part of `ape run browse`: the models that its factory made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from scripts._stage.chain import decoded, logs_of
from scripts._stage.deployments import deployments_path, find
from scripts._stage.market import Open
from scripts._sum.model import ModelOnChain, made_in
from scripts._sum.parts import FACTORY


def models(deployments: Path) -> Iterator[ModelOnChain]:
    """All models of this version's code that take lessons; none where there is no factory.

    Who made a model of foreign parts is told of by the factory, too: such are passed over.
    """
    factory = find(FACTORY, deployments_path(deployments))
    if factory is None:
        return
    for log in decoded(factory.contract, logs_of(str(factory.contract.address), factory.block, [])):
        try:
            model = ModelOnChain(str(log.event_arguments["model"]), int(log.block_number))
        except click.ClickException:  # of foreign parts, or it takes no lessons
            continue
        yield model


def listed(deployments: Path) -> Sequence[Open]:
    """The same, for people: what each asks for, and how many taught it."""
    return [_open(model) for model in models(deployments)]


def knows(address: str, deployments: Path) -> bool:
    """Whether it is the address of a model that the factory made."""
    factory = find(FACTORY, deployments_path(deployments))
    return factory is not None and made_in(factory, address) is not None


def _open(model: ModelOnChain) -> Open:
    state, terms = model.read(), model.terms
    return Open(
        mechanism="sum",
        address=model.address,
        block=model.created,
        author=terms.owner,
        task=terms.task,
        reward=0,
        deposit=terms.price.largest_deposit,
        token=terms.token,
        until=None,
        joined=len({one.author for one in state.contributions.values()}),
    )
