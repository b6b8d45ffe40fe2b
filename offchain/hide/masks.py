"""Error-minimising masks inside an L-infinity ball, found by the paper's bi-level scheme.

A mask is a small change of every image under which the label is so easy to tell that a model learns
the mask and not the image (Hide-and-Seek, Equations 3 and 4). Masks and masked images are whole
numbers in 1/255 of full scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch.nn import functional

from offchain.data.imageset import ImageSet, Progress
from offchain.data.seeds import generator
from offchain.hide.augmentation import flip_and_shift
from offchain.hide.errors import ClassWithoutImages, EpsilonError, HideError
from offchain.hide.networks import ModelFactory
from offchain.hide.training import (
    Standard,
    as_pixels,
    batches,
    fresh,
    own_randomness,
)
from offchain.models.device import exact_convolutions

MAX_EPSILON = 64
"""Largest bound in 1/255: a quarter of full scale, which eyes cannot miss."""

KINDS = ("class", "sample")

_CHUNK = 4096
"""Images masked at a time; bounds the int16 copy."""


def check_epsilon(epsilon: int) -> None:
    """Raises EpsilonError unless 1 <= epsilon <= MAX_EPSILON."""
    if isinstance(epsilon, bool) or not isinstance(epsilon, int) or not 1 <= epsilon <= MAX_EPSILON:
        raise EpsilonError(
            f"epsilon must be a whole number of 1/255 from 1 to {MAX_EPSILON}, not {epsilon}"
        )


@dataclass(frozen=True)
class MaskSettings:
    """What masks look like and how they are searched.

    epsilon: bound on every value of a mask, in 1/255 (1..MAX_EPSILON); the paper's is 8.
    kind: "class", one mask for all images of a class, as in the paper; "sample", one per image.
    patch: side in pixels of the squares over which a mask is constant, 1 or more. Squares survive
        compression and resizing, and hide in the mean image of a class; see `regained`.
    grey: the same mask in all channels, so that turning images grey does not wash it out.
    apart: masks of one class are at right angles to one another, so that those which a buyer gets
        off tell nothing of those that other images wear. Made together they are alike otherwise.
    moving: find masks while masked images are mirrored and shifted as in standard augmentation;
        otherwise such augmentation washes them out.
    steps: batches; each changes model and masks once.
    inner: further changes of the batch's masks before each of the model, 0 or more.
    rate: size of one change, as a share of epsilon, above 0, at most 1.
    batch: images a step. Raises EpsilonError or HideError naming what is out of range.
    """

    epsilon: int = 8
    kind: str = "class"
    patch: int = 1
    grey: bool = False
    moving: bool = True
    steps: int = 100
    inner: int = 0
    rate: float = 0.1
    batch: int = 128
    apart: bool = False

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if self.kind not in KINDS:
            raise HideError(f"masks are one per {' or '.join(KINDS)}, not per {self.kind!r}")
        if self.patch < 1 or self.steps < 1 or self.batch < 2 or self.inner < 0:
            raise HideError(
                "patch and steps must be 1 or more, batch 2 or more, inner 0 or more, not "
                f"{self.patch}, {self.steps}, {self.batch}, {self.inner}"
            )
        if not 0 < self.rate <= 1:
            raise HideError(f"rate must be above 0, at most 1, not {self.rate}")
        if self.apart and self.kind == "sample":
            raise HideError("masks by sample are each image's own: only masks by class stand apart")

    @classmethod
    def fitting(
        cls, kind: str, epsilon: int = 8, patch: int = 1, grey: bool = False, apart: bool = False
    ) -> MaskSettings:
        """With the search that each kind needs: a mask by sample sees its image in few batches."""
        if kind == "class":
            return cls(epsilon, kind, patch, grey, apart=apart)
        more = {"steps": 400, "inner": 4, "rate": 0.25}
        return cls(epsilon, kind, patch, grey, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Masks:
    """A table of masks and who wears which.

    values: int8 (M, C, H, W), every |value| at most `epsilon`. rows: int64 (N,), the mask of each
    image, in [0, M).
    """

    values: torch.Tensor
    rows: torch.Tensor
    epsilon: int

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)
        if self.values.dtype != torch.int8 or self.rows.dtype != torch.int64:
            raise HideError(
                f"masks are int8 and rows int64, not {self.values.dtype}, {self.rows.dtype}"
            )
        if int(self.values.to(torch.int16).abs().max()) > self.epsilon:
            raise EpsilonError(f"a mask leaves the ball of radius {self.epsilon}/255")

    def added_to(self, roomy: ImageSet) -> ImageSet:
        """The masked images: `roomy`, which has gone through `with_room`, plus each one's mask."""
        return replace(roomy, images=add(roomy.images, self.values, self.rows))


def with_room(imageset: ImageSet, epsilon: int) -> ImageSet:
    """`imageset` with pixels clipped to [epsilon, 255 - epsilon], so that no mask ever clips.

    This is what makes `masked + cleaner` exact: without it a pixel of 3 masked by -8 becomes 0, and
    no cleaner by class can tell it from a pixel of 5. The price is that pixels within epsilon of
    black or white lose what distinguished them, by at most epsilon/255, for good: no cleaner, the
    strongest included, gives it back. Shipping corrections instead would cost bytes per image and
    would tell the buyer of a weak level where the strong mask clipped. `preservation` measures it.
    """
    check_epsilon(epsilon)
    return replace(imageset, images=imageset.images.clamp(epsilon, 255 - epsilon))


