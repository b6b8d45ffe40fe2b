"""The table: what the chain refuses a role ends no process while others can be served."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from offchain.roles import Action, Clock, Dropping
from scripts._stage import table
from scripts._stage.chain import ActionRefused
from scripts._stage.table import Seat, act

NUMBERS = iter(range(1_000))


class Server(Dropping):
    """Serves a and b, each by a call that is sealed anew each time, and then goes home."""

    may_drop = frozenset({"serve"})

    def __init__(self, session) -> None:
        self.session = session

    def next_action(self, clock: Clock) -> Action | None:
        for one in ("a", "b"):
            action = Action("serve", (one, next(NUMBERS)), about=1)
            if one not in self.session and self.still(action):
                return action
        return None if "home" in self.session else Action("home", ())


class Ends(Server):
    """Goes on without nothing."""

    may_drop = frozenset()


class Chain:
    """Takes all but `refuses`."""

    def __init__(self, refuses: str) -> None:
        self.session: list[str] = []
        self.refuses, self.tried = refuses, 0

    def read(self):
        return list(self.session)

    def send(self, action: Action, account) -> None:
        said = action.arguments[0] if action.arguments else action.call
        if said == self.refuses:
            self.tried += 1
            raise ActionRefused(f"{action.call} refused: WrongSigner")
        self.session.append(said)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(table, "clock", lambda: Clock(1, 1))


def acted(chain: Chain, role: type[Server], forgetful: bool = False) -> list[str]:
    """What was told of refusals while the role did all it had to do, twice."""
    told: list[str] = []
    seat = Seat("server", SimpleNamespace(address="0x1"), role)
    for _ in range(2):
        act(
            chain,
            seat,
            lambda step: None,
            lambda name, error: told.append(error.message),
            forgetful,
        )
    return told


@pytest.mark.parametrize("forgetful", [False, True])
def test_what_is_refused_twice_is_dropped_and_the_others_are_served(forgetful):
    """By what it is about, although its other words are made anew; a role built anew knows it."""
    chain = Chain("a")
    told = acted(chain, Server, forgetful)
    assert chain.session == ["b", "home"]
    assert told == ["serve refused: WrongSigner"] * 2


def test_a_role_that_drops_nothing_ends_and_nobody_else_is_served():
    """The twin."""
    chain = Chain("a")
    with pytest.raises(ActionRefused, match="WrongSigner"):
        acted(chain, Ends)
    assert chain.session == []


def test_what_nothing_goes_on_without_still_ends_the_role():
    chain = Chain("home")
    with pytest.raises(ActionRefused, match="home refused"):
        acted(chain, Server)
    assert (chain.session, chain.tried) == (["a", "b"], 2)
