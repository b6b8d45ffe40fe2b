"""What is run in the study: a setting with what the data is cut to, and what identifies it."""

from __future__ import annotations

from dataclasses import dataclass, field

from offchain.sum.setting import Setting

VERSION = 4
"""Raise it when the same case and seed would give other numbers: older results no longer count."""

WORDS = 1_000
"""Table I's num_words, and the most that a case can ask for."""


@dataclass(frozen=True)
class Ceiling:
    """A model trained on all good data, the reference of Equation (1).

    train_size: share, where it matters for which reviews there are; stream: as in `Case`.
    """

    num_words: int
    held_out: int
    train_size: float | None
    stream: int | None
    largest_weight: int
    weight_limit: int


@dataclass(frozen=True)
class Case:
    """One point of a sweep, without its seed; defaults are Table I's.

    num_words: 1 to WORDS. train_size: share that trains the first model, 0 to 1.
    held_out: reviews kept for the test, where the data has no test set of its own.
    stream: at most so many reviews are submitted; None for all there are.
    """

    setting: Setting = field(default_factory=Setting)
    num_words: int = WORDS
    train_size: float = 0.08
    held_out: int = 5_000
    stream: int | None = None

    @property
    def ceiling(self) -> Ceiling:
        """What it is compared with; the same for all cases with the same good data."""
        return Ceiling(
            self.num_words,
            self.held_out,
            # All that is not held out, in the same order, wherever the first model's part ends.
            None if self.stream is None else self.train_size,
            self.stream,
            self.setting.largest_weight,
            self.setting.weight_limit,
        )

    @property
    def malicious(self) -> tuple[int, ...]:
        """The numbers of the malicious agents."""
        return tuple(i for i, agent in enumerate(self.setting.agents) if agent.malicious)


@dataclass(frozen=True)
class Task:
    """A case or a ceiling, with its seed: what is computed at once, and kept as one result."""

    what: Case | Ceiling
    seed: int
