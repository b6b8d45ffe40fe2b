"""How messages get onto the board, how they are found there, and what is refused."""

import pytest

from offchain.crypto import commitments as cm
from offchain.seccl.messages import BatchPosted, MessageKind, Posted, PostKey
from tests.kit.refusals import refused
from tests.seccl.board_driver import (
    DOCUMENT,
    EVALUATION,
    KINDS,
    MEMBERS,
    ROUNDS,
    UPLOAD,
    key_args,
    open_batched,
    open_session,
    short,
)

M = b"\x01" * 32


@pytest.fixture
def session(board, provider, members):
    return open_session(board, provider, members)


@pytest.fixture
def batched(board, provider, members):
    return open_batched(board, provider, members)


def events_of(session):
    """All posts of the board's events, as the twin takes them."""
    board = session.contract
    singles = [
        Posted(
            PostKey(bytes(log.session), log.round, MessageKind(log.kind), log.author),
            bytes(log.message),
            own,
        )
        for event, own in ((board.Posted, False), (board.OwnPosted, True))
        for log in event.range(0, 10**6)
    ]
    return singles + [
        BatchPosted(bytes(log.session), log.round, MessageKind(log.kind), bytes(log.root))
        for log in board.BatchPosted.range(0, 10**6)
    ]


def counts(session, key, message, path=()):
    """Whether a message counts, on which contract and twin agree."""
    told = session.is_posted(key, message, path)
    found = session.twin.is_posted(key, message, events_of(session), MEMBERS, path)
    assert told == found
    return told


# ---------------------------------------------------------------- what is posted is found


def test_single_posts_of_a_whole_session_are_found(session):
    """Every round, kind and author has its own message, and each is found by its place alone."""
    keys = [session.key(a, r, k) for r in range(ROUNDS) for k in KINDS for a in range(MEMBERS)]
    for key in keys:
        (log,) = session.contract.Posted.from_receipt(session.post(key))
        assert (bytes(log.session), log.author, log.round, log.kind) == (
            session.id, key.author, key.round, key.kind,
        )  # fmt: skip
        assert bytes(log.message) == session.message(key)
    events = events_of(session)
    for key in keys:
        digest, posted_at = session.contract.postOf(key_args(key))
        start, end = session.terms.window(key.round, key.kind)
        assert bytes(digest) == short(session.message(key))
        assert start <= posted_at < end
        assert session.is_posted(key, session.message(key))
        assert session.twin.is_posted(key, session.message(key), events)
        other = session.message(key, b"another")
        assert not session.is_posted(key, other)
        assert not session.twin.is_posted(key, other, events)


def test_a_batch_holds_every_members_message_at_its_index(batched):
    """A member with its message and a path finds it; one without a message finds none."""
    for kind in KINDS:
        messages = [m if i != 3 else None for i, m in enumerate(batched.messages(1, kind))]
        leaves = batched.post_batch(messages, 1, kind)
        for author, message in enumerate(messages):
            key, path = batched.key(author, 1, kind), cm.path(leaves, author)
            assert counts(batched, key, batched.message(key), path) == (message is not None)
            assert not counts(batched, key, bytes(32), path)
            digest, posted_at = batched.contract.postOf(key_args(key))
            assert bytes(digest) == short(cm.root_of(leaves))
            assert posted_at >= batched.terms.window(1, kind)[0]


def test_a_path_of_another_place_or_length_finds_nothing(batched):
    """Neither another author's leaf, nor an inner node, nor a path too long passes."""
    messages = batched.messages()
    leaves = batched.post_batch(messages)
    key = batched.key(1)
    assert not counts(batched, key, messages[0], cm.path(leaves, 0))
    inner = cm.keccak(leaves[0] + leaves[1])
    for length in (2, 4):
        path = [inner] * length
        assert batched.refusal(
            "isPosted", key_args(key), messages[1], path, sender=batched.server
        ) == refused("ProofLength", length, 3)
    assert not counts(batched, key, inner, [leaves[0], *cm.path(leaves, 1)[1:]])
    # The same place in another round, whose batch is the same tree, byte by byte.
    batched.go_to(batched.terms.window(1, UPLOAD)[0])
    batched.contract.postBatch(
        batched.id, 1, int(UPLOAD), cm.root_of(leaves), DOCUMENT, sender=batched.server
    )
    assert not counts(batched, batched.key(1, 1), messages[1], cm.path(leaves, 1))


