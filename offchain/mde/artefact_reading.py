"""Reading a pricing artefact from strangers: every size, type and value is checked before use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load

from offchain.data.imageset import MAX_CLASSES
from offchain.mde.errors import ArtefactError
from offchain.mde.extraction import Leaves, TreeEfficacy
from offchain.mde.gradients import LinearGradients, NetworkGradients
from offchain.mde.influence import GradientEfficacy
from offchain.mde.pricing import PriceFunction
from offchain.mde.samples import LOSSES, Kind
from offchain.mde.setlevel import SetReference
from offchain.mde.students import dense_network
from offchain.mde.trees import Tree
from offchain.models.canonical import DocumentError, from_canonical, take

FORMAT = "souk.mde.artefact.v1"

MAX_ARTEFACT_BYTES = 64 << 20
"""Largest file written or read."""

MAX_DOCUMENT_BYTES = 1 << 16
MAX_HEADER_BYTES = 1 << 20
"""Of the names and places of all arrays, which Python reads."""

MAX_DEPTH = 32
"""Comparisons on the longest way through a tree, as `ExtractionSettings` has it."""

MAX_TABLE = 1e6
"""Largest score of one sample, in nats either way: sums of them stay numbers."""

MAX_FOLD_SIZE = 1e9
MAX_TREES = 256
MAX_FOLDS = 1024
MAX_LAYERS = 16
MAX_VALUES = 1 << 22
"""Most values of one sample."""

Arrays = dict[str, npt.NDArray[Any]]
Dense = tuple[torch.Tensor, torch.Tensor]
"""Weight (O, D) and bias (O,) of a dense layer."""


@dataclass(frozen=True)
class _Document:
    """The metadata, its numbers within bounds."""

    method: str
    unit: str
    loss: str
    kind: Kind
    near: float
    far: float
    trees: int
    hidden: tuple[int, ...]
    price: PriceFunction


def read_artefact(data: bytes) -> tuple[TreeEfficacy | GradientEfficacy, PriceFunction]:
    """The oracle and the price function in `data`, at most MAX_ARTEFACT_BYTES, untrusted.

    Raises ArtefactError naming what is wrong, PriceError if it is the price function.
    """
    if (size := int.from_bytes(data[:8], "little")) > MAX_HEADER_BYTES:
        raise ArtefactError(f"a header has at most {MAX_HEADER_BYTES} bytes, not {size}")
    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + size])
        text = str(header.get("__metadata__", {}).get("souk", ""))
    # The reader lets a KeyError out for types that numpy lacks.
    except (SafetensorError, KeyError) as error:
        why = " ".join(str(error).split())[:120]
        raise ArtefactError(f"no safetensors file: {why}") from error
    try:
        document = _document(from_canonical(text.encode(), "artefact", MAX_DOCUMENT_BYTES))
    except DocumentError as error:
        raise ArtefactError(str(error)) from error
    reader = _Reader(arrays)
    folds = reader.take("fold_sizes", np.float64, (None,))
    if not 2 <= len(folds) <= MAX_FOLDS or not 1 <= folds.min() <= folds.max() <= MAX_FOLD_SIZE:
        raise ArtefactError(
            f"2 to {MAX_FOLDS} folds of 1 to {MAX_FOLD_SIZE:g} samples, not {len(folds)} of "
            f"{folds.min():g} to {folds.max():g}"
        )
    reference = _reference(reader, document)
    named = document.method, document.unit
    efficacy: TreeEfficacy | GradientEfficacy
    if document.trees:
        trees = tuple(_leaves(reader, n, document, len(folds)) for n in range(document.trees))
        efficacy = TreeEfficacy(*named, trees, folds, reference, document.kind, {})
    else:
        model = _model(reader, document)
        directions = reader.tensor("directions", (len(folds), model.size))
        efficacy = GradientEfficacy(*named, model, directions, folds, reference, document.kind, {})
    reader.finish()
    return efficacy, document.price


class _Reader:
    """Arrays by name, each taken once and checked."""

    def __init__(self, arrays: Arrays) -> None:
        self._left = dict(arrays)

    def take(self, name: str, dtype: Any, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """The array; None stands for any length of 1 or more."""
        found = self._left.pop(name, None)
        if found is None:
            raise ArtefactError(f"the artefact has no {name}")
        fits = len(found.shape) == len(shape) and all(
            size == asked if asked is not None else size >= 1
            for size, asked in zip(found.shape, shape, strict=True)
        )
        if found.dtype != dtype or not fits:
            raise ArtefactError(
                f"{name} is {found.dtype} {found.shape}, not {np.dtype(dtype)} {shape}"
            )
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ArtefactError(f"{name} holds NaN or infinity")
        return found

    def tensor(self, name: str, shape: tuple[int | None, ...]) -> torch.Tensor:
        """The same as a float32 tensor."""
        return torch.from_numpy(self.take(name, np.float32, shape).copy())

    def finish(self) -> None:
        """Nothing may be left that nobody asked for."""
        if self._left:
            raise ArtefactError(f"the artefact has an unknown {min(self._left)!r:.60}")


def _document(document: dict[str, Any]) -> _Document:
    given, method, unit, loss, shape, images, classes, near, far, trees, hidden, price = take(
        document,
        "artefact",
        format=str,
        method=str,
        unit=str,
        loss=str,
        shape=list,
        images=int,
        classes=int,
        near=float,
        far=float,
        trees=int,
        hidden=list,
        price=dict,
    )
    if given != FORMAT or loss not in LOSSES:
        raise ArtefactError(f"artefact: unknown format or loss: {given!r:.40}, {loss!r:.40}")
    sizes = [*shape, *hidden]
    if not all(type(n) is int and 1 <= n <= MAX_VALUES for n in sizes) or images not in (0, 1):
        raise ArtefactError(f"artefact: sizes must lie in 1..{MAX_VALUES}: {sizes!s:.60}")
    if len(shape) != (3 if images else 1) or prod(shape) > MAX_VALUES:
        raise ArtefactError(f"artefact: a sample cannot be {shape!s:.60}")
    if not 2 <= classes <= MAX_CLASSES or not 0 <= trees <= MAX_TREES or len(hidden) > MAX_LAYERS:
        raise ArtefactError(
            f"artefact: {classes} classes, {trees} trees or {len(hidden)} layers are too many"
        )
    if not (near > 0 and far > 0):  # JSON has neither NaN nor infinity
        raise ArtefactError(f"artefact: distances must be above 0: {near:g}, {far:g}")
    return _Document(
        method,
        unit,
        loss,
        Kind(tuple(shape), bool(images), classes),
        near,
        far,
        trees,
        tuple(hidden),
        PriceFunction.from_document(price),
    )


def _reference(reader: _Reader, document: _Document) -> SetReference:
    width = prod(document.kind.shape)
    projection = reader.tensor("set.projection", (width, None))
    points = reader.tensor("set.points", (None, projection.shape[1]))
    labels = reader.take("set.labels", np.int64, (len(points),))
    sure = reader.take("set.sure", np.float64, (document.kind.classes,))
    return SetReference(
        reader.tensor("set.centre", (width,)),
        projection,
        points,
        torch.from_numpy(labels.copy()),
        document.near,
        document.far,
        sure,
    )


def _leaves(reader: _Reader, number: int, document: _Document, folds: int) -> Leaves:
    name = f"tree{number}"
    feature = reader.take(f"{name}.feature", np.int32, (None,))
    shape = (len(feature),)
    tree = Tree(
        feature,
        reader.take(f"{name}.threshold", np.float32, shape),
        reader.take(f"{name}.left", np.int32, shape),
        reader.take(f"{name}.right", np.int32, shape),
    )
    if tree.depth > MAX_DEPTH:
        raise ArtefactError(f"{name} is {tree.depth} comparisons deep, at most {MAX_DEPTH}")
    if feature.max() >= prod(document.kind.shape):
        raise ArtefactError(f"{name} compares value {feature.max()} of {document.kind.shape}")
    classes = document.kind.classes
    proba = reader.take(f"{name}.proba", np.float64, (tree.leaves, classes))
    if proba.min() < 0 or proba.max() > 1:
        raise ArtefactError(f"{name} has probabilities outside 0..1")
    table = reader.take(f"{name}.table", np.float64, (tree.leaves, classes, folds))
    if (largest := float(np.abs(table).max())) > MAX_TABLE:
        raise ArtefactError(f"{name} has scores up to {largest:g}, at most {MAX_TABLE:g}")
    return Leaves(tree, proba, table)


def _model(reader: _Reader, document: _Document) -> LinearGradients | NetworkGradients:
    sizes = [prod(document.kind.shape), *document.hidden, document.kind.classes]
    layers = [
        (
            reader.tensor(f"layer{n}.weight", (sizes[n + 1], sizes[n])),
            reader.tensor(f"layer{n}.bias", (sizes[n + 1],)),
        )
        for n in range(len(sizes) - 1)
    ]
    if len(layers) == 1:
        return LinearGradients(*layers[0], None, document.kind.classes, document.loss)
    module = dense_network(sizes[0], document.hidden, sizes[-1]).requires_grad_(False)
    for parameter, given in zip(
        module.parameters(), (part for layer in layers for part in layer), strict=True
    ):
        parameter.copy_(given)
    names = tuple(name for name, _ in module.named_parameters())
    return NetworkGradients(
        module.eval(), names, document.kind.classes, document.loss, "gauss-newton"
    )
