"""Local training: plain SGD over a participant's own images (section "Experimental evaluation")."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from offchain.data.imageset import ImageSet
from offchain.data.seeds import generator
from offchain.models.device import exact_convolutions
from offchain.seccl.image_privacy import ImagePrivacy, Sampling
from offchain.seccl.networks import ModelFactory
from offchain.seccl.parameters import Buffers, Layout


@dataclass(frozen=True)
class TrainingSettings:
    """Local training and sharing; the defaults are the paper's, save `epochs`, which it omits.

    batch: images a step. learning_rate: of SGD without momentum or decay, above 0, at most 10.
    epochs: passes over the own images a round. share: part of the parameters that is uploaded,
    above 0, at most 1. image_privacy: how the gradients of single images are hidden, or None; the
    images of each step are then drawn anew, `batch` on average, so that an epoch has as many steps
    and is no pass over all images. Raises ValueError naming the setting out of range.
    """

    batch: int = 32
    learning_rate: float = 0.02
    epochs: int = 1
    share: float = 0.1
    image_privacy: ImagePrivacy | None = None

    def __post_init__(self) -> None:
        for name in ("batch", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if not 0 < self.learning_rate <= 10:
            raise ValueError(f"learning_rate must be above 0, at most 10, not {self.learning_rate}")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0, at most 1, not {self.share}")

    def steps(self, samples: int) -> int:
        """Steps of SGD a round over so many images; the last of an epoch may be smaller."""
        return self.epochs * math.ceil(samples / self.batch)

    def sampling(self, samples: int) -> Sampling:
        """How the images of a step are drawn from so many under `image_privacy`."""
        return Sampling(samples, self.batch, self.steps(samples))


@dataclass(frozen=True, eq=False)
class LocalData:
    """Images of one participant on the device that computes.

    owner: number of the participant; it fixes the order of its mini-batches.
    images: uint8 (S, C, H, W). labels: int64 (S,).
    """

    owner: int
    images: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, imageset: ImageSet, owner: int, device: torch.device | str = "cpu") -> LocalData:
        """The images and labels of `imageset` on `device`."""
        return cls(owner, imageset.images.to(device), imageset.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Task:
    """What all participants agree on: the model, its classes, the settings and the seed.

    device: where `LocalData` lie and models are trained. noise_seed: what `settings.image_privacy`
    draws images and noise from, 0 or more; `seed` unless given, which is for experiments: whoever
    knows it takes the noise off again. In the field each participant has a secret one.
    """

    factory: ModelFactory
    class_count: int
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    noise_seed: int | None = None

    @property
    def drawn_from(self) -> int:
        """The seed that images and noise are drawn from, 0 or more."""
        return self.seed if self.noise_seed is None else self.noise_seed


def to_inputs(
    images: torch.Tensor, memory_format: torch.memory_format = torch.contiguous_format
) -> torch.Tensor:
    """float32 in [0, 1] of uint8 images, as a model takes them."""
    return images.to(torch.float32, memory_format=memory_format).div_(255)


def epoch_orders(seed: int, round_: int, owner: int, samples: int, epochs: int) -> torch.Tensor:
    """Order of the images in each epoch, int64 (epochs, samples), drawn on the CPU."""
    rng = generator(seed, f"seccl order {round_} {owner}")
    return torch.stack([torch.from_numpy(rng.permutation(samples)) for _ in range(epochs)])


def step_rows(task: Task, round_: int, samples: LocalData) -> list[torch.Tensor]:
    """The images of each step of a round, int64 (B,), on the CPU.

    Consecutive parts of each epoch's order, the last of which may be smaller; under `image_privacy`
    drawn for each step alone, and then B may be 0.
    """
    settings = task.settings
    if settings.image_privacy is not None:
        return settings.sampling(len(samples)).chosen(task.drawn_from, round_, samples.owner)
    orders = epoch_orders(task.seed, round_, samples.owner, len(samples), settings.epochs)
    return [rows for order in orders for rows in torch.split(order, settings.batch)]


class LocalTrainer:
    """Trains one model at a time, in the plain way.

    One module is kept and refilled, which is why two threads need a trainer each.
    """

    def __init__(self, task: Task, channels_last: bool = False) -> None:
        """channels_last: lay images and kernels out so; changes no more than the rounding.

        Raises ModelError when the model cannot be trained together.
        """
        self.task = task
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.model: nn.Module = task.factory().to(task.device).to(memory_format=self.memory_format)
        self.layout = Layout.of(self.model)
        self._buffers = Buffers(self.model)

    def train(self, start: torch.Tensor, round_: int, samples: LocalData) -> torch.Tensor:
        """What local training changes in `start` (P,): float32 (P,).

        The same for the same seed, round, owner and images. Layers that draw random numbers
        (dropout) draw them from a stream of their own. Raises ModelError when training changes
        buffers, such as running statistics: no update carries them.
        """
        self.layout.load(self.model, start)
        self.model.train()
        rng = generator(self.task.seed, f"seccl dropout {round_} {samples.owner}")
        devices = [self.task.device] if self.task.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), exact_convolutions():
            torch.manual_seed(int(rng.integers(2**62)))
            if self.task.settings.image_privacy is None:
                self._descend(round_, samples)
            else:
                self._descend_privately(self.task.settings.image_privacy, start, round_, samples)
        self._buffers.check(self.model)
        return self.layout.flat(self.model) - start

    def _descend(self, round_: int, samples: LocalData) -> None:
        parameters: list[torch.Tensor] = list(self.model.parameters())
        for rows in step_rows(self.task, round_, samples):
            x = to_inputs(samples.images[rows.to(self.task.device)], self.memory_format)
            loss = functional.cross_entropy(self.model(x), samples.labels[rows.to(x.device)])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-self.task.settings.learning_rate)

    def _descend_privately(
        self, privacy: ImagePrivacy, start: torch.Tensor, round_: int, samples: LocalData
    ) -> None:
        settings, device, model = self.task.settings, self.task.device, start.clone()
        sampling = settings.sampling(len(samples))
        drawn = self.task.drawn_from, round_, samples.owner
        noises = sampling.noises(*drawn, self.layout.total)
        for rows, noise in zip(step_rows(self.task, round_, samples), noises, strict=True):
            x = to_inputs(samples.images[rows.to(device)])
            weights = torch.full((len(x),), 1 / sampling.expected, device=device)
            labels = samples.labels[rows.to(device)]
            step = privacy.clipped_sum(self._loss, model, x, labels, weights, "different")
            step += privacy.deviation(sampling) * noise.to(device)
            model.sub_(step, alpha=settings.learning_rate)
        self.layout.load(self.model, model)

    def _loss(self, flat: torch.Tensor, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Of one image under the model `flat`."""
        logits = functional_call(self.model, self.layout.views(flat), (image.unsqueeze(0),))
        return functional.cross_entropy(logits, label.unsqueeze(0))
