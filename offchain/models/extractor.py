"""The feature extractor (the paper's M_extractor): a backbone up to one of its cuts."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import fx, nn

from offchain.models import backbones
from offchain.models.backbones import DEFAULT_BACKBONE, BackboneError
from offchain.models.preprocessing import MAX_SIZE
from offchain.models.truncate import truncate

MAX_FEATURE_VALUES = 4 << 20
"""Largest number of values that an extractor may make of one image."""


@dataclass(frozen=True, eq=False)
class Extractor:
    """A truncated network that ends in a linear layer.

    backbone, cut: names in `offchain.models.backbones.BACKBONES`.
    size: side of its input in pixels; the input is float32 (N, 3, size, size).
    module: float32 parameters, inference mode, no gradients.
    """

    backbone: str
    cut: str
    size: int
    module: fx.GraphModule

    @property
    def activation(self) -> str:
        """What the collector applies to decoded features: "relu", "relu6" or "none"."""
        return backbones.find_cut(self.backbone, self.cut).activation

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image's features."""
        return output_shape(self.backbone, self.cut, self.size)

    @property
    def device(self) -> torch.device:
        """Where its parameters lie."""
        return next(self.module.parameters()).device

    def to(self, device: torch.device) -> Extractor:
        """The same extractor on `device`; a copy unless it is there already."""
        # "cuda" means the current card, "cuda:0" this one: ask a tensor where it would land.
        if self.device == torch.empty(0, device=device).device:
            return self
        return replace(self, module=copy.deepcopy(self.module).to(device))


def pretrained_extractor(
    backbone: str = DEFAULT_BACKBONE, cut: str | None = None, size: int | None = None
) -> Extractor:
    """The backbone with its ImageNet weights up to `cut`, on the CPU.

    `cut` and `size` (pixels) default to the backbone's own. EfficientNet-Lite0's weights come
    with a package; torchvision downloads those of the others. Raises BackboneError.
    """
    return _build(backbone, cut, size, backbones.pretrained)


def random_extractor(
    backbone: str = DEFAULT_BACKBONE,
    cut: str | None = None,
    size: int | None = None,
    *,
    seed: int,
) -> Extractor:
    """The same with random weights, equal for equal seeds: for trials that need no weights."""
    return _build(backbone, cut, size, lambda name, at: backbones.random_weights(name, at, seed))


def private_extractor(
    network: nn.Module, backbone: str, cut: str | None = None, size: int | None = None
) -> Extractor:
    """The same with the collector's own weights, which obfuscation can protect.

    `network` is of the backbone's architecture, as its maker in BACKBONES gives it, for example
    after fine-tuning; it is put into inference mode and otherwise left as it was. Raises
    BackboneError when it is of another architecture.
    """

    def cut_private(name: str, at: str) -> fx.GraphModule:
        shapes = {key: tensor.shape for key, tensor in network.state_dict().items()}
        with torch.device("meta"):
            expected = backbones.backbone(name).make().state_dict()
        if shapes != {key: tensor.shape for key, tensor in expected.items()}:
            raise BackboneError(f"the network given is not of the architecture of {name}")
        module = truncate(network, backbones.find_cut(name, at).path)
        return module.float().cpu()

    return _build(backbone, cut, size, cut_private)


def _build(
    backbone: str,
    cut: str | None,
    size: int | None,
    build: Callable[[str, str], fx.GraphModule],
) -> Extractor:
    one = backbones.backbone(backbone)
    chosen = one.default_cut if cut is None else cut
    side = one.size if size is None else size
    check_size(backbone, chosen, side)
    return Extractor(backbone, chosen, side, build(backbone, chosen))


@lru_cache(maxsize=64)
def output_shape(backbone: str, cut: str, size: int) -> tuple[int, int, int]:
    """(C, H, W) of the features of one image of `size` x `size` pixels."""
    # On the meta device a forward pass computes shapes and nothing else.
    with torch.no_grad():
        out = backbones.skeleton(backbone, cut)(torch.empty(1, 3, size, size, device="meta"))
    _, channels, height, width = out.shape
    return channels, height, width


def check_size(backbone: str, cut: str, size: int) -> None:
    """Raise BackboneError unless `backbone` up to `cut` takes images of `size` pixels."""
    backbones.find_cut(backbone, cut)
    backbones.check_size(backbone, size)
    if size > MAX_SIZE:
        raise BackboneError(f"an extractor takes images of at most {MAX_SIZE} px, not {size}")
    values = math.prod(output_shape(backbone, cut, size))
    if values > MAX_FEATURE_VALUES:
        raise BackboneError(
            f"{backbone} cut at {cut} makes {values} values of an image of {size} px, "
            f"at most {MAX_FEATURE_VALUES} are allowed"
        )
