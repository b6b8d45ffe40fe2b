"""What a false server is convicted of, by its own signature or root; and what it is not."""

import pytest

from offchain.crypto import commitments as cm
from offchain.seccl.board import Board
from offchain.seccl.messages import Receipt
from tests.kit.refusals import refused
from tests.kit.snapshots import undone
from tests.seccl.board_driver import (
    ALTERED,
    DOCUMENT,
    EQUIVOCATED,
    EVALUATION,
    KINDS,
    RESPONSE_TIME,
    ROUNDS,
    UNPOSTED,
    UPLOAD,
    key_args,
    open_batched,
    open_session,
    short,
)

M = b"\x01" * 32
NOTHING = bytes(32)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def session(board, provider, members):
    return open_session(board, provider, members)


@pytest.fixture
def batched(board, provider, members):
    return open_batched(board, provider, members)


def closed_to_its_server(session):
    """Whether the server may post no more, and accusations and stakes are settled."""
    expected = refused("SessionFaulty", session.id)
    key, signed = key_args(session.key(1)), session.receipt(session.key(1))
    calls = {
        "post": (key, M, DOCUMENT),
        "postBatch": (session.id, 0, 0, M, DOCUMENT),
        "proveEquivocation": (signed, signed),
        "proveAltered": (signed,),
        "proveAlteredInBatch": (signed, M, []),
        "proveUnposted": (signed,),
        "challenge": (key, 0, []),
        "answer": (key, M, []),
        "withdrawStake": (session.id, session.server),
    }
    return session.faulty and all(
        session.refusal(name, *args, sender=session.server) == expected
        for name, args in calls.items()
    )


# ---------------------------------------------------------------- a server that lies is convicted


def test_a_server_that_signs_two_messages_for_one_place(session, batched, stranger):
    """It tells two participants two things: with single posts, batches, and before any post."""
    for one in (session, batched):
        for kind in KINDS:
            key = one.key(1, 2, kind)
            two = one.receipt(key, b"to one"), one.receipt(key, b"to another", deadline=1)
            with undone():
                receipt = one.contract.proveEquivocation(*two, sender=stranger)
                assert one.conviction(receipt) == (
                    EQUIVOCATED, key, one.message(key, b"to one"), one.message(key, b"to another"),
                )  # fmt: skip
                assert closed_to_its_server(one)


def test_a_server_that_posts_something_else_than_it_signed(session, stranger):
    """At once, whether it signed before or after it posted."""
    key = session.key(3)
    posted = session.message(key, b"altered")
    session.post(key, posted)
    receipt = session.contract.proveAltered(session.receipt(key), sender=stranger)
    found = short(posted).ljust(32, b"\0")
    assert session.conviction(receipt) == (ALTERED, key, session.message(key), found)
    assert closed_to_its_server(session)


@pytest.mark.parametrize("what", ["altered", "dropped"])
def test_a_server_whose_batch_holds_something_else_than_it_signed(batched, stranger, what):
    """The leaf at the author's index shows what is there, and so what is not."""
    messages = batched.messages()
    messages[4] = M if what == "altered" else None
    leaves = batched.post_batch(messages)
    key = batched.key(4)
    receipt = batched.contract.proveAlteredInBatch(
        batched.receipt(key), messages[4] or NOTHING, cm.path(leaves, 4), sender=stranger
    )
    assert batched.conviction(receipt) == (
        ALTERED, key, batched.message(key), messages[4] or NOTHING,
    )  # fmt: skip
    assert closed_to_its_server(batched)


def test_a_server_that_drops_what_it_signed(session, batched, stranger):
    """From the receipt's deadline on, and without a post at all."""
    for one in (session, batched):
        for kind in KINDS:
            key = one.key(2, 0, kind)
            deadline = one.due(key) - 30
            signed = one.receipt(key, deadline=deadline)
            with undone():
                one.go_to(deadline - 1)
                assert one.refusal("proveUnposted", signed, sender=stranger) == refused(
                    "TooEarly", deadline - 1, deadline
                )
                one.at(deadline)
                receipt = one.contract.proveUnposted(signed, sender=stranger)
                assert one.conviction(receipt) == (UNPOSTED, key, one.message(key), NOTHING)
                assert closed_to_its_server(one)


def test_a_server_that_posts_late(session, batched, stranger):
    """A second before the deadline is in time; at it it is not, though the window goes on."""
    for one in (session, batched):
        key = one.key(2)
        deadline = one.due(key) - 30
        signed = one.receipt(key, deadline=deadline)
        for at, late in ((deadline - 1, False), (deadline, True)):
            with undone():
                one.go_to(at - 1)
                one.at(at)
                if one is session:
                    one.contract.post(key_args(key), one.message(key), DOCUMENT, sender=one.server)
                else:
                    root = cm.root_of(one.leaves(one.messages()))
                    one.contract.postBatch(one.id, 0, UPLOAD, root, DOCUMENT, sender=one.server)
                assert one.contract.postOf(key_args(key)).postedAt == at
                one.go_to(deadline)
                expected = None if late else refused("PostedInTime", at, deadline)
                assert one.refusal("proveUnposted", signed, sender=stranger) == expected


