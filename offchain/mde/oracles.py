"""One way to all efficacy oracles: a model, its task, and settings that name the method."""

from __future__ import annotations

from typing import Any

from offchain.data.imageset import Progress
from offchain.mde.blackbox import black_box
from offchain.mde.compression import CompressionSettings, compression
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.feature_space import Embedding
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.neighbours import NeighbourSettings, neighbours
from offchain.mde.out_of_bag import OutOfBagSettings, out_of_bag_efficacy
from offchain.mde.projected import ProjectedSettings, projected
from offchain.mde.pydvl_methods import PydvlSettings, pydvl_efficacy
from offchain.mde.report import Efficacy
from offchain.mde.samples import Task
from offchain.mde.trained import require_converged, require_trained

Settings = (
    InfluenceSettings
    | ExtractionSettings
    | CompressionSettings
    | ProjectedSettings
    | NeighbourSettings
    | OutOfBagSettings
    | PydvlSettings
)


def prepare(
    model: Any,
    task: Task,
    settings: Settings,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> Efficacy:
    """The oracle that `settings` are of, ready to report on any number of candidates.

    See `influence`, `extraction`, `compression`, `projected`, `neighbours`, `out_of_bag_efficacy`
    and `pydvl_efficacy` for what each takes as a model, what `progress` counts and what they raise.
    What nobody should price by is refused: Untrained, a model that was
    not trained on the task; NotConverged, a solver that stopped short of what it was asked for.
    Arnoldi and EK-FAC are approximations by nature; their residual is in the diagnostics.
    """
    require_trained(black_box(model, task)(task.train.inputs), task)
    if isinstance(settings, InfluenceSettings):
        made = influence(model, task, settings, embed=embed, progress=progress)
        require_converged(made.diagnostics)
        return made
    # One by one, not a table: mypy then knows that none is missing.
    match settings:
        case ExtractionSettings():
            return extraction(model, task, settings, embed=embed, progress=progress)
        case CompressionSettings():
            return compression(model, task, settings, embed=embed, progress=progress)
        case ProjectedSettings():
            return projected(model, task, settings, embed=embed, progress=progress)
        case NeighbourSettings():
            return neighbours(model, task, settings, embed=embed, progress=progress)
        case OutOfBagSettings():
            return out_of_bag_efficacy(model, task, settings, embed=embed, progress=progress)
        case PydvlSettings():
            return pydvl_efficacy(model, task, settings, embed=embed, progress=progress)
