"""Extractors with random weights, for tests that need no trained ones."""

from __future__ import annotations

import torch
from torch import nn

from offchain.models.backbones import DEFAULT_BACKBONE, backbone, skeleton
from offchain.models.extractor import Extractor, check_size


def random_extractor(
    name: str = DEFAULT_BACKBONE, cut: str | None = None, size: int | None = None, *, seed: int
) -> Extractor:
    """The backbone `name` up to `cut`, on the CPU; equal weights for equal seeds.

    Weights are He-initialised, biases zero. `cut` and `size` (pixels) default to the backbone's.
    """
    cut = backbone(name).default_cut if cut is None else cut
    size = backbone(name).size if size is None else size
    check_size(name, cut, size)
    network = skeleton(name, cut).to_empty(device="cpu")
    rng = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, generator=rng)
        else:
            nn.init.zeros_(parameter)
    return Extractor(name, cut, size, network)
