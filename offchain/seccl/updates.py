"""The part of a model's change that a participant uploads, and its bytes.

A message is a safetensors file of `indices` int32 (K,), ascending, and `values` float32 (K,), in
the one form in which `encode_update` writes it; its header names round, author and global model.
Nothing in it is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from offchain.errors import SoukError

MAX_HEADER_BYTES = 1024
"""Longest safetensors header read or written; ours are under 500 bytes."""

MAX_PARAMETERS = 2**31 - 1
"""Largest model whose parameters an int32 can number."""

_KEY = "souk.seccl.update.v1"


class UpdateError(SoukError):
    """An update that cannot be used; the message is one line for people."""


class OversizedUpdate(UpdateError):
    """More bytes, or more values, than the session allows."""


class MalformedUpdate(UpdateError):
    """Bytes that are no update in the one form it has."""


class WrongHeader(UpdateError):
    """An update of another round, another author or another global model."""


class WrongDtype(UpdateError):
    """Indices that are not int32 or values that are not float32."""


class WrongShape(UpdateError):
    """Indices and values that are not flat, not of one length, or of another model's size."""


class WrongIndices(UpdateError):
    """Indices out of range, repeated or not ascending."""


class NonFiniteValues(UpdateError):
    """Values that are NaN or infinite."""


@dataclass(frozen=True, eq=False)
class SparseUpdate:
    """A change of some parameters of a model; the others stay.

    indices: int32 (K,), strictly ascending, in [0, total). values: float32 (K,), finite.
    total: parameters of the model, 1 to MAX_PARAMETERS. Raises an UpdateError naming what is wrong.
    """

    indices: torch.Tensor
    values: torch.Tensor
    total: int

    def __post_init__(self) -> None:
        if not 1 <= self.total <= MAX_PARAMETERS:
            raise WrongShape(f"a model has 1 to {MAX_PARAMETERS} parameters, not {self.total}")
        for name, tensor, dtype in (
            ("indices", self.indices, torch.int32),
            ("values", self.values, torch.float32),
        ):
            if tensor.dtype != dtype:
                raise WrongDtype(f"{name} must be {dtype}, not {tensor.dtype}")
        shapes = tuple(self.indices.shape), tuple(self.values.shape)
        if shapes[0] != shapes[1] or len(shapes[0]) != 1 or not 1 <= shapes[0][0] <= self.total:
            raise WrongShape(
                f"indices and values must be (K,), K in 1..{self.total}, not {shapes[0]}, "
                f"{shapes[1]}"
            )
        low, high = int(self.indices.min()), int(self.indices.max())
        if low < 0 or high >= self.total:
            raise WrongIndices(f"indices {low}..{high} leave the range 0..{self.total - 1}")
        if bool((self.indices[1:] <= self.indices[:-1]).any()):
            raise WrongIndices("indices must ascend, none twice")
        if not bool(self.values.isfinite().all()):
            bad = int((~self.values.isfinite()).sum())
            raise NonFiniteValues(f"{bad} of {len(self.values)} values are NaN or infinite")

    def __len__(self) -> int:
        return len(self.values)

    def dense(self) -> torch.Tensor:
        """The change of every parameter, float32 (total,)."""
        change = torch.zeros(self.total, device=self.values.device)
        return change.index_put_((self.indices.long(),), self.values)

    def added_to(self, model: torch.Tensor) -> torch.Tensor:
        """`model` (total,) with this change, a new tensor on the model's device."""
        index = self.indices.long().to(model.device)
        return model.index_add(0, index, self.values.to(model.device))


def shared_count(total: int, share: float) -> int:
    """How many of `total` parameters a participant uploads: at least one."""
    return max(1, round(share * total))


def largest_changes(changes: torch.Tensor, share: float) -> list[SparseUpdate]:
    """Of each of the changes, float32 (N, P), the part that is uploaded, on the CPU.

    The share of all parameters with the largest absolute change, over the whole flat vector; of
    equals the first. Raises NonFiniteValues when a change is NaN or infinite: training diverged.
    """
    total = changes.shape[1]
    count = shared_count(total, share)
    if not bool(changes.isfinite().all()):
        who = (~changes.isfinite().all(dim=1)).nonzero().flatten().tolist()
        raise NonFiniteValues(f"changes {who} hold NaN or infinite values: training diverged")
    size = changes.abs()
    least = size.topk(count, dim=1).values[:, -1:]  # (N, 1)
    # topk leaves open which of equals it takes; counting them makes the choice the same anywhere.
    above, equal = size > least, size == least
    room = count - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1) <= room))
    indices = chosen.nonzero()[:, 1].view(-1, count)
    values = changes.gather(1, indices).cpu()
    return [
        SparseUpdate(index, value.clone(), total)
        for index, value in zip(indices.to(torch.int32).cpu(), values, strict=True)
    ]


