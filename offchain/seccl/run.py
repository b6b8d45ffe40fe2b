"""One training among attackers, from the first round to the last, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from offchain.seccl.attacks import Attack, choose_attackers
from offchain.seccl.defences import Defence
from offchain.seccl.privacy import UpdatePrivacy
from offchain.seccl.training import TrainingSettings

CENTRAL = "central"
"""The defence of a run that trains on all data in one place, the paper's baseline."""


@dataclass(frozen=True)
class Run:
    """One training from the first round to the last.

    winners: share of the participants elected, the paper's lambda, above 0 and below 1.
    attackers: share of the participants, the paper's epsilon, 0 or more and below 1.
    attack_round: the first round with an attack, counted from 0 as all rounds are.
    split: as `partition` takes it. privacy: clip and noise of `UpdatePrivacy`, or None.
    """

    participants: int = 20
    winners: float = 0.2
    defence: str = "borda"
    attack: str = "none"
    attackers: float = 0.0
    attack_round: int = 5
    rounds: int = 20
    seed: int = 0
    split: str = "equal"
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    privacy: UpdatePrivacy | None = None

    @property
    def elected(self) -> int:
        """M: winners a round, at least one."""
        return max(1, round(self.winners * self.participants))

    @property
    def attacked(self) -> bool:
        """Whether any round differs from an honest one."""
        return self.attack != "none" and self.attackers > 0 and self.attack_round < self.rounds

    def check(self) -> None:
        """Raise AttackError, DefenceError or ValueError now for what would fail after hours."""
        if self.rounds < 1 or self.attack_round < 0:
            raise ValueError(
                f"a run has a round or more, not {self.rounds}, and attacks from 0 on, "
                f"not {self.attack_round}"
            )
        choose_attackers(self.participants, self.attackers, self.seed)
        Attack.parse(self.attack)
        if self.defence != CENTRAL:
            Defence.parse(self.defence, self.participants, self.elected, self.seed)


@dataclass(frozen=True)
class RunResult:
    """What a run gave.

    accuracy, backdoor: after each round, as in `contest.Played`. seats: share of the winners'
    places, from the attack on, that attackers took; their share of all participants would be by
    chance. caught, accused: of the updates from the attack on, how many of the attackers', and how
    many of the others', a screen took for copies.
    """

    run: Run
    accuracy: tuple[float, ...]
    backdoor: tuple[float, ...] = ()
    seats: float = 0.0
    caught: int = 0
    accused: int = 0
