"""Files are written whole or not at all."""

import os
import stat

import pytest

from offchain.files import write_whole


@pytest.mark.parametrize("call", ["fsync", "write", "replace"])
def test_who_is_stopped_while_writing_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "folder" / "file"
    write_whole(path, b"old")
    if call == "write":
        with pytest.raises(TypeError):
            write_whole(path, "no bytes")  # type: ignore[arg-type]
    else:

        def stopped(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, call, stopped)
            with pytest.raises(KeyboardInterrupt):
                write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_content_and_name_are_on_the_disk_when_it_returns(tmp_path, monkeypatch):
    """Both the file and its folder are flushed, the file before it gets its name."""
    path, seen = tmp_path / "file", []

    def fsync(number):
        seen.append((stat.S_ISDIR(os.fstat(number).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"content")
    assert seen == [(False, False), (True, True)]


def test_a_file_for_its_owner_alone_is_never_open_to_others(tmp_path, monkeypatch):
    modes = []
    replace = os.replace

    def look(source, target):
        modes.append(stat.S_IMODE(os.stat(source).st_mode))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    write_whole(tmp_path / "file", b"secret", 0o600)
    assert modes == [0o600]
