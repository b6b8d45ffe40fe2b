"""The pricing artefact: what a data owner needs to quote by itself, in one file without code.

A safetensors file. Its tensors are the arrays of an efficacy oracle (extracted trees, or a dense
student with the directions to score along) and of the set-level reference; its metadata is one
canonical JSON document with the kind of samples, the method and the price function. The SHA-256 of
the file is the commitment. Sizes are bounded, every array is checked before use, and nothing in it
is executed.

What it tells its reader: the stand-in model whole, random projections of the owner's training
samples, and which way the validation loss falls (by leaf and class, or by direction). Of the
owner's model itself it tells what the stand-in does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save
from torch import nn

from offchain.data.imageset import Progress
from offchain.mde.artefact_reading import FORMAT, MAX_ARTEFACT_BYTES, Arrays, Dense, read_artefact
from offchain.mde.errors import ArtefactError, ArtefactMismatch, MdeError
from offchain.mde.extraction import TreeEfficacy
from offchain.mde.gradients import Gradients, LinearGradients, NetworkGradients
from offchain.mde.influence import GradientEfficacy
from offchain.mde.pricing import PriceFunction, units
from offchain.mde.report import EfficacyReport
from offchain.mde.samples import Integers, Samples
from offchain.models.canonical import to_canonical


@dataclass(frozen=True, eq=False)
class Valuation:
    """What a set fetches under an artefact.

    artefact: its 32-byte digest. price: in wei. score: of the set, scores: int64 (N,), of each
    sample by itself, all in units (`offchain.mde.pricing`). report: where they come from.
    """

    artefact: bytes
    price: int
    score: int
    scores: Integers
    report: EfficacyReport


@dataclass(frozen=True, eq=False)
class PricingArtefact:
    """An efficacy oracle and a price function, as the digest fixes them."""

    efficacy: TreeEfficacy | GradientEfficacy
    price: PriceFunction
    digest: bytes

    def quote(self, candidate: Samples, progress: Progress | None = None) -> Valuation:
        """What `candidate` fetches. Raises FeatureMismatch or UnknownLabel if it does not fit."""
        report = self.efficacy.report(candidate, progress)
        scores = np.array([units(score) for score in report.scores.tolist()], dtype=np.int64)
        score = units(report.total)
        return Valuation(self.digest, self.price.price(score), score, scores, report)


def artefact_bytes(efficacy: TreeEfficacy | GradientEfficacy, price: PriceFunction) -> bytes:
    """The file. Raises MdeError when the oracle is none that can be published, or is too large.

    Published can be extracted trees; and scores by gradients of a dense network on the inputs, as
    influence on a linear model and a linearised distilled student are. Set-level findings must be
    in the space of the inputs.
    """
    if efficacy.reference.embed is not None:
        raise MdeError("an embedding cannot be published: compare inputs (embed=None)")
    arrays: Arrays = {
        "fold_sizes": efficacy.fold_sizes,
        "set.centre": efficacy.reference.centre.numpy(),
        "set.projection": efficacy.reference.projection.numpy(),
        "set.points": efficacy.reference.points.numpy(),
        "set.labels": efficacy.reference.labels.numpy(),
        "set.sure": efficacy.reference.sure,
    }
    document: dict[str, Any] = {
        "format": FORMAT,
        "method": efficacy.method,
        "unit": efficacy.unit,
        "shape": list(efficacy.kind.shape),
        "images": int(efficacy.kind.images),
        "classes": efficacy.kind.classes,
        "near": efficacy.reference.near,
        "far": efficacy.reference.far,
        "price": price.document(),
        "loss": "cross-entropy",
        "trees": 0,
        "hidden": [],
    }
    if isinstance(efficacy, TreeEfficacy):
        document["trees"] = len(efficacy.trees)
        for number, one in enumerate(efficacy.trees):
            for name in ("feature", "threshold", "left", "right"):
                arrays[f"tree{number}.{name}"] = getattr(one.tree, name)
            arrays[f"tree{number}.proba"] = one.proba
            arrays[f"tree{number}.table"] = one.table
    else:
        layers = dense_layers(efficacy.model)
        document["loss"] = efficacy.model.loss
        document["hidden"] = [len(weight) for weight, _ in layers[:-1]]
        arrays["directions"] = _array(efficacy.directions)
        for number, (weight, bias) in enumerate(layers):
            arrays[f"layer{number}.weight"] = _array(weight)
            arrays[f"layer{number}.bias"] = _array(bias)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    data = save(arrays, {"souk": to_canonical(document).decode()})
    if len(data) > MAX_ARTEFACT_BYTES:
        raise MdeError(
            f"the artefact has {len(data)} bytes, at most {MAX_ARTEFACT_BYTES}: take fewer dims, "
            "trees, folds or parameters"
        )
    return data


def artefact_digest(data: bytes) -> bytes:
    """SHA-256 of the file, 32 bytes: what the buyer commits to."""
    return hashlib.sha256(data).digest()


def load_artefact(data: bytes, commitment: bytes) -> PricingArtefact:
    """Read an untrusted file, which must be the one committed to.

    Raises ArtefactMismatch when it is another, ArtefactError when it is none, or cannot be used.
    """
    if len(data) > MAX_ARTEFACT_BYTES:
        raise ArtefactError(f"an artefact has at most {MAX_ARTEFACT_BYTES} bytes, not {len(data)}")
    digest = artefact_digest(data)
    if digest != commitment:
        raise ArtefactMismatch(
            f"the artefact's digest is {digest.hex()}, committed was {commitment.hex()}"
        )
    efficacy, price = read_artefact(data)
    return PricingArtefact(efficacy, price, digest)


def dense_layers(model: Gradients) -> list[Dense]:
    """The layers of a network that `read_artefact` can rebuild: dense ones with ReLU between."""
    if isinstance(model, LinearGradients) and model.trunk is None and model.bias is not None:
        return [(model.weight, model.bias)]
    layers: list[Dense] = []
    if isinstance(model, NetworkGradients) and isinstance(model.module, nn.Sequential):
        rest = [child for child in model.module if not isinstance(child, nn.Flatten)]
        dense = rest[::2]
        if all(isinstance(child, nn.ReLU) for child in rest[1::2]) and len(rest) % 2:
            layers = [
                (layer.weight, layer.bias)
                for layer in dense
                if isinstance(layer, nn.Linear) and layer.bias is not None
            ]
        if len(layers) == len(dense) and model.size == sum(w.numel() + len(b) for w, b in layers):
            return layers
    raise MdeError(
        "this oracle cannot be published: it takes extracted trees, or gradients by all parameters "
        "of dense layers with bias and ReLU between, as a distilled student has"
    )


def _array(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = tensor.detach().cpu().float().numpy()
    return array
