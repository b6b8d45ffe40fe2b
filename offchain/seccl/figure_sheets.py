"""Tables of what runs gave: beside the paper's statements, and attacks against defences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from offchain.report.sheets import Row, Sheet
from offchain.report.text import percent
from offchain.seccl.defences import DEFENCES
from offchain.seccl.grids import PAPER_PARTICIPANTS, PAPER_SHARES
from offchain.seccl.run import CENTRAL, Run, RunResult

PAPER_BASELINE = 0.9908
"""Accuracy of training on all data (section "Feasibility verification")."""

PAPER_THRESHOLD = 0.25
"""Share of adversaries from which on the accuracy "sharply decreases" (Figure 5)."""

BROKEN = 0.05
"""An attack has broken a defence when the final accuracy is so much below that without one."""


@dataclass(frozen=True)
class Average:
    """Mean and standard deviation over seeds; the latter None for a single one."""

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Average:
        return cls(fmean(values), stdev(values) if len(values) > 1 else None)

    def __str__(self) -> str:
        more = "" if self.deviation is None else f" ± {100 * self.deviation:.1f}"
        return f"{100 * self.mean:.1f}{more} %"


def final(results: Iterable[RunResult]) -> Average | None:
    """Final accuracy over `results`; None without any."""
    found = [result.accuracy[-1] for result in results]
    return Average.of(found) if found else None


def breaking_share(results: Iterable[RunResult]) -> float | None:
    """The least share of attackers from which on every larger one breaks the defence.

    results: of one defence against one attack, with and without attackers. None when the largest
    does not break it. Raises ValueError without a result of no attackers.
    """
    by_share: dict[float, list[float]] = {}
    for result in results:
        share = result.run.attackers if result.run.attacked else 0.0
        by_share.setdefault(share, []).append(result.accuracy[-1])
    if 0.0 not in by_share:
        raise ValueError("where a defence breaks shows against a run without attackers")
    floor, broken = fmean(by_share.pop(0.0)) - BROKEN, None
    for share in sorted(by_share, reverse=True):
        if fmean(by_share[share]) >= floor:
            break
        broken = share
    return broken


def defences_sheet(results: Sequence[RunResult]) -> Sheet:
    """Final accuracy by attack and share of attackers, one column a defence."""
    return _by_attack(
        results, "Final accuracy by attack and defence", _final_accuracy, "the best", max
    )


def backdoors_sheet(results: Sequence[RunResult]) -> Sheet:
    """Success of backdoors by attack and share of attackers, one column a defence."""
    planted = [result for result in results if "backdoor" in result.run.attack]
    return _by_attack(
        planted, "Images with the trigger that are misjudged", _final_backdoor, "the least", min
    )


def breaking_sheet(results: Sequence[RunResult]) -> Sheet:
    """The share of attackers that breaks each defence, one row an attack."""
    defences = _in_order({result.run.defence for result in results} - {CENTRAL})
    rows = []
    for attack in dict.fromkeys(r.run.attack for r in results if r.run.attacked):
        cells = []
        for name in defences:
            faced = [r for r in results if r.run.defence == name]
            share = breaking_share(r for r in faced if _faced(r.run)[0] in ("none", attack))
            cells.append("-" if share is None else percent(share))
        rows.append(Row((attack, *cells)))
    return Sheet(
        "Least share of attackers that breaks a defence",
        ("attack", *defences),
        1,
        tuple(rows),
        note=f"Broken: final accuracy {BROKEN:g} or more below that without an attack; - where no "
        "share tried does it.",
    )


def _final_accuracy(result: RunResult) -> float:
    return result.accuracy[-1]


def _final_backdoor(result: RunResult) -> float:
    return result.backdoor[-1]


def _by_attack(
    results: Sequence[RunResult],
    title: str,
    value: Callable[[RunResult], float],
    mark: str,
    best_of: Callable[[Iterable[float]], float],
) -> Sheet:
    defences = _in_order({result.run.defence for result in results} - {CENTRAL})
    faced = list(dict.fromkeys(_faced(result.run) for result in results))
    rows = []
    for attack, share in sorted(faced, key=lambda pair: (pair[0] != "none", pair)):
        here = [result for result in results if _faced(result.run) == (attack, share)]
        found = [[value(r) for r in here if r.run.defence == name] for name in defences]
        cells = [Average.of(values) if values else None for values in found]
        best = best_of(cell.mean for cell in cells if cell)
        texts = ["-" if c is None else f"{c}{' *' if c.mean == best else ''}" for c in cells]
        rows.append(Row((attack, percent(share), *texts)))
    seeds = len({result.run.seed for result in results})
    return Sheet(
        title,
        ("attack", "attackers", *defences),
        1,
        tuple(rows),
        note=f"{seeds} seed{'s' * (seeds != 1)}; * is {mark} of its row.",
    )


def seats_sheet(results: Sequence[RunResult]) -> Sheet:
    """Seats that attackers took under the election, and what the screen for copies found."""
    rows = []
    voted = [r for r in results if r.run.attacked and r.run.defence.startswith("borda")]
    for key in dict.fromkeys((r.run.split, *_faced(r.run), r.run.defence) for r in voted):
        part = [r for r in voted if (r.run.split, *_faced(r.run), r.run.defence) == key]
        hostile = sum(_posts(r.run, attackers=True) for r in part)
        honest = sum(_posts(r.run, attackers=False) for r in part)
        screened = key[-1] == "borda+screen"
        rows.append(
            Row(
                (
                    *(key[0], key[1], key[-1]),
                    percent(key[2]),
                    str(Average.of([r.seats for r in part])),
                    percent(sum(r.caught for r in part) / hostile) if screened else "-",
                    percent(sum(r.accused for r in part) / honest) if screened else "-",
                )
            )
        )
    return Sheet(
        "Seats taken by attackers, and copies found",
        ("split", "attack", "defence", "attackers", "seats", "caught", "falsely accused"),
        3,
        tuple(rows),
        note="Seats: share of the winners from the attack on. Caught: share of the attackers' "
        "updates taken for copies; falsely accused: of everybody else's.",
    )


def paper_sheet(figure_4: Sequence[RunResult], figure_5: Sequence[RunResult]) -> Sheet:
    """What the paper states of Figures 4 and 5, beside ours."""
    rows = []
    central = final(r for r in figure_4 if r.run.defence == CENTRAL)
    rows.append(("training on all data", percent(PAPER_BASELINE), str(central or "-")))
    for people in PAPER_PARTICIPANTS:
        for winners in PAPER_SHARES:
            ours = final(
                result
                for result in figure_4
                if result.run.defence != CENTRAL
                and (result.run.participants, result.run.winners) == (people, winners)
            )
            name = f"Figure 4: {people} participants, lambda {winners:g}"
            rows.append((name, "similar to all data", str(ours or "-")))
    for share in sorted({result.run.attackers for result in figure_5}):
        says = "not affected" if share < PAPER_THRESHOLD else "sharp decrease"
        ours = final(result for result in figure_5 if result.run.attackers == share)
        rows.append((f"Figure 5: epsilon {share:g}", says, str(ours or "-")))
    if figure_5:
        broken = breaking_share(figure_5)
        ours_text = "not reached" if broken is None else f"{broken:g}"
        rows.append(("Figure 5: breaks from epsilon", f"{PAPER_THRESHOLD:g}", ours_text))
    return Sheet(
        "Paper and ours: final accuracy",
        ("setting", "paper", "ours"),
        1,
        tuple(Row(row) for row in rows),
        note=f"Broken: {BROKEN:g} or more below the run without attackers, mean over seeds.",
    )


def _faced(run: Run) -> tuple[str, float]:
    return (run.attack, run.attackers) if run.attacked else ("none", 0.0)


def _posts(run: Run, *, attackers: bool) -> int:
    hostile = round(run.attackers * run.participants)
    people = hostile if attackers else run.participants - hostile
    return people * (run.rounds - run.attack_round)


def _in_order(names: Iterable[str]) -> list[str]:
    """Names of defences in the order of `DEFENCES`, whatever their levels."""
    kinds = [name.partition(":")[0] for name in DEFENCES]
    return sorted(names, key=lambda name: (kinds.index(name.partition(":")[0]), name))
