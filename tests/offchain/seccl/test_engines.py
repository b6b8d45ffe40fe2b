"""Every engine gives the loop's numbers, up to the rounding of sums in another order."""

import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from offchain.seccl import choose
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.choose import choose_engine, engine_named
from offchain.seccl.engine import EngineError, LoopEngine
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import ModelError, initial_model
from offchain.seccl.processes import ProcessEngine
from offchain.seccl.threads import ThreadEngine
from offchain.seccl.training import LocalData, Task, TrainingSettings
from tests.offchain.seccl.small import Tiny, WithDropout, small, tiny_task

TOLERANCE = 1e-3
"""Of a participant's change: the length of the difference by the length of the change. Rounding
alone is 1e-6 a step; where it decides which of two equal pixels is the maximum, steps part more."""

ENGINES = {
    "channels last": partial(LoopEngine, channels_last=True),
    "stacked": partial(LoopEngine, channels_last=True, stacked=True),
    "batched": BatchedEngine,
    "threads": partial(ThreadEngine, workers=2, stacked=True),
    "processes": partial(ProcessEngine, workers=2, stacked=True),
}


@dataclass(frozen=True, eq=False)
class Case:
    task: Task
    training: list[LocalData]
    validation: list[LocalData]
    start: torch.Tensor
    changes: torch.Tensor  # the loop's, in round 2


@lru_cache
def case(model):
    if model == "tiny":  # parts of unequal size, small last mini-batches
        settings = TrainingSettings(batch=16, learning_rate=0.1, epochs=2)
        task, sets = tiny_task(settings=settings), small("dirichlet:1")
    else:
        factory = default_factory(10, (1, 28, 28))
        task, sets = tiny_task(factory=factory, settings=TrainingSettings()), small()
    start = initial_model(task.factory, 0)
    return Case(task, *sets, start, LoopEngine(task, *sets).train(start, 2))


@pytest.fixture(
    scope="module",
    params=[(model, name) for model in ("tiny", "default") for name in ENGINES][:-1],
    ids=" ".join,
)
def engine(request):
    """An engine, and the case it was made for."""
    model, name = request.param
    about = case(model)
    made = ENGINES[name](about.task, about.training, about.validation)
    yield made, about
    made.close()


def difference(got, expected):
    return float(((got - expected).norm(dim=1) / expected.norm(dim=1)).max())


def test_an_engine_trains_as_the_loop_does(engine):
    made, about = engine
    told = []
    got = made.train(about.start, 2, progress=lambda *at: told.append(at))
    assert difference(got, about.changes) < TOLERANCE
    assert told[-1] == (4, 4)
    assert torch.equal(made.train(about.start, 2), got)


def test_an_engine_trains_the_sets_it_is_asked_for(engine):
    made, about = engine
    got = made.train(about.start, 2, [3, 0])
    assert difference(got, about.changes[[3, 0]]) < TOLERANCE


def test_an_engine_counts_as_the_loop_does(engine):
    made, about = engine
    models, told = about.start + about.changes[:3], []
    expected = LoopEngine(about.task, about.training, about.validation).confusions(models)
    got = made.confusions(models, lambda *at: told.append(at))
    assert got.shape == (4, 3, 10, 10)
    assert got.sum((2, 3)).tolist() == [[len(part)] * 3 for part in about.validation]
    # An image on the border between two classes may fall to either side: one of a thousand.
    assert int((got - expected).abs().sum()) // 2 <= sum(map(len, about.validation)) * 3 // 1000
    assert told[-1] == (3, 3)
    assert torch.equal(made.confusions(models), got)


def test_the_choice_is_the_fastest_of_those_it_reports(monkeypatch):
    monkeypatch.setattr(choose, "cores", lambda: 2)
    choice = choose_engine(tiny_task(), *small(), rounds=1)
    names = [trial.name for trial in choice.trials]
    assert names[:2] == ["loop", "loop, channels last"]
    assert names[2].endswith("stacked")
    assert names[3] == "batched"
    assert names[4].startswith("2 threads")
    assert len(names) == 5  # too short a run for processes
    assert choice.engine.name == min(choice.trials, key=lambda t: t.seconds).name
    assert choice.report().splitlines()[-1] == f"chosen: {choice.engine.name}"
    start = initial_model(Tiny, 0)
    assert choice.engine.train(start, 0).shape == (4, len(start))


@pytest.mark.parametrize(("took", "least"), [([0.3, 0.1, 0.2], 0.1), ([0.7, 0.6], 0.6), ([2], 2)])
def test_a_part_of_a_trial_is_done_three_times_or_until_it_took_a_second(monkeypatch, took, least):
    """Brief disturbances must not decide; where there is much to do, few repeats are enough."""
    now, left = 0.0, list(took)

    def work():
        nonlocal now
        now += left.pop(0)

    monkeypatch.setattr(choose, "time", SimpleNamespace(perf_counter=lambda: now))
    assert choose._least_seconds(work) == pytest.approx(least)
    assert not left


