"""Copies are found, and their authors named, from what lies on the board alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.seccl import actions as do
from offchain.seccl.audit import audit
from offchain.seccl.likeness import Likeness
from offchain.seccl.parameters import model_digest
from offchain.seccl.reading import Reading
from offchain.seccl.screening import LastRound, screened
from offchain.seccl.updates import SparseUpdate, mean_update
from offchain.storage import digest_of
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import (
    FIRST,
    LAYOUT,
    MEMBERS,
    UPLOAD,
    Yard,
    description,
    made_updates,
)

SCREEN = description(screen=Likeness())
COPIED = [*made_updates(0)[:3], made_updates(0)[1]]
"""Member 3 has what member 1 has."""


def sent(yard: Yard, round_: int, updates: list[SparseUpdate], order: list[int]) -> Reading:
    """The uploads of a round as the server took and posted them."""
    for i in order:
        message = yard.members[i].upload(round_, updates[i], yard.model)
        yard.members[i].keep(
            yard.server.receive(
                message.key, message.content, message.authored, yard.now(round_, UPLOAD)
            )
        )
    for action in yard.server.post(round_, UPLOAD):
        yard.apply(action)
    return yard.reading(round_)


def found(yard: Yard, reading: Reading, last: LastRound | None = None) -> list[tuple[int, int]]:
    usable, _ = yard.members[0].updates(reading_round(reading), reading, yard.model)
    copied = screened(yard.session, reading, usable, last or LastRound())
    return [(copy.author, copy.of) for copy in copied]


def reading_round(reading: Reading) -> int:
    return next(iter(reading.receipts.values())).receipt.key.round


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
@pytest.mark.parametrize(
    ("order", "copycat"), [([0, 1, 2, 3], (3, 1)), ([2, 3, 1, 0], (1, 3))], ids=["first", "last"]
)
def test_of_two_alike_the_one_taken_later_is_the_copy(batched, order, copycat) -> None:
    """In a batch by the order of its catalogue, singly by that of the posts."""
    yard = Yard.new(batched=batched, about=SCREEN)
    reading = sent(yard, 0, COPIED, order)
    assert reading.order == tuple(order)
    assert found(yard, reading) == [copycat]


def test_who_posted_before_the_batch_was_first() -> None:
    """Whoever distrusts the server posts at once, and nobody can have what it has before it."""
    yard = Yard.new(about=SCREEN)
    own = yard.members[3].upload(0, COPIED[3], yard.model)
    document = digest_of(yard.store.put(own.content))
    yard.apply(do.PostOwn(own.key, own.message, yard.session.member_path(3), document))
    reading = sent(yard, 0, COPIED, [0, 1, 2])
    assert reading.order == (3, 0, 1, 2)
    assert found(yard, reading) == [(1, 3)]


def test_who_posts_itself_after_the_batch_was_last() -> None:
    """A copycat that waits for the batch to read what is in it cannot be in it."""
    yard = Yard.new(about=SCREEN)
    sent(yard, 0, COPIED, [2, 1, 0])
    own = yard.members[3].upload(0, COPIED[3], yard.model)
    document = digest_of(yard.store.put(own.content))
    yard.apply(do.PostOwn(own.key, own.message, yard.session.member_path(3), document))
    reading = yard.reading()
    assert reading.order == (2, 1, 0, 3)
    assert found(yard, reading) == [(3, 1)]


def test_the_last_rounds_updates_and_change_count_as_posted() -> None:
    yard = Yard.new(about=SCREEN)
    sent(yard, 0, made_updates(0), [0, 1, 2, 3])
    last = LastRound.of(dict(enumerate(made_updates(0))), [0, 1])
    assert last.change is not None
    again = [made_updates(0)[2], *made_updates(1)[1:]]
    reading = sent(yard, 1, again, [0, 1, 2, 3])
    assert found(yard, reading) == []
    assert found(yard, reading, last) == [(0, 2)]
    nobody = LastRound.of({}, [])
    assert nobody.change is None
    assert found(yard, reading, nobody) == []


def test_members_without_a_usable_update_are_no_copies_and_hide_none() -> None:
    yard = Yard.new(about=SCREEN)
    sent(yard, 0, COPIED, [0, 1, 3])
    assert found(yard, yard.reading()) == [(3, 1)]


def test_without_a_screen_nobody_is_named() -> None:
    yard = Yard.new()
    assert found(yard, sent(yard, 0, COPIED, [0, 1, 2, 3])) == []


@pytest.mark.parametrize("screen", [Likeness(), None], ids=["screen", "none"])
def test_the_audit_finds_the_copies_again_and_who_let_them_pass(screen) -> None:
    """In two rounds; in the first all evaluate the copy at 0, in the second nobody does."""
    yard = Yard.new(about=description(screen=screen))
    sent(yard, 0, COPIED, [0, 1, 2, 3])
    yard.judge(0, refused=[3])
    winners = yard.session.closed[0].winners
    model = FIRST + mean_update([COPIED[i] for i in winners])
    yard.model = model_digest(LAYOUT, model)
    stale = [COPIED[2], *made_updates(1)[1:]]
    sent(yard, 1, stale, [0, 1, 2, 3])
    yard.judge(1)
    result = audit(yard.session, yard.store, recover)
    if screen is None:
        assert result.copied == [(), ()]
        assert result.lenient == []
        return
    assert [[(c.author, c.of, c.earlier) for c in copied] for copied in result.copied] == [
        [(3, 1, False)],
        [(0, 2, True)],
    ]
    assert result.lenient == [
        f"round 1: member {voter} evaluated the copy of member 0 above 0"
        for voter in range(1, MEMBERS)
    ]


def test_the_order_of_a_catalogue_is_kept_as_the_server_said() -> None:
    """And only members stand in it, once each."""
    yard = Yard.new(about=SCREEN)
    sent(yard, 0, COPIED, [3, 0, 2, 1])
    listed = yard.server.hand(0, 0, UPLOAD)
    assert listed is not None
    assert [entry.author for entry in listed.entries] == [3, 0, 2, 1]
    twice = replace(listed, entries=(*listed.entries, listed.entries[0]))
    document = digest_of(yard.store.put(twice.to_bytes()))
    yard.session.batches[0, UPLOAD] = replace(yard.session.batches[0, UPLOAD], document=document)
    assert "lists authors below 4 once" in yard.reading().trouble
