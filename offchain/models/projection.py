"""The public network of records that are no pictures: one linear layer of random signs.

A record comes as a row of numbers, (N, width, 1, 1), so that the layer is a convolution of one
pixel and everything that is said of pictures' networks holds. Its weights follow from the width
alone, so that everybody has the same: +1 or -1 over the root of the width, by SHAKE-256. Such a
projection keeps distances between rows, on average.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import nn

from offchain.models.cuts import Cut

NAME, CUT = "random-signs", "linear"
"""What descriptions of extractors call it."""
CUTS = {CUT: Cut("linear", "none")}
CHANNELS = 256
"""Features that it makes; an extractor gives the first of them."""
MAX_WIDTH = 65_536


class RandomSigns(nn.Module):
    """The layer, without weights of its own. width: numbers of one record, 1 to MAX_WIDTH."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(width, CHANNELS, 1)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """float32 (N, CHANNELS, 1, 1) of (N, width, 1, 1)."""
        made: torch.Tensor = self.linear(inputs)
        return made


def public(width: int) -> RandomSigns:
    """The layer with the weights that everybody has, on the CPU."""
    stream = hashlib.shake_256(b"souk.random-signs.v1\0" + width.to_bytes(8, "big"))
    bits = np.unpackbits(np.frombuffer(stream.digest(CHANNELS * width // 8), np.uint8))
    signs = torch.from_numpy(bits.reshape(CHANNELS, width, 1, 1).astype(np.float32)) * 2 - 1
    network = RandomSigns(width)
    with torch.no_grad():
        network.linear.weight.copy_(signs / width**0.5)
        assert network.linear.bias is not None
        network.linear.bias.zero_()
    return network
