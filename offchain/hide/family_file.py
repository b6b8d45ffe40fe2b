"""The owner's file of a family: every mask and every seed. Whoever has it needs no cleaner."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from offchain.data.imageset import ImageSet
from offchain.hide.container import MAX_FILE_BYTES, pack, unpack
from offchain.hide.errors import CleanerDtype, CleanerHeader, CleanerShape, OtherDataset
from offchain.hide.family import Family, Level
from offchain.hide.masks import KINDS, Masks, rows_by_class
from offchain.hide.slices import SEED_BYTES, Slices

_KIND = "family"
_FIELDS: dict[str, type] = {
    "dataset": str,
    "epsilon": int,
    "kind": str,
    "levels": list,
    "seeds": list,
}


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


def decode_family(data: bytes, masked: ImageSet) -> Family:
    """The family of `masked`, from the bytes that `encode_family` wrote.

    Raises OtherDataset when it is of another dataset, and another CleanerError or HideError when
    the bytes are no family.
    """
    said, tensors = unpack(data, _KIND, _FIELDS, {"counts", "values"}, MAX_FILE_BYTES)
    if said["dataset"] != masked.digest():
        raise OtherDataset(
            f"the family is of dataset {said['dataset']:.16}..., {masked.name} is "
            f"{masked.digest()[:16]}..."
        )
    if tensors["counts"].dtype != torch.int32 or said["kind"] not in KINDS:
        raise CleanerDtype(f"counts of a family are torch.int32, not {tensors['counts'].dtype}")
    slices = Slices(_seeds(said["seeds"]), tensors["counts"].to(torch.int64).numpy())
    rows = torch.arange(len(masked))
    if said["kind"] == "class":
        rows = rows_by_class(slices.members(masked.labels), masked.labels, len(masked.classes))
    values = tensors["values"]
    if tuple(values.shape[1:]) != masked.shape or len(values) <= int(rows.max()):
        raise CleanerShape(f"masks of {tuple(values.shape)} do not fit images of {masked.shape}")
    masks = Masks(values, rows, said["epsilon"])
    return Family(masked, masks, said["kind"], slices, tuple(_level(one) for one in said["levels"]))


def _seeds(texts: list[Any]) -> tuple[bytes, ...]:
    try:
        seeds = tuple(bytes.fromhex(text) for text in texts)
    except (TypeError, ValueError) as error:
        raise CleanerHeader("the seeds of a family are hex digits") from error
    if any(len(seed) != SEED_BYTES for seed in seeds):
        raise CleanerHeader(f"the seeds of a family have {SEED_BYTES} bytes")
    return seeds


def _level(entry: Any) -> Level:
    if (
        not isinstance(entry, list)
        or [type(value) for value in entry] != [float, float, float, int]
        or not all(0 <= value <= 1 for value in entry[:3])
    ):
        raise CleanerHeader(f"a level is three accuracies and a count, not {entry!r:.60}")
    return Level(*entry)