def test_a_model_that_draws_random_numbers_is_left_to_the_loop(monkeypatch):
    monkeypatch.setattr(choose, "cores", lambda: 2)
    choice = choose_engine(tiny_task(factory=WithDropout), *small(), rounds=1)
    notes = {trial.name: trial.note for trial in choice.trials}
    assert notes["batched"].startswith("not possible")
    assert "draws random numbers" in notes["threads"]
    assert choice.engine.name.startswith("loop")


@pytest.mark.parametrize("make", [LoopEngine, *list(ENGINES.values())[:-1]])
def test_an_engine_is_made_again_by_its_name(make):
    sets = tiny_task(), *small()
    engine = make(*sets)
    again = engine_named(engine.name, *sets)
    assert (type(again), again.name) == (type(engine), engine.name)
    models = initial_model(Tiny, 0).repeat(3, 1)
    assert torch.equal(again.confusions(models), engine.confusions(models))
    again.close()
    engine.close()


def test_worker_processes_are_made_again_by_their_name(monkeypatch):
    made = []
    monkeypatch.setattr(choose, "ProcessEngine", lambda *given: made.append(given))
    sets = tiny_task(), *small()
    engine_named("12 processes", *sets)
    engine_named("3 processes, channels last, stacked", *sets)
    assert made == [(*sets, False, 12, False), (*sets, True, 3, True)]


@pytest.mark.parametrize("name", ["", "loops", "two threads", "threads", "batched, stacked"])
def test_a_name_that_no_engine_has_is_refused(name):
    with pytest.raises(ValueError, match="no engine is called"):
        engine_named(name, tiny_task(), *small())


def test_long_runs_try_processes(monkeypatch):
    monkeypatch.setattr(choose, "cores", lambda: 2)
    choice = choose_engine(tiny_task(), *small(), rounds=10**6)
    assert any("processes" in trial.name for trial in choice.trials)
    choice.engine.close()


def test_a_factory_that_cannot_be_sent_is_named_and_left_to_the_loop(monkeypatch):
    monkeypatch.setattr(choose, "cores", lambda: 2)
    task = tiny_task(factory=lambda: Tiny())
    with pytest.raises(EngineError, match="cannot be sent to worker processes"):
        ProcessEngine(task, *small())
    choice = choose_engine(task, *small(), rounds=10**6)
    assert "cannot be sent" in choice.report()


def test_a_model_that_fails_is_not_hidden_by_the_choice():
    class Broken(Tiny):
        def forward(self, x):
            return self.dense(x)

    with pytest.raises(RuntimeError, match="shapes"):
        choose_engine(tiny_task(factory=Broken), *small(), rounds=1)


class Counting(Tiny):
    """Keeps a running sum, as normalisation layers keep statistics."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.seen += 1
        return super().forward(x)


def test_a_model_that_learns_outside_its_parameters_is_refused():
    engine = LoopEngine(tiny_task(factory=Counting), *small())
    with pytest.raises(ModelError, match="training changes the buffer seen"):
        engine.train(initial_model(Counting, 0), 0, [0])


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_sets_that_do_not_fit_the_task_are_refused_at_once(make):
    training, validation = small()
    coloured = LocalData(7, training[0].images.repeat(1, 3, 1, 1), training[0].labels)
    with pytest.raises(ValueError, match=r"participant 7 has images \(200, 3, 28, 28\)"):
        make(tiny_task(), [*training, coloured], validation)
    with pytest.raises(ValueError, match="the label 9, the task has 9 classes"):
        make(tiny_task(class_count=9), training, validation)
    with pytest.raises(ModelError, match=r"makes \(1, 10\) of an image, not \(1, 11\)"):
        make(tiny_task(class_count=11), training, validation)
    with pytest.raises(ValueError, match="not 4 and 0"):
        make(tiny_task(), training, [])


class Dying(Tiny):
    """Ends every process but the first, as a machine short of memory would."""

    def forward(self, x):
        if multiprocessing.parent_process() is not None:
            os._exit(1)
        return super().forward(x)


def test_a_worker_that_dies_is_an_error_and_no_wait():
    with pytest.raises(EngineError, match="a worker process ended"):
        ProcessEngine(tiny_task(factory=Dying), *small(), workers=1)


_KILLED = """
import os, signal
from offchain.seccl.processes import ProcessEngine
from tests.offchain.seccl.small import small, tiny_task

if __name__ == "__main__":
    engine = ProcessEngine(tiny_task(), *small(), workers=2)
    print(*engine._pool._processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(_KILLED)
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, script], env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True
    )
    workers = [int(pid) for pid in ended.stdout.split()]
    assert len(workers) == 2, ended.stderr
    until = time.monotonic() + 30
    while left := [pid for pid in workers if Path(f"/proc/{pid}/cmdline").exists()]:
        assert time.monotonic() < until, f"still there: {left}"
        time.sleep(0.1)
