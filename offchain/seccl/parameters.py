"""A model's parameters as one flat vector, which is what is changed, shared and voted on."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from offchain.data.seeds import generator
from offchain.errors import SoukError
from offchain.seccl.networks import ModelFactory

_DIGEST_TAG = b"souk.seccl.model.v1"


class ModelError(SoukError):
    """A model that cannot be trained together; the message is one line for people."""


@dataclass(frozen=True)
class Layout:
    """Where each parameter lies in the flat vector, in the order of `named_parameters()`."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, model: nn.Module) -> Layout:
        """The layout of `model`.

        Raises ModelError when it has no parameters, any that is not float32 or is not trained,
        or batch normalisation: a participant would be judged by statistics that no update
        carries.
        """
        for name, module in model.named_modules():
            if isinstance(module, _BatchNorm):
                raise ModelError(
                    f"{name or 'the model'} is {type(module).__name__}, whose statistics no "
                    "update carries: use GroupNorm"
                )
        named = list(model.named_parameters())
        if not named:
            raise ModelError(f"{type(model).__name__} has no parameters")
        for name, parameter in named:
            if parameter.dtype != torch.float32 or not parameter.requires_grad:
                raise ModelError(f"parameter {name} must be float32 and trained: {parameter.dtype}")
        return cls(tuple(n for n, _ in named), tuple(tuple(p.shape) for _, p in named))

    @property
    def sizes(self) -> list[int]:
        """How many numbers each parameter has, in their order."""
        return [math.prod(shape) for shape in self.shapes]

    @property
    def total(self) -> int:
        """P, how many numbers the flat vector has."""
        return sum(self.sizes)

    def views(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parameters in `flat` (..., total), each (..., *shape), sharing its memory."""
        parts = torch.split(flat, self.sizes, dim=-1)
        return {
            name: part.view(*flat.shape[:-1], *shape)
            for name, shape, part in zip(self.names, self.shapes, parts, strict=True)
        }

    def flat(self, model: nn.Module) -> torch.Tensor:
        """The parameters of `model`, copied, float32 (total,)."""
        return torch.cat([p.detach().reshape(-1) for p in model.parameters()])

    def load(self, model: nn.Module, flat: torch.Tensor) -> None:
        """Write `flat` (total,) into the parameters of `model`."""
        views = self.views(flat)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(views[name])


class Buffers:
    """What a model holds besides its parameters, which must stay as it is."""

    def __init__(self, model: nn.Module) -> None:
        self._kept = {name: buffer.clone() for name, buffer in model.named_buffers()}

    def check(self, model: nn.Module) -> None:
        """Raises ModelError when the model's buffers are not what they were."""
        for name, buffer in model.named_buffers():
            if name not in self._kept or not torch.equal(buffer, self._kept[name]):
                raise ModelError(f"training changes the buffer {name}, which no update carries")


def initial_model(factory: ModelFactory, seed: int) -> torch.Tensor:
    """What training starts from, float32 (total,), drawn on the CPU, the same for the same seed."""
    # Layers draw from the default generator, so it is lent to them and put back.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, "seccl model").integers(2**62)))
        model = factory()
    return Layout.of(model).flat(model)


def model_digest(layout: Layout, flat: torch.Tensor) -> str:
    """SHA-256, in hex, of the names, shapes and values of a global model, which an update names."""
    header = json.dumps([layout.names, layout.shapes]).encode()
    state = hashlib.sha256(_DIGEST_TAG + len(header).to_bytes(8, "little") + header)
    state.update(np.ascontiguousarray(flat.detach().cpu().numpy(), dtype="<f4").data)
    return state.hexdigest()
