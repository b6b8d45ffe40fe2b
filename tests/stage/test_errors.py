"""What is told of an error is for people, and for nobody else."""

from __future__ import annotations

import click
import pytest
from rich.console import Console

from offchain.errors import SoukError
from offchain.task.errors import ClassesUnknown, OfferRefused
from scripts._stage.command import ChainCommand
from scripts._stage.errors import MOST_CHARS, one_line_each, reason_of
from scripts._stage.telling import Telling

CLEARS = "\x1b[2J\x1b]0;owned\x07 transfer accepted"
"""What a stranger puts into a document, for a library to repeat in its complaint."""


@pytest.mark.parametrize(
    "said",
    [
        "401 Client Error: Unauthorized for url: https://node.example/v3/SECRET",
        "HTTPSConnectionPool(host='node.example', port=443): Max retries exceeded with url: "
        "/v3/SECRET (Caused by ...)",
        "cannot reach 'wss://node.example/ws/SECRET'",
        "cannot reach https://user:SECRET@node.example",
        "cannot reach https://node.example?key=SECRET",
    ],
)
def test_the_users_key_at_a_hosted_node_is_not_told(said):
    """It is in the node's address, which libraries print; the host is enough to know which."""
    told = reason_of(OSError(said))
    assert "SECRET" not in told
    assert "node.example" in told


def test_what_a_stranger_wrote_drives_no_terminal_and_fills_no_screen(capsys):
    with pytest.raises(click.ClickException) as caught, one_line_each():
        raise SoukError(f"no safetensors file ({CLEARS})" + "x" * 10**6)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) == MOST_CHARS
    assert "\\x1b[2J" in caught.value.message


def test_what_is_shown_is_as_plain(tmp_path):
    with (tmp_path / "out").open("w") as file:
        Telling(Console(file=file, width=200)).show(f"first {CLEARS}\nsecond")
    shown = (tmp_path / "out").read_text()
    assert "\x1b" not in shown
    assert shown.split("\n")[1] == "second"


def test_an_error_that_says_nothing_is_told_by_its_kind():
    with pytest.raises(click.ClickException, match=r"^TimeoutError$"), one_line_each():
        raise TimeoutError


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ClassesUnknown("no class 'Cars'", ("Cars",)), "--class-name OWN=TASK says which is which"),
        (OfferRefused("shape: 3x40x48", (3, 32, 32)), "--image-size 32 makes it so"),
        (OfferRefused("shape: 3x40x48", (3, 32, 64)), ""),
        (OfferRefused("shape: 30", (64,)), ""),
        (OfferRefused("too few"), ""),
    ],
)
def test_who_can_mend_what_was_refused_is_told_how(error, remedy):
    with pytest.raises(click.ClickException) as told, one_line_each():
        raise error
    assert told.value.message.startswith(str(error))
    assert remedy in told.value.message
    assert ("--" in told.value.message) == bool(remedy)


@pytest.mark.parametrize(("options", "said"), [({"account": "anna"}, True), ({}, False)])
def test_a_party_that_is_interrupted_is_told_that_it_can_go_on(project, capsys, options, said):
    def interrupted(**_):
        raise KeyboardInterrupt

    command = ChainCommand("provide", callback=interrupted)
    with pytest.raises(KeyboardInterrupt):
        command.callback(most_fee=1.0, **options)
    assert ("the same command goes on" in capsys.readouterr().err) == said
