"""Which runs the paper's Figures 4 and 5 and the table of attacks against defences are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from offchain.seccl.run import CENTRAL, Run
from offchain.seccl.training import TrainingSettings

PAPER_PARTICIPANTS = (20, 30)
PAPER_SHARES = (0.1, 0.2, 0.3, 0.4)
"""Values of both lambda (Figure 4) and epsilon (Figure 5)."""

COLLUSION = "flip+ballots"
"""The paper's adversaries: they "collude to feed fake labels" and "may upload fake ranks"."""

ATTACKS = (
    *("flip", COLLUSION, "backdoor", "backdoor+scaled:5", "sign-flip", "scaled"),
    *("copy", "copy-previous", "noise"),
)
"""What the defences are compared against unless told otherwise."""

COMPARED = ("mean", "median", "trimmed:0.2", "krum", "multi-krum", "borda", "borda+screen")
"""The defences that are compared unless told otherwise."""


def figure_4_runs(rounds: int, seeds: Iterable[int], settings: TrainingSettings) -> list[Run]:
    """20 and 30 participants, lambda 0.1 to 0.4, nobody attacks; and the baseline."""
    return [
        run
        for seed in seeds
        for run in [
            Run(defence=CENTRAL, rounds=rounds, seed=seed, settings=settings),
            *(
                Run(people, winners, rounds=rounds, seed=seed, settings=settings)
                for people in PAPER_PARTICIPANTS
                for winners in PAPER_SHARES
            ),
        ]
    ]


def figure_5_runs(
    rounds: int,
    seeds: Iterable[int],
    settings: TrainingSettings,
    shares: Sequence[float] = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
) -> list[Run]:
    """20 participants, lambda 0.2, false labels and false ballots from round 5 on.

    Round 5 is the fifth, so that four are honest.
    """
    return [
        Run(20, 0.2, "borda", COLLUSION, share, 4, rounds, seed, settings=settings)
        for seed in seeds
        for share in shares
    ]


def comparison_runs(
    base: Run,
    attacks: Iterable[str],
    shares: Iterable[float],
    defences: Iterable[str],
    seeds: Iterable[int],
) -> list[Run]:
    """`base` with every attack, share, defence and seed, and each defence without an attack."""
    faced = [("none", 0.0), *((a, s) for s in list(shares) for a in list(attacks))]
    seeds, defences = list(seeds), list(defences)
    return [
        replace(base, attack=attack, attackers=share, defence=defence, seed=seed)
        for seed in seeds
        for defence in defences
        for attack, share in faced
    ]
