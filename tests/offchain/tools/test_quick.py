"""What `make quick` runs whatever the change, and what it says of the rest."""

from __future__ import annotations

from pathlib import Path

from tools.budget import UNTIL
from tools.lanes import Check
from tools.quick import checks_for, left_out
from tools.touched import Choice

PROSE = Choice((), ())
CODE = Choice(("tests/offchain/hide",), ("tests/hide/test_sales.py",))


def by_name(choice: Choice) -> dict[str, Check]:
    return {check.name: check for check in checks_for(choice, until=5.0)}


def test_lint_and_structure_are_held_whatever_the_change_and_the_time():
    for choice in (PROSE, CODE):
        checks = by_name(choice)
        assert UNTIL not in checks["lint"].env
        assert UNTIL not in checks["structure"].env
        assert "tests/offchain/test_structure.py" in checks["structure"].command


def test_without_code_nothing_is_compiled_and_no_other_test_runs():
    assert set(by_name(PROSE)) == {"lint", "structure"}


def test_chosen_tests_begin_within_the_time_and_after_the_contracts_are_compiled():
    checks = by_name(CODE)
    assert checks["chain"].after == "compile"
    for name, path in (("near", CODE.offchain[0]), ("chain", CODE.chain[0])):
        assert checks[name].command[-1] == path
        assert checks[name].env[UNTIL] == "5.0"


def test_what_was_left_out_is_told_from_the_logs(tmp_path: Path):
    log = tmp_path / "near.log"
    line = "left out for want of time: tests/a/test_b.py (3 tests)"
    log.write_text(f"...\n{line}\n5 passed in 100.00s\n")
    assert left_out([log]) == [line]
