"""Attacks against defences: a grid of runs that share what is equal, and that can be resumed.

Up to the round of the attack all runs of one seed and one defence are the same, so they are played
once and every attack branches from there. Each finished run is a file; what is there already is not
played again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from offchain.data.imageset import ImageSet, Progress
from offchain.seccl.attacks import Attack, choose_attackers
from offchain.seccl.choose import choose_engine
from offchain.seccl.contest import Contest, EngineMaker, State
from offchain.seccl.defences import Defence
from offchain.seccl.federation import central_baseline
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import partition
from offchain.seccl.privacy import UpdatePrivacy
from offchain.seccl.training import Samples, Task, TrainingSettings

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


@dataclass(frozen=True)
class Result:
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


def play_runs(
    runs: Iterable[Run],
    train: ImageSet,
    test: ImageSet,
    folder: Path,
    *,
    make_engine: EngineMaker | None = None,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """The results of `runs`, in their order; those whose files lie in `folder` are read from it.

    make_engine: how to train and evaluate, by measurement unless given. device: the CPU
    unless given. progress: called as (rounds done, rounds), where rounds that runs share count
    once. Raises AttackError, DefenceError, DataError or ModelError.
    """
    wanted = list(dict.fromkeys(runs))
    for run in wanted:
        _check(run)
    digests = [train.digest(), test.digest()]
    files = {run: folder / f"{_key(run, digests)}.json" for run in wanted}
    missing = [run for run in wanted if not files[run].exists()]
    steps = _Steps(_rounds(missing), progress)
    folder.mkdir(parents=True, exist_ok=True)
    for group in _grouped(missing, _data_of):
        for result in _play_group(group, train, test, make_engine, device, steps):
            _write(files[result.run], result)
    return [_read(files[run], run) for run in wanted]


def _play_group(
    group: Sequence[Run],
    train: ImageSet,
    test: ImageSet,
    make_engine: EngineMaker | None,
    device: torch.device | None,
    steps: _Steps,
) -> Iterable[Result]:
    """Runs of the same participants with the same data."""
    first = group[0]
    factory = default_factory(len(train.classes), train.shape)
    place = device or torch.device("cpu")
    task = Task(factory, len(train.classes), first.settings, first.seed, place)
    for run in (run for run in group if run.defence == CENTRAL):
        samples, start = Samples.of(train, 0, place), initial_model(factory, first.seed).to(place)
        judged = Samples.of(test, 0, place)
        curve = central_baseline(task, samples, judged, run.rounds, start)
        steps.add(run.rounds)
        yield Result(run, tuple(curve))
    shared = [run for run in group if run.defence != CENTRAL]
    if not shared:
        return
    privacy = first.privacy
    contest = Contest(
        task,
        partition(train, first.participants, first.split, seed=first.seed),
        test,
        [Attack.parse(run.attack) for run in shared if run.attacked],
        choose_attackers(first.participants, max(run.attackers for run in shared), first.seed),
        make_engine or _measured(_rounds(shared)),
        None if privacy is None else lambda c, number: privacy.released(c, number, first.seed),
    )
    try:
        for alike in _grouped(shared, _defence_of):
            run = alike[0]
            defence = Defence.parse(run.defence, run.participants, run.elected, run.seed)
            honest, branches = _branches(alike)
            state = contest.begin()
            for number in range(honest + 1):
                for branch in branches.get(number, ()):
                    end = _play_from(contest, state, defence, branch, steps)
                    yield _result(branch, end)
                if number < honest:
                    state = contest.play(state, defence)
                    steps.add(1)
    finally:
        contest.close()


def _measured(rounds: int) -> EngineMaker:
    return lambda task, training, validation: (
        choose_engine(task, training, validation, rounds).engine
    )


def _play_from(contest: Contest, state: State, defence: Defence, run: Run, steps: _Steps) -> State:
    attack = Attack.parse(run.attack)
    attackers = choose_attackers(run.participants, run.attackers, run.seed)
    while len(state.history) < run.rounds:
        state = contest.play(state, defence, attack, attackers)
        steps.add(1)
    return state


def _result(run: Run, state: State) -> Result:
    hostile = set(choose_attackers(run.participants, run.attackers, run.seed))
    later = state.history[run.attack_round :]
    places = [winner for played in later for winner in played.winners]
    copied = [copy.author for played in later for copy in played.copies]
    caught = sum(author in hostile for author in copied)
    return Result(
        run,
        tuple(played.accuracy for played in state.history),
        tuple(played.backdoor for played in state.history),
        sum(winner in hostile for winner in places) / max(1, len(places)),
        caught,
        len(copied) - caught,
    )


def _branches(alike: Sequence[Run]) -> tuple[int, dict[int, list[Run]]]:
    """How many honest rounds are needed, and the runs that leave them after so many."""
    leaving: dict[int, list[Run]] = {}
    for run in alike:
        leaving.setdefault(run.attack_round if run.attacked else run.rounds, []).append(run)
    return max(leaving), leaving


def _rounds(runs: Sequence[Run]) -> int:
    """Rounds to play, those that runs share counted once."""
    total = sum(run.rounds for run in runs if run.defence == CENTRAL)
    for group in _grouped([run for run in runs if run.defence != CENTRAL], _data_of):
        for alike in _grouped(group, _defence_of):
            honest, leaving = _branches(alike)
            total += honest + sum(run.rounds - at for at, part in leaving.items() for run in part)
    return total


def _data_of(run: Run) -> object:
    return run.participants, run.seed, run.split, run.settings, run.privacy


def _defence_of(run: Run) -> object:
    return run.defence, run.elected


def _grouped(runs: Sequence[Run], key: Callable[[Run], object]) -> list[list[Run]]:
    groups: dict[object, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return list(groups.values())


class _Steps:
    """Rounds done of all to be done."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def add(self, rounds: int) -> None:
        self._done += rounds
        if self._progress is not None:
            self._progress(self._done, self._total)


def _check(run: Run) -> None:
    """Refuse now what would otherwise be refused after hours."""
    if run.rounds < 1 or run.attack_round < 0:
        raise ValueError(f"a run has a round or more, not {run.rounds}, and attacks from 0 on")
    choose_attackers(run.participants, run.attackers, run.seed)
    Attack.parse(run.attack)
    if run.defence != CENTRAL:
        Defence.parse(run.defence, run.participants, run.elected, run.seed)


def _key(run: Run, digests: Sequence[str]) -> str:
    about = asdict(run)
    # Left out where it is not used: runs from before there was such a setting keep their files.
    if run.settings.image_privacy is None:
        del about["settings"]["image_privacy"]
    said = json.dumps([_FORM, about, list(digests)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:24]


_FORM = 2
"""Raised when equal settings no longer give equal results, so that old files are left alone."""


def _write(path: Path, result: Result) -> None:
    beside = path.with_suffix(".partial")
    beside.write_text(json.dumps(asdict(result), indent=1))
    beside.replace(path)  # at once: an interrupted run leaves no half of a file


def _read(path: Path, run: Run) -> Result:
    said = json.loads(path.read_text())
    return replace(
        Result(run, tuple(said["accuracy"]), tuple(said["backdoor"])),
        seats=said["seats"],
        caught=said["caught"],
        accused=said["accused"],
    )
