"""What a server announces, what follows from it, and letters: read from strangers, in one form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.models.canonical import DocumentError
from offchain.seccl import actions as do
from offchain.seccl.announcement import (
    TO_OPEN,
    Announcement,
    fetch_announcement,
    publish_announcement,
)
from offchain.seccl.ballots import Ballot, Form
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.letters import (
    MAX_LETTER_BYTES,
    Application,
    Given,
    Handed,
    Here,
    Sent,
    read_letter,
    written,
)
from offchain.seccl.messages import BoardError, Receipt
from offchain.seccl.session import Session
from tests.kit.memory_store import MemoryStore
from tests.offchain.seccl.session_in_memory import (
    BOARD,
    MEMBERS,
    SERVER,
    UPLOAD,
    WALLETS,
    description,
    new_session,
)

NOW = 1_000_000
ADDRESSES = [wallet.address for wallet in WALLETS]


def announced(**changes) -> Announcement:
    fields = {
        "server": SERVER.address,
        "least": 3,
        "most": 6,
        "until": NOW,
        "start": NOW + TO_OPEN,
        "rounds": 2,
        "upload_time": 6_000,
        "evaluation_time": 6_000,
        "response_time": 600,
        "batched": True,
        "stake": 100,
        "bond": 10,
        "token": "0x" + "00" * 20,
        "elected": 0.4,
        "about": description(members=(), winners=0, quorum=0),
    }
    return Announcement(**fields | changes)


def test_it_comes_back_as_it_went_and_one_session_follows_from_it() -> None:
    offer, store = announced(), MemoryStore({})
    assert fetch_announcement(store, publish_announcement(store, offer)) == offer
    terms, about = offer.agreed(BOARD, ADDRESSES)
    # Whoever is named first: members are in the order of their addresses.
    assert offer.agreed(BOARD, ADDRESSES[::-1]) == (terms, about)
    assert (terms.members, terms.stake, about.winners, about.quorum) == (MEMBERS, 400, 2, 3)
    offer.check(Session(BOARD, BOARD.session_id(terms), terms, about))


@pytest.mark.parametrize(
    "change",
    [
        {"stake": 99},
        {"rounds": 3},
        {"start": NOW + TO_OPEN + 1},
        {"batched": False},
        {"elected": 0.8},
        {"about": description(members=(), winners=0, quorum=0, learning_rate=0.5)},
        {"about": description(members=(), winners=0, quorum=0, task="00" * 32)},
    ],
)
def test_a_session_of_other_terms_is_refused(change) -> None:
    """A server that opens another session than it announced takes nobody in."""
    terms, about = announced(**change).agreed(BOARD, ADDRESSES)
    session = Session(BOARD, BOARD.session_id(terms), terms, about)
    with pytest.raises(BoardError, match=f"other terms than {SERVER.address} announced"):
        announced().check(session)


@pytest.mark.parametrize("members", [ADDRESSES[:2], [*ADDRESSES, *ADDRESSES]])
def test_too_few_or_too_many_make_no_session(members) -> None:
    with pytest.raises(BoardError, match="members, must be 3 to 6"):
        announced().agreed(BOARD, members)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"least": 2}, "2 to 6 members, must be 3 to 1024"),
        ({"most": 2_000}, "3 to 2000 members"),
        ({"start": NOW}, "must be 600 s after applications end"),
        ({"elected": 1.0}, "no share between 0, 1"),
        ({"elected": 0.84}, "0.84 of 3 members elects all of them"),
        ({"about": description()}, "names no members"),
        ({"bond": 101}, "bond is 303|bond is 101"),
        ({"upload_time": 1}, "upload_time is 1, must be in"),
    ],
)
def test_what_no_session_can_follow_from_is_refused(change, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        announced(**change)


@pytest.mark.parametrize(
    ("field", "value"),
    [("batched", 1), ("server", 7), ("until", True), ("about", {}), ("type", "x"), ("more", 1)],
)
def test_an_announcement_of_another_form_is_refused(field: str, value) -> None:
    document = json.loads(announced().to_bytes()) | {field: value}
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(DocumentError):
        Announcement.from_bytes(data)


KEY = new_session().key(1, UPLOAD, 2)
WORD, SIGNATURE = bytes(range(32)), bytes(range(65))
LETTERS = [
    Application(WORD, ("/ip4/1.2.3.4/tcp/4001/p2p/QmSomebody",)),
    Here(()),
    Sent(KEY, WORD, WORD[::-1], SIGNATURE),
    Given(SignedReceipt(Receipt(KEY, WORD, 2**40 - 1), SIGNATURE)),
    Handed(do.SignedBallot(1, 2, Ballot(Form.RANKING, b"\x01\x02"), WORD, WORD)),
    Handed(do.SignedCommitment(1, 2, WORD, WORD, WORD)),
    Handed(do.Reveal(1, 2, Ballot(Form.SCORES, bytes(8)), WORD)),
]


@pytest.mark.parametrize("letter", LETTERS, ids=lambda one: type(one).__name__)
def test_letters_come_back_as_they_went_and_are_small(letter) -> None:
    assert read_letter(written(letter)) == letter
    assert len(written(letter)) <= MAX_LETTER_BYTES


@given(st.data())
def test_whatever_a_stranger_writes_is_a_letter_in_its_one_form_or_none(data) -> None:
    """Nothing else is ever raised, and no two contents are one letter."""
    content = bytearray(written(data.draw(st.sampled_from(LETTERS))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(32, 126))
    try:
        letter = read_letter(bytes(content))
    except DocumentError:
        return
    assert written(letter) == bytes(content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=9,
    ),
    st.sampled_from([json.loads(written(one))["type"] for one in LETTERS]),
)
def test_what_is_said_of_another_shape_is_no_letter(said, kind: str) -> None:
    data = json.dumps({"said": said, "type": kind}, sort_keys=True, separators=(",", ":"))
    try:
        letter = read_letter(data.encode())
    except DocumentError:
        return
    assert isinstance(letter, Here)  # an empty list, or a list of texts


def test_descriptions_of_one_field_apart_are_apart() -> None:
    about = description()
    assert replace(about, task="11" * 32).to_bytes() != about.to_bytes()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"network": "\x1b[2Jsmall"}, r"network is a model's name, not '\\x1b\[2Jsmall'"),
        ({"network": "\ud800"}, r"network is a model's name, not '\\ud800'"),
        ({"network": "n" * 201}, "network is a model's name"),
        ({"seed": -5}, "seed must be 0 to 4294967295, not -5"),
        ({"seed": 2**32}, "seed must be 0 to 4294967295"),
    ],
)
def test_a_model_that_nobody_can_draw_or_name_is_refused_before_anybody_applies(
    change, why: str
) -> None:
    """A name drives no terminal: it is refused where it is read, in words that drive none."""
    about = description(members=(), winners=0, quorum=0, **change)
    with pytest.raises(DocumentError, match=why) as refused:
        Announcement.from_bytes(announced(about=about).to_bytes())
    assert str(refused.value).isprintable()