def applied(model: torch.Tensor, updates: Sequence[SparseUpdate]) -> torch.Tensor:
    """The models `model` (P,) + each update, float32 (K, P), on the model's device."""
    return torch.stack([update.added_to(model) for update in updates])


def mean_update(updates: Sequence[SparseUpdate]) -> torch.Tensor:
    """The mean change of every parameter, float32 (P,), by which the winners move the model.

    A parameter that a winner did not upload counts as unchanged by it.
    """
    return torch.stack([update.dense() for update in updates]).mean(dim=0)


@dataclass(frozen=True)
class UpdateHeader:
    """What an update is an answer to.

    round: 0 or more. author: 1 to 64 letters and digits, a number or an address.
    model: `parameters.model_digest` of the global model that it changes.
    """

    round: int
    author: str
    model: str

    def __post_init__(self) -> None:
        if not 0 <= self.round < 2**32:
            raise WrongHeader(f"a round is 0 to {2**32 - 1}, not {self.round}")
        if not (1 <= len(self.author) <= 64 and self.author.isascii() and self.author.isalnum()):
            raise WrongHeader(f"an author is 1 to 64 letters and digits, not {self.author!r}")
        if len(self.model) != 64 or not set(self.model) <= set("0123456789abcdef"):
            raise WrongHeader(f"a model is named by 64 hex digits, not {self.model!r}")


def max_update_bytes(total: int, share: float) -> int:
    """Longest message accepted for a model of `total` parameters, in bytes."""
    return 8 + MAX_HEADER_BYTES + 8 * shared_count(total, share)


def encode_update(update: SparseUpdate, header: UpdateHeader) -> bytes:
    """The message; equal updates with equal headers are equal bytes."""
    # One key: safetensors writes several in an order that changes from run to run.
    said = json.dumps({**asdict(header), "total": update.total}, separators=(",", ":"))
    tensors = {"indices": update.indices.contiguous(), "values": update.values.contiguous()}
    return save(tensors, {_KEY: said})


def decode_update(data: bytes, expected: UpdateHeader, total: int, share: float) -> SparseUpdate:
    """The update in untrusted bytes.

    expected: the round, author and model that it must name. total: parameters of the model.
    share: part of them that may be uploaded; fewer are accepted. Raises the UpdateError that
    says what is wrong.
    """
    bound = max_update_bytes(total, share)
    if len(data) > bound:
        raise OversizedUpdate(f"an update has at most {bound} bytes, not {len(data)}")
    header = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header > MAX_HEADER_BYTES:
        raise MalformedUpdate(
            f"an update has 8 bytes or more and a header of at most {MAX_HEADER_BYTES}, "
            f"not {len(data)} and {header}"
        )
    said = _said(data[8 : 8 + header])
    try:
        tensors = load(data)
    # KeyError: a number type that safetensors knows and this version of torch does not.
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise MalformedUpdate(f"not an update: {str(error)!r}") from error
    if tensors.keys() != {"indices", "values"}:
        raise MalformedUpdate(f"an update holds indices and values, not {sorted(tensors)!r}")
    wanted = {**asdict(expected), "total": total}
    for name, value in wanted.items():
        if said.get(name) != value or type(said[name]) is not type(value):
            wrong = WrongShape if name == "total" else WrongHeader
            raise wrong(f"the update says {name} {said.get(name)!r}, expected {value!r}")
    update = SparseUpdate(tensors["indices"], tensors["values"], total)
    if len(update) > shared_count(total, share):
        raise OversizedUpdate(
            f"an update changes at most {shared_count(total, share)} parameters, not {len(update)}"
        )
    if encode_update(update, expected) != data:
        raise MalformedUpdate("an update not in its one form: something was added or reordered")
    return update


def _said(header: bytes) -> dict[str, object]:
    """What the metadata in a safetensors header says of the update."""
    try:
        said = json.loads(json.loads(header)["__metadata__"][_KEY])
    # RecursionError: brackets nested a thousand deep.
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedUpdate(f"an update without the metadata {_KEY}") from error
    if not isinstance(said, dict):
        raise MalformedUpdate(f"the metadata {_KEY} must be a JSON object")
    return said
