"""Which extractors a provider runs its pictures through.

Whoever publishes an extractor chooses its numbers. Kernels that hand a picture on make of
"features" the pictures themselves, half of every dataset for gas. So a provider compares what it
can: the layers must be those of the public network, and the last one too, but for the factor and
the offset of each channel that obfuscation gives it. An extractor with other weights, such as a
private base, is taken only where the provider's owner lists it.

And the features must be few beside the provider's own picture. Public weights alone keep nobody
from reading it: the collector chooses the layer, the size that a picture is enlarged to and the
scale of its values, and solves for as many pixels as there are features. So a provider sends at
most one number for eight pixels, on a grid of an eighth of the side. Colours do not count: a grey
picture often comes as RGB. Four bytes a number are half of what a grey picture has, so that no
reader, however clever, gets back more than half of an arbitrary one.

Of a row it sends at most one number for two columns (`offchain/task/tables.py`), made by weights
that the collector does not choose. That leaves half of the columns open where they are arbitrary
numbers, and no more than that: what few values a column has, such as categories or whole numbers,
is found by trying. Sampled rows are therefore to be taken as seen.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

import torch

from offchain.data.form import Form
from offchain.errors import SoukError
from offchain.hyperx.obfuscation import LARGEST_FACTOR, LARGEST_SHIFT
from offchain.models.backbones import BackboneError
from offchain.models.extractor import Extractor, pretrained_extractor
from offchain.models.truncate import last_layer

LEAST_RATIO = 8
"""How many pixels of a picture stand against one feature, at least; by side, also against one cell
of their grid."""
CLOSE = 1e-4
"""Largest difference from public weights, as a share of a tensor's or row's length: rounding, and
the folding of batch norms on another machine."""


class ExtractorRefused(SoukError):
    """An extractor that a provider does not run its data through; one line."""


def check_extractor(extractor: Extractor, cid: str, accepted: Collection[str], form: Form) -> None:
    """Whether records of this form may be run through `extractor`, described at `cid`.

    accepted: CIDs of descriptions that the owner takes, whatever weights and features they have.
    Raises ExtractorRefused.
    """
    if cid in accepted:
        return
    hint = f"to take it all the same accept extractor {cid}"
    if not _few(extractor.output_shape, form):
        why = (
            f"from which pictures of {_told(form.shape[1:])} pixels can be read; at most one for "
            f"{LEAST_RATIO} pixels, on 1/{LEAST_RATIO} of the side, is accepted"
            if form.most_features is None
            else f"from which records can be read; at most {form.most_features} are accepted"
        )
        raise ExtractorRefused(
            f"{extractor.backbone} up to {extractor.cut} makes {_told(extractor.output_shape)} "
            f"features, {why}; {hint}"
        )
    try:
        public = _public(extractor.backbone, extractor.cut, extractor.size)
    except BackboneError as error:
        raise ExtractorRefused(f"{error}, so nothing to compare with; {hint}") from error
    if odd := _difference(extractor.to(torch.device("cpu")), public):
        raise ExtractorRefused(
            f"{odd} of the extractor is not that of the public {extractor.backbone}, so its "
            f"features may be the {form.modality}; {hint}"
        )


def reduced(extractor: Extractor, form: Form) -> Extractor:
    """`extractor` with as many features as providers send of records of this form.

    One that makes no more than that stays as it is. Others give their first channels, each
    averaged over the whole picture: on small pictures that chooses as well as all features, and
    better than fewer channels on a finer grid. Raises ExtractorRefused for pictures so small that
    nothing may be sent.
    """
    if _few(extractor.output_shape, form):
        return extractor
    if form.most_features is not None:
        return replace(extractor, reduced=(form.most_features, 1, 1))
    picture = form.shape
    if min(picture[1:]) < LEAST_RATIO:
        raise ExtractorRefused(
            f"pictures of {_told(picture[1:])} pixels are too small: providers send features of "
            f"{LEAST_RATIO} or more by side"
        )
    channels = min(extractor.layer_shape[0], math.prod(picture[1:]) // LEAST_RATIO)
    return replace(extractor, reduced=(channels, 1, 1))


def _few(features: tuple[int, int, int], form: Form) -> bool:
    if form.most_features is not None:
        return math.prod(features) <= form.most_features
    picture = form.shape
    fine = LEAST_RATIO * max(features[1:]) > min(picture[1:])
    return not fine and LEAST_RATIO * math.prod(features) <= math.prod(picture[1:])


def _told(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


@lru_cache(maxsize=1)
def _public(backbone: str, cut: str, size: int) -> Extractor:
    return pretrained_extractor(backbone, cut, size)


def _difference(extractor: Extractor, public: Extractor) -> str:
    """The first tensor that is not the public one, obfuscation aside; empty if there is none."""
    path = last_layer(public.module)
    theirs, ours = extractor.module.state_dict(), public.module.state_dict()
    weight, bias = f"{path}.weight", f"{path}.bias"
    for name, tensor in ours.items():
        if name not in (weight, bias) and _far(theirs[name].flatten(), tensor.flatten()).any():
            return name
    rows, base = theirs[weight].double().flatten(1), ours[weight].double().flatten(1)
    # A row of the public network that is zero says nothing of its factor, and lets nothing pass.
    square = base.square().sum(1)
    factor = (rows * base).sum(1) / square.clamp_min(torch.finfo(square.dtype).tiny)
    if _far(rows, factor[:, None] * base).any():
        return weight
    size, seen = factor.abs(), square > 0
    bound = LARGEST_FACTOR * (1 + CLOSE)
    if not ((size[seen] <= bound) & (size[seen] >= 1 / bound)).all():
        return weight
    offset = theirs[bias].double() - factor * ours[bias].double()
    largest = LARGEST_SHIFT * torch.where(seen, size, LARGEST_FACTOR)
    slack = CLOSE * (1 + size * ours[bias].double().abs())
    return bias if (offset.abs() > largest * (1 + CLOSE) + slack).any() else ""


def _far(theirs: torch.Tensor, ours: torch.Tensor) -> torch.Tensor:
    """Whether the last axis, float (..., N), differs by more than CLOSE of its length."""
    difference = (theirs.double() - ours.double()).square().sum(-1)
    return difference > CLOSE**2 * ours.double().square().sum(-1)
