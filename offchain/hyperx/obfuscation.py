"""Obfuscation of an extractor's last layer, and its undoing (HyperX, section 3.1.1, equation 1).

The collector publishes W' = W * delta and b' = b * delta + sigma, with a delta and a sigma for
each output channel, and undoes it as (F - sigma) / delta. The paper adds sigma to the weights,
which cannot be undone without knowing the layer's input; on the bias it can.

What it hides: nothing, when the backbone is public. Whoever has the public weights W divides the
published ones by them and has delta; the bias then gives sigma. It says something only about a
backbone whose weights are private to the collector, and there too it leaves the directions of W
in the open: every channel is known up to a factor and an offset. A network that was fine-tuned
from a public one has nearly the directions of that one, and hides next to nothing. An activation
or a batch norm after the layer would give the factor's size away as well; the extractor has none.
"""

from __future__ import annotations

import copy
import hashlib
import math
import secrets
from dataclasses import dataclass, replace

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from offchain.errors import SoukError
from offchain.models.extractor import Extractor
from offchain.models.truncate import last_layer

MAX_CHANNELS = 65_536
LARGEST_FACTOR = 16.0
"""|delta| lies in 1/LARGEST_FACTOR..LARGEST_FACTOR, log-uniformly; its sign is a coin."""

LARGEST_SHIFT = 4.0
"""sigma / delta lies in -LARGEST_SHIFT..LARGEST_SHIFT, uniformly.

It is what is added to a feature before scaling. Features are of the order of one, so that
subtracting it again costs two or three bits of float32, no more.
"""

_HEADER_BYTES = 1024


class ObfuscationError(SoukError):
    """A secret that fits no extractor, or bytes that are none; the message is one line."""


@dataclass(frozen=True, eq=False)
class Obfuscation:
    """The collector's secret: float32 (C,) each, finite, no delta zero, on the CPU."""

    delta: torch.Tensor
    sigma: torch.Tensor

    def __post_init__(self) -> None:
        for name, values in (("delta", self.delta), ("sigma", self.sigma)):
            if values.dtype != torch.float32 or values.dim() != 1 or values.device.type != "cpu":
                raise ObfuscationError(
                    f"{name} is float32 (C,) on the CPU, not {values.dtype} {tuple(values.shape)}"
                )
            if not torch.isfinite(values).all():
                raise ObfuscationError(f"{name} has values that are not finite")
        if len(self.delta) != len(self.sigma) or not 1 <= len(self.delta) <= MAX_CHANNELS:
            raise ObfuscationError(
                f"delta and sigma have one value for each of 1..{MAX_CHANNELS} channels, "
                f"not {len(self.delta)} and {len(self.sigma)}"
            )
        if (self.delta == 0).any():
            raise ObfuscationError("a delta of zero cannot be undone")

    @classmethod
    def draw(cls, channels: int, seed: int | None = None) -> Obfuscation:
        """A secret for `channels` output channels.

        Without a seed it comes from the operating system's entropy. A seed (0 or more) is for
        tests and for demonstrations that can be run again: who knows it knows the secret.
        """
        if not 1 <= channels <= MAX_CHANNELS:
            raise ObfuscationError(f"channels must be 1..{MAX_CHANNELS}, not {channels}")
        if seed is not None and seed < 0:
            raise ObfuscationError(f"a seed must be 0 or more, not {seed}")
        source = secrets.token_bytes(32) if seed is None else str(seed).encode()
        # A hash, not a statistical generator: those can be run backwards from known channels.
        stream = hashlib.shake_256(b"souk.obfuscation.v1\0" + source).digest(16 * channels)
        words = [
            int.from_bytes(stream[i : i + 8], "little") / 2**64 for i in range(0, len(stream), 8)
        ]
        size, place = torch.tensor(words, dtype=torch.float64).view(2, channels)
        # One uniform number gives both sign and magnitude: which half, and where in it.
        sign = torch.where(size < 0.5, -1.0, 1.0).double()
        exponent = (4 * size) % 2 - 1
        delta = sign * torch.exp(exponent * math.log(LARGEST_FACTOR))
        sigma = delta * (2 * place - 1) * LARGEST_SHIFT
        return cls(delta.float(), sigma.float())

    def to_bytes(self) -> bytes:
        """For the collector's secrets file; never to be published or logged."""
        return save({"delta": self.delta, "sigma": self.sigma})

    def first(self, channels: int) -> Obfuscation:
        """The secret of the first `channels` alone."""
        return Obfuscation(self.delta[:channels], self.sigma[:channels])

    @classmethod
    def from_bytes(cls, data: bytes) -> Obfuscation:
        """The inverse of `to_bytes`. Raises ObfuscationError."""
        if len(data) > 8 * MAX_CHANNELS + _HEADER_BYTES:
            raise ObfuscationError(f"an obfuscation of {len(data)} bytes is too long")
        try:
            tensors = load(data)
        except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise ObfuscationError(f"not an obfuscation: {error}") from error
        if tensors.keys() != {"delta", "sigma"}:
            raise ObfuscationError(f"an obfuscation has delta and sigma, not {sorted(tensors)}")
        return cls(tensors["delta"], tensors["sigma"])


def obfuscate(extractor: Extractor, obfuscation: Obfuscation) -> Extractor:
    """What is published: a copy of `extractor` with its last layer scaled and shifted.

    Raises ObfuscationError when the channels differ in number.
    """
    _fits(obfuscation, extractor.layer_shape[0])
    module = copy.deepcopy(extractor.module)
    layer = module.get_submodule(last_layer(module))
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.Tensor)
    assert isinstance(bias, torch.Tensor)
    # In float64, so that each published number is off by one rounding only.
    delta = obfuscation.delta.to(weight.device).double()
    sigma = obfuscation.sigma.to(weight.device).double()
    with torch.no_grad():
        weight.copy_(weight.double() * delta.view(-1, *[1] * (weight.dim() - 1)))
        bias.copy_(bias.double() * delta + sigma)
    return replace(extractor, module=module)


def decode(raw: torch.Tensor, obfuscation: Obfuscation) -> torch.Tensor:
    """(F - sigma) / delta: published features float32 (N, C, ...) as those of the original."""
    if raw.dim() < 2:
        raise ObfuscationError(f"features are (N, C, ...), not {tuple(raw.shape)}")
    _fits(obfuscation, raw.shape[1])
    shape = (1, -1, *[1] * (raw.dim() - 2))
    delta = obfuscation.delta.to(raw.device).view(shape)
    sigma = obfuscation.sigma.to(raw.device).view(shape)
    return (raw - sigma) / delta


def _fits(obfuscation: Obfuscation, channels: int) -> None:
    if len(obfuscation.delta) != channels:
        raise ObfuscationError(
            f"an obfuscation of {len(obfuscation.delta)} channels does not fit {channels}"
        )