def test_a_member_posts_itself_where_the_server_withholds(session, batched):
    """With single posts and with batches; without a word of the server's."""
    for one in (session, batched):
        key = one.key(2)
        message = one.message(key)
        (log,) = one.contract.OwnPosted.from_receipt(one.post_own(key, message))
        assert (bytes(log.session), log.author, log.round, log.kind, bytes(log.message)) == (
            one.id, 2, 0, UPLOAD, message,
        )  # fmt: skip
        assert counts(one, key, message)
        assert tuple(one.contract.postOf(key_args(key))) == (bytes(28), 0)
        assert bytes(one.contract.ownPostOf(key_args(key)).digest) == short(message)


def test_what_an_author_posts_itself_counts_whatever_the_server_posts(session, batched):
    """A server that posts something else in its name, before or after, changes nothing."""
    for first in (True, False):
        key = session.key(0 if first else 1)
        forged, true = session.message(key, b"forged"), session.message(key)
        if first:
            session.post(key, forged)
        session.post_own(key, true)
        if not first:
            session.post(key, forged)
        assert counts(session, key, true)
        assert not counts(session, key, forged)
    key = batched.key(1)
    leaves = batched.post_batch(batched.messages())
    true = batched.message(key, b"mine")
    batched.post_own(key, true)
    assert counts(batched, key, true)
    assert not counts(batched, key, batched.message(key), cm.path(leaves, 1))


def test_what_the_board_does_not_keep_of_a_hash_decides_nothing(session, batched):
    """Other last bytes in a post do not set contract and participants at odds."""
    key = session.key(1)
    message = session.message(key)
    for own in (session.post, session.post_own):
        own(key, message[:-1] + bytes([message[-1] ^ 1]))
        assert counts(session, key, message)
        assert not counts(session, key, bytes([message[0] ^ 1]) + message[1:])
    assert session.refusal("proveAltered", session.receipt(key), sender=session.server) == refused(
        "SameMessage", message
    )
    leaves = batched.leaves(batched.messages())
    root = cm.root_of(leaves)
    batched.enter(batched.key())
    batched.contract.postBatch(
        batched.id,
        0,
        int(UPLOAD),
        root[:-1] + bytes([root[-1] ^ 1]),
        DOCUMENT,
        sender=batched.server,
    )
    for author in range(MEMBERS):
        key = batched.key(author)
        assert counts(batched, key, batched.message(key), cm.path(leaves, author))


def test_nothing_posted_is_nothing_found(session, batched):
    for one in (session, batched):
        assert not counts(one, one.key(), one.message(one.key()))
        assert not one.is_posted(one.key(), bytes(32))
        assert tuple(one.contract.ownPostOf(key_args(one.key()))) == (bytes(28), 0)


def test_nothing_is_there_for_good_when_the_window_is_over(session, batched):
    """Not before; and not where the author or the server has posted something."""
    leaves = batched.post_batch([None, *batched.messages()[1:]])
    session.post(session.key(1))
    both = [(session, []), (batched, cm.path(leaves, 0))]
    for one, path in both:
        early = refused("TooEarly", one.now, one.due(one.key(0)))
        assert one.refusal("isEmpty", key_args(one.key(0)), path, sender=one.server) == early
    for one, path in both:
        one.go_to(one.due(one.key(0)))
        assert one.contract.isEmpty(key_args(one.key(0)), path)
    assert not session.contract.isEmpty(key_args(session.key(1)), [])
    assert not batched.contract.isEmpty(key_args(batched.key(1)), cm.path(leaves, 1))
    assert not batched.contract.isEmpty(key_args(batched.key(1)), cm.path(leaves, 0))


def test_each_kind_goes_its_own_way(board, provider, members):
    """Uploads singly as they come, evaluations as one batch: one session may have both."""
    session = open_session(board, provider, members, batched_evaluations=True)
    session.post(session.key(0))
    leaves = session.post_batch(session.messages(0, EVALUATION), 0, EVALUATION)
    for author in range(MEMBERS):
        key = session.key(author, 0, EVALUATION)
        assert counts(session, key, session.message(key), cm.path(leaves, author))
    session.go_to(session.terms.window(1, UPLOAD)[0])
    assert session.refusal(
        "postBatch", session.id, 1, UPLOAD, M, DOCUMENT, sender=provider
    ) == refused("KindSingle", UPLOAD)
    assert session.refusal(
        "post", (session.id, 1, EVALUATION, 0), M, DOCUMENT, sender=provider
    ) == refused("KindBatched", EVALUATION)


