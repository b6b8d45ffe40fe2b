"""`ape run study` says in one line what it cannot do, explains its options, and ends with files."""

import numpy as np
import pytest
from click.testing import CliRunner

from offchain.sum.study import data
from offchain.sum.study.names import PARTS
from scripts import study
from tests.offchain.sum.made_study import MadeSource

REFUSED = {
    "seeds": (["--seeds", "1"], "1 is not in the range 2<=x<=1000"),
    "workers": (["--workers", "0"], "0 is not in the range 1<=x<=1024"),
    "part": (["--only", "figures"], "'figures' is not one of"),
    "no file": (["--keras", "nowhere.npz"], "'nowhere.npz' does not exist"),
    "no archive": (["--keras", "text.npz"], "text.npz is not Keras's imdb.npz"),
    "other archive": (["--keras", "other.npz"], "other.npz is not Keras's imdb.npz"),
    "no cluster": (["--ray", "127.0.0.1:1"], "Ray at 127.0.0.1:1: "),
    "report": (["--reports", "text.npz"], "'text.npz' is a file"),
}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs the command on made-up reviews in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data.Packaged, "load", lambda self, progress=None: MadeSource().load())
    data.loaded.cache_clear()
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    yield lambda *options: CliRunner().invoke(study.cli, options)
    data.loaded.cache_clear()


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, what):
    options, words = REFUSED[what]
    result = invoke(*options)
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code != 0
    assert words in message
    assert "\n" not in message


def test_help_explains_every_option_and_names_every_part():
    text = CliRunner().invoke(study.cli, ["--help"]).output
    for option in study.cli.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]
    assert all(part in "".join(text.split()) for part in PARTS)


def test_a_run_ends_with_a_report_that_names_its_command(invoke, tmp_path):
    result = invoke("--seeds", "2", "--workers", "1", "--only", "mean_deposit", "--reports", "out")
    assert result.exit_code == 0, result.output
    assert "12 runs" in result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"study.md", "fig12.png", "record.json", "report.html", "runs"}
    text = (tmp_path / "out/study.md").read_text()
    assert "`ape run study --seeds 2 --only mean_deposit`" in text
    page = (tmp_path / "out/report.html").read_text()
    assert "ape run study --seeds 2 --only mean_deposit" in page
    assert "Claim by claim" in page
    again = invoke("--seeds", "2", "--workers", "1", "--only", "mean_deposit", "--reports", "out")
    assert "0 runs" in again.output
    assert (tmp_path / "out/study.md").read_text() == text
