"""What one member computes on its own images: its update, and what it holds of the others'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from offchain.seccl.architectures import factory_named
from offchain.seccl.description import Description
from offchain.seccl.engine import LoopEngine
from offchain.seccl.evaluation import macro_f
from offchain.seccl.partition import PrivatePart
from offchain.seccl.training import LocalData, Task, TrainingSettings
from offchain.seccl.updates import SparseUpdate, applied, largest_changes


class Computes(Protocol):
    """What a member's role asks for."""

    def update(self, model: torch.Tensor, round_: int) -> SparseUpdate:
        """What training changes in the global model, float32 (P,): the part that is uploaded.

        Raises UpdateError where training diverged.
        """

    def scores(
        self, model: torch.Tensor, updates: Mapping[int, SparseUpdate], members: int
    ) -> list[float]:
        """Macro F-scores, 0 to 1, of the model with each update, by member; 0 without one."""


def task_of(
    about: Description,
    device: torch.device,
    noise: int | None = None,
    trusted: str | None = None,
) -> Task:
    """What a session agrees to train, and with which settings. noise: as Task takes it, secret.
    trusted: as `factory_named` takes it. Raises ModelError."""
    settings = TrainingSettings(
        about.batch, about.learning_rate, about.epochs, about.share, about.image_privacy
    )
    factory = factory_named(about.network, about.classes, about.shape, trusted)
    return Task(factory, about.classes, settings, about.seed, device, noise)


class OwnData:
    """Member number `index` with images to train on and images to judge by.

    It computes in the plain way, so that the same images give the same update again.
    """

    def __init__(self, task: Task, part: PrivatePart, index: int) -> None:
        """Raises ModelError where the model does not take the images."""
        self._task = task
        self._engine = LoopEngine(
            task,
            [LocalData.of(part.training, index, task.device)],
            [LocalData.of(part.validation, index, task.device)],
        )

    def update(self, model: torch.Tensor, round_: int) -> SparseUpdate:
        changes = self._engine.train(model, round_)
        (update,) = largest_changes(changes, self._task.settings.share)
        return update

    def scores(
        self, model: torch.Tensor, updates: Mapping[int, SparseUpdate], members: int
    ) -> list[float]:
        found = [0.0] * members
        if updates:
            authors = sorted(updates)
            models = applied(model.to(self._task.device), [updates[i] for i in authors])
            for author, score in zip(
                authors, macro_f(self._engine.confusions(models))[0].tolist(), strict=True
            ):
                found[author] = score
        return found
