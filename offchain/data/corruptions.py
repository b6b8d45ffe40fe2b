"""The paper's five ways to make a dataset worse (HyperX, sections 5.1.2 to 5.1.4), by a plan.

A corruption is written `kind:level`: `mislabel:0.3`, `noise:0.2`, `remove:0.4`, `decimate:4`,
`dope:0.3`, or plain `clean`. A plan names one per provider: `clean,mislabel:0.3,noise:0.4`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from skimage.util import random_noise
from torch.nn import functional

from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.data.originals import Originals, print_of
from offchain.data.photographs import photograph_crops
from offchain.data.pixels import resize, to_channels
from offchain.data.seeds import generator

S = TypeVar("S", ImageSet, Originals, ImageSet | Originals)

_CHUNK_VALUES = 1 << 22
"""Pixel values worked on at a time; bounds the float64 copies to some 100 MB."""


@dataclass(frozen=True)
class _Kind:
    low: float
    high: float
    level: str


_KINDS = {
    "clean": _Kind(0, 0, "no level"),
    "mislabel": _Kind(0, 1, "the share of samples whose labels are shuffled"),
    "noise": _Kind(0, 1, "the standard deviation of Gaussian noise, 1 being full scale (255)"),
    "remove": _Kind(0, 1, "the share of each image's pixels set to zero"),
    "decimate": _Kind(1, 64, "the factor by which each side is shrunk, then enlarged again"),
    "dope": _Kind(0, 1, "the share of images replaced by irrelevant ones"),
}


def _kind(name: str) -> _Kind:
    if name not in _KINDS:
        raise DataError(f"{name!r} is no corruption: one of {', '.join(_KINDS)}")
    return _KINDS[name]


@dataclass(frozen=True)
class Corruption:
    """One way to corrupt a dataset and how much.

    | kind     | level                                                    | range   | section |
    | clean    | none (0)                                                 |         |         |
    | mislabel | share of samples whose labels are shuffled among them    | 0 to 1  | 5.1.2   |
    | noise    | standard deviation of Gaussian noise, 1 is full scale    | 0 to 1  | 5.1.3   |
    | remove   | share of each image's pixels set to zero in all channels | 0 to 1  | 5.1.3   |
    | decimate | factor by which sides are shrunk, then enlarged again    | 1 to 64 | 5.1.3   |
    | dope     | share of images replaced by irrelevant ones              | 0 to 1  | 5.1.4   |

    Raises DataError for an unknown kind or a level outside its range.
    """

    kind: str
    level: float = 0.0

    def __post_init__(self) -> None:
        kind = _kind(self.kind)
        if not kind.low <= self.level <= kind.high:  # refuses NaN too
            bounds = f"{kind.low:g} to {kind.high:g} ({kind.level})"
            raise DataError(f"the level of {self.kind} must be {bounds}, not {self.level:g}")

    @classmethod
    def parse(cls, text: str) -> Corruption:
        """Read `kind:level`, or `clean`; the inverse of `str`."""
        kind, colon, level = text.strip().partition(":")
        if kind == "clean":
            if colon:
                raise DataError(f"clean takes no level: {text.strip()!r}")
            return cls("clean")
        known = _kind(kind)
        if not colon:
            raise DataError(f"{kind} needs a level, {known.level}: {kind}:<level>")
        try:
            amount = float(level)
        except ValueError as error:
            raise DataError(f"the level in {text.strip()!r} is not a number") from error
        return cls(kind, amount)

    def __str__(self) -> str:
        if self.kind == "clean":
            return self.kind
        return f"{self.kind}:{np.format_float_positional(self.level, trim='-')}"


@dataclass(frozen=True)
class CorruptionPlan:
    """One corruption per provider, in the providers' order."""

    corruptions: tuple[Corruption, ...]

    @classmethod
    def parse(cls, text: str, providers: int | None = None) -> CorruptionPlan:
        """Read `clean,mislabel:0.3,...`; with `providers` given, it must name just as many."""
        plan = cls(tuple(Corruption.parse(item) for item in text.split(",")))
        if providers is not None and providers != len(plan):
            raise DataError(f"the plan names {len(plan)} corruptions for {providers} providers")
        return plan

    def __str__(self) -> str:
        return ",".join(map(str, self.corruptions))

    def __len__(self) -> int:
        return len(self.corruptions)

    def apply(self, parts: Sequence[S], seed: int, dope_with: ImageSet | None = None) -> list[S]:
        """Corrupt each provider's part by its own corruption, with independent randomness."""
        if len(parts) != len(self):
            raise DataError(f"the plan names {len(self)} corruptions for {len(parts)} datasets")
        seeds = generator(seed, "plan").integers(2**63, size=len(self))
        return [
            corrupt_records(part, corruption, int(own))
            if isinstance(part, Originals)
            else corrupt(part, corruption, int(own), dope_with)
            for part, corruption, own in zip(parts, self.corruptions, seeds, strict=True)
        ]


