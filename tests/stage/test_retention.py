"""What a party does about content while it plays, after the end, and who only looks on."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from offchain.crypto.settlement import NATIVE
from offchain.roles import Clock
from offchain.storage import DatastoreUnavailable, cid_of, digest_of
from offchain.storage.helped import HelpedNode
from offchain.storage.ledger import Ledger
from offchain.storage.retention import Promise
from offchain.task import Task, publish_task
from offchain.task.checks import check_retention
from offchain.task.errors import RetentionRefused
from scripts._stage import party, retention, table
from scripts._stage.content import Content
from scripts._stage.market import Open
from scripts._stage.party import PartyTelling
from scripts._stage.party_sheets import kept_told, kept_until
from scripts._stage.pulse import Pulse
from scripts._stage.table import Seat
from tests.kit.memory_store import MemoryStore
from tests.kit.peer_store import peer_stores

TASK = Task("images", ("a", "b"), (1, 8, 8), "MIT", retention=3 * 86_400)


@pytest.fixture(autouse=True)
def time(monkeypatch):
    """The chain's, which passes while somebody rests."""
    now = SimpleNamespace(now=1_000, block=1)
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.0)
    for module in (party, retention, table):
        if hasattr(module, "clock"):
            monkeypatch.setattr(module, "clock", lambda: Clock(now.now, now.block))

    class Resting(Pulse):
        def rest(self, seconds):
            now.now += 3_600
            super().rest(0.01)

    monkeypatch.setattr(retention, "PULSE", Resting())
    return now


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(events):
    return [one["event"] for one in events]


class Rests:
    """A role that was promised a content and has nothing to do."""

    def __init__(self, promise):
        self.promise = promise

    def promised(self):
        return [self.promise]

    def next_action(self, clock):
        return None


def test_a_party_tells_what_is_missing_and_stores_again_what_it_lost(capsys, monkeypatch):
    peers = peer_stores(["anna", "bert"])
    store = HelpedNode(peers["anna"], (), (), Ledger(None))
    own, (many,) = store.put(b"own"), store.put_many([b"of many"])
    promise = Promise(peers["bert"].put(b"promised"), "0xB", "shard 7")
    peers["bert"].up = False
    peers["anna"].pinned.clear()
    events: list[str] = []

    class Table:
        def read(self):
            return None

        def pause(self, session, clock):
            over = {"missing", "stored_again"} <= set(events)
            return None if over else table.Pause(0)

    monkeypatch.setattr(table, "wait_until", lambda _: events.extend(names(said(capsys))))
    seat = Seat("collector", SimpleNamespace(address="0x1"), lambda _: Rests(promise))
    again = lambda: store.put_many([b"of many"])  # noqa: E731
    retention.play_kept(Table(), seat, PartyTelling(as_json=True), store, again)
    assert set(events) == {"missing", "content_lost", "stored_again"}
    assert set(peers["anna"].pinned) == {own, many}


def test_after_the_end_content_is_kept_as_long_as_the_task_asks(capsys, time):
    store = HelpedNode(MemoryStore({}), (), (), Ledger(None))
    cid = store.put(b"sold")
    store.node.remove(cid)
    retention.keep_on(store, TASK, "session 0x1", PartyTelling(as_json=True))
    assert time.now == 1_000 + TASK.retention
    events = said(capsys)
    assert names(events)[:3] == ["keeping", "waiting", "content_lost"]
    assert "stored_again" in names(events)
    assert store.ledger.cids() == []


def test_a_node_that_is_silent_for_a_while_ends_no_keeping(capsys, time):
    store = HelpedNode(MemoryStore({}), (), (), Ledger(None))
    (cid,) = store.put_many([b"sold"])
    store.node.remove(cid)
    tries: list[int] = []

    def store_again():
        tries.append(time.now)
        if len(tries) < 3:
            raise DatastoreUnavailable("the node is silent")
        store.put_many([b"sold"])

    retention.keep_on(store, TASK, "session 0x1", PartyTelling(as_json=True), store_again)
    events = names(said(capsys))
    assert time.now == 1_000 + TASK.retention
    assert events.count("datastore_silent") == 1
    assert "stored_again" in events