# ---------------------------------------------------------------- what is refused


def test_a_second_post_of_a_place_is_refused(session, batched):
    """The board is append-only: what is there stays, whoever posts it, the same or another."""
    key = session.key(1)
    session.post(key)
    session.post_own(key, M)
    at = session.contract.postOf(key_args(key)).postedAt
    own_at = session.contract.ownPostOf(key_args(key)).postedAt
    for message in (session.message(key), b"\x02" * 32):
        assert session.refusal(
            "post", key_args(key), message, DOCUMENT, sender=session.server
        ) == refused("AlreadyPosted", at)
        assert session.refusal(
            "postOwn",
            key_args(key),
            message,
            DOCUMENT,
            session.member_path(1),
            sender=session.members[1],
        ) == refused("AlreadyPosted", own_at)
    batched.post_batch(batched.messages())
    at = batched.contract.postOf(key_args(batched.key())).postedAt
    assert batched.refusal(
        "postBatch", batched.id, 0, UPLOAD, M, DOCUMENT, sender=batched.server
    ) == refused("AlreadyPosted", at)


def test_only_the_server_posts_for_others(session, batched, stranger):
    for sender in (stranger, session.members[0]):
        expected = refused("NotServer", sender, session.server)
        assert (
            session.refusal("post", key_args(session.key()), M, DOCUMENT, sender=sender) == expected
        )
        assert (
            batched.refusal("postBatch", batched.id, 0, 0, M, DOCUMENT, sender=sender) == expected
        )


def test_only_the_member_itself_posts_its_own(session, stranger):
    """Not a stranger, nor another member, nor the server; not under another index or path."""
    key = key_args(session.key(1))
    session.enter(session.key(1))
    for sender in (stranger, session.members[0], session.server):
        assert session.refusal(
            "postOwn", key, M, DOCUMENT, session.member_path(1), sender=sender
        ) == refused("NotMember", sender, 1)
    member = session.members[0]
    for index in (1, 4):
        path = session.member_path(index)
        assert session.refusal(
            "postOwn", key_args(session.key(index)), M, DOCUMENT, path, sender=member
        ) == refused("NotMember", member, index)
    assert session.refusal("postOwn", key, M, DOCUMENT, [], sender=session.members[1]) == refused(
        "ProofLength", 0, 3
    )


def test_nothing_is_no_message(session, batched):
    session.enter(session.key())
    batched.enter(batched.key())  # a second later, where the chain's time went on in between
    nothing, error = bytes(32), refused("MessageZero")
    args = key_args(session.key())
    assert session.refusal("post", args, nothing, DOCUMENT, sender=session.server) == error
    assert (
        batched.refusal("postBatch", batched.id, 0, 0, nothing, DOCUMENT, sender=batched.server)
        == error
    )
    assert (
        session.refusal(
            "postOwn", args, nothing, DOCUMENT, session.member_path(0), sender=session.members[0]
        )
        == error
    )


def test_a_kind_that_does_not_exist_is_refused(session):
    assert session.refusal(
        "post", (session.id, 0, 2, 0), M, DOCUMENT, sender=session.server
    ) == refused("")


@pytest.mark.parametrize("round_", [0, ROUNDS - 1])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_open_and_close_to_the_second(board, provider, members, session, round_, kind):
    """One second before, at the first, at the last, and one after; for all three ways to post."""
    batched = open_batched(board, provider, members, start=session.terms.start)
    start, end = session.terms.window(round_, kind)
    key = key_args(session.key(0, round_, kind))
    for now, expected in (
        (start - 1, refused("TooEarly", start - 1, start)),
        (start, None),
        (end - 1, None),
        (end, refused("TooLate", end, end)),
    ):
        session.go_to(now)
        for name, args, sender in (
            ("post", (key, M, DOCUMENT), provider),
            ("postOwn", (key, M, DOCUMENT, session.member_path(0)), members[0]),
            ("postBatch", (batched.id, round_, kind, M, DOCUMENT), provider),
        ):
            assert session.refusal(name, *args, sender=sender) == expected