def test_a_promise_beyond_the_window_is_due_when_it_ends(session, stranger):
    """Nothing can be posted after that, so there is nothing to wait for."""
    key = session.key()
    signed = session.receipt(key, deadline=2**255)
    session.go_to(session.due(key) - 1)
    assert session.refusal("proveUnposted", signed, sender=stranger) == refused(
        "TooEarly", session.due(key) - 1, session.due(key)
    )
    session.go_to(session.due(key))
    assert session.refusal("proveUnposted", signed, sender=stranger) is None


def test_a_server_that_shows_an_old_message_as_new(session, stranger):
    """A message's hash is of its round, so last round's hash is not what its author sent now."""
    old, new = session.key(1, 0), session.key(1, 1)
    assert session.message(old) != session.message(new)
    session.post(old)
    session.post(new, session.message(old))
    assert not session.is_posted(new, session.message(new))
    assert session.refusal("proveAltered", session.receipt(new), sender=stranger) is None


def test_what_an_author_posts_itself_excuses_no_server(session, batched, stranger):
    """The author helps itself, and the promise stays broken."""
    for one in (session, batched):
        one.post_own(one.key(1), one.message(one.key(1)))
    for one in (session, batched):
        key = one.key(1)
        one.go_to(one.due(key))
        assert one.refusal("proveUnposted", one.receipt(key), sender=stranger) is None


def test_members_still_post_where_the_server_may_not(session, stranger):
    """A conviction silences the server alone."""
    key = session.key(1)
    signed = session.receipt(key), session.receipt(key, b"another")
    session.contract.proveEquivocation(*signed, sender=stranger)
    session.post_own(key, session.message(key))
    assert session.is_posted(key, session.message(key))


# ---------------------------------------------------------------- an honest server is not


def test_receipts_that_were_kept_convict_nobody(session, batched, stranger):
    """Of every round and kind, at once, at the end, and replayed for other proofs."""
    leaves = {}
    for round_ in range(ROUNDS):
        for kind in KINDS:
            session.post(session.key(1, round_, kind))
            leaves[round_, kind] = batched.post_batch(batched.messages(round_, kind), round_, kind)
    session.go_to(max(session.terms.end, batched.terms.end))
    for (round_, kind), tree in leaves.items():
        key = session.key(1, round_, kind)
        signed, due = session.receipt(key), session.due(key)
        message, at = session.message(key), session.contract.postOf(key_args(key)).postedAt
        for name, args, error in (
            ("proveEquivocation", (signed, signed), refused("SameMessage", message)),
            ("proveAltered", (signed,), refused("SameMessage", message)),
            ("proveUnposted", (signed,), refused("PostedInTime", at, due)),
            ("proveAlteredInBatch", (signed, M, []), refused("KindSingle", kind)),
        ):
            assert session.refusal(name, *args, sender=stranger) == error
        key = batched.key(1, round_, kind)
        signed, due, path = batched.receipt(key), batched.due(key), cm.path(tree, 1)
        message, at = batched.message(key), batched.contract.postOf(key_args(key)).postedAt
        root = short(cm.root_of(tree))
        lie = batched.twin.batch_leaves(batched.id, round_, kind, [None, M, None, None, None])
        computed = folded(1, lie[1], path)
        for name, args, error in (
            ("proveAltered", (signed,), refused("KindBatched", kind)),
            ("proveUnposted", (signed,), refused("PostedInTime", at, due)),
            ("proveAlteredInBatch", (signed, message, path), refused("SameMessage", message)),
            ("proveAlteredInBatch", (signed, M, path), refused("LeafNotInBatch", root, computed)),
            ("proveAlteredInBatch", (signed, M, path[1:]), refused("ProofLength", 2, 3)),
        ):
            assert batched.refusal(name, *args, sender=stranger) == error


def folded(index, node, path):
    """What the board makes of a leaf and a path in a tree without odd levels below them."""
    for sibling in path:
        node = cm.keccak(sibling + node if index & 1 else node + sibling)
        index >>= 1
    return short(node)


def test_what_an_author_posts_itself_convicts_no_server(session, stranger):
    """An author that gets a receipt for one message and posts another itself frames nobody."""
    key = session.key(1)
    session.post_own(key, session.message(key, b"another"))
    assert session.refusal("proveAltered", session.receipt(key), sender=stranger) == refused(
        "NotPosted", 0, UPLOAD, 1
    )
    session.post(key)
    assert session.refusal("proveAltered", session.receipt(key), sender=stranger) == refused(
        "SameMessage", session.message(key)
    )
    session.go_to(session.due(key))
    assert session.refusal("proveUnposted", session.receipt(key), sender=stranger).name == (
        "PostedInTime"
    )


