"""The global model round by round, as it follows from what lies on the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from offchain.errors import SoukError
from offchain.seccl.parameters import Layout, model_digest
from offchain.seccl.participant import usable_updates
from offchain.seccl.reading import Reading, hidden
from offchain.seccl.screening import LastRound
from offchain.seccl.session import Session


class ModelLost(SoukError):
    """An elected update that is not to be had: who has it computes another model."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Before a round: the model, float32 (P,), its digest, and the round before."""

    model: torch.Tensor
    digest: str
    last: LastRound = field(default_factory=LastRound)


class GlobalModel:
    """Computes each round's model once, and again where a reorganisation changed what it was."""

    def __init__(self, layout: Layout, first: torch.Tensor) -> None:
        """first: the first global model, float32 (P,)."""
        self.layout = layout
        self._stands = [Stand(first, model_digest(layout, first))]
        self._made_of: list[tuple[object, ...]] = []

    def before(self, session: Session, round_: int, uploads: Callable[[int], Reading]) -> Stand:
        """How things stand before a round, all before it being over. uploads: what lies on the
        board of a round's.

        Raises ModelLost where an elected update is not to be had, or not yet.
        """
        for number in range(round_):
            closed = session.closed.get(number)
            winners = closed.winners if closed else ()
            reading = uploads(number) if winners else Reading()
            made_of = (winners, tuple(sorted(reading.hashes.items())), frozenset(reading.contents))
            if self._made_of[number : number + 1] == [made_of]:
                continue
            for winner in winners:
                if why := hidden(session, reading, winner):
                    raise ModelLost(
                        f"round {number}: the elected update of member {winner} is not to be had: "
                        f"{why}"
                    )
            del self._made_of[number:], self._stands[number + 1 :]
            self._stands.append(self._after(session, number, winners, reading))
            self._made_of.append(made_of)
        return self._stands[round_]

    def _after(
        self, session: Session, round_: int, winners: tuple[int, ...], reading: Reading
    ) -> Stand:
        before = self._stands[round_]
        updates, _ = usable_updates(session, round_, reading, before.digest)
        last = LastRound.of(updates, winners)
        if last.change is None:
            return Stand(before.model, before.digest, last)
        model = before.model + last.change
        return Stand(model, model_digest(self.layout, model), last)
