"""The feature extractor (the paper's M_extractor): a backbone up to one of its cuts.

Of records that are no pictures the backbone is `offchain/models/projection.py`.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from safetensors.torch import save
from torch import fx
from torch.nn import functional

from offchain.models import backbones, projection
from offchain.models.backbones import DEFAULT_BACKBONE, BackboneError
from offchain.models.preprocessing import MAX_SIZE
from offchain.models.truncate import tensors_up_to, truncate
from offchain.models.weights import check_tensors

MAX_FEATURE_VALUES = 4 << 20
"""Largest number of values that an extractor may make of one image."""


@dataclass(frozen=True, eq=False)
class Extractor:
    """A truncated network that ends in a linear layer.

    backbone, cut: names in `offchain.models.backbones.BACKBONES`.
    size: side of its input in pixels, or numbers of a row; the input is float32, see `input_shape`.
    module: float32 parameters, inference mode, no gradients.
    reduced: (C, H, W), where it gives less than its last layer: the first C channels, averaged
        over a grid of H x W (adaptive average pooling). None for all of it.
    """

    backbone: str
    cut: str
    size: int
    module: fx.GraphModule
    reduced: tuple[int, int, int] | None = None

    @property
    def activation(self) -> str:
        """What the collector applies to decoded features: "relu", "relu6" or "none"."""
        return activation_of(self.backbone, self.cut, self.reduced)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one input."""
        return input_shape(self.backbone, self.size)

    @property
    def layer_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what its last layer makes of one image."""
        return output_shape(self.backbone, self.cut, self.size)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image's features."""
        return self.reduced or self.layer_shape

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Linear outputs float32 (N, C, H, W) of float32 (N, *input_shape)."""
        made: torch.Tensor = self.module(inputs)
        if self.reduced is None:
            return made
        channels, height, width = self.reduced
        return functional.adaptive_avg_pool2d(made[:, :channels], (height, width))

    @property
    def device(self) -> torch.device:
        """The device that its parameters lie on."""
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


def projection_extractor(width: int) -> Extractor:
    """The public one of rows of `width` numbers, on the CPU. Raises BackboneError."""
    return pretrained_extractor(projection.NAME, projection.CUT, width)


def private_extractor(
    weights: Mapping[str, torch.Tensor],
    backbone: str,
    cut: str | None = None,
    size: int | None = None,
) -> Extractor:
    """The same with the collector's own weights, which obfuscation can protect.

    weights: float32, by the names of the backbone's `state_dict`, as training left them; what
        lies behind the cut may be missing, and is not looked at.

    Raises BackboneError naming what is missing, of another shape or type, or not finite.
    """

    def cut_private(name: str, at: str, _: int) -> fx.GraphModule:
        path = backbones.find_cut(name, at).path
        with torch.device("meta"):
            network = backbones.backbone(name).make()
        expected = tensors_up_to(network, path)
        check_tensors(expected, weights, f"weights of {name} up to {at}")
        # Copies: folding batch norms would otherwise write into the caller's.
        mine = {key: weights[key].clone() for key in expected}
        network.load_state_dict(mine, strict=False, assign=True)
        return truncate(network, path)

    return _build(backbone, cut, size, cut_private)


def _build(
    backbone: str,
    cut: str | None,
    size: int | None,
    build: Callable[[str, str, int], fx.GraphModule],
) -> Extractor:
    chosen = backbones.backbone(backbone).default_cut if cut is None else cut
    side = backbones.backbone(backbone).size if size is None else size
    check_size(backbone, chosen, side)
    return Extractor(backbone, chosen, side, build(backbone, chosen, side))


def weights_digest(extractor: Extractor) -> str:
    """SHA-256, in hex, of the names and values of its weights."""
    return hashlib.sha256(save(extractor.module.state_dict())).hexdigest()


def activation_of(backbone: str, cut: str, reduced: tuple[int, int, int] | None) -> str:
    """What follows the features: the network's own activation, none after an average."""
    return backbones.find_cut(backbone, cut).activation if reduced is None else "none"


def input_shape(backbone: str, size: int) -> tuple[int, int, int]:
    """(C, H, W) of one input: a picture's, or a row's, a number a channel."""
    return (size, 1, 1) if backbone == projection.NAME else (3, size, size)


@lru_cache(maxsize=64)
def output_shape(backbone: str, cut: str, size: int) -> tuple[int, int, int]:
    """(C, H, W) of the features of one image of `size` x `size` pixels, or of one row."""
    # On the meta device a forward pass computes shapes and nothing else.
    with torch.no_grad():
        inputs = torch.empty(1, *input_shape(backbone, size), device="meta")
        out = backbones.skeleton(backbone, cut, size)(inputs)
    _, channels, height, width = out.shape
    return channels, height, width


def check_size(backbone: str, cut: str, size: int) -> None:
    """Raise BackboneError unless `backbone` up to `cut` takes images of `size` pixels, or rows of
    as many numbers."""
    backbones.find_cut(backbone, cut)
    backbones.check_size(backbone, size)
    if backbone == projection.NAME:
        return
    if size > MAX_SIZE:
        raise BackboneError(f"an extractor takes images of at most {MAX_SIZE} px, not {size}")
    values = math.prod(output_shape(backbone, cut, size))
    if values > MAX_FEATURE_VALUES:
        raise BackboneError(
            f"{backbone} cut at {cut} makes {values} values of an image of {size} px, "
            f"at most {MAX_FEATURE_VALUES} are allowed"
        )
