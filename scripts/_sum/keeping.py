"""What anybody may do in SUM: object to a verdict that stands announced and the model denies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts._stage.chain import clock
from scripts._stage.keeping import Duty
from scripts._sum.browsing import models


def duties(deployments: Path) -> Iterator[Duty]:
    """One for each verdict, good or bad, that the model denies in a quiet moment."""
    for model in models(deployments):
        state = model.read()
        if clock().now < state.quiet_from():
            continue
        for made in state.contributions.values():
            if made.open and (made.good or made.bad) and state.agrees(made) != made.good:
                said = "good" if made.good else "bad"
                what = f"objected that {made.author}'s data is {said}"
                yield Duty(model.address, what, model.contract.object, made.named)
