"""What trials measure; each is kept as JSON and told in a table."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hide.countermeasures import Regained


@dataclass(frozen=True)
class LevelResult:
    """One level asked for.

    reached: by a model of the search on D_k. achieved: by the plan's `held_out` network under
    another seed on what the cleaner gives, D'_k. elsewhere: so too, but by the trial's `other`
    architecture. free: images. None for a level out of reach; `why` says why.
    """

    wanted: float
    reached: float
    achieved: float | None
    elsewhere: float | None
    free: int | None
    mse: float | None
    ssim: float | None
    why: str = ""


@dataclass(frozen=True)
class TrialResult:
    """What one trial measured.

    points: (share of the images that are masked, accuracy), most masked first. clean, masked: what
    the held-out network reaches without masks and on the published data; clean_elsewhere,
    masked_elsewhere: what the `other` one does. mse, ssim: of the published data. trainings: that
    the family took.
    """

    seed: int
    levels: tuple[LevelResult, ...]
    points: tuple[tuple[float, float], ...]
    clean: float
    masked: float
    other: str
    clean_elsewhere: float
    masked_elsewhere: float
    mse: float
    ssim: float
    trainings: int


@dataclass(frozen=True)
class Resistance:
    """What counter-measures regain on one dataset. level: 0 for what is published."""

    seed: int
    setting: str
    level: int
    rows: tuple[Regained, ...]
    mse: float
    ssim: float


@dataclass(frozen=True)
class Inferred:
    """What a buyer of `level`, or colluders, can tell of the masks that they did not buy off.

    by_means, by_cleaner: the share of those masks that is explained (`share_known`) by the means of
    masked and freed images, and by the masks bought off. bought: accuracy on what was bought;
    stripped: after taking the better guess off the images that are still masked.
    """

    seed: int
    setting: str
    who: str
    level: int
    by_means: float
    by_cleaner: float
    bought: float
    stripped: float
