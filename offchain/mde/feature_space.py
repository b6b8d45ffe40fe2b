"""The space in which samples are compared: how they get there, and how far apart they are.

Inputs as floats, or what an embedding makes of them, less the owner's mean, each feature divided by
its spread over the owner's data (by at least half the root mean square of all spreads, so that a
feature that hardly varies does not drown the others), then projected at random.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from offchain.data.seeds import generator
from offchain.mde.errors import MdeError, NotFinite
from offchain.mde.samples import Samples, as_floats

Embedding = Callable[[torch.Tensor], torch.Tensor]
"""Inputs as in `Samples`, (B, ...), to float32 features (B, E)."""

CHUNK_DISTANCES = 1 << 23
"""Distances worked on at a time: 32 MB."""


def embedded(samples: Samples, embed: Embedding | None) -> torch.Tensor:
    """float32 (N, E). embed: None for the inputs themselves. Raises NotFinite."""
    with torch.no_grad():
        made = as_floats(samples.inputs) if embed is None else embed(samples.inputs).float().cpu()
    if made.shape[0] != len(samples) or not bool(torch.isfinite(made).all()):
        raise NotFinite(f"the embedding of {len(samples)} samples gave {tuple(made.shape)} or NaN")
    return made.reshape(len(samples), -1)


def projection_of(own: torch.Tensor, dims: int, seed: int) -> torch.Tensor:
    """float32 (E, K), K at most `dims`: what divides by the spread of `own` (n, E) and projects.

    Raises MdeError where all of `own` are the same.
    """
    spread = own.std(0, correction=0)
    floor = 0.5 * spread.square().mean().sqrt()
    if not floor > 0:
        raise MdeError("all training samples are the same: nothing can be compared with them")
    spread = spread.clamp(min=float(floor))
    if own.shape[1] <= dims:
        return torch.diag(1 / spread)
    rng = generator(seed, "mde projection")
    drawn = rng.standard_normal((own.shape[1], dims), dtype=np.float32)
    directions: torch.Tensor = torch.from_numpy(drawn)
    projection: torch.Tensor = directions / dims**0.5 / spread[:, None]
    return projection


def nearest(
    places: torch.Tensor, points: torch.Tensor, but: torch.Tensor | None = None
) -> torch.Tensor:
    """Distance from each place (N, K) to the nearest of `points` (n, K).

    but: int64 (N,), for each place the point that is itself.
    """
    distances = []
    rows = max(1, CHUNK_DISTANCES // len(points))
    for start in range(0, len(places), rows):
        apart = torch.cdist(places[start : start + rows], points)
        if but is not None:
            apart[torch.arange(len(apart)), but[start : start + rows]] = float("inf")
        distances.append(apart.min(dim=1).values)
    return torch.cat(distances)
