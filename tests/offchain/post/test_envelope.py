"""What strangers send is read in its one form, or is unreadable."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.post.envelope import (
    FIRST,
    LAST,
    LETTER,
    LINE,
    MOST_TOLD,
    TALLY,
    Envelope,
    Tally,
    Unreadable,
    tallies,
)
from offchain.post.letter import MAX_BODY_BYTES, MOST_LETTERS

LINES = st.binary(min_size=LINE, max_size=LINE)
ENVELOPES = st.builds(
    Envelope,
    sender=st.binary(min_size=20, max_size=20),
    run=st.integers(0, 2**64 - 1),
    number=st.integers(0, MOST_LETTERS - 1),
    signature=st.binary(min_size=65, max_size=65),
    body=st.binary(max_size=MAX_BODY_BYTES),
)
COUNTS = st.dictionaries(LINES, st.integers(1, MOST_LETTERS), max_size=3 * MOST_TOLD)


@given(ENVELOPES)
def test_a_letter_is_read_as_it_was_written(envelope):
    assert Envelope.from_bytes(envelope.to_bytes()) == envelope


@given(COUNTS)
def test_tallies_tell_of_everybody_once_and_of_the_others_nothing(counts):
    read = [Tally.from_bytes(one.to_bytes()) for one in tallies(counts)]
    assert {sender: n for one in read for sender, n in one.counts.items()} == counts
    assert sum(len(one.counts) for one in read) == len(counts)
    assert (read[0].first, read[-1].last) == (FIRST, LAST)
    for one, following in pairwise(read):
        assert int.from_bytes(following.first, "big") == int.from_bytes(one.last, "big") + 1


@given(st.one_of(st.binary(max_size=6_000), st.binary(max_size=300).map(lambda b: LETTER + b)))
def test_anything_else_is_unreadable_or_one_form(data):
    try:
        assert Envelope.from_bytes(data).to_bytes() == data
    except Unreadable:
        return


@given(st.binary(max_size=600).map(lambda b: TALLY + b), st.data())
def test_no_tally_has_two_forms(data, drawn):
    cut = drawn.draw(st.sampled_from([len(data), 1 + 2 * LINE, 5 + 3 * LINE, 9 + 4 * LINE]))
    try:
        assert Tally.from_bytes(data[:cut]).to_bytes() == data[:cut]
    except Unreadable:
        return


@pytest.mark.parametrize("more", [1, 100_000])
def test_a_letter_that_is_too_long_is_unreadable(more):
    whole = Envelope(bytes(20), 0, 0, bytes(65), bytes(MAX_BODY_BYTES)).to_bytes()
    assert Envelope.from_bytes(whole).body == bytes(MAX_BODY_BYTES)
    with pytest.raises(Unreadable):
        Envelope.from_bytes(whole + bytes(more))


def test_a_number_beyond_what_is_kept_is_unreadable():
    last = Envelope(bytes(20), 0, MOST_LETTERS - 1, bytes(65), b"").to_bytes()
    assert Envelope.from_bytes(last).number == MOST_LETTERS - 1
    with pytest.raises(Unreadable):
        Envelope.from_bytes(Envelope(bytes(20), 0, MOST_LETTERS, bytes(65), b"").to_bytes())


@pytest.mark.parametrize(
    "counts",
    [
        [(b"\2" * LINE, 1), (b"\1" * LINE, 1)],
        [(b"\1" * LINE, 1)] * 2,
        [(b"\1" * LINE, 0)],
        [(b"\1" * LINE, MOST_LETTERS + 1)],
    ],
    ids=["descending", "twice", "none", "more than are kept"],
)
def test_a_tally_out_of_order_is_unreadable(counts):
    pairs = b"".join(sender + count.to_bytes(4, "big") for sender, count in counts)
    with pytest.raises(Unreadable):
        Tally.from_bytes(TALLY + FIRST + LAST + pairs)
