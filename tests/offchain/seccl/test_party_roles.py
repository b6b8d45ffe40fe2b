"""Server and members on their own come to what the conductor comes to, whoever is away."""

from __future__ import annotations

from itertools import pairwise
from threading import Event

import pytest

from offchain.models.canonical import DocumentError
from offchain.roles import Clock
from offchain.seccl import actions as do
from offchain.seccl import places, server_role
from offchain.seccl.adversaries import Alters, Drops, Lie, Stalls, Withholds
from offchain.seccl.letters import Application, Here, Sent, read_letter, written
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.storage import ContentMissing, DatastoreUnavailable, cid_from_digest
from offchain.storage.places import MAX_PEERS
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.seccl.roles_in_memory import STEP, Market, mean_of
from tests.offchain.seccl.session_in_memory import (
    FIRST,
    LAYOUT,
    MEMBERS,
    WALLETS,
    description,
)

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
WINNERS = [(0, 1)] * 3


def expected(winners) -> str:
    model = FIRST
    for round_, chosen in enumerate(winners):
        model = model + mean_of(chosen, round_)
    return model_digest(LAYOUT, model)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("ballots", ["open", "hidden", "scores"])
def test_nobody_does_what_the_server_does_in_time(tmp_path, ballots: str, batched: bool) -> None:
    market = Market(tmp_path, about=description(ballots=ballots), batched=batched)
    market.play()
    session = market.session
    assert [session.closed[i].winners for i in range(3)] == WINNERS
    assert {market.model(i) for i in range(MEMBERS)} == {expected(WINNERS)}
    assert {who for who, _ in market.acted} == {"server"}
    assert session.withdrawn
    assert all(role.is_over(market.now) for role in market.members.values())
    assert market.server.is_over(market.now)
    carried = [action for _, action in market.acted if isinstance(action, do.Relay)]
    assert len(carried) == 3 * (2 if ballots == "hidden" else 1)
    # Receipts of the others are none of its business.
    assert not any(event == "receipt_refused" for _, event, _ in market.told)


def test_begun_again_all_the_time_they_say_nothing_twice(tmp_path) -> None:
    """Everybody is killed and begun again all the time; the same messages, one post each."""
    market = Market(tmp_path)
    trained: list[int] = []

    def killed(now: int) -> None:
        if now // STEP % 3:
            return
        trained.extend(role._computes.trained for role in market.members.values())
        market.server = market.serving()
        market.members = {i: market.member(i) for i in market.members}

    market.play(each=killed)
    assert [market.session.closed[i].winners for i in range(3)] == WINNERS
    assert {market.model(i) for i in range(MEMBERS)} == {expected(WINNERS)}
    assert market.session.fault is None
    assert market.session.withdrawn
    # Each trained once a round: what was sent is on disk before.
    assert sum(trained) == 3 * MEMBERS
    assert market.of(do.PostOwn) == []
    assert len(set(market.letters)) == len(market.letters)


@pytest.mark.parametrize("ballots", ["open", "hidden"])
def test_a_server_that_is_gone_is_convicted_and_the_rounds_go_on(tmp_path, ballots: str) -> None:
    market = Market(tmp_path, about=description(ballots=ballots))
    first = market.session.terms.window(1, UPLOAD)[0]
    market.play(first)
    market.server.server.post = lambda *_: []  # it signs once more, and is gone then
    market.play(first + 2 * STEP)
    assert len(market.server.server.journal.at(1, UPLOAD).promises) == MEMBERS
    market.server = None
    market.play()
    session = market.session
    assert session.fault is not None
    assert [session.closed[i].winners for i in range(3)] == WINNERS
    assert {market.model(i) for i in range(MEMBERS)} == {expected(WINNERS)}
    assert sorted(session.shares) == list(range(MEMBERS))
    assert all(role.is_over(market.now) for role in market.members.values())


def test_whom_the_server_ignores_posts_and_votes_itself(tmp_path) -> None:
    """Letters of one member never arrive: it has no receipt, and nobody to convict."""
    ignored = WALLETS[0].address
    market = Market(tmp_path, lost=lambda sender, _: sender == ignored)
    market.play()
    session = market.session
    assert session.fault is None
    assert [session.closed[i].winners for i in range(3)] == WINNERS
    assert market.of(do.PostOwn) == ["0"] * 6
    assert market.of(do.Vote) == ["0"] * 3


def test_who_never_comes_is_reported_once_and_not_elected(tmp_path) -> None:
    market = Market(tmp_path, absent=frozenset({0}))
    market.play()
    session = market.session
    assert [session.closed[i].winners for i in range(3)] == [(1, 2)] * 3
    assert market.of(do.ReportAbsent) == ["1"] * 3
    assert {market.model(i) for i in (1, 2, 3)} == {expected([(1, 2)] * 3)}


