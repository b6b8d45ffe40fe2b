"""What strangers do to a topic that is open to all. Each attack has a twin that succeeds where the
rule that stops it is taken away."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from offchain.post import Envelope, Topic, again, exchange, kept
from offchain.post.envelope import FIRST, LAST, LETTER, TALLY, Tally
from offchain.post.letter import MOST_RUNS
from offchain.storage.inbox import MOST_OF_ONE, MOST_WAITING, Inbox
from tests.kit.pubsub_hub import Hub
from tests.offchain.post.parties import TOPIC, Party, pass_time

NAME = TOPIC.name


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def anna(hub):
    return Party(hub, "anna")


@pytest.fixture
def bert(hub):
    return Party(hub, "bert")


@pytest.fixture
def mallory(hub):
    """A node that says what it likes, and an account to sign with."""
    return Party(hub, "mallory")


def say(mallory: Party, *messages: bytes) -> None:
    for message in messages:
        mallory.node.publish(NAME, message)


# ------------------------------------------------------------------ letters in another's name


def forged(anna: Party, mallory: Party) -> Envelope:
    return replace(mallory.envelope(0, b"I owe you"), sender=anna.own)


def test_nobody_writes_in_anothers_name(anna, bert, mallory):
    say(mallory, forged(anna, mallory).to_bytes())
    anna.send(b"honest")
    pass_time([anna, bert], 2)
    assert bert.bodies() == [b"honest"]


def test_twin_without_a_look_at_who_signed_he_does(anna, bert, mallory, monkeypatch):
    monkeypatch.setattr(Party, "_recover", lambda self, typed, signature: anna.wallet.address)
    bert.exchange._recover = bert._recover
    say(mallory, forged(anna, mallory).to_bytes())
    pass_time([bert], 1)
    assert [(one.sender, one.body) for one in bert.read()] == [(anna.wallet.address, b"I owe you")]


def test_a_forged_letter_costs_one_check_and_the_same_again_none(anna, bert, mallory):
    say(mallory, *[forged(anna, mallory).to_bytes()] * 50)
    pass_time([bert], 2)
    assert bert.checks == 1


def test_twin_that_forgets_what_was_forged_checks_each_time(anna, bert, mallory, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_FORGED", 0)
    say(mallory, *[forged(anna, mallory).to_bytes()] * 50)
    pass_time([bert], 2)
    assert bert.checks == 50


# ------------------------------------------------------------------ letters of another place


def elsewhere(mallory: Party) -> bytes:
    """A letter that an honest party signed, in another session."""
    other = replace(TOPIC, subject=b"\x08" * 32)
    body = b"agreed"
    return Envelope(
        mallory.own, 0, 0, mallory.wallet.sign(other.typed(0, 0, body)), body
    ).to_bytes()


def test_a_letter_of_another_session_is_none_here(bert, mallory):
    say(mallory, elsewhere(mallory))
    pass_time([bert], 1)
    assert bert.bodies() == []


def test_twin_whose_signature_does_not_say_where_takes_it(bert, mallory, monkeypatch):
    typed = Topic.typed

    def anywhere(self, run, number, body):
        return typed(replace(self, subject=bytes(32)), run, number, body)

    monkeypatch.setattr(Topic, "typed", anywhere)
    say(mallory, elsewhere(mallory))
    pass_time([bert], 1)
    assert bert.bodies() == [b"agreed"]


# ------------------------------------------------------------------ a letter again, another number


def test_a_letter_counts_once_however_often_it_is_sent(anna, bert, mallory):
    letter = mallory.envelope(0, b"pay").to_bytes()
    say(mallory, letter, letter)
    pass_time([bert], 1)
    say(mallory, letter, replace(mallory.envelope(0, b"pay"), number=1).to_bytes())
    pass_time([bert], 1, 1)
    assert bert.bodies() == [b"pay"]
    assert bert.checks == 2


def test_twin_whose_signature_has_no_number_takes_it_twice(bert, mallory, monkeypatch):
    typed = Topic.typed
    monkeypatch.setattr(Topic, "typed", lambda self, run, number, body: typed(self, run, 0, body))
    letter = mallory.envelope(0, b"pay")
    say(mallory, letter.to_bytes(), replace(letter, number=1).to_bytes())
    pass_time([bert], 1)
    assert bert.bodies() == [b"pay", b"pay"]


# ------------------------------------------------------------------ a letter again, another run


def in_each_run(anna: Party, bert: Party, mallory: Party) -> list[bytes]:
    """What is heard of anna when mallory has put her first letter into runs that she never began,
    before it and after it."""
    letter = anna.envelope(0, b"pay", 7)
    runs = (7, *range(MOST_RUNS + 1))
    say(mallory, *(replace(letter, run=run).to_bytes() for run in runs))
    say(mallory, anna.envelope(0, b"and later", 99).to_bytes())
    pass_time([bert], 1)
    return bert.bodies()


def test_a_letter_is_of_one_run(anna, bert, mallory):
    assert in_each_run(anna, bert, mallory) == [b"pay", b"and later"]


def test_twin_whose_signature_has_no_run_takes_it_again_and_hears_no_other(
    anna, bert, mallory, monkeypatch
):
    typed = Topic.typed
    monkeypatch.setattr(Topic, "typed", lambda self, _, *of: typed(self, 0, *of))
    assert in_each_run(anna, bert, mallory) == [b"pay"] * MOST_RUNS


# ------------------------------------------------------------------ what cannot be read

RUBBISH = [
    b"",
    b"\0",
    LETTER,
    TALLY,
    TALLY + LAST + FIRST,
    LETTER + bytes(88),
    LETTER + b"\xff" * 89,
    LETTER + bytes(100_000),
    os.urandom(200),
    b"{}",
]


def test_rubbish_stops_no_reader(anna, bert, mallory):
    say(mallory, *RUBBISH)
    anna.send(b"honest")
    pass_time([anna, bert], 2)
    assert bert.bodies() == [b"honest"]
    assert bert.checks == 1


def test_twin_that_reads_what_it_likes_stops(bert, mallory, monkeypatch):
    class Never(Exception):
        pass

    monkeypatch.setattr(exchange, "Unreadable", Never)
    say(mallory, *RUBBISH)
    with pytest.raises(ValueError, match="no letter"):
        pass_time([bert], 1)


# ------------------------------------------------------------------ too much


def test_who_writes_without_end_is_kept_up_to_a_bound_and_nobody_else_suffers(
    anna, bert, mallory, monkeypatch
):
    monkeypatch.setattr(kept, "MOST_LETTERS", 20)
    monkeypatch.setattr("offchain.post.envelope.MOST_LETTERS", 20)
    say(mallory, *(mallory.envelope(i, b"x").to_bytes() for i in range(60)))
    anna.send(b"honest")
    pass_time([anna, bert], 2)
    assert (bert.bodies().count(b"x"), bert.bodies().count(b"honest")) == (20, 1)


def test_twin_without_the_bound_keeps_all(bert, mallory):
    say(mallory, *(mallory.envelope(i, b"x").to_bytes() for i in range(60)))
    pass_time([bert], 2)
    assert bert.bodies().count(b"x") == 60


def crowd(hub: Hub) -> list[bytes]:
    """A letter each of ten accounts that nobody knows."""
    return [Party(hub, f"sybil {i}").envelope(0, bytes(40)).to_bytes() for i in range(10)]


def test_strangers_who_are_not_admitted_take_no_room_and_no_check(hub, anna, mallory, monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 200)
    bert = Party(hub, "bert", admits={anna.wallet.address.lower()}.__contains__)
    say(mallory, *crowd(hub))
    anna.send(b"honest")
    pass_time([anna, bert], 2)
    assert bert.bodies() == [b"honest"]
    assert bert.checks == 1


def test_twin_that_admits_everybody_is_full_of_them(hub, anna, bert, mallory, monkeypatch):
    monkeypatch.setattr(kept, "MOST_BYTES", 200)
    say(mallory, *crowd(hub))
    pass_time([bert], 1)
    anna.send(b"honest")
    pass_time([anna, bert], 2)
    assert b"honest" not in bert.bodies()
    assert len(bert.bodies()) == 5


@pytest.mark.parametrize("share", [100, 0])
def test_who_writes_much_keeps_out_nobody_who_writes_little(
    hub, anna, bert, mallory, monkeypatch, share: int
):
    """A topic that few fill has room for the others' first letters, and for all of one's own."""
    monkeypatch.setattr(kept, "MOST_BYTES", 300)
    monkeypatch.setattr(kept, "SHARE_BYTES", share)
    say(mallory, *(mallory.envelope(i, bytes(50)).to_bytes() for i in range(9)))
    pass_time([bert], 1)
    anna.send(b"honest")
    for _ in range(9):
        bert.send(bytes(50))
    pass_time([anna, bert], 2)
    # The twin: where nobody has a share, whoever comes first has all the room.
    assert (b"honest" in bert.bodies()) == (share > 0)
    assert bert.bodies().count(bytes(50)) == 9 + (8 if share else 6)


def test_who_was_not_admitted_is_heard_once_he_is(hub, anna):
    known: set[str] = set()
    bert = Party(hub, "bert", admits=known.__contains__)
    anna.send(b"let me in")
    now = pass_time([anna, bert], 2)
    assert bert.bodies() == []
    known.add(anna.wallet.address.lower())
    pass_time([anna, bert], 60, now)
    assert bert.bodies() == [b"let me in"]


def test_letters_far_ahead_take_no_room(bert, mallory):
    say(mallory, *(mallory.envelope(i, b"x").to_bytes() for i in range(1, 200)))
    pass_time([bert], 2)
    assert len(bert.exchange._ahead) == exchange.MOST_AHEAD - 1
    assert bert.checks == exchange.MOST_AHEAD - 1


def shouted(hub: Hub, bert: Party, mallory: Party) -> list[bytes]:
    """What is heard of others while one account begins runs without end, each with its second
    letter: of four that come in the wrong order."""
    others = [Party(hub, name) for name in ("carl", "dora")]
    runs = (mallory.envelope(1, b"x", run).to_bytes() for run in range(exchange.MOST_WAITING))
    say(mallory, *runs)
    for number in (1, 0):
        say(mallory, *(one.envelope(number, bytes([number])).to_bytes() for one in others))
    pass_time([bert], 2)
    return bert.bodies()


def test_runs_without_end_take_the_room_of_one_sender(hub, bert, mallory):
    assert shouted(hub, bert, mallory) == [b"\0", b"\1"] * 2
    assert len(bert.exchange._ahead) == exchange.MOST_AHEAD
    assert bert.checks == exchange.MOST_AHEAD + 4


def test_twin_that_counts_each_run_alone_has_no_room_for_others(hub, bert, mallory, monkeypatch):
    full = lambda self, _: len(self._ahead) >= exchange.MOST_WAITING  # noqa: E731
    monkeypatch.setattr(exchange.Exchange, "_is_full", full)
    assert shouted(hub, bert, mallory) == [b"\0"] * 2


def test_twin_that_waits_for_all_of_them_has_no_bound(bert, mallory, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_AHEAD", 10_000)
    say(mallory, *(mallory.envelope(i, b"x").to_bytes() for i in range(1, 200)))
    pass_time([bert], 2)
    assert len(bert.exchange._ahead) == 199


# ------------------------------------------------------------------ asking without end

NOTHING = Tally(FIRST, LAST, {}).to_bytes()


def letters_said(party: Party) -> int:
    return sum(one[:1] == LETTER for one in party.node.said)


def nag(anna: Party, mallory: Party) -> None:
    """Asks for all that there is, four times a second, for five minutes."""
    for i in range(1_200):
        say(mallory, NOTHING)
        pass_time([anna], 0.25, i * 0.25)


def test_who_asks_for_everything_all_the_time_gets_it_ever_less_often(anna, mallory):
    anna.send(b"once")
    nag(anna, mallory)
    assert letters_said(anna) <= 12


def test_twin_that_does_not_wait_longer_is_made_to_shout(anna, mallory, monkeypatch):
    monkeypatch.setattr(again, "LAST_SECONDS", 1.0)
    anna.send(b"once")
    nag(anna, mallory)
    assert letters_said(anna) > 200


def test_who_lies_about_what_there_is_makes_nobody_tell_more_than_once_a_second(anna, mallory):
    for i in range(400):
        say(mallory, Tally(FIRST, LAST, {os.urandom(20): 7}).to_bytes())
        pass_time([anna], 0.25, i * 0.25)
    assert len(anna.node.said) <= 102


def hush(bert: Party, mallory: Party, carl: Party) -> None:
    """Mallory shows Bert each letter that Carl lacks, and Bert alone, so that he need not send."""
    mallory.node.hub.lost = lambda message, one, other: one is mallory.node and other is carl.node
    letter = mallory.envelope(0, b"seen").to_bytes()
    say(mallory, letter)
    now = pass_time([bert], 1)
    for i in range(400):
        carl.exchange.give(now + i * 0.25)
        bert.exchange.take(now + i * 0.25)
        say(mallory, letter)
        bert.exchange.take(now + i * 0.25)
        bert.exchange.give(now + i * 0.25)
        carl.exchange.take(now + i * 0.25)


def test_nobody_is_kept_from_sending_on_what_others_lack(hub, bert, mallory):
    carl = Party(hub, "carl")
    hush(bert, mallory, carl)
    assert carl.bodies() == [b"seen"]


def test_twin_that_always_leaves_it_to_another_keeps_it(hub, bert, mallory, monkeypatch):
    monkeypatch.setattr(again, "MOST_HEARD", 10_000)
    carl = Party(hub, "carl")
    bert.exchange._again._random.uniform = lambda low, high: high
    hush(bert, mallory, carl)
    assert carl.bodies() == []


# ------------------------------------------------------------------ a node that shouts


def test_a_node_that_shouts_fills_its_own_share():
    inbox = Inbox()
    assert sum(inbox.add("loud", b"x") for _ in range(10 * MOST_WAITING)) == MOST_OF_ONE
    assert inbox.add("quiet", b"honest")
    came = [message for _ in range(10) for message in inbox.take()]
    assert came.count(b"honest") == 1
    assert inbox.add("loud", b"x")


def test_many_nodes_that_shout_fill_it_and_no_more():
    inbox = Inbox()
    kept_ = sum(inbox.add(f"loud {i % 50}", b"x") for i in range(10 * MOST_WAITING))
    assert kept_ == MOST_WAITING
    assert not inbox.add("quiet", b"lost")
    inbox.take()
    assert inbox.add("quiet", b"honest")
