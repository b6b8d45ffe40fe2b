"""Weights of a backbone that the user brings, in a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from offchain.models.backbones import BackboneError

_SHOWN = 3


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file by name, as `safetensors.torch.save_file` wrote them.

    Executes nothing. Raises BackboneError when there is no such file or it is another kind.
    """
    if not path.is_file():
        raise BackboneError(f"weights: there is no file {path}")
    try:
        return load_file(path)
    # KeyError: a number type that safetensors knows and this version of torch does not.
    except (SafetensorError, KeyError, ValueError, RuntimeError, OSError) as error:
        raise BackboneError(f"weights: {path} is no safetensors file: {error}") from error


def check_tensors(
    expected: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor], of: str
) -> None:
    """Raise BackboneError unless `given` has each tensor of `expected`: float32, finite, its shape.

    expected: may lie on the meta device. of: what begins the message.
    """
    missing = [name for name in expected if name not in given]
    if missing:
        more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
        raise BackboneError(
            f"{of}: {', '.join(missing[:_SHOWN])}{more} of {len(expected):,} tensors are missing"
        )
    for name, tensor in expected.items():
        mine = given[name]
        if mine.shape != tensor.shape or mine.dtype != torch.float32:
            raise BackboneError(
                f"{of}: {name} is float32 {tuple(tensor.shape)}, not {mine.dtype} "
                f"{tuple(mine.shape)}"
            )
        if not torch.isfinite(mine).all():
            raise BackboneError(f"{of}: {name} has values that are not finite")
