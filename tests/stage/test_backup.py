"""What cannot be made again survives the machine, and a backup tells nothing without its words."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile

import click
import pytest

from offchain.crypto.passphrase import Passphrase
from offchain.crypto.secrets_file import SecretsFile
from offchain.database import Database
from offchain.post import Envelope, Letter
from offchain.post.kept import KeptLetters
from scripts._stage import secrets
from scripts._stage.post import LETTERS
from scripts._stage.secrets import VARIABLE, back_up, passphrase, put_back
from tests.kit.wallets import KeyWallet

WORDS = "correct horse battery staple"
NAMES = ["collector.json", "journal/0-upload.json", "outbox.sqlite"]


@pytest.fixture
def home(tmp_path):
    """The folder of a chain with secrets, a journal, an outbox, and what comes back by itself."""
    home = tmp_path / ".souk" / "11155111"
    SecretsFile(home / "collector.json", Passphrase(WORDS)).remember("key", lambda: b"k" * 32)
    Database(home / "outbox.sqlite", "CREATE TABLE sent (raw BLOB)")
    for name in ("journal/0-upload.json", "ipfs/blocks/a", "logs.sqlite"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    return home


def contents(home):
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*.*")}


def test_what_is_lost_comes_back_whole(home, tmp_path):
    before = contents(home)
    file = tmp_path / "backup"
    assert back_up(home, file, Passphrase(WORDS)) == NAMES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"collector" not in file.read_bytes()
    shutil.rmtree(home)
    assert put_back(home, file, Passphrase(WORDS)) == NAMES
    assert contents(home) == {name: before[name] for name in NAMES}
    assert SecretsFile(home / "collector.json", Passphrase(WORDS)).get("key") == b"k" * 32
    assert put_back(home, file, Passphrase(WORDS)) == []


def test_who_goes_on_from_a_backup_begins_a_new_run_of_letters(home, tmp_path):
    """The twin goes on with the old one: it numbers anew what others have, and none hears it."""
    party = KeyWallet("anna")
    own = bytes.fromhex(party.address[2:])

    def sent(path) -> Letter:
        kept = KeptLetters(path, "topic", lambda: 7)
        letter = kept.append(
            own, party.address, lambda run, number: Envelope(own, run, number, bytes(65), b"x")
        )
        kept.close()
        return letter

    letters, file = home / LETTERS, tmp_path / "backup"
    assert sent(letters).run == 7
    twin = tmp_path / "twin.sqlite"
    back_up(home, file, Passphrase(WORDS))
    assert put_back(home, file, Passphrase(WORDS)) == []
    shutil.copy(letters, twin)
    sent(letters)
    with pytest.raises(click.ClickException, match=rf"has another {LETTERS}$"):
        put_back(home, file, Passphrase(WORDS))
    shutil.rmtree(home)
    assert LETTERS in put_back(home, file, Passphrase(WORDS))
    assert put_back(home, file, Passphrase(WORDS)) == []
    again, twins = sent(letters), sent(twin)
    assert (again.run, again.number) == (8, 0)
    assert (twins.run, twins.number) == (7, 1)


def test_nothing_newer_is_overwritten(home, tmp_path):
    """A journal that went on since: restoring the old one could cost a stake."""
    file = tmp_path / "backup"
    back_up(home, file, Passphrase(WORDS))
    (home / "journal/0-upload.json").write_text("went on")
    (home / "outbox.sqlite").unlink()
    with pytest.raises(click.ClickException, match=r"has another journal/0-upload\.json$"):
        put_back(home, file, Passphrase(WORDS))
    assert not (home / "outbox.sqlite").exists()
    assert (home / "journal/0-upload.json").read_text() == "went on"
    with pytest.raises(click.ClickException, match="exists already"):
        back_up(home, file, Passphrase(WORDS))


def test_without_the_words_there_is_nothing(home, tmp_path):
    file = tmp_path / "backup"
    back_up(home, file, Passphrase(WORDS))
    with pytest.raises(click.ClickException, match="another passphrase opens it"):
        put_back(home, file, Passphrase(WORDS.upper()))
    with pytest.raises(click.ClickException, match="there are no secrets under"):
        back_up(tmp_path / "nobody", tmp_path / "empty", Passphrase(WORDS))
    with pytest.raises(click.ClickException, match="there is no"):
        put_back(home, tmp_path / "nowhere", Passphrase(WORDS))


def test_a_bot_is_told_where_its_words_belong(monkeypatch):
    """Where nobody can be asked."""
    monkeypatch.delenv(VARIABLE, raising=False)
    passphrase.cache_clear()
    with pytest.raises(click.ClickException, match=f"set {VARIABLE}"):
        passphrase()
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(click.ClickException, match="of 5 characters"):
        passphrase()
    monkeypatch.setenv(VARIABLE, WORDS)
    assert passphrase() is passphrase()
    passphrase.cache_clear()


def test_a_mistyped_passphrase_makes_no_backup(home, tmp_path):
    """It would open by words that nobody knows."""
    with pytest.raises(click.ClickException, match=r"collector\.json: another passphrase opens it"):
        back_up(home, tmp_path / "backup", Passphrase(WORDS + "x"))
    assert not (tmp_path / "backup").exists()


def test_links_are_kept_as_what_they_lead_to(home, tmp_path):
    elsewhere = tmp_path / "disk.json"
    (home / "collector.json").rename(elsewhere)
    (home / "collector.json").symlink_to(elsewhere)
    back_up(home, tmp_path / "backup", Passphrase(WORDS))
    put_back(tmp_path / "new", tmp_path / "backup", Passphrase(WORDS))
    assert (tmp_path / "new" / "collector.json").read_bytes() == elsewhere.read_bytes()


@pytest.mark.parametrize("name", ["../outside", "/absolute"])
def test_nothing_is_put_outside_the_folder(tmp_path, name):
    """By whoever knows the passphrase and makes a backup of his own."""
    name = name.replace("/absolute", str(tmp_path / "outside"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    file = tmp_path / "backup"
    file.write_bytes(Passphrase(WORDS).lock(packed.getvalue()))
    with pytest.raises(click.ClickException, match="outside, no file of"):
        put_back(tmp_path / "home", file, Passphrase(WORDS))
    assert not (tmp_path / "outside").exists()


def test_more_than_can_be_read_is_not_written(home, tmp_path, monkeypatch):
    monkeypatch.setattr(secrets, "MAX_BACKUP_BYTES", 1_000)
    with pytest.raises(click.ClickException, match="holds more than 1,000 bytes"):
        back_up(home, tmp_path / "backup", Passphrase(WORDS))


def test_an_outbox_that_is_being_written_is_kept_as_it_was_before(home, tmp_path):
    """A copy of the file in the middle of a transaction would be none."""
    outbox = Database(home / "outbox.sqlite", "")
    outbox.rows.execute("INSERT INTO sent VALUES (x'01')")
    with outbox.at_once():
        outbox.rows.execute("INSERT INTO sent VALUES (x'02')")
        back_up(home, tmp_path / "backup", Passphrase(WORDS))
    put_back(tmp_path / "new", tmp_path / "backup", Passphrase(WORDS))
    kept = Database(tmp_path / "new" / "outbox.sqlite", "")
    assert kept.rows.execute("SELECT raw FROM sent").fetchall() == [(b"\1",)]
