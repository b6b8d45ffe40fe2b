"""The paper's two baselines: a CNN trained from scratch on raw images (section 5.1.1, Table 2).

Conv(w) - Conv(w) - MaxPool - Dropout(0.25) for each width w, then Dense(hidden) - Dropout(0.5) -
Dense(classes), cross-entropy, Adam. Table 2 leaves open, and is fixed here: kernels 3x3 with zero
padding that keeps the size, ReLU after every layer but the last, pools 2x2 rounding up, pixels
scaled to 0..1, Glorot-uniform weights, zero biases, epsilon 1e-7. MURA's DenseNet is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.hyperx.quality import (
    LabelledInputs,
    QualityScore,
    check_samples,
    epoch_orders,
    measure,
    torch_generator,
)

_EPSILON = 1e-7
_PREDICT_BATCH = 256


@dataclass(frozen=True)
class CnnSettings:
    """A CNN and its training.

    widths: channels of the blocks of two convolutions. hidden: width of the dense layer.
    learning_rate: Adam's. batch: images a step. epochs: passes over the images.
    """

    widths: tuple[int, ...]
    hidden: int
    learning_rate: float = 1e-4
    batch: int = 64
    epochs: int = 50


CNN_PRESETS = {
    "paper-mnist": CnnSettings(widths=(32,), hidden=128, batch=64),
    "paper-cifar10": CnnSettings(widths=(32, 64), hidden=512, batch=32),
}
"""Table 2's columns of T_W / S_Sub models."""


@dataclass(frozen=True)
class _CnnScorer:
    """Scores raw images uint8 (N, C, H, W), one CNN a provider."""

    settings: CnnSettings = CNN_PRESETS["paper-mnist"]

    def score(
        self,
        providers: Sequence[LabelledInputs],
        validation: LabelledInputs,
        class_count: int,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> list[QualityScore]:
        """Scores as `Scorer` says; `progress` counts epochs of providers."""
        check_samples(providers, validation, torch.uint8, class_count)
        target, epochs = torch.device(device), self.settings.epochs
        scores = []
        for i, (images, labels) in enumerate(providers):
            network = _Cnn(self.settings, images.shape[1:], class_count, seed).to(target)
            for epoch in self._train(network, images.to(target), labels.to(target), seed):
                if progress is not None:
                    progress(i * epochs + epoch, len(providers) * epochs)
            predicted = network.predict(validation[0].to(target))
            scores.append(measure(predicted, validation[1].to(target), class_count))
        return scores

    def _train(
        self, network: _Cnn, images: torch.Tensor, labels: torch.Tensor, seed: int
    ) -> Iterator[int]:
        """Train in place; yields the number of epochs done after each."""
        optimizer = torch.optim.Adam(
            network.parameters(), lr=self.settings.learning_rate, eps=_EPSILON, fused=True
        )
        orders = epoch_orders(seed, len(images), self.settings.epochs)
        for epoch, order in enumerate(orders.to(images.device), start=1):
            for chosen in order.split(self.settings.batch):
                optimizer.zero_grad()
                loss = functional.cross_entropy(network(images[chosen]), labels[chosen])
                loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
                optimizer.step()
            yield epoch


@dataclass(frozen=True)
class TrainWhole(_CnnScorer):
    """The upper bound: give it every image of each provider, as if the collector had them."""

    name: str = "Train-Whole"


@dataclass(frozen=True)
class ScratchSubset(_CnnScorer):
    """The strawman: give it the raw images of the sampled shards alone."""

    name: str = "Scratch-Subset"


class _Cnn(nn.Module):
    """Draws its weights and dropout from generators of its own, never from the global one."""

    def __init__(
        self, settings: CnnSettings, shape: Sequence[int], class_count: int, seed: int
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self._draws = torch_generator(seed, "cnn dropout")
        # On "meta" the layers cost no draws from the global generator.
        with torch.device("meta"):
            self.blocks = nn.ModuleList()
            for wide in settings.widths:
                first = nn.Conv2d(channels, wide, 3, padding="same")
                second = nn.Conv2d(wide, wide, 3, padding="same")
                self.blocks.append(nn.Sequential(first, nn.ReLU(), second, nn.ReLU()))
                channels, height, width = wide, (height + 1) // 2, (width + 1) // 2
            self.dense = nn.Linear(channels * height * width, settings.hidden)
            self.last = nn.Linear(settings.hidden, class_count)
        self.to_empty(device="cpu")
        rng = torch_generator(seed, "cnn")
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter, generator=rng)
            else:
                nn.init.zeros_(parameter)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits float32 (N, classes) of images uint8 (N, C, H, W)."""
        x = images.float() / 255
        for block in self.blocks:
            x = self._dropout(functional.max_pool2d(block(x), 2, ceil_mode=True), 0.25)
        x = self._dropout(functional.relu(self.dense(x.flatten(1))), 0.5)
        logits: torch.Tensor = self.last(x)
        return logits

    @torch.no_grad()
    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """The class of each image, int64 (N,)."""
        self.eval()
        parts = torch.split(images, _PREDICT_BATCH)
        return torch.cat([self(part).argmax(dim=1) for part in parts])

    def _dropout(self, x: torch.Tensor, share: float) -> torch.Tensor:
        if not self.training:
            return x
        mask = torch.rand(x.shape, generator=self._draws) >= share
        return x * (mask.to(x.device) / (1 - share))
