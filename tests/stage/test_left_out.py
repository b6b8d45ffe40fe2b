"""What a command leaves out of a folder of pictures reaches whoever runs it."""

from __future__ import annotations

import io

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from offchain.data.leftout import LeftOut
from scripts import federate, figures, hide, price, seek, sell, trade
from scripts._stage.telling import Telling

READERS = [federate.cli, hide.cli, price.cli, sell.cli, trade.cli, *figures.cli.commands.values()]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command.name)
def test_every_command_that_reads_a_folder_can_skip_what_is_broken(command: click.Command):
    names = {option for parameter in command.params for option in parameter.opts}
    assert "dataset" in names or "--dataset" in names
    assert "--skip-broken" in names


def test_one_line_is_printed_and_every_name_is_kept():
    screen = io.StringIO()
    telling = Telling(Console(file=screen, width=200))
    names = tuple(f"cat/{i}.png" for i in range(9))
    telling.left_out(LeftOut("pets", "broken pictures", names))
    line = "pets: left out broken pictures (9): " + ", ".join(names[:5]) + " and 4 more"
    assert screen.getvalue() == line + "\n"
    assert telling.log == [line, *(f"left out: pets/{name}" for name in names)]


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """A folder of 2 x 8 pictures, one of them broken, beside what is none."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", ".git", "emu"):
        (tmp_path / "pets" / name).mkdir(parents=True)
    for name in ("cat", "dog"):
        for i in range(8):
            pixels = rng.integers(256, size=(8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{i}.png")
    (tmp_path / "pets" / "cat" / "3.png").write_bytes(b"no picture")
    return tmp_path / "pets"


def run(command, *words):
    return CliRunner().invoke(command, [str(word) for word in words])


QUICK = (
    *("--levels", "0.5", "--tolerance", "0.45", "--free", "classes"),
    *("--epochs", "1", "--batch", "8"),
    *("--network", "plain", "--check", "plain", "--patch", "4"),
)


def test_without_the_option_the_broken_file_is_named_and_the_option_too(pets):
    result = run(hide.cli, "pets", *QUICK, "--out", "out")
    assert result.exit_code == 1
    assert "pets/cat/3.png cannot be read as an image" in result.output
    assert result.output.rstrip().endswith("(--skip-broken goes on without such files)")


def test_with_it_the_run_goes_on_and_says_what_it_left_out(pets):
    result = run(hide.cli, "pets", *QUICK, "--skip-broken", "--out", "out")
    said = " ".join(result.output.split())
    assert "pets: left out broken pictures (1): cat/3.png" in said
    assert "pets: left out hidden files or folders (1): .git" in said
    assert "pets: left out class folders without a picture that can be read (1): emu" in said


def test_seek_says_what_lies_beside_the_pictures_that_were_published(pets):
    (pets / "cat" / "3.png").unlink()
    result = run(seek.cli, "pets", pets / "dog" / "0.png", "--out", "clean")
    assert "pets: left out hidden files or folders (1): .git" in " ".join(result.output.split())
