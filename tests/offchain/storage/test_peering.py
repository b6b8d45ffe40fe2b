"""Peers are called in the background: none holds up whoever adds it, or another."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, active_count

import pytest

from offchain.storage.peering import MOST_PEERS, Peering
from tests.kit.strangers import awaited


class Calls:
    """What was called; peers whose name begins so take the call and say nothing."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.end = Event()

    def __call__(self, peer: str) -> None:
        self.made.append(peer)
        if peer.startswith("silent"):
            self.end.wait()
        if peer.startswith("odd"):
            raise UnicodeEncodeError("utf-8", peer, 0, 1, "surrogates not allowed")


@pytest.fixture
def calls() -> Iterator[Calls]:
    made = Calls()
    yield made
    made.end.set()


@pytest.fixture
def peering(calls) -> Iterator[Peering]:
    made = Peering(calls, 0.01)
    yield made
    made.close()


def test_who_says_nothing_and_what_is_no_address_hold_up_nobody(calls, peering) -> None:
    peering.add([*(f"silent {i}" for i in range(MOST_PEERS - 2)), "odd", "honest"])
    awaited("two calls of each that answers", lambda: calls.made.count("honest") > 1)
    awaited("two calls of the odd one", lambda: calls.made.count("odd") > 1)


def test_a_crowd_takes_no_more_than_its_places_and_none_of_ones_own(calls, peering) -> None:
    before = active_count()
    peering.keep(["own"])
    peering.add([f"silent {i}" for i in range(20 * MOST_PEERS)])
    assert active_count() <= before + 1 + MOST_PEERS
    made = len(calls.made)
    awaited("further calls of one's own", lambda: calls.made[made:].count("own") > 1)


def test_the_newest_take_the_oldest_s_places(calls, peering) -> None:
    peering.add([f"met {i}" for i in range(MOST_PEERS)])
    peering.add(["met 2", "late", "later"])
    awaited("a call of the latest one", lambda: "later" in calls.made)
    made = len(calls.made)
    for one in ("met 2", "late", "later"):
        awaited(f"calls of {one}", lambda one=one: calls.made[made:].count(one) > 1)
    assert {"met 0", "met 1"}.isdisjoint(calls.made[made + MOST_PEERS :])
