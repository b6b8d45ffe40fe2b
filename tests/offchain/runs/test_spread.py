"""Tasks give the same wherever they are done, and outlive the processes that do them."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from joblib.externals.loky import get_reusable_executor

import offchain
from offchain.errors import SoukError
from offchain.report.text import percent
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread, SpreadError, single_threaded

TASKS = tuple(range(12))


def summed(seed: int) -> bytes:
    """The bits of a sum and of a product, which depend on the order in which they are added up."""
    rng = np.random.default_rng(seed)
    one = torch.from_numpy(rng.standard_normal((96, 700), dtype=np.float32))
    return np.append((one @ one.T).numpy().ravel(), float(one.sum())).tobytes()


@dataclass(frozen=True)
class Deadly:
    """Ends its process by SIGKILL at task 3 `times` times, and notes what is done."""

    folder: Path
    times: int

    def __call__(self, task: int) -> int:
        if task == 3:
            deaths = len(list(self.folder.glob("death-*")))
            if deaths < self.times:
                (self.folder / f"death-{deaths}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        with (self.folder / f"done-{task}").open("a") as file:
            file.write("once\n")
        return task * task


class Refused(SoukError):
    """What no task but one raises."""


def refuse(task: int) -> int:
    if task == 2:
        raise Refused("two is not for me")
    return task


@pytest.fixture(scope="module")
def alone():
    return dict(Spread(1).over(summed, TASKS))


def test_two_processes_give_the_same_bits_as_one(alone):
    assert dict(Spread(2).over(summed, TASKS)) == alone
    assert list(alone) == list(TASKS)


def summed_or_refused(seed: int) -> bytes:
    return summed(seed) if seed in TASKS else bytes([refuse(2)])


def test_a_ray_cluster_gives_the_same_bits_keeps_them_and_raises_what_a_task_raises(
    alone, tmp_path
):
    """On a cluster of its own, started on this machine and stopped again."""
    import ray

    finished, seeds = Finished(tmp_path, 1), (*TASKS, 99)
    with pytest.raises(Refused, match="two is not for me"):
        finish(summed_or_refused, seeds, str, finished, Spread(ray="local"))
    kept = {task: found for task in TASKS if (found := finished.get(str(task)))}
    assert kept
    assert kept.items() <= alone.items()
    assert not ray.is_initialized()


def test_a_task_computes_on_one_thread_and_leaves_the_others_as_they_were():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert dict(Spread(1).over(threads, [0])) == {0: 1}
        with pytest.raises(RuntimeError, match="stopped"), single_threaded():
            raise RuntimeError("stopped")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(dict(Spread(2).over(threads, TASKS)).values()) == {1}


def threads(_: int) -> int:
    return torch.get_num_threads()


def test_a_worker_that_is_killed_costs_no_finished_task(tmp_path):
    finished, told = Finished(tmp_path / "runs", 1), []
    results = finish(
        Deadly(tmp_path, times=1),
        TASKS,
        lambda task: task,
        finished,
        Spread(2),
        lambda done, total: told.append((done, total)),
    )
    assert results == [task * task for task in TASKS]
    assert told[-1] == (len(TASKS), len(TASKS))
    done = {path.name: path.read_text() for path in tmp_path.glob("done-*")}
    # What the other worker was at when its neighbour died may have been begun again.
    assert sum(text.count("once") for text in done.values()) <= len(TASKS) + 1
    assert len(done) == len(TASKS)


def test_a_task_that_kills_every_worker_ends_the_run_and_the_others_stay_finished(tmp_path):
    finished = Finished(tmp_path / "runs", 1)
    # How many are left hangs on what was under way beside the deadly one each time.
    with pytest.raises(SpreadError, match=r"ended 3 times with \d+ of 12 tasks left"):
        finish(Deadly(tmp_path, times=99), TASKS, str, finished, Spread(2))
    kept = {task for task in TASKS if finished.get(str(task)) is not None}
    assert kept
    assert 3 not in kept
    done = {task: (tmp_path / f"done-{task}").read_text() for task in kept}
    again = finish(Deadly(tmp_path, times=0), TASKS, str, finished, Spread(1))
    assert again == [task * task for task in TASKS]
    assert {task: (tmp_path / f"done-{task}").read_text() for task in kept} == done


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_raises_is_raised(workers):
    with pytest.raises(Refused, match="two is not for me"):
        list(Spread(workers).over(refuse, TASKS))


def test_processes_find_the_package_where_ape_took_it_off_the_path(monkeypatch):
    root = str(Path(offchain.__file__).parents[1])
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", root)])
    # Processes that ran before have the path of then.
    get_reusable_executor().shutdown(wait=True)
    assert dict(Spread(2).over(percent, [0.5])) == {0: "50.0 %"}


def test_no_cluster_is_said_in_one_line():
    with pytest.raises(SpreadError, match=r"^Ray at 127.0.0.1:1: [^\n]*$"):
        list(Spread(ray="127.0.0.1:1").over(summed, TASKS))
    with pytest.raises(ValueError, match="workers must be 1 or more, not 0"):
        Spread(0)
