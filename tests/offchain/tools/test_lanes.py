"""The lanes of checks: order, failure, and what took longest."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import lanes
from tools.lanes import Check, run
from tools.slowest import slowest


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lanes, "LOGS", tmp_path)
    return tmp_path


def sh(name: str, script: str, after: str | None = None) -> Check:
    return Check(name, ("sh", "-c", script), after=after)


def test_a_check_waits_for_the_one_that_it_needs(tmp_path: Path):
    mark = tmp_path / "mark"
    first, second = (
        sh("first", f"sleep 0.3; touch {mark}"),
        sh("second", f"test -f {mark}", "first"),
    )
    passed, failed = run([second, first])
    assert [one.name for one in passed] == ["first", "second"]
    assert failed is None


def test_the_first_failure_stops_the_other_lane(capsys: pytest.CaptureFixture[str]):
    began = time.monotonic()
    passed, failed = run([sh("long", "sleep 60"), sh("bad", "echo why; exit 3"), sh("never", ":")])
    assert (passed, failed) == ([], "bad")
    assert time.monotonic() - began < 20
    assert "why" in capsys.readouterr().out


def test_processor_time_is_counted_with_that_of_children():
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass'"
    (one,), _ = run([sh("busy", burn)])
    assert 0.5 <= one.busy < 5


def test_processor_time_of_what_nobody_waited_for_is_counted():
    """As of a server from which others are forked, which ends when its parent has ended."""
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass' &"
    (one,), _ = run([sh("busy", f"({burn}) ; true")])
    assert 0.5 <= one.busy < 5


def test_a_long_check_says_that_it_is_alive(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lanes, "ALIVE_EVERY", 0.3)
    run([sh("slow", "echo halfway; sleep 1")])
    assert "s so far: halfway" in capsys.readouterr().out


def test_a_check_that_says_no_more_is_ended_and_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lanes, "MOST_SILENT", 0.6)
    talks = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"
    assert run([sh("talks", talks), sh("stuck", "echo here; sleep 60")])[1] == "stuck"
    assert "here" in capsys.readouterr().out
    assert [one.name for one in run([sh("talks", talks)])[0]] == ["talks"]


def test_no_more_than_ten_seconds_pass_in_silence():
    assert lanes.ALIVE_EVERY <= 10


def test_the_slowest_are_read_from_pytests_and_forges_own_words(logs: Path):
    (logs / "a.log").write_text(
        "..\n============ slowest 10 durations ============\n"
        "12.50s call     tests/a/test_a.py::test_one[x y]\n"
        "3.00s setup    tests/a/test_a.py::test_one[x y]\n"
        "1.25s teardown tests/a/test_a.py::test_two\n3 passed in 20.00s\n"
    )
    (logs / "b.log").write_text(
        "Ran 2 tests for tests/invariants/A.t.sol:ATest\n[PASS] test_x() (gas: 5)\n"
        "[PASS] test_y(uint256) (runs: 512, μ: 7, ~: 7)\n"
        "Suite result: ok. 2 passed; 0 failed; 0 skipped; finished in 42.10s (80.00s CPU time)\n\n"
        "Ran 1 test for tests/invariants/B.t.sol:BTest\n[PASS] test_z() (gas: 5)\n"
        "Suite result: ok. 1 passed; 0 failed; 0 skipped; finished in 500.00ms (1.00ms CPU time)\n"
    )
    assert slowest([logs / "a.log", logs / "b.log"]) == [
        (42.1, "tests/invariants/A.t.sol:ATest"),
        (15.5, "tests/a/test_a.py::test_one[x y]"),
        (1.25, "tests/a/test_a.py::test_two"),
        (0.5, "tests/invariants/B.t.sol:BTest"),
    ]


def test_tests_that_come_too_late_are_left_out_and_named(tmp_path: Path):
    root = Path(lanes.__file__).parents[1]
    (tmp_path / "test_a.py").write_text("import time\ndef test_a(): time.sleep(2)\n")
    (tmp_path / "test_b.py").write_text("def test_b(): raise SystemExit\ndef test_c(): 1 / 0\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:ape_test", "test_a.py", "test_b.py"],
        cwd=tmp_path,
        env={
            "PYTEST_PLUGINS": "tools.budget",
            "PYTHONPATH": str(root),
            "SOUK_TESTS_UNTIL": str(time.time() + 1.5),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
    )
    assert "left out for want of time: test_b.py (2 tests)" in done.stdout
    assert done.returncode == 0, done.stdout
