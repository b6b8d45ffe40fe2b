"""`ape run price` from the command line: its help, its refusals, and a small run to the end."""

from __future__ import annotations

from collections.abc import Callable

import ape
import click
import pytest
from click.testing import CliRunner, Result

from offchain.data.imageset import DataError
from offchain.mde.coarse import QUOTES
from offchain.mde.errors import MdeError
from offchain.policy import TermsRefused
from scripts import price
from scripts._mde.play import Market
from scripts._mde.stories import STORIES
from tests.mde.stories.played import small_options

SMALL = ("--sellers", "useful,redundant,irrelevant", "--samples", "20", "--own", "100")
SMALL += ("--validation", "120", "--test", "120", "--orders", "2")

REFUSED = {
    "unknown kind": (["--sellers", "useful,best"], "'best' is no kind of seller: one of useful"),
    "method": (["--method", "guess"], "'guess' is not one of 'tree', 'student', 'influence'"),
    "ipfs": (["--ipfs", "http://127.0.0.1:9"], "127.0.0.1:9"),
}
"""Refused by the command."""

CHECKED = {
    "budget": ({"budget": "plenty"}, "budget: 'plenty' is no amount"),
    "nothing to spend": ({"budget": "0 ether"}, "must be 1 to 2^96 - 1"),
    "floor": ({"floor": "2 ether"}, "floor: 2 ether must be below the most, 1 ether"),
    "stake": ({"stake": "1e11 ether"}, "must be 1 to 2^96 - 1"),
    "token": ({"token": "0x" + "12" * 20}, "token: no contract lives at"),
    "dataset": ({"dataset": "no/such/folder"}, "'no/such/folder' is no directory"),
    "no count": ({"sellers": "mixed:many"}, "'mixed:many' needs a count of samples"),
    "too few samples": ({"sellers": "mixed:2"}, "4 samples or more, not 2"),
    "least price": ({"least_price": "2 ether"}, "at least 2000000000000000000 wei is accepted"),
    "too many sellers": ({"sellers": ",".join(["useful:4"] * 30)}, "30 sellers, but only 28"),
    "nobody paid": ({"pay_to": "0x" + "00" * 20}, "pay-to: nobody has the account of zero"),
}
"""Refused before any data is loaded or anything is sent."""


@pytest.fixture
def invoke(project, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command on the tests' chain, writing to an empty folder."""
    monkeypatch.setenv("APE_FOUNDRY_HOST", ape.chain.provider.uri)

    def run(*options: str) -> Result:
        given = [*SMALL, "--reports", str(tmp_path / "reports"), *options]
        return CliRunner().invoke(price.cli, given)

    return run


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what: str) -> None:
    """The line names value and bound; chain and files stay as they were."""
    options, words = REFUSED[what]
    height = ape.chain.blocks.height
    result = invoke(*options)
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code != 0
    assert words in message, result.output
    assert "\n" not in message
    assert ape.chain.blocks.height == height
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", CHECKED)
def test_options_that_cannot_be_are_refused_in_one_line(project, tmp_path, what: str) -> None:
    """One line that names value and bound."""
    changes, words = CHECKED[what]
    height = ape.chain.blocks.height
    with pytest.raises((click.ClickException, MdeError, DataError, TermsRefused)) as refusal:
        Market("honest", small_options(**changes), tmp_path).run()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert ape.chain.blocks.height == height


@pytest.mark.parametrize(
    ("story", "changes", "words"),
    [
        ("wrong-key", {"settlement": "open"}, "the story needs --settlement sealed"),
        ("false-score", {"method": "influence"}, "the story needs --method tree"),
    ],
)
def test_a_story_that_cannot_happen_so_is_refused(project, tmp_path, story, changes, words) -> None:
    with pytest.raises(click.ClickException, match=words):
        Market(story, small_options(**changes), tmp_path).run()


def test_help_explains_every_option_and_the_stories_are_those_that_are_told() -> None:
    text = CliRunner().invoke(price.cli, ["--help"]).output
    for option in price.cli.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]
    assert tuple(STORIES) == price.STORIES
    assert small_options().most_quotes == QUOTES


def test_a_run_ends_with_its_tables_and_says_where_the_report_is(invoke, tmp_path) -> None:
    result = invoke()
    assert result.exit_code == 0, result.output
    for words in ("Sellers", "One budget", "Money, in ETH", "Gas by call", "ended justly"):
        assert words in result.output
    assert (tmp_path / "reports" / "price" / "honest" / "report.html").exists()
