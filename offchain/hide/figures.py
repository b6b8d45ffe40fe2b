"""Pictures of a family: contact sheets as the paper's Figures 6 to 8, and its Figure 5 (d to f)."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from offchain.data.imageset import ImageSet
from offchain.hide.cleaner import Cleaner, apply
from offchain.hide.family import Family
from offchain.hide.making import MadeFamily
from offchain.hide.preservation import likeness
from offchain.report.palette import BLUE, GREEN, GREY, ORANGE

_MASK_GREY = 127


def contact_sheet(original: ImageSet, family: Family) -> Figure:
    """One image of each slice and one that is never freed, as every level shows them.

    original: the owner's data before it was masked, in the same order. Columns: the original, its
    mask with epsilon as full contrast, the published image, and each level; below a picture its MSE
    (full scale 1) and SSIM against the original.
    """
    levels = [family.masked, *(apply(family.masked, c) for c in _cleaners(family))]
    names = ["original", "mask", "published"]
    names += [f"level {k}: {one.wanted:g}" for k, one in enumerate(family.levels, 1)]
    rows = _one_of_each_slice(family)
    figure = Figure(figsize=(1.5 * len(names), 1.8 * len(rows)), layout="constrained")
    cells = figure.subplots(len(rows), len(names), squeeze=False)
    for row, i in zip(cells, rows, strict=True):
        mask = family.masks.values[family.masks.rows[i]].float() / family.masks.epsilon
        shown = (_MASK_GREY + _MASK_GREY * mask).to(torch.uint8)
        for axes, image in zip(row, [original.images[i], shown], strict=False):
            _show(axes, image)
        row[0].set_xlabel(original.classes[int(original.labels[i])], fontsize=8)
        for axes, level in zip(row[2:], levels, strict=True):
            _show(axes, level.images[i])
            alike = likeness(original.images[i], level.images[i])
            axes.set_xlabel(f"MSE {alike.mse:.1e}\nSSIM {alike.ssim:.3f}", fontsize=8)
    for axes, name in zip(cells[0], names, strict=True):
        axes.set_title(name, fontsize=9)
    return figure


def levels_figure(made: MadeFamily) -> Figure:
    """Designed against verified accuracy of each level, and the curve they were found on."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers = range(1, len(made.family.levels) + 1)
    designed = [one.wanted for one in made.family.levels]
    verified = [one.verified for one in made.family.levels]
    left.plot(numbers, designed, "o-", color=BLUE, label="designed")
    left.plot(numbers, verified, "s--", color=ORANGE, label="verified, another network and seed")
    left.axhline(made.masked, color=GREY, linestyle=":", label="published, no cleaner")
    left.set_xlabel("level")
    left.set_ylabel("accuracy on clean test data")
    left.set_xticks(list(numbers))
    dials = sorted(made.points)
    right.plot(dials, [made.points[d] for d in dials], "o-", color=GREEN, label="measured")
    for one in made.found:
        right.axhline(one.wanted, color=BLUE if one.within else ORANGE, linewidth=0.8)
    right.set_xlabel("dial: 0 all masked, 1 none")
    for axes in (left, right):
        axes.set_ylim(0, 1)
        axes.grid(color="#DDDDDD")
        axes.legend(frameon=False, fontsize=8)
    return figure


def _cleaners(family: Family) -> list[Cleaner]:
    return [family.cleaner(k) for k in range(1, len(family.levels) + 1)]


def _one_of_each_slice(family: Family) -> list[int]:
    members = family.slices.members(family.masked.labels)
    found = [(members == j).nonzero().flatten() for j in range(len(family.slices) + 1)]
    # Images lie by class: from other places, so that rows show several classes.
    return [int(own[j * len(own) // len(found)]) for j, own in enumerate(found) if len(own)]


def _show(axes: Axes, image: torch.Tensor) -> None:
    if len(image) == 1:
        axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=255)
    else:
        axes.imshow(image.permute(1, 2, 0).numpy())
    axes.set_xticks([])
    axes.set_yticks([])
