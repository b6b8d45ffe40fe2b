"""`ape run figures hide` says what it is, goes on where it was, and refuses in one line."""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from PIL import Image

from offchain.hide.mask_choices import stronger_settings
from scripts import figures
from scripts._hide import figures as played
from tests.offchain.hide.fakes import forbid, install
from tests.offchain.hide.small import made_up

REFUSED = {
    "levels": (["--levels", "some"], "levels are numbers by commas, not 'some'"),
    "level": (["--levels", "1.5"], "a level is an accuracy above 0 and below 1, not 1.5"),
    "part": (["--only", "figures"], "'figures' is not one of"),
    "dataset": (["--dataset", "letters"], "'letters' is no directory and none of"),
    "no files": (["--data-root", "nowhere"], "cifar10 cannot be read from nowhere"),
    "report": (["--reports", "file.txt"], "'file.txt' is a file"),
    "device": (["--dataset", "digits", "--device", "abacus"], "abacus"),
}

SHORT = ("--dataset", "mine", "--seeds", "2", "--levels", "0.3,0.5,0.9", "--mask-steps", "1")
SHORT += ("--workers", "1")


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("no folder")
    return lambda *options: CliRunner().invoke(figures.cli, ["hide", *options])


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Made-up pictures as mine/train and mine/test, and trainings that take no time."""
    data = made_up(120)
    for part in ("train", "test"):
        for i, image in enumerate(data.images):
            path = tmp_path / "mine" / part / data.classes[int(data.labels[i])] / f"{i:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
    return install(monkeypatch, data)


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
    text = CliRunner().invoke(figures.cli, ["hide", "--help"]).output
    for option in figures.hide.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]


def test_it_ends_with_the_papers_figures_and_trains_nothing_twice(
    invoke, mine, tmp_path, monkeypatch
):
    first = invoke(*SHORT, "--only", "paper", "--reports", "out")
    assert first.exit_code == 0, first.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("figures.md", "figure_4.png", "figure_5.png", "pictures.png", "runs"),
        *("record.json", "report.html"),
    }
    text = (tmp_path / "out/figures.md").read_text()
    assert "--dataset mine --only paper --seeds 2 --reduced --levels 0.3,0.5,0.9" in text
    assert "**Reduced for a CPU**" in text
    assert "| 30.0 % | 2 of 2 |" in text
    assert "| 90.0 % | 0 of 2 |" in text
    assert "above the 0.600 that clean data reaches" in text

    forbid(monkeypatch)
    again = invoke(*SHORT, "--only", "paper", "--reports", "out")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "out/figures.md").read_text() == text


def test_the_full_size_is_not_called_reduced(invoke, mine, tmp_path):
    given = ("--full", "--network", "small-resnet", "--check", "plain", "--only", "paper")
    result = invoke(*SHORT, *given, "--reports", "out")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out/figures.md").read_text()
    assert "--full" in text
    assert "Reduced" not in text


def test_robustness_has_every_counter_measure_and_setting(invoke, mine, tmp_path, monkeypatch):
    def quick(plan):
        return [
            replace(one, masks=replace(one.masks, steps=1, inner=0))
            for one in stronger_settings(plan)
        ]

    monkeypatch.setattr(played, "stronger_settings", quick)
    given = ("--only", "robustness", "--setting-seeds", "1", "--reports", "out")
    result = invoke(*SHORT, *given)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out/figures.md").read_text()
    for title in (
        "What a level is worth",
        "What counter-measures regain",
        "Settings of masks: what is regained from the published data",
        "What a buyer infers of c_max",
    ):
        assert f"## {title}" in text
    for name in ("JPEG", "grey-scale", "cutout", "mixup", "adversarial training", "averaging"):
        assert f"| {name} |" in text
    for name in ("one mask per image", "epsilon 16", "made on small-resnet and plain"):
        assert f"| {name} |" in text
    assert "| buyers of levels 1 and 2 |" in text


def test_levels_that_are_measured_are_spread_evenly():
    assert played._spaced(5, None) == [1, 2, 3, 4, 5]
    assert played._spaced(5, 1) == [3]
    assert played._spaced(5, 2) == [2, 4]
    assert played._spaced(3, 9) == [1, 2, 3]
    assert played._spaced(4, 0) == []
