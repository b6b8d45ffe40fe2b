"""What came of all runs: kinds of fault by mechanisms, as a page of benchmarks/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from tests.chaos.fault import Fault
from tests.chaos.losses import LOSSES, loss_of
from tests.chaos.stage import Ended

NOT_RUN = "not run"
BROKEN = "broken"


def ends(mechanism: str, one: Ended) -> str:
    """What a run ended in: `same`, the letter of a loss that is named, or `broken`."""
    return "same" if one.same else loss_of(mechanism, one) or BROKEN


def page(
    mechanisms: Sequence[str],
    kinds: Sequence[type[Fault]],
    found: Mapping[tuple[str, str], Sequence[Ended]],
) -> str:
    """The page. found: runs by mechanism and kind of fault; those that were never struck say
    nothing of it."""
    struck = {cell: [one for one in runs if one.strikes] for cell, runs in found.items()}
    return "\n".join([*_page(mechanisms, kinds, struck), ""])


def _page(
    mechanisms: Sequence[str],
    kinds: Sequence[type[Fault]],
    found: Mapping[tuple[str, str], Sequence[Ended]],
) -> Iterator[str]:
    yield "# Chaos"
    yield ""
    yield (
        "Made by `python -m tests.chaos --page benchmarks/chaos.md` of what `make chaos` played. A "
        "cell has how many runs ended how; one that was never struck does not count. *same*: "
        "everybody was paid what the undisturbed rehearsal pays, and no contract holds a coin. A "
        f"letter: the loss named below. *{BROKEN}*: anything else."
    )
    yield ""
    yield "| kind of fault | " + " | ".join(mechanisms) + " |"
    yield "| --- |" + " --- |" * len(mechanisms)
    letters = set()
    for kind in kinds:
        cells = []
        for mechanism in mechanisms:
            ended = Counter(ends(mechanism, one) for one in found.get((mechanism, kind.name), ()))
            letters |= ended.keys()
            told = ", ".join(f"{count} {name}" for name, count in sorted(ended.items()))
            cells.append(told or NOT_RUN)
        yield f"| {kind.told} (`{kind.name}`) | " + " | ".join(cells) + " |"
    for loss in LOSSES:
        if loss.letter in letters:
            yield ""
            yield f"{loss.letter}: {loss.said} ({loss.named})"
    yield ""
    yield "How often it struck, and what it took: the median of the runs."
    yield ""
    yield "| kind of fault | mechanism | runs | strikes | lives ended | crashes | seconds |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for kind in kinds:
        for mechanism in mechanisms:
            if runs := found.get((mechanism, kind.name)):
                figures = (
                    median(one.strikes for one in runs),
                    median(one.killed for one in runs),
                    median(one.crashed for one in runs),
                    median(one.seconds for one in runs),
                )
                told = " | ".join(f"{figure:,.0f}" for figure in figures)
                yield f"| `{kind.name}` | {mechanism} | {len(runs)} | {told} |"
