"""The device that computes: the only place that looks for CUDA."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

import torch

from offchain.errors import SoukError

DEVICES = ("auto", "cpu", "cuda")
"""The names that `pick_device` knows; "cuda:1" and the like name one card of several."""


class DeviceError(SoukError):
    """A device that this machine does not have; the message is one line for people."""


def pick_device(name: str | None = None) -> torch.device:
    """The device called `name`: "cpu", "cuda", "cuda:<index>", or "auto".

    "auto", and no name, is CUDA where there is one and else the CPU. Raises DeviceError when the
    name is unknown or the device is missing: what was asked for by name is never replaced.
    """
    if name is None or name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", name):
        raise DeviceError(f"a device is one of {', '.join(DEVICES)} or cuda:<index>, not {name!r}")
    if name != "cpu":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(name[5:] or 0) >= found:
            raise DeviceError(f"{name} was asked for, this machine has {found} CUDA devices")
    return torch.device(name)


def exact_convolutions() -> AbstractContextManager[None]:
    """On CUDA the same convolution each time, in full float32; no change on a CPU."""
    context: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return context
