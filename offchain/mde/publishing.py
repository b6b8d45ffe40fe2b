"""What a model owner publishes: an artefact of its model, and the price function in it."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.data.imageset import Progress
from offchain.mde.artefact import artefact_bytes
from offchain.mde.compression import CompressionSettings
from offchain.mde.errors import MdeError
from offchain.mde.extraction import ExtractionSettings, TreeEfficacy
from offchain.mde.influence import GradientEfficacy, InfluenceSettings
from offchain.mde.oracles import Settings
from offchain.mde.owner import Owner
from offchain.mde.pricing import Piecewise, PriceFunction, units
from offchain.mde.students import Distilled

METHODS: dict[str, Settings] = {
    "tree": ExtractionSettings(points=5_000),
    "student": CompressionSettings(student=Distilled(), linearised=True),
    "influence": InfluenceSettings(),
}
"""How an owner may value data: those whose oracle fits into an artefact."""

_USEFUL, _HARMFUL = 0.01, 0.025
"""Scores above nothing by less than the first share of the best are taken for nothing, and below it
by less than the second: where a contract checks scores, what harms counts in redundant data too."""


@dataclass(frozen=True)
class Purse:
    """What the owner would pay for one set at most, and what for data that changes nothing; wei."""

    most: int
    floor: int

    def function(
        self, oracle: TreeEfficacy | GradientEfficacy, owner: Owner, samples: int
    ) -> PriceFunction:
        """Prices fixed before any data is known, by what the owner has itself.

        The most is paid for a set as good as the `samples` best of the owner's own validation
        data; up to there the price rises with the score in a straight line.
        """
        scores = oracle.report(owner.task.validation).scores
        best = units(float(sum(sorted(scores.tolist())[-samples:])))
        if best <= 0:
            raise MdeError("no validation sample would help the model: nothing is worth buying")
        line = Piecewise(((0, self.floor), (best, self.most)))
        harmful, useful = -max(1, int(_HARMFUL * best)), max(1, int(_USEFUL * best))
        return PriceFunction(line, self.most, self.floor, harmful=harmful, useful=useful)


def publish(
    owner: Owner,
    settings: Settings,
    purse: Purse,
    samples: int,
    progress: Progress | None = None,
) -> bytes:
    """The artefact file of the owner's model as it is. samples: see `Purse.function`."""
    oracle = owner.oracle(settings, progress)
    return artefact_bytes(oracle, purse.function(oracle, owner, samples))
