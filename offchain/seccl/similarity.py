"""Which updates were copied rather than trained: a check for free-riders.

The paper leaves "training verification" open: "a malicious participant may not execute local
training and steal others' contributions by uploading modified parameters". Honest updates point in
similar directions, and share most of the parameters they name while the model is young, but the
order of the mini-batches and the private images leave each its own part. A copy lacks that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from offchain.seccl.updates import SparseUpdate, largest_changes


@dataclass(frozen=True)
class Likeness:
    """From where on an update counts as a copy of another.

    cosine: of the angle between the two changes, all parameters. overlap: share of the smaller
    one's parameters that both name, less what chance would give, as a share of the most that it
    can be above chance. Reaching either is enough: noise on the values of a copy lowers the cosine,
    other parameters lower the overlap. Both in (0, 1].
    """

    cosine: float = 0.95
    overlap: float = 0.9

    def __post_init__(self) -> None:
        for name in ("cosine", "overlap"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0, at most 1, not {getattr(self, name):g}")


@dataclass(frozen=True)
class Copied:
    """`author` submitted what `of` had submitted before; `of` is None for the model's own change.

    earlier: whether the original is of an earlier round.
    """

    author: int
    of: int | None
    earlier: bool
    cosine: float
    overlap: float


def likeness(
    updates: Sequence[SparseUpdate], others: Sequence[SparseUpdate]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and overlap of each of `updates` with each of `others`, float32 (U, O) each.

    An update of zeros has cosine 0 with everything, one that names all parameters overlap 0.
    """
    left, right = (torch.stack([one.dense() for one in part]) for part in (updates, others))
    unit = [torch.nn.functional.normalize(part, dim=1) for part in (left, right)]
    named = [torch.stack([_named(one) for one in part]) for part in (updates, others)]
    counts = named[0].sum(1)[:, None], named[1].sum(1)[None, :]
    chance = counts[0] * counts[1] / left.shape[1]
    above, most = named[0] @ named[1].T - chance, torch.minimum(*counts) - chance
    return unit[0] @ unit[1].T, torch.where(most > 0, above / most.clamp(min=1e-9), 0.0)


def copies(
    updates: Sequence[SparseUpdate],
    order: Sequence[int],
    earlier: Sequence[SparseUpdate] = (),
    last_change: torch.Tensor | None = None,
    bounds: Likeness | None = None,
) -> tuple[Copied, ...]:
    """The updates that are like one posted before them, in the order of posting.

    updates: one a participant. order: all participants, first post first, as the bulletin board
    has it: of two alike, the later one is the copy. earlier: updates of the last round, one a
    participant, or none; a participant may resemble its own. last_change: of the model in the
    last round, float32 (P,); its largest part, of the size of the update, counts as posted.

    What is posted first is trusted, so nobody can be accused by a copy of its own update.
    """
    bounds = bounds or Likeness()
    if sorted(order) != list(range(len(updates))):
        raise ValueError(f"the order of posting must name 0..{len(updates) - 1} once, not {order}")
    known: list[tuple[int | None, SparseUpdate]] = list(enumerate(earlier))
    if last_change is not None and bool(last_change.any()):
        share = len(updates[0]) / updates[0].total
        known.append((None, largest_changes(last_change[None], share)[0]))
    present = len(known)
    known += enumerate(updates)
    cosine, overlap = likeness(updates, [update for _, update in known])
    alike = (cosine >= bounds.cosine) | (overlap >= bounds.overlap)
    found = []
    for place, author in enumerate(order):
        others = [column for column in range(present) if known[column][0] != author]
        before = [*others, *(present + one for one in order[:place])]
        first = next((column for column in before if alike[author, column]), None)
        if first is not None:
            how = float(cosine[author, first]), float(overlap[author, first])
            found.append(Copied(author, known[first][0], first < present, *how))
    return tuple(found)


def _named(update: SparseUpdate) -> torch.Tensor:
    mask = torch.zeros(update.total)
    return mask.index_fill_(0, update.indices.long().cpu(), 1.0)
