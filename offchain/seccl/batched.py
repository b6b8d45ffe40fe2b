"""All participants as one batched computation (torch.func), for devices with many cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.models.device import exact_convolutions
from offchain.seccl.engine import check_sets
from offchain.seccl.parameters import Layout
from offchain.seccl.training import LocalData, Task, step_rows, to_inputs

_PASS = {"cpu": 256, "cuda": 65_536}
"""Pairs of model and image evaluated at a time, which bounds the memory that activations take."""


class BatchedEngine:
    """One step of SGD of all participants, and one pass of all models, at a time.

    The maths is that of training each alone: a participant's last mini-batch of an epoch may be
    smaller, and one with fewer steps stands still once its own are over. Models that draw random
    numbers, or decide by values, cannot be batched: torch refuses them with a RuntimeError.
    """

    name = "batched"

    def __init__(
        self, task: Task, training: Sequence[LocalData], validation: Sequence[LocalData]
    ) -> None:
        """training, validation: by participant. Raises what `check_sets` raises."""
        check_sets(task, training, validation)
        self._task = task
        self._model = task.factory().to(task.device)
        self._layout = Layout.of(self._model)
        self._training = list(training)
        self._images = torch.cat([part.images for part in validation])
        self._labels = torch.cat([part.labels for part in validation])
        sizes = torch.tensor([len(part) for part in validation])
        self._voters = len(validation)
        self._voter = torch.arange(self._voters).repeat_interleave(sizes).to(task.device)

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """Trains all sets as one model with a batch dimension; as `Engine` has it."""
        chosen = [self._training[i] for i in (range(len(self._training)) if sets is None else sets)]
        # Longest first: those still in training are then always a leading slice.
        order = sorted(range(len(chosen)), key=lambda i: -len(chosen[i]))
        ranked = [chosen[i] for i in order]
        images, labels, weights = self._schedule(ranked, round_)
        settings = self._task.settings
        lengths = [settings.steps(len(part)) for part in ranked]
        models = start.to(self._task.device).repeat(len(ranked), 1)  # (N, P)
        self._model.train()
        step_all = vmap(grad(self._loss) if settings.image_privacy is None else self._clipped)
        noises = self._noises(ranked, round_)
        active = len(ranked)
        for step in range(lengths[0]):
            while lengths[active - 1] <= step:
                active -= 1
            batch = images[step, :active], labels[step, :active], weights[step, :active]
            with exact_convolutions():
                gradients = step_all(models[:active], to_inputs(batch[0]), *batch[1:])
            for row, noise in zip(gradients, noises, strict=False):
                row.add_(next(noise))
            models[:active].sub_(gradients, alpha=settings.learning_rate)
            if progress is not None:
                progress(sum(length <= step + 1 for length in lengths), len(ranked))
        changes = torch.empty_like(models)
        changes[torch.tensor(order)] = models - start.to(models.device)
        return changes

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """Evaluates all models on a batch of images at once; as `Engine` has it.

        Progress is that of images, told in models.
        """
        count, classes = len(models), self._task.class_count
        models = models.to(self._task.device)
        self._model.eval()
        forward = vmap(self._logits, in_dims=(0, None))
        number = torch.arange(count, device=self._task.device).unsqueeze(1)  # (K, 1)
        cells = self._voters * count * classes**2
        counts = torch.zeros(cells, dtype=torch.int64, device=self._task.device)
        batch = max(1, _PASS[self._task.device.type] // count)
        with torch.no_grad(), exact_convolutions():
            for first in range(0, len(self._labels), batch):
                part = slice(first, first + batch)
                predicted = forward(models, to_inputs(self._images[part])).argmax(-1)  # (K, B)
                pair = self._voter[part] * count + number
                cell = (pair * classes + self._labels[part]) * classes + predicted
                counts += torch.bincount(cell.flatten(), minlength=cells)
                if progress is not None:
                    progress(
                        count * min(first + batch, len(self._labels)) // len(self._labels), count
                    )
        return counts.view(self._voters, count, classes, classes).cpu()

    def close(self) -> None:
        """Do nothing: its tensors go with it."""

    def _logits(self, flat: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = functional_call(self._model, self._layout.views(flat), (inputs,))
        return logits

    def _loss(
        self, flat: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        losses = functional.cross_entropy(self._logits(flat, inputs), labels, reduction="none")
        return (losses * weight).sum()

    def _clipped(
        self, flat: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        privacy = self._task.settings.image_privacy
        assert privacy is not None
        return privacy.clipped_sum(self._loss_of_one, flat, inputs, labels, weight)

    def _loss_of_one(
        self, flat: torch.Tensor, image: torch.Tensor, label: torch.Tensor
    ) -> torch.Tensor:
        logits = self._logits(flat, image.unsqueeze(0))
        return functional.cross_entropy(logits, label.unsqueeze(0))

    def _noises(self, chosen: Sequence[LocalData], round_: int) -> list[Iterator[torch.Tensor]]:
        """What is added to each one's gradient step by step, float32 (P,); nobody's without."""
        privacy, task = self._task.settings.image_privacy, self._task
        if privacy is None:
            return []

        def of(part: LocalData) -> Iterator[torch.Tensor]:
            sampling = task.settings.sampling(len(part))
            for noise in sampling.noises(task.drawn_from, round_, part.owner, self._layout.total):
                yield privacy.deviation(sampling) * noise.to(task.device)

        return [of(part) for part in chosen]

    def _schedule(
        self, chosen: Sequence[LocalData], round_: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images uint8 (steps, N, width, C, H, W), labels int64 and weights float32 alike.

        Weights are one over the length of the mini-batch, or over its mean length where images are
        drawn; places that no image fills weigh 0.
        """
        task, device = self._task, self._task.device
        plans = [step_rows(task, round_, part) for part in chosen]
        width = max(len(rows) for plan in plans for rows in plan)
        shape = (len(plans[0]), len(chosen), width)
        images = torch.zeros(
            (*shape, *chosen[0].images.shape[1:]), dtype=torch.uint8, device=device
        )
        labels = torch.zeros(shape, dtype=torch.int64, device=device)
        weights = torch.zeros(shape)
        for n, (part, plan) in enumerate(zip(chosen, plans, strict=True)):
            private = task.settings.image_privacy is not None
            expected = task.settings.sampling(len(part)).expected
            rows = torch.zeros(len(plan), width, dtype=torch.int64)
            for step, taken in enumerate(plan):
                rows[step, : len(taken)] = taken
                weights[step, n, : len(taken)] = 1 / (expected if private else len(taken))
            rows = rows.to(device)
            images[: len(plan), n] = part.images[rows]
            labels[: len(plan), n] = part.labels[rows]
        return images, labels, weights.to(device)
