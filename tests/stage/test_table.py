"""The table: what the chain refuses a role ends no process while others can be served."""

from __future__ import annotations

from itertools import count, pairwise
from types import SimpleNamespace

import pytest

from offchain.roles import Action, Clock, Dropping, PutOff
from scripts._stage import table
from scripts._stage.chain import ActionRefused, Waited
from scripts._stage.table import Pause, Seat, act, play

NUMBERS = count()


class Server(Dropping):
    """Serves a and b, each by a call that is sealed anew each time, and then goes home."""

    may_drop = frozenset({"serve"})

    def __init__(self, session) -> None:
        self.session = session

    def next_action(self, clock: Clock) -> Action | None:
        for one in ("a", "b"):
            action = Action("serve", (one, [b"", one], next(NUMBERS)), about=2)
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
            raise ActionRefused(f"{action.call} refused: WrongSigner", by_contract=True)
        self.session.append(said)


class Sick(Chain):
    """Takes nothing until it is well; `by_contract`: as a node that lags behind says."""

    def __init__(self, by_contract: bool) -> None:
        super().__init__("")
        self.by_contract, self.well = by_contract, False

    def send(self, action: Action, account) -> None:
        if not self.well:
            self.tried += 1
            raise ActionRefused(f"{action.call} vain", by_contract=self.by_contract)
        super().send(action, account)


@pytest.fixture(autouse=True)
def time(monkeypatch):
    """The chain's, which a test moves."""
    now = SimpleNamespace(now=1)
    monkeypatch.setattr(table, "clock", lambda: Clock(now.now, 1))
    return now


class Waits(Server):
    """Never goes home."""

    def next_action(self, clock: Clock) -> Action | None:
        action = super().next_action(clock)
        return None if action is None or action.call == "home" else action


def seat_of(role: type[Server]) -> Seat:
    return Seat("server", SimpleNamespace(address="0x1"), role)


def once(chain: Chain, seat: Seat, forgetful: bool = False) -> None:
    """Lets the role do all that it has to do now."""
    act(chain, seat, lambda step: None, None, forgetful)


def acted(chain: Chain, role: type[Server], forgetful: bool = False) -> list[str]:
    """What was told of refusals while the role did all it had to do, twice."""
    told: list[str] = []
    seat = seat_of(role)
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


def test_what_waited_is_decided_on_anew_and_was_refused_by_nobody():
    """However often; what is not due any more is not sent."""

    class Late(Chain):
        def send(self, action: Action, account) -> None:
            self.tried += 1
            if self.tried == 3:
                self.session.append("a")  # meanwhile it has ended
            if self.tried <= 3:
                raise Waited("serve waited")
            super().send(action, account)

    chain, refused = Late(""), []
    act(chain, seat_of(Ends), lambda _: None, lambda *said: refused.append(said), False)
    assert (chain.session, chain.tried, refused) == (["a", "b", "home"], 5, [])


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


@pytest.mark.parametrize("forgetful", [False, True])
def test_what_was_refused_is_done_once_the_chain_takes_it(time, forgetful):
    """A node may be a block behind; who was refused twice in one second is paid all the same."""
    chain, seat = Sick(by_contract=True), seat_of(Waits)
    once(chain, seat, forgetful)
    chain.well = True
    once(chain, seat, forgetful)
    assert chain.session == []
    time.now += PutOff.FIRST
    once(chain, seat, forgetful)
    assert chain.session == ["a", "b"]


def test_what_is_refused_for_ever_is_never_done(time, monkeypatch):
    """The twin."""
    monkeypatch.setattr(PutOff, "LONGEST", 10**9)
    monkeypatch.setattr(PutOff, "FIRST", 10**9)
    chain, seat = Sick(by_contract=True), seat_of(Waits)
    once(chain, seat)
    chain.well = True
    time.now += 600
    once(chain, seat)
    assert chain.session == []


def test_what_stays_refused_is_tried_ever_more_seldom_and_never_given_up(time):
    chain, seat = Chain("a"), seat_of(Waits)
    tries = []
    while time.now < 3_600:
        before = chain.tried
        once(chain, seat)
        if chain.tried > before:
            tries.append(time.now)
        time.now += 1
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[:5] == [12, 24, 48, 96, 120]
    assert set(waits[5:]) == {120}
    assert chain.session == ["b"]


def test_what_node_or_fee_kept_from_the_chain_is_not_dropped(time):
    chain, seat = Sick(by_contract=False), seat_of(Waits)
    for _ in range(9):
        with pytest.raises(ActionRefused, match="vain"):
            once(chain, seat)
    chain.well = True
    once(chain, seat)
    assert chain.session == ["a", "b"]


def test_a_party_looks_before_it_reads_and_anew_for_each_action(monkeypatch):
    """What it then sends is told from what it saw done (`Look` of the outbox)."""
    chain, turns = Chain(""), []
    monkeypatch.setattr(table, "look", lambda: turns.append("look"))
    read, send = chain.read, chain.send
    chain.read = lambda: turns.append("read") or read()
    chain.send = lambda action, account: turns.append(action.call) or send(action, account)
    once(chain, seat_of(Server))
    seen = ["look", "read"]
    assert turns == [*seen, "serve", *seen, "serve", *seen, "home", *seen]


class Moves(Chain):
    """Others end the session between a party's look and the table's."""

    def __init__(self) -> None:
        super().__init__("")
        self.looks = 0

    def read(self):
        self.looks += 1
        if self.looks == 2:
            self.session.append("deal")
        return super().read()

    def pause(self, session, clock):
        return None if "deal" in session else table.Pause(None)


class Pays(Server):
    """Goes home once there is a deal."""

    def next_action(self, clock: Clock) -> Action | None:
        done = "deal" not in self.session or "home" in self.session
        return None if done else Action("home", ())


def test_what_ends_it_after_a_party_looked_is_seen_by_the_party():
    """Else its escrow would stay, and it would tell of no deal."""
    chain = Moves()
    seat = seat_of(Pays)
    session = table.play(chain, [seat], lambda step: None)
    assert session == seat.role.session == ["deal", "home"]


class Decides(Server):
    """Buys from 10 on, and looks slowly: it is 10 by then, the first time."""

    def __init__(self, session, time) -> None:
        super().__init__(session)
        self.time = time

    def next_action(self, clock: Clock) -> Action | None:
        self.time.now = max(self.time.now, 10)
        return Action("buy", ()) if clock.now >= 10 and "buy" not in self.session else None


class Windows(Chain):
    """Somebody decides at 10, and what it decides on is gone at 20 unless it was bought."""

    def pause(self, session, clock: Clock):
        if "buy" in session:
            return None
        return Pause(10, "decides") if clock.now < 10 else Pause(20, "gone")


def test_what_ended_while_they_looked_is_looked_at_before_anything_later_is_waited_for(
    time, monkeypatch
):
    monkeypatch.setattr(table, "wait_until", lambda then: setattr(time, "now", max(then, time.now)))
    chain, told = Windows(""), []
    seat = seat_of(lambda session: Decides(session, time))
    play(chain, [seat], lambda step: None, at_time=lambda what, then: told.append(what))
    assert (chain.session, told) == (["buy"], [])
