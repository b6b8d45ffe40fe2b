"""What parties of the market are told is what their commands take."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.market.plays import PLAYS

LINES = [(play.opening[0], play.opening[1:]) for play in PLAYS] + [
    (words[0], ("0x", *words[1:])) for play in PLAYS for words in play.joining.values()
]
ALWAYS = ("--account", "TEST::0", "--ipfs", "/ip4/127.0.0.1/tcp/1", "--yes", "--json")


@pytest.mark.parametrize(("command", "words"), LINES)
def test_the_command_takes_its_options(command, words, tmp_path):
    (tmp_path / "masked").mkdir()
    (tmp_path / "texts.csv").touch()
    said = [word.replace("{own}", str(tmp_path)) for word in words]
    cli = import_module(f"scripts.{command}").cli
    cli.make_context(command, [*said, *ALWAYS, "--deployments", str(tmp_path)])


def test_at_any_time_there_is_room_for_the_largest():
    """Else it would never begin."""
    from tests.market.market import MOST_PROCESSES, OTHERS

    assert max(len(play.parties) for play in PLAYS) <= MOST_PROCESSES - OTHERS
