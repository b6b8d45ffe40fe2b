"""A report's files are there together or not at all."""

import os
from pathlib import Path

import pytest

from offchain.files import write_together

OLD = {"a.png": b"old a", "b.json": b"old b"}
NEW = {"a.png": b"new a", "b.json": b"new b", "c.html": b"new c"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_are_written_and_others_stay(tmp_path):
    (tmp_path / "runs.jsonl").write_bytes(b"kept")
    write_together(tmp_path, OLD)
    paths = write_together(tmp_path, NEW)
    assert paths == [tmp_path / name for name in NEW]
    assert files(tmp_path) == NEW | {"runs.jsonl": b"kept"}


def test_a_folder_is_made_with_what_is_above_it(tmp_path):
    write_together(tmp_path / "reports" / "one", NEW)
    assert files(tmp_path / "reports" / "one") == NEW


@pytest.mark.parametrize("fails_at", [1, 2, 3])
@pytest.mark.parametrize("what", ["write_bytes", "replace"])
@pytest.mark.parametrize("before", [OLD, None], ids=["a report before", "no folder"])
def test_whatever_fails_the_folder_is_as_it_was(tmp_path, monkeypatch, what, fails_at, before):
    """A disk that fills up, a folder that is taken away: no mixture of two runs."""
    folder = tmp_path / "reports" / "one"
    if before:
        write_together(folder, before)
    calls, real = 0, getattr(Path, what)

    def fails(self: Path, *args):
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise OSError("no space left")
        return real(self, *args)

    monkeypatch.setattr(Path, what, fails)
    with pytest.raises(OSError, match="no space left"):
        write_together(folder, NEW)
    assert calls >= fails_at
    if before:
        assert files(folder) == before
    else:
        assert os.listdir(tmp_path) == []
