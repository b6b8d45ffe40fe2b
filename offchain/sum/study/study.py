"""The whole study: which tasks there are, running those not done yet, and what they found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from offchain.sum.study import attacks, crowds, entropy
from offchain.sum.study.attacks import Attack
from offchain.sum.study.case import VERSION, Task
from offchain.sum.study.crowds import Crowd, Map
from offchain.sum.study.data import Source, loaded
from offchain.sum.study.entropy import Priced
from offchain.sum.study.measure import perform
from offchain.sum.study.results import Results
from offchain.sum.study.sweeps import Sweep, paper_sweeps

if TYPE_CHECKING:
    from offchain.data.imageset import Progress


@dataclass(frozen=True)
class Findings:
    """What was run and what it gave; what was not asked for is empty.

    worst: of the strategies other than flipped, the one that costs a crowd most accuracy.
    """

    results: Results
    sweeps: tuple[Sweep, ...]
    crowds: dict[str, tuple[Crowd, ...]]
    maps: tuple[Map, ...]
    priced: tuple[Priced, ...]
    attacks: tuple[Attack, ...]
    grid: tuple[Attack, ...]
    worst: str | None


class Study:
    """Sweeps over seeds 0 to `seeds` - 1, each finished task kept under `folder` at once.

    only: names of PARTS; the maps need the crowd, which tells what to map. ran: how many tasks
    were done, and not found finished.
    """

    def __init__(self, source: Source, seeds: int, only: Iterable[str], folder: Path) -> None:
        self._source = source
        self._only = frozenset(only)
        self._finished = Finished(folder, VERSION)
        self.results = Results(seeds)
        self.ran = 0

    def run(self, spread: Spread, progress: Progress | None = None) -> Findings:
        """Do what is not done yet.

        progress: of tasks; it starts anew for the maps, which depend on what the crowd shows.
        """
        data = loaded(self._source)
        digest, separate = data.digest(), data.test is not None
        sweeps = tuple(s for s in paper_sweeps(separate) if s.name in self._only)
        groups = crowds.crowds() if self._only & {"crowd", "maps"} else {}
        prices = entropy.priced() if "entropy" in self._only else ()
        attacked = attacks.attacks() if "attacks" in self._only else ()
        grid = attacks.grid() if "attacks" in self._only else ()
        first = [*self._of_sweeps(sweeps), *self._of_crowds(sum(groups.values(), ()))]
        first += [Task(p.case, seed) for seed in self._seeds for p in prices]
        first += _of_attacks(attacked, self._seeds)
        first += _of_attacks(grid, self._seeds[: attacks.GRID_SEEDS])
        self._do(first, digest, spread, progress)
        worst = self._worst(groups) if groups else None
        mapped: tuple[Map, ...] = ()
        if "maps" in self._only and worst is not None:
            mapped = (*crowds.maps("flipped"), *crowds.maps(worst))
            cells = [crowd for one in mapped for crowd in one.crowds()]
            self._do(self._of_crowds(cells, crowds.MAP_SEEDS), digest, spread, progress)
        return Findings(self.results, sweeps, groups, mapped, prices, attacked, grid, worst)

    @property
    def _seeds(self) -> range:
        return range(self.results.seeds)

    def _of_sweeps(self, sweeps: Iterable[Sweep]) -> Iterator[Task]:
        for sweep in sweeps:
            for seed in self._seeds:
                for case in sweep.cases():
                    yield Task(case, seed)
                    if sweep.ceiling:
                        yield Task(case.ceiling, seed)

    def _of_crowds(self, all_of: Iterable[Crowd], most: int | None = None) -> Iterator[Task]:
        seeds = self._seeds[:most]
        cases = dict.fromkeys(c for crowd in all_of for c in (crowd.case, crowd.clean))
        return (Task(case, seed) for seed in seeds for case in cases)

    def _do(
        self, wanted: Iterable[Task], digest: str, spread: Spread, progress: Progress | None
    ) -> None:
        def told(done: int, total: int) -> None:
            self.ran += 1
            if progress is not None:
                progress(done, total)

        tasks = list(dict.fromkeys(wanted))
        results = finish(
            partial(perform, self._source),
            tasks,
            lambda task: (task, digest),
            self._finished,
            spread,
            told,
        )
        for task, result in zip(tasks, results, strict=True):
            self.results.put(task, result)

    def _worst(self, groups: dict[str, tuple[Crowd, ...]]) -> str:
        def lost(strategy: str) -> float:
            return sum(
                float(self.results.difference(c.case, c.clean, self.results.seeds).mean())
                for c in groups[strategy]
                if c.malicious <= crowds.CROWD // 2  # with fewer than half honest, all is lost
            )

        return min((s for s in crowds.STRATEGIES if s != "flipped"), key=lost)


def _of_attacks(some: Iterable[Attack], seeds: range) -> list[Task]:
    """Each attack, and the month without it."""
    cases = dict.fromkeys(case for one in some for case in (one.case, one.holder))
    return [Task(case, seed) for seed in seeds for case in cases]
