"""Features: extracted by providers, carried as bytes, decoded and compared by the collector."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch.nn import functional

from offchain.data.imageset import MAX_CLASSES, Progress
from offchain.errors import SoukError
from offchain.hyperx.memory import memory_told
from offchain.hyperx.obfuscation import Obfuscation, decode
from offchain.models.extractor import Extractor
from offchain.models.preprocessing import PlainNumbers, Preprocessing

DEFAULT_POOL = 2
"""Side that features are pooled to by default."""

MAX_FEATURE_BYTES = 4 << 30
"""Largest features file read or written, in bytes."""

MAX_HEADER_BYTES = 1024
DEFAULT_TOLERANCE = 1e-3
"""Largest difference that passes at review, in units of a channel's own spread."""

_FLOOR = 1e-3

BATCH_BYTES = 256 << 20
"""Most bytes of the float32 pictures of one batch, before they are resized."""


class FeatureError(SoukError):
    """Features that cannot be used; the message is one line for people."""


class LabelledFeatures(NamedTuple):
    """features: float32 (N, C, H, W), linear outputs. labels: int64 (N,)."""

    features: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class Agreement:
    """How well submitted features agree with recomputed ones.

    worst: largest difference of one value, in units of its channel's spread (see
        `features_agree`); infinite where a submitted value is not finite.
    sample, channel: where that is.
    wrong_labels: number of samples whose labels differ.
    """

    worst: float
    sample: int
    channel: int
    wrong_labels: int
    tolerance: float

    def __bool__(self) -> bool:
        return self.wrong_labels == 0 and self.worst <= self.tolerance

    @property
    def reason(self) -> str:
        """One line for people; says what is wrong, or how close it is."""
        if self.wrong_labels:
            return f"{self.wrong_labels} labels differ from those of the disclosed samples"
        verb = "agree" if self else "disagree"
        return (
            f"features {verb}: worst difference {self.worst:.2g} of the channel's spread "
            f"(sample {self.sample}, channel {self.channel}), tolerance {self.tolerance:g}"
        )


