"""What a seller has to sell: masked pictures, a cleaner for each level, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.data.imageset import ImageSet
from offchain.hide.cleaner import Cleaner
from offchain.hide.countermeasures import Regained
from offchain.hide.making import MadeFamily
from offchain.hide.sale.errors import SaleError
from offchain.task import Task
from offchain.task.images import MODALITY


@dataclass(frozen=True, eq=False)
class Wares:
    """Masked pictures with cleaners, weakest first, and the accuracy in (0, 1] that each claims.

    network: on which accuracies were verified. alone: accuracy that the masked data gives as it is.
    free: the free counter-measure that regains most.

    Raises SaleError unless there is one claim for each cleaner, and all are for these pictures.
    """

    masked: ImageSet
    cleaners: tuple[Cleaner, ...]
    claimed: tuple[float, ...]
    network: str
    alone: float
    free: Regained

    def __post_init__(self) -> None:
        if len(self.cleaners) != len(self.claimed):
            raise SaleError(f"{len(self.cleaners)} cleaners, {len(self.claimed)} levels")
        digest = self.masked.digest()
        for level, cleaner in enumerate(self.cleaners, 1):
            if cleaner.dataset != digest:
                raise SaleError(
                    f"cleaner {level} is for dataset {cleaner.dataset}, masked is {digest}"
                )

    @classmethod
    def of(cls, made: MadeFamily, network: str, free: Regained) -> Wares:
        """A family's; a level claims the accuracy that it was designed for."""
        family = made.family
        return cls(
            family.masked,
            tuple(family.cleaner(number) for number in range(1, len(family.levels) + 1)),
            tuple(level.wanted for level in family.levels),
            network,
            made.masked,
            free,
        )


def task_for(
    pictures: ImageSet,
    licence: str,
    contact: tuple[str, ...] = (),
    content: str = "",
    retention: int = 0,
) -> Task:
    """What is sold of these pictures; the document `MASKED` is left out. Raises TaskError."""
    return Task(
        MODALITY,
        pictures.classes,
        pictures.shape,
        licence,
        contact=contact,
        content=content,
        retention=retention,
    )
