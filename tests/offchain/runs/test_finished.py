"""A finished run is found by what decided it and by nothing else, and half of one never counts."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from offchain.runs.finished import Finished


@dataclass(frozen=True)
class Part:
    name: str
    share: float | None = None


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    seed: int = 0


@dataclass(frozen=True)
class Other:
    parts: tuple[Part, ...]
    seed: int = 0


WHOLE = Whole((Part("a", 0.5), Part("b")))


def never():
    raise AssertionError("done again")


def test_a_run_is_done_once_however_it_is_named_again(tmp_path):
    assert Finished(tmp_path, 1).once(WHOLE, lambda: 0.0) == 0.0
    same = Whole(tuple(replace(part) for part in WHOLE.parts), 0)
    assert Finished(tmp_path, 1).once(same, never) == 0.0
    assert Finished(tmp_path, 1).get(same) == 0.0


def test_a_run_counts_only_for_what_decided_it(tmp_path):
    names = [
        WHOLE,
        replace(WHOLE, seed=1),
        Whole((Part("a", 0.5),)),
        Whole((Part("a", 0.25), Part("b"))),
        Other(WHOLE.parts),
        (WHOLE, "data"),
        (WHOLE, "other data"),
    ]
    finished = Finished(tmp_path, 1)
    for number, name in enumerate(names):
        assert finished.get(name) is None
        finished.once(name, lambda number=number: number)
    assert [finished.get(name) for name in names] == list(range(len(names)))
    assert Finished(tmp_path, 2).get(WHOLE) is None


def test_each_run_is_a_file_that_does_not_tell_its_name(tmp_path):
    finished = Finished(tmp_path, 1)
    for secret in ("a0b1c2", "d3e4f5"):
        finished.once({"secret": secret}, lambda: [1.5, 2.5])
    assert len(list(tmp_path.rglob("output.pkl"))) == 2
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (b"a0b1c2", b"d3e4f5"):
        assert not any(secret in path.read_bytes() for path in everything)


@pytest.mark.parametrize("left", [0, 1, 40])
def test_a_spoiled_file_is_named_and_done_again(tmp_path, left):
    finished = Finished(tmp_path, 1)
    finished.once("run", lambda: np.arange(50))
    (path,) = tmp_path.rglob("output.pkl")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.warns(UserWarning, match=f"{path.parent.name} is no finished run"):
        assert finished.get("run") is None
    assert finished.once("run", lambda: 7) == 7
    assert Finished(tmp_path, 1).get("run") == 7


def test_what_has_no_name_in_json_is_refused(tmp_path):
    with pytest.raises(TypeError, match="ndarray does not name a run"):
        Finished(tmp_path, 1).once(np.arange(3), never)


def test_runs_outlive_a_process_that_is_killed(tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from offchain.runs.finished import Finished
finished = Finished(Path(sys.argv[1]), 1)
for number in range(5):
    finished.once(number, lambda: number * number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [Finished(tmp_path, 1).once(number, never) for number in range(5)] == [0, 1, 4, 9, 16]
