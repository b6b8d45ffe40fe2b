"""Who copied in a round, as members and auditors find it from what lies on the board alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from offchain.seccl.documents import Evaluation
from offchain.seccl.reading import Reading
from offchain.seccl.session import Session
from offchain.seccl.similarity import Copied, copies
from offchain.seccl.updates import SparseUpdate, mean_update


@dataclass(frozen=True, eq=False)
class LastRound:
    """updates: those of it that can be used, by author. change: of the global model, float32 (P,);
    None before the first round, and where nobody with a usable one was elected."""

    updates: Mapping[int, SparseUpdate] = field(default_factory=dict)
    change: torch.Tensor | None = None

    @classmethod
    def of(cls, updates: Mapping[int, SparseUpdate], winners: Sequence[int]) -> LastRound:
        """A round in which `winners` were elected; those without a usable update change nothing."""
        entered = [updates[winner] for winner in winners if winner in updates]
        return cls(updates, mean_update(entered) if entered else None)


def screened(
    session: Session, reading: Reading, updates: Mapping[int, SparseUpdate], last: LastRound
) -> tuple[Copied, ...]:
    """The copies among `updates`, the usable ones of a round's uploads; none without a screen.

    reading: of these uploads. Of two alike in one batch the later one is the one that the server
    says it took later.
    """
    if session.description.screen is None:
        return ()
    everybody = range(session.members)
    return copies(
        [updates.get(author) for author in everybody],
        [author for author in reading.order if author in updates],
        [last.updates.get(author) for author in everybody],
        last.change,
        session.description.screen,
    )


def lenient(said: Mapping[int, Evaluation], copied: Sequence[Copied]) -> list[tuple[int, int]]:
    """Who gave a copy more than 0, and whose copy it was; evaluations by author."""
    return [
        (voter, copy.author)
        for voter, evaluation in sorted(said.items())
        for copy in copied
        if evaluation.scores[copy.author]
    ]
