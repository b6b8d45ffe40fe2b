"""What the command line of `ape run hide` says, turned into a plan and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.data.leftout import Note
from offchain.task import ClassNames

if TYPE_CHECKING:  # with torch, which a seller that goes on does not need
    from offchain.data.imageset import ImageSet, Progress
    from offchain.hide.judging import Split
    from offchain.hide.making import Plan


@dataclass(frozen=True)
class MaskOptions:
    """The options of `ape run hide`, checked; its help says what each means."""

    dataset: str
    levels: str
    epsilon: int
    kind: str
    patch: int
    grey: bool
    apart: bool
    order: str
    tolerance: float
    network: str
    also: tuple[str, ...]
    check: str
    epochs: int
    batch: int
    holdout: float
    counter: bool
    data_root: Path | None
    download: bool
    skip_broken: bool
    image_size: int | None
    images: int | None
    seed: int
    device: str | None
    workers: int | None
    class_name: tuple[str, ...] = ()

    def plan(self) -> Plan:
        """Raises LevelError, EpsilonError or HideError for what is out of range."""
        from offchain.hide.making import Plan
        from offchain.hide.masks import MaskSettings
        from offchain.hide.training import TrainingSettings

        return Plan(
            levels_of(self.levels),
            self.tolerance,
            MaskSettings.fitting(self.kind, self.epsilon, self.patch, self.grey, self.apart),
            TrainingSettings(self.epochs, self.batch),
            self.network,
            self.check,
            self.order,
            self.seed,
            joint=tuple(name for name in dict.fromkeys(self.also) if name != self.network),
        )

    def split(self, note: Note, progress: Progress) -> Split:
        """The data, and what models are tested on: torchvision's test split where there is one.

        Classes are called and numbered as a task has them. Raises TaskError.
        """
        from offchain.data.datasets import DATASETS, load_dataset
        from offchain.hide.judging import with_held_out, with_test_set
        from offchain.task.images import relabelled

        names = ClassNames.parse(self.class_name)

        def load(part: str) -> ImageSet:
            loaded = load_dataset(
                self.dataset,
                root=self.data_root,
                split=part,
                download=self.download,
                size=self.image_size,
                limit=self.images if part == "train" else None,
                skip_broken=self.skip_broken,
                note=note,
                progress=progress,
            )
            return relabelled(loaded, names=names)

        if self.dataset in DATASETS and self.dataset != "digits":
            return with_test_set(load("train"), load("test"))
        return with_held_out(load("train"), self.holdout, self.seed)


def levels_of(text: str) -> tuple[float, ...]:
    """Accuracies by commas. Raises LevelError for what is no number."""
    try:
        return tuple(float(level) for level in text.split(","))
    except ValueError as error:
        from offchain.hide.errors import LevelError

        raise LevelError(f"levels are numbers by commas, not {text!r}") from error
