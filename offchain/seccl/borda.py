"""The scoring of SecCL's consensus: the Python twin of ``contracts/seccl/borda/``.

Participants are numbered ``0..members-1``. A ballot puts ``winners`` (the paper's M) of the other
participants in order; the first gets M points, each next one less, the last gets 1 ("Consensus
among participants": the top M of each ballot score by position, the M greatest totals win). Equal
scores within a ballot and equal totals are put in the order of the round's seed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from offchain.errors import SoukError

MAX_MEMBERS = 1_024
SEED_BYTES = 16


class BallotError(SoukError):
    """A ballot that the contract would refuse; ``reason`` is the name of its error."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True)
class ElectionResult:
    """A closed round.

    Attributes:
        winners: participants, the highest first; empty where no ballot was counted, or fewer than
            the quorum voted or committed. Fewer than asked for where others abandoned a commitment
            or were reported absent.
        points: of each winner, 1 or more.
        totals: points of every participant, by its number.
        ballots: how many were counted.
    """

    winners: tuple[int, ...]
    points: tuple[int, ...]
    totals: tuple[int, ...]
    ballots: int


@dataclass(frozen=True)
class Election:
    """The rules of one round.

    Attributes:
        members: number of participants, 2 to 1,024.
        winners: how many win, and how many a ballot names; 1 to members - 1.
        seed: 16 bytes that break ties, fixed before ballots open.
        quorum: fewer ballots choose nobody; 1 to members.
    """

    members: int
    winners: int
    seed: bytes
    quorum: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.members <= MAX_MEMBERS:
            raise ValueError(f"members must be 2 to {MAX_MEMBERS}, not {self.members}")
        if not 1 <= self.winners < self.members:
            raise ValueError(f"winners must be 1 to {self.members - 1}, not {self.winners}")
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"seed must have {SEED_BYTES} bytes, not {len(self.seed)}")
        if not 1 <= self.quorum <= self.members:
            raise ValueError(f"quorum must be 1 to {self.members}, not {self.quorum}")

    def order_among_equals(self, index: int) -> int:
        """Of two with equal points or scores, the one with the greater number stands higher."""
        digest = keccak(self.seed.ljust(32, b"\0") + index.to_bytes(32, "big"))
        return int.from_bytes(digest[:26], "big")

    def check(self, voter: int, ranking: Sequence[int]) -> None:
        """Raises BallotError unless `ranking` is a ballot that `voter` may cast."""
        if len(ranking) != self.winners:
            raise BallotError("RankingLength", f"{len(ranking)} names, needs {self.winners}")
        seen: set[int] = set()
        for name in ranking:
            if not 0 <= name < self.members:
                raise BallotError("UnknownCandidate", f"{name} of {self.members} members")
            if name == voter:
                raise BallotError("SelfVote", f"member {voter} names itself")
            if name in seen:
                raise BallotError("DuplicateCandidate", f"{name} is named twice")
            seen.add(name)

    def best(self, voter: int, scores: Sequence[int]) -> list[int]:
        """The ranking that follows from a score for every member, the greatest first.

        Args:
            voter: whose scores they are.
            scores: integers from 0 to 65,535, by member; 0 for the voter itself.
        """
        if len(scores) != self.members:
            raise BallotError("ScoresLength", f"{len(scores)} scores, needs {self.members}")
        if scores[voter] != 0:
            raise BallotError("SelfVote", f"member {voter} gives itself {scores[voter]}")
        others = [i for i in range(self.members) if i != voter]
        return self._highest(others, scores)[: self.winners]

    def totals(self, ballots: Mapping[int, Sequence[int]]) -> list[int]:
        """The points of every member from the rankings by voter, which are checked."""
        totals = [0] * self.members
        for voter, ranking in ballots.items():
            self.check(voter, ranking)
            for position, name in enumerate(ranking):
                totals[name] += self.winners - position
        return totals

    def close(
        self,
        ballots: Mapping[int, Sequence[int]],
        committed: Collection[int] | None = None,
        absent: Collection[int] = (),
    ) -> ElectionResult:
        """The result of a round from the rankings by voter; `best` makes one of scores.

        committed: who committed to a hidden ballot, None where ballots are open. They count for the
        quorum, and who did not open its ballot is not elected. absent: who was reported to have
        uploaded nothing, and is not elected either.
        """
        totals = self.totals(ballots)
        winners: list[int] = []
        said = set(ballots if committed is None else committed)
        if ballots and len(said) >= self.quorum:
            out = said - ballots.keys() | set(absent)
            standing = [i for i in range(self.members) if totals[i] and i not in out]
            winners = self._highest(standing, totals)[: self.winners]
        points = tuple(totals[i] for i in winners)
        return ElectionResult(tuple(winners), points, tuple(totals), len(ballots))

    def _highest(self, of: Sequence[int], values: Sequence[int]) -> list[int]:
        return sorted(of, key=lambda i: (values[i], self.order_among_equals(i)), reverse=True)