def add(images: torch.Tensor, values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """uint8 (N, C, H, W) of `images` plus `values[rows]`.

    Raises HideError if a sum leaves 0..255, instead of wrapping or clipping.
    """
    out = torch.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        part = slice(start, start + _CHUNK)
        total = images[part].to(torch.int16) + values[rows[part]]
        low, high = int(total.min()), int(total.max())
        if low < 0 or high > 255:
            raise HideError(f"masked pixels reach {low}..{high}, beyond 0..255")
        out[part] = total
    return out


def generate(
    imageset: ImageSet,
    rows: torch.Tensor,
    factories: ModelFactory | Sequence[ModelFactory],
    settings: MaskSettings,
    seed: int,
    *,
    count: int | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> Masks:
    """The strongest masks for `imageset`, the same for the same arguments on the same device.

    rows: int64 (N,), which of the masks 0..M-1 each image wears; images of one row must have one
    label: `rows_by_class`, or 0..N-1 for masks by sample. count: M, when there may be masks that no
    image wears, which stay random; else the highest row and one. factories: masks made on several
    networks go down the sum of their losses, at the cost of all of them.

    Equation 3 by alternating steps: the model makes one step of SGD on a masked batch, and the
    masks of that batch one step of Equation 4, down the sign of the gradient. Both gradients come
    from one backward pass, and the gradient of a shared mask is the sum over its images in the
    batch. Masks start at random inside the ball and are rounded to whole 1/255 at the end.

    Raises ClassWithoutImages when a class has none. progress: called in steps.
    """
    refuse_empty_classes(imageset)
    device = device or torch.device("cpu")
    images = with_room(imageset, settings.epsilon).images.to(device)
    labels, worn_by = imageset.labels.to(device), rows.to(device)
    base = _start(count or int(rows.max()) + 1, imageset.shape, settings, seed).to(device)
    standard = Standard.of(images)
    batch = min(settings.batch, len(imageset))
    limit, stride = float(settings.epsilon), settings.rate * settings.epsilon
    with own_randomness(seed, "hide masks", device) as own, exact_convolutions():
        makers = [factories] if callable(factories) else list(factories)
        models = [fresh(make, device) for make in makers]
        parameters = [one for model in models for one in model.parameters()]
        optimiser = torch.optim.SGD(parameters, 0.1, 0.9, weight_decay=5e-4)
        epochs = -(-settings.steps // (len(imageset) // batch))
        order = islice(batches(len(imageset), batch, epochs, seed), settings.steps)
        for step, chosen in enumerate(order):
            chosen = chosen.to(device)
            x, y = as_pixels(images[chosen]), labels[chosen]
            used, place = torch.unique(worn_by[chosen], return_inverse=True)
            masks = base[used].requires_grad_()  # (U, 1 or C, h, w), a copy
            for again in range(settings.inner, -1, -1):
                worn = spread(masks, imageset.shape, settings.patch)
                shown = x + worn[place]
                if settings.moving:
                    shown = flip_and_shift(shown, own)
                seen = standard(shown)
                losses = [functional.cross_entropy(model(seen), y) for model in models]
                wanted = [masks] if again else [masks, *parameters]
                gradients = torch.autograd.grad(torch.stack(losses).sum(), wanted)
                with torch.no_grad():
                    masks.sub_(gradients[0].sign(), alpha=stride).clamp_(-limit, limit)
            base[used] = masks.detach()
            if settings.apart:
                base = _set_apart(base, len(imageset.classes)).clamp(-limit, limit)
            for parameter, gradient in zip(parameters, gradients[1:], strict=True):
                parameter.grad = gradient
            optimiser.step()
            if progress is not None:
                progress(step + 1, settings.steps)
    values = spread(base, imageset.shape, settings.patch).round().to(torch.int8).contiguous()
    return Masks(values.cpu(), rows, settings.epsilon)


def _set_apart(base: torch.Tensor, classes: int) -> torch.Tensor:
    """Each class's masks turned to the nearest that are orthogonal, and as long as before.

    base: rows group x classes + label. Raises HideError when there are more than dimensions.
    """
    table = base.reshape(-1, classes, base[0].numel()).transpose(0, 1)  # (Z, G, D)
    if table.shape[1] > table.shape[2]:
        raise HideError(
            f"{table.shape[1]} masks of a class cannot stand apart in {table.shape[2]} numbers: "
            "take smaller squares or fewer levels"
        )
    length = table.norm(dim=2, keepdim=True).clamp_min(1e-6)
    left, _, right = torch.linalg.svd(table / length, full_matrices=False)
    turned: torch.Tensor = left @ right * length
    return turned.transpose(0, 1).reshape(base.shape)


def rows_by_class(groups: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """int64 (N,): group x classes + label; one mask per group and class."""
    return groups * classes + labels


def refuse_empty_classes(imageset: ImageSet) -> None:
    """Raises ClassWithoutImages naming the first class of `imageset` without any."""
    counts = torch.bincount(imageset.labels, minlength=len(imageset.classes))
    if not bool(counts.all()):
        empty = imageset.classes[int((counts == 0).nonzero()[0])]
        raise ClassWithoutImages(f"class {empty!r} of {imageset.name} has no images")


def spread(base: torch.Tensor, shape: tuple[int, ...], patch: int) -> torch.Tensor:
    """(M, 1 or C, ceil(H / patch), ceil(W / patch)) as (M, C, H, W), constant over squares."""
    channels, height, width = shape
    if patch > 1:
        base = base.repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    return base[:, :, :height, :width].expand(-1, channels, -1, -1)


def _start(
    count: int, shape: tuple[int, int, int], settings: MaskSettings, seed: int
) -> torch.Tensor:
    channels, height, width = shape
    side = settings.patch
    sizes = (count, 1 if settings.grey else channels, -(-height // side), -(-width // side))
    drawn = generator(seed, "hide start").random(sizes, dtype="float32")
    return torch.from_numpy(drawn * 2 - 1) * settings.epsilon
