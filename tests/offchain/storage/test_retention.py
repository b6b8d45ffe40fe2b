"""What others promised to keep, and what is one's own, is looked after while a session runs."""

from __future__ import annotations

import time

import pytest

from offchain.storage import ContentMissing, ContentTooLarge, DatastoreUnavailable, cid_of
from offchain.storage import ledger as ledger_module
from offchain.storage.helped import HelpedNode
from offchain.storage.ledger import FORGOTTEN_SECONDS, Ledger
from offchain.storage.retention import SOME, Promise, Retention
from tests.kit.memory_store import MemoryStore
from tests.kit.peer_store import peer_stores

CONTENTS = [b"content %d" % i for i in range(3 * SOME)]


class Hours:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hours():
    return Hours()


def settled(retention, hours, *arguments):
    """All that comes of one more look, once nothing is under way."""
    hours.now += 60
    found, until = retention.look(*arguments), time.monotonic() + 10
    while retention._errands.under_way and time.monotonic() < until:
        found += retention.look(*arguments, wait=1)
    return found


def told(found):
    return [(one.event, one.values.get("cid") or one.values.get("first")) for one in found]


@pytest.fixture
def pair():
    stores = peer_stores(["anna", "bert"])
    return stores["anna"], stores["bert"]


def test_what_somebody_no_longer_has_is_missing_and_found_again(pair, hours):
    anna, bert = pair
    cid = anna.put(CONTENTS[0])
    promise = Promise(cid, "0xA", "shard 0")
    retention = Retention(bert, seed=1, clock=hours)
    assert settled(retention, hours, lambda: [promise]) == []
    anna.up = False
    (found,) = settled(retention, hours, lambda: [promise])
    assert found.event == "missing"
    assert found.values.items() >= {"cid": cid, "by": "0xA", "what": "shard 0"}.items()
    assert promise in retention.missing
    assert settled(retention, hours, lambda: [promise]) == []  # told once
    anna.up = True
    assert told(settled(retention, hours, lambda: [promise])) == [("found_again", cid)]
    assert not retention.missing
    anna.up = False
    settled(retention, hours, lambda: [promise])
    settled(retention, hours, tuple)
    assert not retention.missing  # nobody has to keep it any more


def test_some_are_asked_at_a_time_and_all_in_the_end(hours):
    asked = []

    class Counting(MemoryStore):
        def probe(self, cid, draw):
            asked.append((cid, draw))

    promises = [Promise(cid_of(one), "0xA", "") for one in CONTENTS]

    def looks(seed, times):
        asked.clear()
        retention = Retention(Counting({}), seed=seed, clock=hours)
        for _ in range(times):
            settled(retention, hours, lambda: promises)
        return sorted(asked)

    first = looks(1, 1)
    assert len(first) == SOME
    assert first == looks(1, 1)  # seeded
    assert first != looks(2, 1)
    assert looks(None, 1) != looks(None, 1)  # else nobody foresees it
    assert {cid for cid, _ in looks(1, 40)} == {one.cid for one in promises}


def test_a_look_waits_for_nobody_and_does_not_come_too_often(hours):
    class Slow(MemoryStore):
        def probe(self, cid, draw):
            calls.append(cid)
            time.sleep(0.3)
            raise ContentMissing(cid)

    calls: list[str] = []
    retention = Retention(Slow({}), seed=1, clock=hours)
    promise = Promise(cid_of(b"x"), "0xA", "")
    began = time.monotonic()
    for _ in range(50):
        retention.look(lambda: [promise])
    assert time.monotonic() - began < 0.3
    assert len(calls) == 1


def test_where_ones_own_node_fails_nobody_is_blamed(hours):
    class Away(MemoryStore):
        def probe(self, cid, draw):
            raise DatastoreUnavailable("no node")

    retention = Retention(Away({}), seed=1, clock=hours)
    assert settled(retention, hours, lambda: [Promise(cid_of(b"x"), "0xA", "")]) == []
    assert not retention.missing


