"""Tables on a terminal say what they are given, and nothing that is in them drives it."""

from __future__ import annotations

import io

from rich.console import Console

from offchain.report.sheets import Row, Sheet
from offchain.report.tables import render


def printed(sheet: Sheet) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.print(render(sheet))
    return console.file.getvalue()


def test_what_strangers_wrote_drives_no_terminal():
    hostile = "\x1b[2J\x07cat\u202e\ud800[bold]"
    said = printed(Sheet("Terms", ("what", "is"), 2, (Row(("model", hostile)),)))
    assert r"\x1b[2J\x07cat\u202e\ud800[bold]" in said
    said.encode()


def test_lines_stay_lines_and_a_long_one_is_cut():
    said = printed(Sheet("Terms", ("what",), 1, (Row(("one\ntwo",)), Row(("x" * 10_000,)))))
    assert [line.strip() for line in said.splitlines() if line.strip() in ("one", "two")] == [
        "one",
        "two",
    ]
    assert said.count("x") == 1_997
