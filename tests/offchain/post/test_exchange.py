"""Letters reach everybody in the end, whoever was away and whatever is lost."""

from __future__ import annotations

import random

import pytest

from offchain.post import Letter, PostError, PostFull, Topic
from offchain.post import kept as kept_module
from offchain.post.again import MOST_HEARD, OTHERS_SECONDS, Again
from offchain.post.kept import KeptLetters
from offchain.post.letter import MOST_RUNS
from offchain.storage import DatastoreUnavailable
from tests.kit.pubsub_hub import Hub
from tests.offchain.post.parties import TOPIC, Party, pass_time


@pytest.fixture
def hub():
    return Hub()


def test_a_letter_comes_with_its_sender_and_number(hub):
    anna, bert = Party(hub, "anna"), Party(hub, "bert")
    anna.send(b"one")
    anna.send(b"two")
    pass_time([anna, bert], 1)
    expected = [Letter(anna.wallet.address, i, body) for i, body in enumerate((b"one", b"two"))]
    assert anna.read() == bert.read() == expected


@pytest.mark.parametrize("seed", range(3))
def test_though_half_of_everything_is_lost_all_have_all_in_order(hub, seed):
    chance = random.Random(seed)
    hub.lost = lambda message, one, other: chance.random() < 0.5
    parties = [Party(hub, name) for name in ("anna", "bert", "carl")]
    for party in parties:
        for i in range(20):
            party.send(bytes([i]))
    pass_time(parties, 300)
    for party in parties:
        assert len(party.read()) == 60
        for sender in parties:
            own = [one for one in party.read() if one.sender == sender.wallet.address]
            assert [(one.number, one.body) for one in own] == [(i, bytes([i])) for i in range(20)]


def test_who_was_away_gets_letters_of_whom_is_gone(hub):
    anna, bert = Party(hub, "anna"), Party(hub, "bert")
    anna.send(b"early")
    now = pass_time([anna, bert], 2)
    carl = Party(hub, "carl")
    pass_time([bert, carl], 10, now)
    assert carl.bodies() == [b"early"]


def test_who_starts_again_has_its_letters_and_goes_on_numbering(hub, tmp_path):
    anna, bert = Party(hub, "anna", tmp_path / "anna"), Party(hub, "bert")
    anna.send(b"one")
    bert.send(b"answer")
    now = pass_time([anna, bert], 2)
    again = Party(hub, "anna", tmp_path / "anna")
    assert again.bodies() == [b"one", b"answer"]
    assert again.send(b"two", now).number == 1
    pass_time([again, bert], 2, now)
    assert sorted(bert.bodies()) == [b"answer", b"one", b"two"]


def test_a_letter_that_was_written_and_not_sent_is_sent_after_the_next_start(hub, tmp_path):
    anna, bert = Party(hub, "anna", tmp_path / "anna"), Party(hub, "bert")
    anna.send(b"one")
    again = Party(hub, "anna", tmp_path / "anna")
    pass_time([again, bert], 5)
    assert bert.bodies() == [b"one"]


def test_a_letter_that_waits_for_those_another_process_keeps_is_taken(hub, tmp_path):
    """Of one party's two processes that share a file each hears a part."""
    anna, first = Party(hub, "anna"), Party(hub, "bert", tmp_path / "bert")
    second = KeptLetters(tmp_path / "bert", TOPIC.name)
    letters = [anna.envelope(number, bytes([number])) for number in range(3)]

    def heard(*numbers: int) -> None:
        for number in numbers:
            anna.node.publish(TOPIC.name, letters[number].to_bytes())
        first.exchange.take(0.0)

    heard(2)
    assert first.bodies() == []
    for number in (0, 1):
        assert second.add(letters[number], anna.wallet.address)
    heard(2)
    assert first.bodies() == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize("began", [0, 9])
def test_who_lost_its_letters_gets_them_back_and_is_heard(hub, tmp_path, began):
    """It begins a new run whatever its clock says: others may have more of the old one."""
    anna, bert = Party(hub, "anna", tmp_path / "anna"), Party(hub, "bert")
    anna.send(b"one")
    now = pass_time([anna, bert], 2)
    again = Party(hub, "anna", admits=lambda account: False, began=began)
    now = pass_time([again, bert], 5, now)
    assert again.bodies() == [b"one"]
    two = again.send(b"two", now)
    assert (two.number, two.run) == (0, began or 1)
    now = pass_time([again, bert], 5, now)
    assert bert.bodies() == [b"one", b"two"]
    assert again.send(b"three", now).number == 1