def test_two_receipts_of_two_places_contradict_nothing(session, board, rival, members, stranger):
    """Another round, kind, author or session is another place."""
    first = session.receipt(session.key(1))
    other = open_session(board, rival, members)
    for signed in (
        session.receipt(session.key(2)),
        session.receipt(session.key(1, 1)),
        session.receipt(session.key(1, 0, EVALUATION)),
        other.receipt(other.key(1)),
    ):
        assert session.refusal("proveEquivocation", first, signed, sender=stranger) == refused(
            "DifferentKeys"
        )


def test_nothing_posted_cannot_have_been_altered(session, batched, stranger):
    assert session.refusal(
        "proveAltered", session.receipt(session.key()), sender=stranger
    ) == refused("NotPosted", 0, UPLOAD, 0)
    assert batched.refusal(
        "proveAlteredInBatch", batched.receipt(batched.key()), M, [], sender=stranger
    ) == refused("NotPosted", 0, UPLOAD, 0)


# ---------------------------------------------------------------- forged and foreign receipts


def test_a_receipt_that_another_signed_is_refused(session, stranger):
    """By all proofs, and as the second of two as well."""
    key = session.key(1)
    forged = session.receipt(key, b"forged", signer=stranger)
    error = refused("BadSignature", stranger, session.server)
    for name, args in {
        "proveEquivocation": (forged, forged),
        "proveAltered": (forged,),
        "proveAlteredInBatch": (forged, M, []),
        "proveUnposted": (forged,),
    }.items():
        assert session.refusal(name, *args, sender=stranger) == error
    true = session.receipt(key)
    assert session.refusal("proveEquivocation", true, forged, sender=stranger) == error


def test_a_receipt_signed_for_elsewhere_is_refused(session, board, provider, members, stranger):
    """Of another chain, board or session, or with one field changed: no word of this server's."""
    key = session.key(1)
    receipt = Receipt(key, M, session.due(key))
    twin = session.twin
    other = open_session(board, provider, members, rounds=ROUNDS + 1)
    of_other = other.sign(Receipt(other.key(1), M, session.due(key)))
    true = session.sign(receipt)
    foreign = [
        session.sign(receipt, board=Board(twin.chain_id + 1, twin.address)),
        session.sign(receipt, board=Board(twin.chain_id, stranger.address)),
        (key_args(key), *of_other[1:]),
        ((session.id, 1, UPLOAD, 1), *true[1:]),
        ((session.id, 0, EVALUATION, 1), *true[1:]),
        ((session.id, 0, UPLOAD, 2), *true[1:]),
        (true[0], b"\x02" * 32, *true[2:]),
        (*true[:2], session.due(key) - 1, true[3]),
    ]
    session.go_to(session.due(key))
    for signed in foreign:
        for name in ("proveUnposted", "proveAltered"):
            found = session.refusal(name, signed, sender=stranger)
            assert found.name == "BadSignature"
            assert found.args[1] == provider.address
    assert session.refusal("proveUnposted", true, sender=stranger) is None


def test_a_malformed_signature_is_refused_by_name(session, stranger):
    """Too short, too long, of no key, and the other root of a true one."""
    key, message, deadline, signature = session.receipt(session.key())
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    high = (ORDER - s).to_bytes(32, "big")
    for bad, error in (
        (signature[:64], refused("ECDSAInvalidSignatureLength", 64)),
        (signature + b"\0", refused("ECDSAInvalidSignatureLength", 66)),
        (b"", refused("ECDSAInvalidSignatureLength", 0)),
        (bytes(65), refused("ECDSAInvalidSignature")),
        (signature[:32] + high + bytes([55 - v]), refused("ECDSAInvalidSignatureS", high)),
    ):
        signed = key, message, deadline, bad
        assert session.refusal("proveUnposted", signed, sender=stranger) == error


# ---------------------------------------------------------------- when accusations end


def test_accusations_end_three_response_times_after_the_session(session, stranger):
    """To the second; afterwards the stake is the server's, and nothing convicts it any more."""
    key = session.key(1, ROUNDS - 1, EVALUATION)
    two = session.receipt(key), session.receipt(key, b"another")
    end = session.terms.end + 3 * RESPONSE_TIME
    session.go_to(end - 1)
    assert session.refusal("proveEquivocation", *two, sender=stranger) is None
    assert session.refusal("proveUnposted", two[0], sender=stranger) is None
    assert session.refusal(
        "withdrawStake", session.id, session.server, sender=session.server
    ) == refused("TooEarly", end - 1, end)
    session.go_to(end)
    late = refused("TooLate", end, end)
    assert session.refusal("proveEquivocation", *two, sender=stranger) == late
    assert session.refusal("proveUnposted", two[0], sender=stranger) == late
    assert session.refusal("proveAltered", two[0], sender=stranger) == late
    assert session.refusal("proveAlteredInBatch", two[0], M, [], sender=stranger) == late
    assert (
        session.refusal("withdrawStake", session.id, session.server, sender=session.server) is None
    )
