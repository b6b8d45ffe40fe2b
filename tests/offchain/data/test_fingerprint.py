"""A folder's fingerprint tells any change of what lies in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from offchain.data.fingerprint import fingerprint


def made(folder: Path) -> Path:
    for name, content in {"cats/1.png": b"one", "cats/2.png": b"two", "dogs/1.png": b"one"}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_equal_folders_have_one_wherever_they_lie(tmp_path):
    assert fingerprint(made(tmp_path / "a")) == fingerprint(made(tmp_path / "b"))


def test_each_change_gives_another(tmp_path):
    one = made(tmp_path / "a")
    seen = [fingerprint(one)]
    (one / "cats/1.png").write_bytes(b"One")
    seen.append(fingerprint(one))
    shutil.move(one / "cats/2.png", one / "dogs/2.png")
    seen.append(fingerprint(one))
    (one / "dogs/1.png").unlink()
    seen.append(fingerprint(one))
    assert len(set(seen)) == 4
