"""The owner's file of a family: every mask and every seed. Whoever has it needs no cleaner."""

from __future__ import annotations

import numpy as np
import torch

from offchain.hide.container import pack
from offchain.hide.family import Family

_KIND = "family"


def encode_family(family: Family) -> bytes:
    """The file, without the masked images; equal families are equal bytes."""
    said = {
        "dataset": family.masked.digest(),
        "epsilon": family.masks.epsilon,
        "kind": family.kind,
        "levels": [[one.wanted, one.reached, one.verified, one.free] for one in family.levels],
        "seeds": [seed.hex() for seed in family.slices.seeds],
    }
    counts = torch.from_numpy(family.slices.counts.astype(np.int32))
    return pack(_KIND, said, {"counts": counts, "values": family.masks.values})
