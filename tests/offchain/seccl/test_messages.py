"""Messages, batches and receipts of a board, against rules written out here a second time."""

from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.seccl.board import Board
from offchain.seccl.messages import (
    MEMBERS_LIMIT,
    BatchPosted,
    BoardError,
    MessageKind,
    Posted,
    PostKey,
    Receipt,
    SessionTerms,
)

BOARD = Board(31_337, "0x" + "ab" * 20)
SESSION = b"\x05" * 32
UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
KEY = PostKey(SESSION, 2, EVALUATION, 3)
TERMS = SessionTerms(
    server="0x" + "cd" * 20,
    member_root=b"\x01" * 32,
    members=30,
    rounds=10,
    start=1_000,
    upload_time=1_000,
    evaluation_time=700,
    response_time=600,
    batched_uploads=False,
    batched_evaluations=True,
    stake=300,
    bond=7,
    document=b"\x02" * 32,
)


def w(value):
    return value.to_bytes(32, "big")


# ---------------------------------------------------------------- hashes


def test_a_message_hash_is_of_its_place_and_its_bytes():
    """Nine words, written out; and every one of them changes it, so nothing can be replayed."""
    expected = keccak(
        keccak(b"souk.board.message.v1")
        + w(31_337)
        + bytes(12)
        + b"\xab" * 20
        + SESSION
        + w(2)
        + w(1)
        + w(3)
        + keccak(b"update")
    )
    assert BOARD.message_hash(KEY, b"update") == expected
    others = [
        Board(1, BOARD.address).message_hash(KEY, b"update"),
        Board(BOARD.chain_id, "0x" + "ac" * 20).message_hash(KEY, b"update"),
        BOARD.message_hash(replace(KEY, session=b"\x06" * 32), b"update"),
        BOARD.message_hash(replace(KEY, round=1), b"update"),
        BOARD.message_hash(replace(KEY, kind=UPLOAD), b"update"),
        BOARD.message_hash(replace(KEY, author=2), b"update"),
        BOARD.message_hash(KEY, b"updatf"),
    ]
    assert len({expected, *others}) == 8


def test_a_batch_leaf_is_hashed_twice_and_bound_to_its_index():
    domain = keccak(
        keccak(b"souk.board.batch.v1")
        + w(31_337)
        + bytes(12)
        + b"\xab" * 20
        + SESSION
        + w(2)
        + w(1)
    )
    message = b"\x09" * 32
    leaves = BOARD.batch_leaves(SESSION, 2, EVALUATION, [message, None, message])
    assert leaves == [
        keccak(keccak(domain + w(0) + message)),
        keccak(keccak(domain + w(1) + bytes(32))),
        keccak(keccak(domain + w(2) + message)),
    ]


def test_members_are_listed_once_and_not_too_many():
    addresses = ["0x" + i.to_bytes(20, "big").hex() for i in range(1, MEMBERS_LIMIT + 2)]
    assert len(BOARD.member_leaves(addresses[:-1])) == MEMBERS_LIMIT
    with pytest.raises(BoardError, match="2048 members"):
        BOARD.member_leaves(addresses)
    with pytest.raises(BoardError, match="0 members"):
        BOARD.member_leaves([])
    upper = addresses[9].upper().replace("0X", "0x")
    with pytest.raises(BoardError, match="0a is listed 2 times"):
        BOARD.member_leaves([*addresses[:20], upper])


def test_a_receipts_digest_is_that_of_its_typed_data():
    """EIP-712 written out: domain, type, six words."""
    receipt = Receipt(KEY, b"\x07" * 32, 99)
    fields = "bytes32 session,uint256 round,uint8 kind,uint256 author,bytes32 message"
    struct = keccak(
        keccak(f"Receipt({fields},uint256 deadline)".encode())
        + SESSION
        + w(2)
        + w(1)
        + w(3)
        + b"\x07" * 32
        + w(99)
    )
    domain = keccak(
        keccak(
            b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        )
        + keccak(b"Souk Bulletin Board")
        + keccak(b"1")
        + w(31_337)
        + bytes(12)
        + b"\xab" * 20
    )
    assert BOARD.receipt_digest(receipt) == keccak(b"\x19\x01" + domain + struct)
    data = BOARD.typed_data(receipt)
    assert data["message"]["kind"] == 1
    assert list(data["message"]) == [field["name"] for field in data["types"]["Receipt"]]


