"""What parties of the market are told is what their commands take, and they have room."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest

from tests.market.market import Stall, room
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
    assert max(len(play.parties) for play in PLAYS) <= room([])


def test_parties_that_begin_later_keep_their_place_from_the_first_on():
    """Whatever of them runs yet: here nobody does."""

    def stall(play):
        return Stall(play, {name: SimpleNamespace(alive=False) for name in play.parties}, None)

    there = [stall(play) for play in PLAYS]
    assert room(there) == room([]) - sum(len(play.parties) for play in PLAYS)
    assert room(there[1:]) - room(there) == len(PLAYS[0].parties)
