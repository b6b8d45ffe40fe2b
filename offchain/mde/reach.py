"""Which bought samples a model is trained on: none so far from one's own data that it breaks."""

from __future__ import annotations

import torch

from offchain.mde.samples import Samples

BEYOND = 1.0
"""How far beyond the range of one's own values of a feature others may lie, in widths of it."""


def within_reach(own: Samples, more: Samples) -> Samples | None:
    """Those of `more` of which each value lies within `BEYOND` of what `own` has; None for none.

    The range is that of each feature. One of which all own values are the same has the width of
    the widest. Pixels are always within.
    """
    if own.inputs.dtype == torch.uint8:
        return more
    low, high = own.inputs.double().amin(0), own.inputs.double().amax(0)
    width = high - low
    width = BEYOND * torch.where(width > 0, width, width.max())
    values = more.inputs.double()
    kept = ((values >= low - width) & (values <= high + width)).all(1)
    return more.subset(kept.nonzero()[:, 0]) if bool(kept.any()) else None