# ---------------------------------------------------------------- finding a message


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_a_message_is_found_in_a_batch_by_its_path_alone(count):
    messages = [keccak(w(i)) if i % 4 != 3 else None for i in range(count)]
    leaves = BOARD.batch_leaves(SESSION, 2, EVALUATION, messages)
    events = [
        BatchPosted(SESSION, 1, EVALUATION, b"\x03" * 32),
        BatchPosted(SESSION, 2, UPLOAD, b"\x03" * 32),
        BatchPosted(SESSION, 2, EVALUATION, cm.root_of(leaves)),
    ]
    for author, message in enumerate(messages):
        key, path = replace(KEY, author=author), cm.path(leaves, author)
        if message is not None:
            assert BOARD.is_posted(key, message, events, count, path)
        assert not BOARD.is_posted(key, bytes(32), events, count, path)
        assert not BOARD.is_posted(key, b"\x08" * 32, events, count, path)
        with pytest.raises(BoardError, match=f"path has {len(path) + 1} siblings"):
            BOARD.is_posted(key, b"\x08" * 32, events, count, [*path, bytes(32)])
        if path:
            with pytest.raises(BoardError, match=f"needs {len(path)}"):
                BOARD.is_posted(key, b"\x08" * 32, events, count, path[1:])
    with pytest.raises(BoardError, match=r"out of range \[0, 3\)"):
        BOARD.is_posted(KEY, b"\x08" * 32, events, 3, [])


def test_what_an_author_posted_itself_counts_in_any_order():
    mine, forged = b"\x01" * 32, b"\x02" * 32
    events = [Posted(KEY, forged, False), Posted(KEY, mine, True)]
    for order in (events, events[::-1]):
        assert BOARD.is_posted(KEY, mine, order)
        assert not BOARD.is_posted(KEY, forged, order)
    assert BOARD.is_posted(KEY, forged, events[:1])
    assert not BOARD.is_posted(replace(KEY, author=1), mine, events)
    assert not BOARD.is_posted(KEY, mine, [])


# ---------------------------------------------------------------- terms


def test_windows_follow_each_other_to_the_end():
    ends = [
        TERMS.window(round_, kind)
        for round_ in range(TERMS.rounds)
        for kind in (UPLOAD, EVALUATION)
    ]
    assert ends[0] == (1_000, 2_000)
    assert ends[1] == (2_000, 2_700)
    assert [end for _, end in ends[:-1]] == [start for start, _ in ends[1:]]
    assert ends[-1][1] == TERMS.end == 18_000
    assert TERMS.accusation_end == 19_800
    assert (TERMS.batched(UPLOAD), TERMS.batched(EVALUATION)) == (False, True)
    for round_ in (-1, 10):
        with pytest.raises(BoardError, match=rf"round {round_} out of range \[0, 10\)"):
            TERMS.window(round_, UPLOAD)


@pytest.mark.parametrize(
    ("window", "margin"), [(600, 120), (1_200, 120), (6_000, 600), (36_000, 3_600), (10**6, 3_600)]
)
def test_a_deadline_has_a_margin_of_ten_blocks_to_an_hour(window, margin):
    """A fifth of half the window between them; of each kind by its own window."""
    assert replace(TERMS, upload_time=window).margin(UPLOAD) == margin
    assert replace(TERMS, evaluation_time=window).margin(EVALUATION) == margin


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("members", 0, r"members is 0, must be in \[1, 2047\]"),
        ("members", 2_048, "members is 2048"),
        ("rounds", 0, r"rounds is 0, must be in \[1, 1023\]"),
        ("rounds", 1_024, "rounds is 1024"),
        ("upload_time", 599, r"upload_time is 599, must be in \[600, 1048575\]"),
        ("evaluation_time", 2**20, "evaluation_time is 1048576"),
        ("response_time", 599, r"response_time is 599, must be in \[600, 1048575\]"),
        ("response_time", 701, "response_time is 701, must be 700 at most"),
        ("start", 2**32 - 17_000, "the session ends at 4294967296"),
        ("start", -1, "the session ends at"),
        ("stake", 301, "stake is 301, must be below .* a multiple of 30"),
        ("stake", 30 * 2**95, "stake is"),
        ("bond", -1, "bond is -1"),
        ("bond", 2**96, "bond is"),
    ],
)
def test_terms_that_no_board_takes_are_refused_in_words(field, value, text):
    with pytest.raises(BoardError, match=text):
        replace(TERMS, **{field: value})
