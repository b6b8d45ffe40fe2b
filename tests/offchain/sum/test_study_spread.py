"""A sweep gives the same wherever its tasks run."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor

import offchain
from offchain.sum.rules import required_deposit
from offchain.sum.study.spread import in_processes, over_ray

TASKS = tuple(range(1, 30))
WORK = partial(required_deposit, 10**6)
RESULTS = {seconds: WORK(seconds) for seconds in TASKS}


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_return_each_task_once_with_its_result(workers):
    pairs = list(in_processes(WORK, TASKS, workers))
    assert len(pairs) == len(TASKS)
    assert dict(pairs) == RESULTS


def test_processes_find_the_package_where_ape_took_it_off_the_path(monkeypatch):
    root = str(Path(offchain.__file__).parents[1])
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", root)])
    # Processes that ran before have the path of then.
    get_reusable_executor().shutdown(wait=True)
    assert dict(in_processes(WORK, TASKS, 2)) == RESULTS


def test_a_ray_cluster_returns_the_same():
    """On a cluster of its own, started on this machine and stopped again."""
    import ray

    pairs = list(over_ray(WORK, TASKS, "local"))
    assert len(pairs) == len(TASKS)
    assert dict(pairs) == RESULTS
    assert not ray.is_initialized()
