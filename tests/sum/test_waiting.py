"""What a rehearsal that waits was answered: it is told again, in order, whoever was killed when."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts._sum.waiting import Journal


def never() -> None:
    raise AssertionError("it was answered in an earlier life")


@pytest.fixture
def path(tmp_path) -> Path:
    """Of a journal with two answers."""
    path = tmp_path / "chain" / "share.jsonl"
    journal = Journal(path)
    assert [journal.remember(lambda: 7), journal.remember(lambda: {"at": 3})] == [7, {"at": 3}]
    return path


def test_what_was_answered_is_told_again_and_what_follows_is_asked(path) -> None:
    journal = Journal(path)
    assert journal.replaying
    assert [journal.remember(never), journal.remember(never)] == [7, {"at": 3}]
    assert not journal.replaying
    assert journal.remember(lambda: "new") == "new"
    assert path.read_bytes() == b'7\n{"at": 3}\n"new"\n'


@pytest.mark.parametrize("rest", [b"1", b'{"at"', b"\xc3"])
def test_a_line_whose_writer_was_killed_within_it_never_was(path, rest, monkeypatch) -> None:
    """It is cut off, and what stands before it is not written anew: that, too, may be killed."""
    whole = path.read_bytes()
    path.write_bytes(whole + rest)
    monkeypatch.setattr(Path, "write_bytes", never)
    journal = Journal(path)
    assert path.read_bytes() == whole
    assert [journal.remember(never), journal.remember(never)] == [7, {"at": 3}]
    assert journal.remember(lambda: 5) == 5
    assert path.read_bytes() == whole + b"5\n"