@pytest.mark.parametrize("began", [0, 9])
def test_who_writes_before_it_hears_of_its_old_letters_is_heard_all_the_same(hub, began):
    """The twin gives numbers once more that others have: they know better, and it is heard by
    nobody."""
    anna, bert = Party(hub, "anna"), Party(hub, "bert")
    for body in (b"one", b"two"):
        anna.send(body)
    now = pass_time([anna, bert], 2)
    again, carl = Party(hub, "anna", began=began), Party(hub, "carl")
    again.send(b"again", now)
    pass_time([again, bert, carl], 20, now)
    heard = [b"one", b"two", *([b"again"] if began else [])]
    assert sorted(bert.bodies()) == sorted(heard)
    if began:
        assert sorted(carl.bodies()) == sorted(again.bodies()) == sorted(heard)


def test_of_one_sender_so_many_runs_are_kept(hub):
    """Else whoever begins one for each letter would have others tell of them all, all the time."""
    mallory, bert = Party(hub, "mallory"), Party(hub, "bert")
    for run in range(MOST_RUNS + 3):
        mallory.node.publish(TOPIC.name, mallory.envelope(0, b"x", run).to_bytes())
    mallory.node.publish(TOPIC.name, mallory.envelope(1, b"more", 0).to_bytes())
    bert.exchange.take(0.0)
    assert len(bert.read()) == MOST_RUNS + 1
    assert [one.body for one in bert.read()][-1] == b"more"


def test_one_file_keeps_several_topics_apart(hub, tmp_path):
    other = Topic(1, TOPIC.contract, b"\x08" * 32)
    anna, bert = Party(hub, "anna", tmp_path / "anna"), Party(hub, "bert")
    too = Party(hub, "anna", tmp_path / "anna", topic=other)
    anna.send(b"here")
    too.send(b"there")
    pass_time([anna, too, bert], 2)
    assert bert.bodies() == anna.bodies() == [b"here"]
    assert [(one.number, one.body) for one in too.read()] == [(0, b"there")]


def test_topics_differ_by_chain_contract_and_subject():
    others = {Topic(2, TOPIC.contract, TOPIC.subject).name}
    others.add(Topic(1, "0x" + "12" * 20, TOPIC.subject).name)
    others.add(Topic(1, TOPIC.contract, bytes(32)).name)
    assert len({*others, TOPIC.name}) == 4
    with pytest.raises(PostError, match="32 bytes, not 31"):
        Topic(1, TOPIC.contract, bytes(31))


def test_when_nothing_changes_hardly_anything_is_said(hub):
    anna, bert = Party(hub, "anna"), Party(hub, "bert")
    anna.send(b"one")
    now = pass_time([anna, bert], 120)
    before = len(anna.node.said)
    pass_time([anna, bert], 300, now)
    assert len(anna.node.said) - before <= 10


def test_a_node_that_is_down_is_told_and_nothing_is_lost(hub):
    anna, bert = Party(hub, "anna"), Party(hub, "bert")
    anna.send(b"one")
    anna.node.up = False
    with pytest.raises(DatastoreUnavailable):
        anna.exchange.take(0)
    anna.node.up = True
    pass_time([anna, bert], 2)
    assert bert.bodies() == [b"one"]


def test_kept_are_so_many_letters_of_ones_own_and_no_more(monkeypatch):
    monkeypatch.setattr(kept_module, "MOST_LETTERS", 1)
    party = Party(Hub(), "anna")
    party.send(b"one")
    with pytest.raises(PostFull, match="sent 1 letters; kept are 1 at most"):
        party.send(b"")


def test_kept_are_so_many_letters_of_anothers_and_no_more(monkeypatch):
    monkeypatch.setattr(kept_module, "MOST_LETTERS", 1)
    anna, bert = Party(Hub(), "anna"), Party(Hub(), "bert")
    first, second = (anna.envelope(number, b"") for number in range(2))
    assert bert.kept.add(first, anna.wallet.address)
    assert not bert.kept.add(second, anna.wallet.address)


def test_ones_own_letter_goes_though_another_sent_it_here():
    """Perhaps here alone; others' are left to whoever was faster, some times."""
    own, other = (b"\1" * 20, 0), (b"\2" * 20, 0)
    again = Again(own[0], seed=1)
    for _ in range(MOST_HEARD):
        for key in (own, other):
            again.want(key, 0.0)
            again.heard(key)
        assert list(again.due(OTHERS_SECONDS)) == [own]
    again.want(other, 0.0)
    again.heard(other)
    assert list(again.due(OTHERS_SECONDS)) == [own, other]


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "letters").write_bytes(b"no database" * 100)
    with pytest.raises(PostError, match=r"letters in .*not a database"):
        KeptLetters(tmp_path / "letters", TOPIC.name)
