"""What `ape run hide` left in a folder, as a seller needs it: pictures, cleaners, measurements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.hide.cleaner import load_cleaner
from offchain.hide.countermeasures import Regained, best
from offchain.hide.errors import HideError
from offchain.hide.published import load_published
from offchain.hide.sale.wares import Wares

PUBLISHED, LEVELS, PRIVATE = "published.safetensors", "levels.json", "private"
AS_THEY_ARE = "training on them as they are"
"""The counter-measure that is always known."""


@dataclass(frozen=True, eq=False)
class MaskedFolder:
    """wares: of the levels that could be reached. asked: accuracies of all that were asked for,
    ascending. reached: places in them of the levels that there are."""

    wares: Wares
    asked: tuple[float, ...]
    reached: tuple[int, ...]

    def of_reached(self, prices: Sequence[int]) -> tuple[int, ...]:
        """Of one price for each level asked for, those of the levels that there are.

        Raises HideError where there are more or fewer prices.
        """
        if len(prices) != len(self.asked):
            levels = ", ".join(f"{one:g}" for one in self.asked)
            raise HideError(f"prices: {len(prices)} for {len(self.asked)} levels, {levels}")
        return tuple(prices[place] for place in self.reached)


def load_masked(folder: Path) -> MaskedFolder:
    """What lies in a folder that `ape run hide` wrote. Raises HideError and CleanerError."""
    try:
        said = json.loads((folder / LEVELS).read_text())
        claimed = [float(one["wanted"]) for one in said["levels"]]
        asked = sorted([*claimed, *(float(one["wanted"]) for one in said["unreachable"])])
        network, alone = str(said["network"]), float(said["masked_accuracy"])
        counters = [Regained(one["name"], one["accuracy"]) for one in said["counter_measures"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HideError(f"{folder} is not what ape run hide writes today: {error!r}") from error
    masked = load_published(folder / PUBLISHED)
    cleaners = (
        load_cleaner(folder / PRIVATE / f"cleaner-{number}.safetensors", masked)
        for number in range(1, len(claimed) + 1)
    )
    free = best([Regained(AS_THEY_ARE, alone), *counters])
    wares = Wares(masked, tuple(cleaners), tuple(claimed), network, alone, free)
    return MaskedFolder(wares, tuple(asked), tuple(asked.index(one) for one in claimed))