@pytest.mark.parametrize(
    ("lie", "fault"), [(Alters, 1), (Drops, 1), (Withholds, 3), (Stalls, 2)], ids=str
)
def test_a_lying_server_is_convicted_by_letters_and_events_alone(tmp_path, lie, fault) -> None:
    market = Market(tmp_path, server_class=lie, more={"lie": Lie(1, 2, 3)})
    market.play()
    session = market.session
    assert session.fault is not None
    assert session.fault.fault == fault
    assert [session.closed[i].winners for i in range(3)] == WINNERS
    assert {market.model(i) for i in range(MEMBERS)} == {expected(WINNERS)}
    assert sorted(session.shares) == list(range(MEMBERS))


def test_strangers_letters_change_nothing(tmp_path) -> None:
    """Rubbish, and true letters under another name, between all the others."""
    market = Market(tmp_path)
    stranger = KeyWallet("a stranger").address

    def noise(now: int) -> None:
        market.letters += [(stranger, b"{}"), (WALLETS[1].address, b"\xff" * 9)]
        market.letters += [(stranger, content) for _, content in market.letters[-9:-2]]

    market.play(each=noise)
    assert [market.session.closed[i].winners for i in range(3)] == WINNERS
    assert {who for who, _ in market.acted} == {"server"}
    assert market.session.withdrawn


def test_content_that_comes_late_is_taken_and_what_never_comes_is_not(tmp_path) -> None:
    """A member's node is down: the server asks again, and signs once it has the content."""
    market = Market(tmp_path)
    start, end = market.session.terms.window(0, UPLOAD)
    store = market.stores["2"]
    store.up = False
    market.play(start + 5 * STEP)
    assert not market.session.batches
    assert 2 not in market.server.server.journal.at(0, UPLOAD).promises
    store.up = True
    market.play(end)
    assert 2 in market.server.server.journal.at(0, UPLOAD).promises
    assert market.of(do.PostOwn) == []


def test_messages_that_are_nowhere_delay_no_post(tmp_path, monkeypatch) -> None:
    """Each fetch of what is nowhere takes its time; between some of them the server looks at what
    is due, and asks less and less often."""
    monkeypatch.setattr(server_role, "AT_ONCE", 1)
    market = Market(tmp_path)
    start, end = market.session.terms.window(0, UPLOAD)
    fetched: list[str] = []
    store = market.stores["server"]
    get = store.get

    def slow(cid, max_bytes=None):
        fetched.append(cid)
        return get(cid, max_bytes)

    monkeypatch.setattr(store, "get", slow)
    for index in ("0", "1", "2"):
        market.stores[index].up = False
    calls: list[int] = []

    def look(now: int) -> None:
        calls.append(len(fetched))

    market.play(end, look)
    # One a look at most, and the post was made in time by whom it had one.
    assert all(later - one <= 4 for one, later in pairwise(calls))
    assert len(fetched) < 3 * 6
    assert market.of(do.PostBatch) == ["server"]
    assert market.server.server.journal.at(0, UPLOAD).promises.keys() == {3}
    latest = (start + end) // 2 - market.session.terms.margin(UPLOAD)
    assert market.posted_at[0, UPLOAD] < latest + 2 * STEP


def test_letters_of_later_rounds_are_passed_over_unchecked(tmp_path) -> None:
    """A member that sends a thousand ahead costs the server no signature check."""
    market = Market(tmp_path)
    wallet, session = WALLETS[1], market.session
    key = session.key(2, UPLOAD, 1)
    market.letters += [
        (wallet.address, written(Sent(key, bytes([i]) * 32, bytes(32), bytes(65))))
        for i in range(9)
    ]
    checked: list[bytes] = []

    def counting(typed, signature):
        checked.append(signature)
        return recover(typed, signature)

    market.server._recover = counting
    market.play(session.terms.start + 3 * STEP)
    assert bytes(65) not in checked
    assert 0 < len(checked) <= MEMBERS


def told(index: int, market: Market, *places: tuple[str, ...]) -> None:
    """A member says where its node is, once for each."""
    market.letters += [(WALLETS[index].address, written(Here(one))) for one in places]


def moving(times: int) -> list[tuple[str, ...]]:
    """A place after the other, each of as many addresses as a letter has."""
    return [
        tuple(f"/ip4/6.6.6.6/tcp/{port}/p2p/QmNobody{port}x{i}" for i in range(MAX_PEERS))
        for port in range(times)
    ]


@pytest.mark.parametrize("limited", [True, False])
@pytest.mark.parametrize("who", ["server", "0"])
def test_who_says_all_the_time_where_it_is_has_one_place(
    tmp_path, monkeypatch, who: str, limited: bool
) -> None:
    """However many letters it writes, others' nodes are told eight addresses in five minutes."""
    if not limited:  # the twin: who follows each word calls all of them
        monkeypatch.setattr(places, "MOVED_SECONDS", 0)
    market = Market(tmp_path)
    start, called = market.session.terms.start, []
    monkeypatch.setattr(market.stores[who], "connect", called.extend)
    role = market.server if who == "server" else market.members[0]
    for second, place in enumerate(moving(100)):
        told(3, market, place, place)
        role.next_action(Clock(start + second, 1))
    assert len(called) == MAX_PEERS * (1 if limited else 100)
    role.next_action(Clock(start + places.MOVED_SECONDS + 99, 1))
    assert called[-MAX_PEERS:] == list(moving(100)[-1])