def test_what_ones_own_node_lost_is_told_and_stored_again(hours):
    """A few from copies, many by whoever made them, others' from those who have them."""
    peers = peer_stores(["anna", "bert"])
    store = HelpedNode(peers["anna"], (), (), Ledger(None))
    one, (many,) = store.put(b"one"), store.put_many([b"of many"])
    others = peers["bert"].put(b"of Bert's")
    store.pin(others)
    retention = Retention(store, store.ledger, seed=1, clock=hours)
    assert settled(retention, hours) == []
    peers["anna"].pinned.clear()
    made = []

    def again():
        made.extend(store.put_many([b"of many"]))

    found = settled(retention, hours, tuple, again)
    assert [(one.event, one.values["contents"]) for one in found] == [
        ("content_lost", 3),
        ("stored_again", 3),
    ]
    assert made == [many]
    assert set(peers["anna"].pinned) == {one, many, others}
    assert settled(retention, hours, tuple, again) == []


def test_who_reads_what_its_node_lost_has_its_copy_and_so_have_others():
    """Before anybody has looked: a party that begins again reads its documents first."""
    peers = peer_stores(["anna", "bert"])
    store = HelpedNode(peers["anna"], (), (), Ledger(None))
    cid = store.put(b"a task")
    peers["anna"].remove(cid)
    with pytest.raises(ContentTooLarge):
        store.get(cid, max_bytes=5)
    with pytest.raises(ContentMissing):
        peers["bert"].get(cid)
    assert store.get(cid, max_bytes=6) == b"a task"
    assert peers["bert"].get(cid) == b"a task"
    peers["anna"].remove(cid)
    assert list(store.get_many([cid])) == [b"a task"]
    store.ledger.note({cid_of(b"other"): b"spoiled"}, own=True)
    with pytest.raises(ContentMissing):
        store.get(cid_of(b"other"))


def test_what_nobody_can_make_again_is_told_once(hours, monkeypatch):
    monkeypatch.setattr(ledger_module, "COPY_BYTES", 10)
    node = MemoryStore({})
    store = HelpedNode(node, (), (), Ledger(None))
    cid = store.put(b"large content")
    node.remove(cid)
    retention = Retention(store, store.ledger, seed=1, clock=hours)
    assert told(settled(retention, hours)) == [("content_lost", cid), ("not_stored_again", cid)]
    assert settled(retention, hours) == []
    node.put(b"large content")
    assert settled(retention, hours) == []


def test_the_ledger_outlives_its_process_and_ends_with_the_session(tmp_path):
    ledger = Ledger(tmp_path / "kept.sqlite")
    ledger.note({"a": b"1"}, own=True)
    ledger.note({"b": None}, own=False)
    ledger.close()
    again = Ledger(tmp_path / "kept.sqlite")
    assert sorted(again.cids()) == ["a", "b"]
    assert (again.copy_of("a"), again.copy_of("b")) == (b"1", None)
    assert again.is_own("a")
    assert not again.is_own("b")
    again.note({"a": None, "c": None}, own=False)  # still one's own, still with its copy
    assert again.is_own("a")
    assert again.copy_of("a") == b"1"
    again.release()
    assert again.cids() == ["b"]
    again.drop("b")
    assert again.cids() == []


def test_the_end_of_a_session_is_the_one_that_was_seen_first(tmp_path):
    assert Ledger(tmp_path / "kept").end_of("session 0x1", 1_000) == 1_000
    again = Ledger(tmp_path / "kept")
    assert again.end_of("session 0x1", 2_000) == 1_000
    assert again.end_of("session 0x2", 2_000) == 2_000


def test_what_nobody_asked_for_in_months_is_forgotten(tmp_path):
    Ledger(tmp_path / "kept", lambda: 1_000).note({"old": b"1"}, own=True)
    later = 1_000 + FORGOTTEN_SECONDS
    assert Ledger(tmp_path / "kept", lambda: later).cids() == ["old"]
    assert Ledger(tmp_path / "kept", lambda: later + 1).cids() == []
