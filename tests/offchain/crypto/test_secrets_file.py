"""A role's secrets outlive it, are on disk before anything rests on them, and show nowhere."""

import json
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from offchain.crypto.passphrase import LEAST_CHARACTERS, Locked, Passphrase
from offchain.crypto.secrets_file import SecretsError, SecretsFile

SECRET = bytes(range(200, 232))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "anna" / "secrets.json"


def test_a_secret_is_drawn_once_and_read_ever_after(path):
    """The second object is the role after a crash."""
    drawn = []

    def make():
        drawn.append(1)
        return SECRET

    assert SecretsFile(path).remember("session key", make) == SECRET
    again = SecretsFile(path)
    assert again.remember("session key", make) == SECRET
    assert again.get("session key") == SECRET
    assert "session key" in again
    assert drawn == [1]


def test_a_secret_is_on_disk_before_it_is_handed_out(path):
    """Whoever has it can be killed at once: nothing rests on what is not stored."""
    handed_out = SecretsFile(path).remember("k", lambda: SECRET)
    assert SecretsFile(path).get("k") == handed_out


def test_a_secret_that_could_not_be_stored_is_never_handed_out(path, monkeypatch):
    """Not at the first attempt and not at the second: the disk was full at both."""
    file = SecretsFile(path)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            file.remember("k", lambda: SECRET)
    assert "k" not in file
    monkeypatch.undo()
    assert file.remember("k", lambda: b"other") == b"other"


def test_a_crash_while_writing_leaves_the_old_file_whole(path, monkeypatch):
    SecretsFile(path).remember("old", lambda: SECRET)
    before = path.read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        SecretsFile(path).remember("new", lambda: SECRET)
    assert path.read_bytes() == before
    monkeypatch.undo()
    file = SecretsFile(path)
    assert file.remember("new", lambda: b"new") == b"new"
    assert file.get("old") == SECRET
    assert os.listdir(path.parent) == [path.name]


def test_two_objects_on_one_file_lose_nothing_to_each_other(path):
    """A role is built again while the old object still lives."""
    first, second = SecretsFile(path), SecretsFile(path)
    first.remember("a", lambda: b"first")
    second.remember("b", lambda: b"second")
    assert second.remember("a", lambda: b"other") == b"first"
    assert [SecretsFile(path).get(name) for name in "ab"] == [b"first", b"second"]


def test_only_the_owner_can_read_the_file(path):
    previous = os.umask(0)
    try:
        SecretsFile(path).remember("k", lambda: SECRET)
        SecretsFile(path).remember("l", lambda: SECRET)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_reach_is_refused(path, mode):
    SecretsFile(path).remember("k", lambda: SECRET)
    path.chmod(mode)
    with pytest.raises(SecretsError, match=f"has mode {mode:04o}, needs 0600"):
        SecretsFile(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b'{"k": 5}', b'{"k": "no hex"}', b'{"k": null}', b"\xff\xfe\x00"],
)
def test_a_broken_file_is_refused_in_one_line_and_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretsError, match="is no secrets file") as caught:
        SecretsFile(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_secrets_show_in_no_representation_error_or_log(path, caplog):
    caplog.set_level(logging.DEBUG)
    file = SecretsFile(path)
    file.remember("k", lambda: SECRET)
    with pytest.raises(SecretsError, match="holds no secret called 'other'") as missing:
        file.get("other")
    path.write_text(json.dumps({"k": SECRET.hex() + "x"}))
    with pytest.raises(SecretsError) as broken:
        SecretsFile(path)
    shown = " ".join(
        [repr(file), str(file), f"{file}", str(missing.value), str(broken.value), caplog.text]
    )
    assert SECRET.hex() not in shown
    assert str(SECRET) not in shown
    assert "1 secrets" in repr(file)


WORDS = "correct horse battery staple"


def test_a_locked_file_tells_nothing_and_opens_by_its_passphrase_alone(path):
    """Whoever has the file, a backup or a stolen disk, has no secret and no name of one."""
    SecretsFile(path, Passphrase(WORDS)).remember("session key", lambda: SECRET)
    content = path.read_bytes()
    assert SECRET.hex().encode() not in content
    assert b"session key" not in content
    assert SecretsFile(path, Passphrase(WORDS)).get("session key") == SECRET
    with pytest.raises(SecretsError, match="another passphrase opens it, or it is broken"):
        SecretsFile(path, Passphrase(WORDS + "!"))
    with pytest.raises(SecretsError, match="is locked: it takes a passphrase"):
        SecretsFile(path)
    assert path.read_bytes() == content


def test_nothing_but_what_was_locked_under_this_name_is_believed(path):
    """Whoever can write the file, but has no passphrase, gives a role no keys."""
    SecretsFile(path, Passphrase(WORDS)).remember("k", lambda: SECRET)
    beside = path.with_name("bob.json")
    beside.write_bytes(path.read_bytes())
    beside.chmod(0o600)
    with pytest.raises(SecretsError, match=r"was 'secrets\.json' when locked"):
        SecretsFile(beside, Passphrase(WORDS))
    path.write_text(json.dumps({"k": "00" * 32}))
    with pytest.raises(SecretsError, match="is not locked, so nobody knows who wrote it"):
        SecretsFile(path, Passphrase(WORDS))


@pytest.mark.parametrize("field", ["salt", "content"])
def test_a_locked_file_that_was_changed_is_refused(path, field):
    SecretsFile(path, Passphrase(WORDS)).remember("k", lambda: SECRET)
    document = json.loads(path.read_bytes())
    document[field] = document[field][:-2] + ("00" if document[field][-2:] != "00" else "11")
    path.write_text(json.dumps(document))
    with pytest.raises(SecretsError, match="or it is broken"):
        SecretsFile(path, Passphrase(WORDS))


def test_a_passphrase_that_can_be_guessed_is_refused_and_none_is_shown():
    with pytest.raises(Locked, match=f"of 11 characters, at least {LEAST_CHARACTERS} are needed"):
        Passphrase("x" * 11)
    assert WORDS not in repr(Passphrase(WORDS))


def test_a_secret_that_is_added_meanwhile_is_not_lost(path):
    """Two processes of one role, each with its own object, remember at the same time."""
    with ThreadPoolExecutor(8) as pool:
        names = [f"secret {i}" for i in range(40)]
        list(pool.map(lambda name: SecretsFile(path).remember(name, name.encode), names))
    assert all(SecretsFile(path).get(name) == name.encode() for name in names)