def test_who_is_begun_again_keeps_no_longer(capsys, time):
    store = HelpedNode(MemoryStore({}), (), (), Ledger(None))
    assert store.ledger.end_of("session 0x1", 1_000) == 1_000
    time.now = 1_000 + TASK.retention
    retention.keep_on(store, TASK, "session 0x1", PartyTelling(as_json=True))
    assert time.now == 1_000 + TASK.retention
    assert said(capsys) == []


@pytest.mark.parametrize("task", [None, replace(TASK, retention=0)], ids=["not sold", "no longer"])
def test_where_nothing_is_asked_nobody_waits(task, time, capsys):
    store = HelpedNode(MemoryStore({}), (), (), Ledger(None))
    store.put(b"not sold")
    retention.keep_on(store, task, "session 0x1", PartyTelling(as_json=True))
    assert (time.now, store.ledger.cids(), said(capsys)) == (1_000, [], [])


def test_where_a_service_keeps_all_the_node_may_go(time):
    kept: list[str] = []
    service = SimpleNamespace(
        add=lambda cids, origins: [],
        pins=lambda cids, states: [SimpleNamespace(digest=digest_of(cid)) for cid in kept],
    )
    store = HelpedNode(MemoryStore({}), (), [service], Ledger(None))
    cids = store.put_many([b"one", b"two"])
    kept += cids
    retention.keep_on(store, TASK, "session 0x1", PartyTelling(as_json=True))
    assert time.now == 1_000
    kept.remove(cids[0])
    store.put_many([b"one", b"two"])
    retention.keep_on(store, TASK, "session 0x2", PartyTelling(as_json=True))
    assert time.now == 1_000 + TASK.retention


def test_who_only_looks_on_is_told_what_cannot_be_fetched(capsys):
    """The task, what it names, and what a mechanism adds once that was found."""
    network: dict[str, bytes] = {}
    author = MemoryStore(network)
    there, gone = author.put(b"preprocessing"), cid_of(b"gone")
    digest = publish_task(author, replace(TASK, documents={"there": there, "gone": gone}))
    one = Open("hyperx", "0x1", 1, "0xA", digest, 100, 50, NATIVE, 1_000, 0)
    content = Content(MemoryStore(network), one, PartyTelling(as_json=True))
    shard = cid_of(b"a shard")
    content.more = lambda store, session, reached: (
        [Promise(shard, "0xB", "shard 0")] if there in reached else []
    )
    content.look(None, whole=True)
    missing = [(one["what"], one["by"], one["cid"]) for one in said(capsys)]
    assert missing == [("gone", "0xA", gone), ("shard 0", "0xB", shard)]
    network[gone] = b"gone"
    content.look(None, whole=True)
    assert [(one["event"], one["what"]) for one in said(capsys)] == [("found_again", "gone")]


def test_who_looks_on_goes_on_while_its_own_node_is_alone(capsys):
    """It is connected to nobody for a while: then nothing is known of anybody."""
    network: dict[str, bytes] = {}
    author = MemoryStore(network)
    digest = publish_task(author, replace(TASK, documents={"there": author.put(b"there")}))
    one = Open("hyperx", "0x1", 1, "0xA", digest, 100, 50, NATIVE, 1_000, 0)

    def alone(*_):
        raise DatastoreUnavailable("connected to no peer")

    store = MemoryStore(network)
    content = Content(store, one, PartyTelling(as_json=True))
    content.more = alone
    store.get = alone
    content.look(None, whole=True)
    assert [one.what for one in content.promised(None)] == ["task"]
    del store.get
    content.look(None, whole=True)
    assert [one.what for one in content.promised(None)] == ["task", "there"]
    assert said(capsys) == []


def test_more_days_than_the_owner_gives_are_refused_with_the_bound():
    check_retention(TASK, 3 * 86_400)
    check_retention(TASK, None)
    with pytest.raises(RetentionRefused, match="for 3 days after the end, at most 2 are accepted"):
        check_retention(TASK, 2 * 86_400)


def test_sheets_say_what_is_asked_and_what_it_costs():
    assert kept_until(TASK) == "until 3 days after the end"
    assert kept_until(replace(TASK, retention=0)) == "to the end"
    assert kept_told(2_500_000, 2 * 86_400) == "2.50 MB for 2.0 days at most, 5.00 MB x days"