def extract(
    extractor: Extractor,
    preprocessing: Preprocessing | PlainNumbers,
    samples: torch.Tensor,
    device: torch.device | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> torch.Tensor:
    """The extractor's linear outputs, float32 (N, C', H', W'), of uint8 images (N, C, H, W) or of
    float32 rows (N, D).

    device: where to compute; where the extractor lies when not given. The result is on the CPU.
    progress: called as (done, total) samples.

    Raises FeatureError when the preprocessing does not make the extractor's input, MemoryShort
    where memory does not do.
    """
    if preprocessing.shape != extractor.input_shape:
        raise FeatureError(
            f"preprocessing makes inputs of {preprocessing.shape}, "
            f"the extractor takes {extractor.input_shape}"
        )
    if batch_size < 1:
        raise FeatureError(f"batch size must be 1 or more, not {batch_size}")
    here = extractor if device is None else extractor.to(device)
    # Pictures are float32 before they are resized, so that large ones come in smaller batches.
    step = max(1, min(batch_size, BATCH_BYTES // (4 * math.prod(samples.shape[1:]) or 1)))
    what = f"features of {len(samples)} samples of {tuple(samples.shape[1:])}"
    with memory_told(what), torch.inference_mode(), _exact_convolutions():
        result = torch.empty((len(samples), *extractor.output_shape))
        for start in range(0, len(samples), step):
            batch = samples[start : start + step].to(here.device)
            inputs = preprocessing.apply(batch)
            if here.device.type == "cpu":  # 1.5 times as fast as the default layout
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            result[start : start + len(batch)] = here.features(inputs).cpu()
            if progress is not None:
                progress(start + len(batch), len(samples))
    return result


@contextmanager
def _exact_convolutions() -> Iterator[None]:
    # TensorFloat-32, cudnn's default, would keep ten bits: a thousand times the difference
    # that two machines computing in float32 have.
    with torch.backends.cudnn.flags(
        enabled=torch.backends.cudnn.enabled,
        benchmark=False,
        deterministic=True,
        allow_tf32=False,
    ):
        yield


def activate(features: torch.Tensor, activation: str) -> torch.Tensor:
    """Apply "relu", "relu6" or "none". Raises FeatureError for another name."""
    if activation == "none":
        return features
    if activation == "relu":
        return features.relu()
    if activation == "relu6":
        return features.clamp(0, 6)
    raise FeatureError(f"an activation is relu, relu6 or none, not {activation!r}")


def to_inputs(
    raw: torch.Tensor,
    obfuscation: Obfuscation | None,
    activation: str,
    pool: int | None = DEFAULT_POOL,
) -> torch.Tensor:
    """What the quality head sees: raw features (N, C, H, W) to float32 (N, C * h * w).

    Decoded, activated, and averaged over a grid of `pool` x `pool` (adaptive average pooling,
    no finer than the features are; None leaves them as they are), in this order.
    obfuscation: None for the collector's own, plain extractor.
    """
    if pool is not None and pool < 1:
        raise FeatureError(f"pool must be 1 or more, not {pool}")
    plain = raw if obfuscation is None else decode(raw, obfuscation)
    features = activate(plain, activation)
    if pool is not None:
        grid = min(pool, features.shape[2]), min(pool, features.shape[3])
        features = functional.adaptive_avg_pool2d(features, grid)
    return features.flatten(1)


def encode_features(features: torch.Tensor, labels: torch.Tensor) -> bytes:
    """Features float32 (N, C, H, W) and labels int64 (N,) as a safetensors file."""
    _check(features, labels, tuple(features.shape))
    return save({"features": features.contiguous(), "labels": labels.contiguous()})


def decode_features(data: bytes, shape: tuple[int, ...]) -> LabelledFeatures:
    """The inverse of `encode_features` on untrusted bytes, for features of exactly `shape`.

    Raises FeatureError, before anything large is allocated, unless `data` is such a file with
    finite values and labels in [0, MAX_CLASSES).
    """
    payload = 4 * math.prod(shape) + 8 * shape[0]
    if not payload < len(data) <= min(payload + MAX_HEADER_BYTES, MAX_FEATURE_BYTES):
        raise FeatureError(
            f"features of {tuple(shape)} have {payload} bytes and a header, not {len(data)}"
        )
    if int.from_bytes(data[:8], "little") > MAX_HEADER_BYTES:
        raise FeatureError("not features: no safetensors file")
    try:
        tensors = load(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise FeatureError(f"not features: {error}") from error
    if tensors.keys() != {"features", "labels"}:
        raise FeatureError(f"a features file holds features and labels, not {sorted(tensors)}")
    found = LabelledFeatures(tensors["features"], tensors["labels"])
    _check(*found, tuple(shape))
    return found


def features_agree(
    submitted: LabelledFeatures | tuple[torch.Tensor, torch.Tensor],
    recomputed: LabelledFeatures | tuple[torch.Tensor, torch.Tensor],
    tolerance: float = DEFAULT_TOLERANCE,
) -> Agreement:
    """Compare what a provider submitted with what its disclosed samples give at review.

    The difference of a value is measured in units of its channel's spread: the standard deviation
    of the recomputed channel over samples and positions. So neither the obfuscation's factors
    nor its shifts make one channel count more than another. A channel that hardly varies is
    measured by 1/1000 of the larger of its own root mean square and the median spread, since
    rounding depends on the terms that were summed and not on what was left of them.

    Raises FeatureError when the shapes differ or recomputed values are not finite.
    """
    (ours, our_labels), (theirs, their_labels) = recomputed, submitted
    if ours.shape != theirs.shape or our_labels.shape != their_labels.shape:
        raise FeatureError(
            f"features of {tuple(theirs.shape)} with {tuple(their_labels.shape)} labels cannot be "
            f"compared with {tuple(ours.shape)} with {tuple(our_labels.shape)}"
        )
    if not torch.isfinite(ours).all():
        raise FeatureError("recomputed features are not finite")
    reference = ours.flatten(2).double()
    spread = reference.std((0, 2), correction=0)
    size = reference.square().mean((0, 2)).sqrt()
    unit = torch.maximum(spread, _FLOOR * torch.maximum(size, spread.median()))
    gap = (theirs.flatten(2).double() - reference).abs().amax(2)
    # Where all of a channel is zero, so is the unit: equal is then equal, and the rest infinite.
    ratio = torch.where(gap == 0, 0.0, gap / unit).nan_to_num(nan=math.inf, posinf=math.inf)
    at = int(ratio.argmax())
    return Agreement(
        worst=float(ratio.flatten()[at]),
        sample=at // ratio.shape[1],
        channel=at % ratio.shape[1],
        wrong_labels=int((our_labels != their_labels).sum()),
        tolerance=tolerance,
    )


def _check(features: torch.Tensor, labels: torch.Tensor, shape: tuple[int, ...]) -> None:
    if features.dtype != torch.float32 or features.dim() != 4 or tuple(features.shape) != shape:
        raise FeatureError(
            f"features are float32 (N, C, H, W) = {shape}, "
            f"not {features.dtype} {tuple(features.shape)}"
        )
    if features.numel() == 0 or 4 * features.numel() > MAX_FEATURE_BYTES - MAX_HEADER_BYTES:
        raise FeatureError(f"features of {shape} are empty or exceed {MAX_FEATURE_BYTES} bytes")
    if labels.dtype != torch.int64 or tuple(labels.shape) != shape[:1]:
        raise FeatureError(
            f"labels are int64 ({shape[0]},), not {labels.dtype} {tuple(labels.shape)}"
        )
    if not torch.isfinite(features).all():
        raise FeatureError("features have values that are not finite")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MAX_CLASSES:
        raise FeatureError(f"labels must lie in 0..{MAX_CLASSES - 1}, found {low}..{high}")