def test_a_member_says_where_it_is_each_time_that_it_moved(tmp_path, monkeypatch) -> None:
    """Also where it was before, and in a life after this one: others know the newest place."""
    market, (home, away) = Market(tmp_path), moving(2)
    now, pause = market.session.terms.start, places.MOVED_SECONDS

    def look(place: tuple[str, ...], now: int) -> list[tuple[str, ...]]:
        monkeypatch.setattr(market.stores["0"], "addresses", place, raising=False)
        before = len(market.letters)
        market.members[0].next_action(Clock(now, 1))
        read = [read_letter(content) for _, content in market.letters[before:]]
        return [one.peers for one in read if isinstance(one, Here)]

    assert look(home, now) == [home]
    assert look(home, now + pause) == []
    assert look(away, now + pause) == [away]
    assert look(home, now + pause + 1) == []
    assert look(home, now + 2 * pause) == [home]
    market.members[0] = market.member(0)
    assert look(home, now + 3 * pause) == []


def test_a_node_that_fails_loses_no_letter(tmp_path, monkeypatch) -> None:
    """What came with the place that it could not be told is heard, and the place told later."""
    market = Market(tmp_path)
    start, called, broken = market.session.terms.start, [], [True]

    def connect(peers):
        if broken.pop():
            raise DatastoreUnavailable("ended with status -9")
        called.extend(peers)
        broken.append(False)

    monkeypatch.setattr(market.stores["server"], "connect", connect)
    (place,) = moving(1)
    told(3, market, place)
    for index in range(3):
        market.members[index].next_action(Clock(start, 1))
    with pytest.raises(DatastoreUnavailable):
        market.server.next_action(Clock(start, 1))
    broken.append(False)
    market.server.next_action(Clock(start, 1))
    assert len(market.server.server.journal.at(0, UPLOAD).promises) == 3
    assert called == list(place)


@pytest.mark.parametrize(
    "peer", ["/ip4/127.0.0.1/tcp/1/p2p/\ud800", "/ip4/1.2.3.4/tcp/1", "x" * 300]
)
def test_what_is_no_address_is_in_no_letter(peer: str) -> None:
    for letter in (Here((peer,)), Application(bytes(32), (peer,))):
        with pytest.raises(DocumentError):
            read_letter(written(letter))


def nowhere(market: Market, kind: MessageKind, index: int) -> None:
    """A member sends a message of the first round whose content nobody has."""
    key, message = market.session.key(0, kind, index), b"\1" * 32
    authored = WALLETS[index].sign(market.session.board.authored(key, message))
    sent = Sent(key, message, bytes([index]) * 32, authored)
    market.letters.append((WALLETS[index].address, written(sent)))


def test_what_is_due_is_done_before_any_message_is_looked_for(tmp_path, monkeypatch) -> None:
    market = Market(tmp_path)
    start = market.session.terms.window(0, EVALUATION)[0]
    market.play(start)
    nowhere(market, EVALUATION, 3)
    looked: list[str] = []
    monkeypatch.setattr(market.stores["server"], "get", lambda cid, most=None: looked.append(cid))
    assert isinstance(market.server.next_action(Clock(start, 1)), do.OpenRound)
    assert looked == []


def test_nothing_is_looked_for_that_would_come_too_late(tmp_path, monkeypatch) -> None:
    """A fetch may take a minute, and no receipt is given in the margin before the middle."""
    market = Market(tmp_path)
    start, end = market.session.terms.window(0, UPLOAD)
    late = (start + end) // 2 - market.session.terms.margin(UPLOAD) - server_role.FETCH_SECONDS
    looked: list[str] = []

    def missing(cid, most=None):
        looked.append(cid)
        raise ContentMissing(cid)

    monkeypatch.setattr(market.stores["server"], "get", missing)
    nowhere(market, UPLOAD, 3)
    market.server.next_action(Clock(late - 1, 1))
    assert len(looked) == 1
    nowhere(market, UPLOAD, 2)
    market.server.next_action(Clock(late, 1))
    assert len(looked) == 1


def test_a_datastore_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch) -> None:
    """The others' messages are taken; its answer may come when nobody waits any more."""
    monkeypatch.setattr(server_role, "FETCH_SECONDS", 1)
    market = Market(tmp_path)
    store, end, start = market.stores["server"], Event(), market.session.terms.start
    get, silent = store.get, {cid_from_digest(bytes([index]) * 32) for index in (2, 3)}

    def slow(cid, max_bytes=None):
        if cid in silent:
            assert end.wait(60)
        return get(cid, max_bytes)

    monkeypatch.setattr(store, "get", slow)
    for index in (2, 3):
        nowhere(market, UPLOAD, index)
    for index in (0, 1):
        market.members[index].next_action(Clock(start, 1))
    try:
        market.server.next_action(Clock(start, 1))
        assert market.server.server.journal.at(0, UPLOAD).promises.keys() == {0, 1}
    finally:
        end.set()
