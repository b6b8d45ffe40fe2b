"""`ape run figures seccl` ends with the paper's figures, goes on where it was, and refuses in one
line."""

import pytest
from click.testing import CliRunner

from offchain.seccl.contest import Contest
from scripts import figures
from scripts._seccl import figures as played
from tests.offchain.seccl.made_images import made_images

REFUSED = {
    "rounds": (["--rounds", "4"], "4 is not in the range 5<=x<=1000"),
    "part": (["--only", "figures"], "'figures' is not one of"),
    "dataset": (["--dataset", "letters"], "'letters' is no directory and none of"),
    "no files": (["--data-root", "nowhere"], "mnist cannot be read from nowhere"),
    "report": (["--reports", "file.txt"], "'file.txt' is a file"),
    "device": (["--dataset", "digits", "--device", "abacus"], "abacus"),
}

SHORT = ("--dataset", "digits", "--seeds", "1", "--rounds", "5", "--epochs", "1", "--workers", "1")


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("no folder")
    return lambda *options: CliRunner().invoke(figures.cli, ["seccl", *options])


@pytest.fixture
def made(monkeypatch):
    """A few small images in place of the digits."""
    monkeypatch.setattr(played, "load_dataset", lambda *_, **__: made_images(800))


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what):
    options, words = REFUSED[what]
    result = invoke(*options)
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code != 0
    assert words in message
    assert "\n" not in message
    assert not list(tmp_path.rglob("*.json"))


def test_help_explains_every_option():
    text = CliRunner().invoke(figures.cli, ["seccl", "--help"]).output
    for option in figures.seccl.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]


def test_it_ends_with_the_papers_figures_and_plays_nothing_twice(
    invoke, made, tmp_path, monkeypatch
):
    first = invoke(*SHORT, "--only", "paper", "--reports", "out")
    assert first.exit_code == 0, first.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"figures.md", "figure_4a.png", "figure_4b.png", "figure_5.png", "runs"}
    text = (tmp_path / "out/figures.md").read_text()
    assert "--dataset digits --only paper --seeds 1 --rounds 5 --epochs 1`" in text
    assert "| Figure 4: 30 participants, lambda 0.4 | similar to all data |" in text
    assert "| Figure 5: epsilon 0.25 | sharp decrease |" in text

    monkeypatch.setattr(Contest, "play", lambda *_: pytest.fail("played again"))
    again = invoke(*SHORT, "--only", "paper", "--reports", "out")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "out/figures.md").read_text() == text


def test_the_tables_of_attacks_have_every_attack_and_defence(invoke, made, tmp_path, monkeypatch):
    monkeypatch.setattr(played, "ATTACKS", ("flip+ballots", "backdoor"))
    monkeypatch.setattr(played, "COMPARED", ("mean", "borda"))
    given = ("--only", "attacks", "--compared-images", "200", "--reports", "out")
    result = invoke(*SHORT, *given)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out/figures.md").read_text()
    assert "--only attacks" in text
    assert "--compared-images 200 --compared-seeds 1`" in text
    for title in (
        "Final accuracy by attack and defence",
        "Images with the trigger that are misjudged",
        "Least share of attackers that breaks a defence",
        "Seats taken by attackers, and copies found",
    ):
        assert f"## {title}" in text
    assert "| attack | attackers | mean | borda |" in text
    assert "| flip+ballots | 40.0 % |" in text
