"""Which updates were copied rather than trained: a screen for free-riders.

The paper leaves "training verification" open: "a malicious participant may not execute local
training and steal others' contributions by uploading modified parameters". Honest updates point in
similar directions, and name many of the same parameters while the model is young, but the order of
the mini-batches and the private images leave each its own part. What is made of others' posts lacks
that part: a mixture of any number of them, and of the model's last change, is explained by them
without a rest; noise against that still names the parameters of what it hides. Changing both, the
parameters and the values, escapes, and spoils the update: then the election is what remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from offchain.seccl.likeness import Likeness
from offchain.seccl.updates import SparseUpdate, largest_changes


@dataclass(frozen=True)
class Copied:
    """What `author` submitted was made of posts before it, most of all of that of `of`.

    of: None for the model's last change. earlier: whether that is of an earlier round.
    explained, overlap: as in `Likeness`, the overlap with `of`.
    """

    author: int
    of: int | None
    earlier: bool
    explained: float
    overlap: float


def copies(
    updates: Sequence[SparseUpdate | None],
    order: Sequence[int],
    earlier: Sequence[SparseUpdate | None] = (),
    last_change: torch.Tensor | None = None,
    bounds: Likeness | None = None,
) -> tuple[Copied, ...]:
    """The updates that were made of what was posted before them, in the order of posting.

    updates: one a participant, None where it has none. order: those who have one, first post first,
    as the bulletin board has it: of two alike, the later one is the copy. earlier: updates of the
    last round in the same way, or none at all; a participant may resemble its own. last_change: of
    the model in the last round, float32 (P,); its largest part, of the size of the update, counts
    as posted.

    What is posted first is trusted, so nobody can be accused by a copy of its own update.
    """
    bounds = bounds or Likeness()
    there = {author: update for author, update in enumerate(updates) if update is not None}
    if sorted(order) != list(there):
        raise ValueError(f"the order of posting must name {list(there)} once each, not {order}")
    if not there:
        return ()
    known: list[tuple[int | None, SparseUpdate]] = [
        (author, update) for author, update in enumerate(earlier) if update is not None
    ]
    if last_change is not None and bool(last_change.any()):
        first = next(iter(there.values()))
        share = len(first) / first.total
        known.append((None, largest_changes(last_change[None], share)[0]))
    present = len(known)
    known += [(author, there[author]) for author in order]
    dense = torch.stack([update.dense() for _, update in known])
    found = []
    for place, author in enumerate(order, present):
        before = [i for i in range(place) if i >= present or known[i][0] != author]
        if not before:
            continue
        likeness = torch.stack([overlap(there[author], known[i][1]) for i in before])
        nearest = int(likeness.argmax())
        reached = float(likeness[nearest]), explained(there[author], dense[before])
        if reached[0] >= bounds.overlap or reached[1] >= bounds.explained:
            of = before[nearest]
            found.append(Copied(author, known[of][0], of < present, reached[1], reached[0]))
    return tuple(found)


def overlap(update: SparseUpdate, other: SparseUpdate) -> torch.Tensor:
    """Parameters that both name, as in `Likeness`: 1 for the same ones, about 0 by chance.

    0 when either names all parameters, which tells nothing.
    """
    common = torch.isin(update.indices, other.indices, assume_unique=True).sum().double()
    chance = len(update) * len(other) / update.total
    most = min(len(update), len(other)) - chance
    return (common - chance) / most if most > 0 else torch.zeros_like(common)


def explained(update: SparseUpdate, posts: torch.Tensor) -> float:
    """How much of `update` a combination of `posts`, float32 (B, P), gives, as in `Likeness`.

    0 when there are too few values to tell: fewer than twice as many as posts.
    """
    if len(update) < 2 * len(posts):
        return 0.0
    columns = posts[:, update.indices.long()].T.double()  # (K, B)
    target = update.values.double()
    square = float(target.square().sum())
    if square == 0:
        return 1.0  # nothing is a copy of anything
    # gelsd: two posts may be the same, and then the columns are dependent.
    weights = torch.linalg.lstsq(columns, target[:, None], driver="gelsd").solution
    rest = float((columns @ weights - target[:, None]).square().sum()) / square
    return 1 - rest * len(update) / (len(update) - len(posts))