def corrupt_records(records: Originals, corruption: Corruption, seed: int) -> Originals:
    """A corrupted copy of records, of the same number and form; as `corrupt` does it of pictures,
    by what the form says of each kind."""
    rng = generator(seed, corruption.kind)
    name = f"{records.name}+{corruption}"
    if corruption.kind == "clean":
        return replace(records, name=name)
    if corruption.kind == "mislabel":
        return replace(records, labels=_mislabel(records.labels, corruption.level, rng), name=name)
    contents = [records.content(i) for i in range(len(records))]
    worse = records.form.corrupted(contents, corruption.kind, corruption.level, rng)
    shown = (records.form.decoded(one, name) for one in worse)
    return replace(records, files=tuple(worse), prints=tuple(map(print_of, shown)), name=name)


def corrupt(
    imageset: ImageSet,
    corruption: Corruption,
    seed: int,
    dope_with: ImageSet | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """A corrupted copy of `imageset`, of the same size, shape and classes.

    The same arguments give the same copy. Under one seed a higher share corrupts a superset of
    what a lower one does, so that levels differ in amount only.

    dope_with: where `dope` takes its irrelevant images from, none twice, converted to the set's
        size and channels; crops of photographs when not given. Their labels are uniform over
        the classes, as nothing relates them to any.
    progress: called as (done, total) in images, for `noise`, `remove` and `decimate`.

    Raises DataError when `dope_with` holds too few images.
    """
    rng = generator(seed, corruption.kind)
    labels, images = imageset.labels, imageset.images
    match corruption.kind:
        case "mislabel":
            labels = _mislabel(labels, corruption.level, rng)
        case "noise":
            images = _by_chunks(lambda x: _add_noise(x, corruption.level, rng), images, progress)
        case "remove":
            images = _by_chunks(
                lambda x: _remove_pixels(x, corruption.level, rng), images, progress
            )
        case "decimate":
            images = _by_chunks(lambda x: _decimate(x, corruption.level), images, progress)
        case "dope":
            images, labels = _dope(imageset, corruption.level, rng, dope_with)
    return replace(imageset, images=images, labels=labels, name=f"{imageset.name}+{corruption}")


def _mislabel(labels: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    # Shuffling keeps the class counts; a chosen sample may get its own label back.
    chosen = torch.from_numpy(rng.permutation(len(labels))[: round(share * len(labels))])
    shuffled = labels.clone()
    shuffled[chosen] = labels[torch.from_numpy(rng.permutation(chosen.numpy()))]
    return shuffled


def _add_noise(images: torch.Tensor, sigma: float, rng: np.random.Generator) -> torch.Tensor:
    # In skimage's floating-point images 1.0 is full scale; it clips to 0..1.
    noisy = random_noise(  # type: ignore[no-untyped-call, unused-ignore]
        images.numpy(), mode="gaussian", rng=rng, var=sigma**2
    )
    return torch.from_numpy(np.rint(noisy * 255).astype(np.uint8))


def _remove_pixels(images: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    count, _, height, width = images.shape
    removed = np.zeros((count, height * width), dtype=bool)
    removed[:, : round(share * height * width)] = True
    removed = rng.permuted(removed, axis=1)  # each image on its own
    return images.masked_fill(torch.from_numpy(removed).view(count, 1, height, width), 0)


def _decimate(images: torch.Tensor, factor: float) -> torch.Tensor:
    height, width = images.shape[2:]
    small = [max(1, round(height / factor)), max(1, round(width / factor))]
    shrunk = functional.interpolate(images.float(), small, mode="area")
    blurred = functional.interpolate(shrunk, [height, width], mode="bilinear")
    return blurred.round().to(torch.uint8)


def _dope(
    imageset: ImageSet, share: float, rng: np.random.Generator, dope_with: ImageSet | None
) -> tuple[torch.Tensor, torch.Tensor]:
    count = round(share * len(imageset))
    replaced = torch.from_numpy(rng.permutation(len(imageset))[:count])
    if dope_with is None:
        irrelevant = photograph_crops(count, imageset.shape, rng)
    elif len(dope_with) < count:
        raise DataError(
            f"{dope_with.name} holds {len(dope_with)} images, doping {imageset.name} "
            f"by {share:g} needs {count}"
        )
    else:
        chosen = torch.from_numpy(rng.permutation(len(dope_with))[:count])
        channels, height, width = imageset.shape
        irrelevant = resize(to_channels(dope_with.images[chosen], channels), height, width)
    images, labels = imageset.images.clone(), imageset.labels.clone()
    images[replaced] = irrelevant
    labels[replaced] = torch.from_numpy(rng.integers(len(imageset.classes), size=count))
    return images, labels


def _by_chunks(
    work: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, progress: Progress | None
) -> torch.Tensor:
    """`work` on bounded runs of images, in order, so that memory does not grow with the set."""
    done = torch.empty_like(images)
    step = max(1, _CHUNK_VALUES // images[0].numel())
    for start in range(0, len(images), step):
        end = min(start + step, len(images))
        done[start:end] = work(images[start:end])
        if progress is not None:
            progress(end, len(images))
    return done
