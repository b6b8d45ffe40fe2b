"""How a round's updates become one change of the model: rules that stand up to false updates.

A defence is written by name, with a level after ":" where it has one: `mean`, `median`,
`trimmed:0.2`, `krum`, `multi-krum`, `borda`, `borda+screen`. Parameters that an update does not
name are changes of zero, to the mean, the median and the distances of Krum alike. With a tenth of
the parameters shared, most are named by fewer than half of the participants, and those the median
leaves where they are, whoever is honest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from offchain.data.seeds import generator
from offchain.errors import SoukError
from offchain.seccl.ballots import pack_scores, unpack_scores
from offchain.seccl.borda import SEED_BYTES, Election
from offchain.seccl.federation import Aggregate, Consensus
from offchain.seccl.likeness import Likeness
from offchain.seccl.similarity import Copied, copies
from offchain.seccl.updates import SparseUpdate, mean_update

DEFENCES = (
    "mean",
    "median",
    "trimmed:<share>",
    "krum",
    "multi-krum",
    "borda",
    "borda+screen",
)
"""The defences that `Defence.parse` knows."""


class DefenceError(SoukError):
    """A defence that does not exist or cannot be had here; the message is one line for people."""


def coordinate_median(updates: Sequence[SparseUpdate]) -> torch.Tensor:
    """The median change of every parameter, float32 (P,); of an even number the middle two's mean.

    Yin et al., "Byzantine-robust distributed learning", ICML 2018.
    """
    ordered = _dense(updates).sort(dim=0).values
    half, odd = divmod(len(updates), 2)
    return ordered[half] if odd else (ordered[half - 1] + ordered[half]) / 2


def trimmed_mean(share: float) -> Aggregate:
    """The mean change of every parameter without its floor(share * N) least and greatest.

    Yin et al., ICML 2018. Raises DefenceError when `share` is not in [0, 0.5).
    """
    if not 0 <= share < 0.5:
        raise DefenceError(f"trimmed takes a share of 0 or more and below 0.5, not {share:g}")

    def combine(updates: Sequence[SparseUpdate]) -> torch.Tensor:
        # The small addend: 0.29 * 100 is 28.999999999999996, and means 29.
        cut = int(share * len(updates) + 1e-9)
        return _dense(updates).sort(dim=0).values[cut : len(updates) - cut].mean(dim=0)

    return combine


def krum_scores(updates: Sequence[SparseUpdate], attackers: int) -> torch.Tensor:
    """Sum of the squared distances of each update to its N - f - 2 nearest, float64 (N,).

    attackers: f, how many false updates are expected. Blanchard et al., "Machine learning with
    adversaries", NeurIPS 2017. Raises DefenceError unless 0 <= f and N >= 2 f + 3.
    """
    if attackers < 0 or len(updates) < 2 * attackers + 3:
        raise DefenceError(
            f"Krum against f attackers needs 2 f + 3 updates or more: f is {attackers}, "
            f"there are {len(updates)}"
        )
    flat = _dense(updates).double()
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    distances.fill_diagonal_(float("inf"))
    return distances.sort(dim=1).values[:, : len(updates) - attackers - 2].sum(dim=1)


def krum(updates: Sequence[SparseUpdate], attackers: int, winners: int = 1) -> tuple[int, ...]:
    """The updates with the least Krum scores; more than one winner is Multi-Krum."""
    return tuple(krum_scores(updates, attackers).argsort(stable=True)[:winners].tolist())


def borda(winners: int, seed: int) -> Consensus:
    """The contract's election, by its twin: the M greatest totals of positional scores.

    Each voter sorts the others by its evaluations, as it casts them, and gives its best M, points
    M to 1; it cannot vote for itself. Equal evaluations and equal totals are ordered by a seed made
    of `seed`. Takes evaluations float64 (N, N) in [0, 1], [voter, candidate]; raises DefenceError
    unless 1 <= M < N.
    """
    ties = generator(seed, "seccl ties").bytes(SEED_BYTES)

    def elect(scores: torch.Tensor) -> tuple[int, ...]:
        count = len(scores)
        if not 1 <= winners < count:
            raise DefenceError(f"{count} participants elect 1 to {count - 1}, not {winners}")
        election = Election(count, winners, ties)
        cast = {
            voter: unpack_scores(pack_scores(row, voter).content)
            for voter, row in enumerate(scores.tolist())
        }
        return election.close({v: election.best(v, said) for v, said in cast.items()}).winners

    return elect


@dataclass(frozen=True, eq=False)
class PostedUpdates:
    """A round's updates as the server and the participants see them before any is chosen.

    updates: one a participant. order: the participants in the order in which they posted.
    earlier, last_change: as `similarity.copies` takes them.
    ballots: called with the copies found, gives the evaluations as cast, float64 (N, N),
        [voter, candidate]; computed when asked for, since most defences do not vote.
    """

    updates: Sequence[SparseUpdate]
    order: Sequence[int]
    earlier: Sequence[SparseUpdate]
    last_change: torch.Tensor | None
    ballots: Callable[[Sequence[Copied]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class Defence:
    """choose: whose updates count. combine: the change they make together.

    screen: what counts as a copy; honest voters then evaluate copies at 0. None: none is sought.
    """

    name: str
    choose: Callable[[PostedUpdates, Sequence[Copied]], Sequence[int]]
    combine: Aggregate = mean_update
    screen: Likeness | None = None

    def decide(self, posted: PostedUpdates) -> Decision:
        """Screen the updates, choose those that count, and combine these into one change."""
        found: tuple[Copied, ...] = ()
        if self.screen is not None:
            found = copies(
                posted.updates, posted.order, posted.earlier, posted.last_change, self.screen
            )
        winners = tuple(self.choose(posted, found))
        chosen = [posted.updates[winner] for winner in winners]
        nothing = torch.zeros_like(posted.updates[0].dense())
        return Decision(winners, found, self.combine(chosen) if chosen else nothing)

    @classmethod
    def parse(cls, text: str, participants: int, winners: int, seed: int) -> Defence:
        """The defence called `text`.

        winners: M, of Borda and of Multi-Krum, 1 to participants - 1. seed: breaks Borda's ties.
        Krum expects as many attackers as its rule allows, floor((participants - 3) / 2). Raises
        DefenceError, one line.
        """
        if not 1 <= winners < participants:
            raise DefenceError(
                f"{participants} participants elect 1 to {participants - 1}, not {winners}"
            )
        expected = (participants - 3) // 2
        consensus = borda(winners, seed)
        kind, _, level = text.partition(":")
        if text in ("krum", "multi-krum"):
            if expected < 0:
                raise DefenceError(f"{text} needs 3 participants or more, not {participants}")
            kept = 1 if text == "krum" else winners
            return cls(text, lambda posted, _: krum(posted.updates, expected, kept))
        if text in ("borda", "borda+screen"):
            return cls(
                text,
                lambda posted, found: consensus(posted.ballots(found)),
                screen=Likeness() if text == "borda+screen" else None,
            )
        if kind == "trimmed":
            try:
                return cls(text, _everyone, trimmed_mean(float(level)))
            except ValueError as error:
                raise DefenceError(f"{text!r} is not trimmed:<share below 0.5>") from error
        simple: dict[str, Aggregate] = {"mean": mean_update, "median": coordinate_median}
        if text not in simple:
            raise DefenceError(f"{text!r} is no defence: one of {', '.join(DEFENCES)}")
        return cls(text, _everyone, simple[text])


@dataclass(frozen=True, eq=False)
class Decision:
    """winners: whose updates entered. copies: what the screen found. change: float32 (P,)."""

    winners: tuple[int, ...]
    copies: tuple[Copied, ...]
    change: torch.Tensor


def _everyone(posted: PostedUpdates, found: Sequence[Copied]) -> Sequence[int]:
    return range(len(posted.updates))


def _dense(updates: Sequence[SparseUpdate]) -> torch.Tensor:
    return torch.stack([update.dense() for update in updates])
