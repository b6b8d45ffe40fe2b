"""What a run may end in besides the rehearsal's payouts: losses that the documents name.

In none of them a contract holds a coin in the end, and nobody loses more than is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.stage import Ended

TENTH = 10**17
Gains = dict[str, int]


@dataclass(frozen=True)
class Loss:
    """One that is named.

    Attributes:
        letter: in tables. mechanism: whose it is. is_it: whether these gains are it.
        said: in a sentence. named: where, a file of docs/.
    """

    letter: str
    mechanism: str
    is_it: Callable[[Gains], bool]
    said: str
    named: str


def _nothing(gains: Gains) -> bool:
    return not any(gains.values())


def _convicted(gains: Gains) -> bool:
    """The server's stake is its members'."""
    return gains["sam"] == -3 * TENTH and all(
        gain == TENTH for party, gain in gains.items() if party != "sam"
    )


LOSSES = (
    Loss(
        "a",
        "hide",
        _nothing,
        "nothing was sold: the buyer of a seller that does not deliver has its money back.",
        "docs/hide.md",
    ),
    Loss(
        "b",
        "mde",
        _nothing,
        "nothing was sold: the buyer of a seller that does not answer has its money back.",
        "docs/mde.md",
    ),
    Loss(
        "c",
        "seccl",
        _convicted,
        "a server that is silent for longer than it may be loses its stake to the members.",
        "docs/seccl.md",
    ),
)


def loss_of(mechanism: str, ended: Ended) -> str | None:
    """The letter of what was lost; None where it has no name."""
    if ended.wrong or ended.stuck:
        return None
    found = (one.letter for one in LOSSES if one.mechanism == mechanism and one.is_it(ended.gains))
    return next(found, None)
