"""Attacks that the board withstands, and that succeed where the defence against them is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import LONGEST_WINDOW, NATIVE
from tests.kit.mock_contracts import compile_mocks, deploy_token
from tests.kit.refusals import refusal
from tests.kit.weakened import check_attack, compile_switched
from tests.seccl.board_driver import (
    DOCUMENT,
    EVALUATION,
    MEMBERS,
    UPLOAD,
    BoardDriver,
    key_args,
    make_terms,
    open_batched,
    open_session,
)
from tests.seccl.weakened import BOARD, WEAKENINGS

M = b"\x01" * 32


@pytest.fixture(scope="module")
def weak(board, deployer):
    """Weakened boards by name."""
    copies = compile_switched(WEAKENINGS, BOARD, large=True)
    return {name: deployer.deploy(code) for name, code in copies.items()}


def leaves_members_no_time(board, server, members, stranger):
    """A server agrees on a second for uploads: what it withholds no member can post itself."""
    terms = make_terms(board, server, members, stake=0)
    words = list(terms.words())
    words[5] = 1
    made = tuple(words), DOCUMENT
    if refusal(board.createSession, *made, sender=server) is not None:
        return False
    (log,) = board.SessionCreated.from_receipt(board.createSession(*made, sender=server))
    session = BoardDriver(board, bytes(log.session), terms, server, tuple(members))
    session.go_to(terms.start + 1)
    args = key_args(session.key()), M, DOCUMENT, session.member_path(0)
    return not session.goes("postOwn", *args, sender=members[0])


def answers_two_questions_a_session(board, server, members, stranger):
    """A server agrees on thirty days to answer in and never shows a batch: by the time it has
    answered a member's first question, the member may ask no more."""
    terms = make_terms(board, server, members, stake=0, batched_uploads=True)
    words = list(terms.words())
    words[7] = LONGEST_WINDOW
    made = tuple(words), DOCUMENT
    if refusal(board.createSession, *made, sender=server) is not None:
        return False
    (log,) = board.SessionCreated.from_receipt(board.createSession(*made, sender=server))
    session = BoardDriver(board, bytes(log.session), terms, server, tuple(members))
    unasked = 0
    for round_ in range(terms.rounds):
        leaves = session.leaves(session.messages(round_), round_)
        session.enter(session.key(0, round_))
        root = cm.root_of(leaves)
        board.postBatch(session.id, round_, int(UPLOAD), root, DOCUMENT, sender=server)
        args = key_args(session.key(0, round_)), 0, session.member_path(0)
        if session.goes("challenge", *args, sender=members[0]):
            board.challenge(*args, sender=members[0])
        else:
            unasked += 1
    return unasked == terms.rounds - 1


def rewrites_the_board(board, server, members, stranger):
    """A server posts one message, and another over it."""
    session = open_session(board, server, members)
    session.post(session.key())
    return session.goes("post", key_args(session.key()), M, DOCUMENT, sender=server)


def breaks_a_promise_for_a_while(board, server, members, stranger):
    """A server posts after its receipt's deadline, and nobody can convict it."""
    session = open_session(board, server, members)
    key = session.key()
    session.enter(key)
    signed = session.receipt(key, deadline=session.terms.start + 1)
    session.go_to(session.terms.start + 5)
    session.post(key)
    return not session.goes("proveUnposted", signed, sender=stranger)


def convicts_by_a_forged_receipt(board, server, members, stranger):
    """A stranger signs a receipt itself."""
    session = open_session(board, server, members)
    session.post(session.key())
    forged = session.receipt(session.key(), b"never sent", signer=stranger)
    return session.goes("proveAltered", forged, sender=stranger)


def frames_the_server_by_an_old_key(board, server, members, stranger):
    """Who has stolen a key signs for a round before which it was replaced."""
    session = open_session(board, server, members)
    board.replaceSigner(session.id, members[0], sender=server)
    session.enter(session.key(0))
    board.replaceSigner(session.id, members[1], sender=server)
    session.post(session.key(0, 1))
    stolen = session.receipt(session.key(0, 1), b"never sent", signer=members[0])
    return session.goes("proveAltered", stolen, sender=stranger)


def escapes_by_a_new_key(board, server, members, stranger):
    """A server breaks its word and has the next round's receipts signed by another key."""
    session = open_session(board, server, members)
    session.post(session.key())
    board.replaceSigner(session.id, members[0], sender=server)
    signed = session.receipt(session.key(), b"another")
    return not session.goes("proveAltered", signed, sender=stranger)


def frames_the_server_by_its_own_post(board, server, members, stranger):
    """An author gets a receipt, and posts something else itself."""
    session = open_session(board, server, members)
    session.post_own(session.key(1), session.message(session.key(1), b"another"))
    return session.goes("proveAltered", session.receipt(session.key(1)), sender=stranger)


def answers_with_another_kinds_batch(board, server, members, stranger):
    """A server of two roots without trees makes one pass for an answer about the other.

    Author 65,537 of the uploads would be kept where author 1 of the evaluations is.
    """
    session = open_batched(board, server, members)
    alias = session.key(2**16 + 1, 0, UPLOAD)
    domain = cm.keccak(
        cm.keccak(b"souk.board.batch.v1")
        + b"".join(map(cm.word, (session.twin.chain_id, board.address, session.id, 0, 0)))
    )
    leaf = cm.keccak(cm.leaf(domain, alias.author, M))
    session.enter(session.key())
    board.postBatch(session.id, 0, int(UPLOAD), cm.keccak(M + leaf), DOCUMENT, sender=server)
    session.enter(session.key(0, 0, EVALUATION))
    board.postBatch(session.id, 0, int(EVALUATION), M, DOCUMENT, sender=server)
    session.challenge(session.key(1, 0, EVALUATION))
    return session.goes("answer", key_args(alias), M, [M], sender=server)


def leaves_with_its_stake(board, server, members, stranger):
    """A server never answers, and waits until everybody sleeps."""
    session = open_batched(board, server, members)
    session.post_batch(session.messages())
    session.challenge(session.key())
    session.go_to(session.terms.accusation_end)
    return session.goes("withdrawStake", session.id, server, sender=server)


def claims_the_others_shares(board, server, members, stranger):
    """A member of a convicted server's session claims again and again."""
    session = open_session(board, server, members)
    two = session.receipt(session.key(), b"one"), session.receipt(session.key(), b"other")
    board.proveEquivocation(*two, sender=stranger)
    args = session.id, 0, session.member_path(0), members[0]
    board.claimShare(*args, sender=members[0])
    return session.goes("claimShare", *args, sender=members[0])


def shows_one_message_as_anothers(board, server, members, stranger):
    """A server puts one author's leaf at all indices, and shows its message as another's."""
    session = open_batched(board, server, members)
    message = session.message(session.key(0))
    leaves = session.leaves([message]) * MEMBERS
    session.enter(session.key())
    board.postBatch(session.id, 0, int(UPLOAD), cm.root_of(leaves), DOCUMENT, sender=server)
    return session.is_posted(session.key(3), message, cm.path(leaves, 3))


def earns_by_answering(board, server, members, stranger):
    """A server that altered a message is asked for it, answers, and keeps the bond of whoever then
    convicts it."""
    session = open_batched(board, server, members)
    messages = session.messages()
    messages[2] = None
    leaves = session.post_batch(messages)
    key, path = session.key(2), cm.path(leaves, 2)
    session.challenge(key, member=2)
    board.answer(key_args(key), bytes(32), path, sender=server)
    board.proveAlteredInBatch(session.receipt(key), bytes(32), path, sender=members[2])
    return not session.goes("settle", key_args(key), sender=members[2])


def is_taken_for_absent(board, server, members, stranger):
    """A server leaves a message out of its batch, and calls its author absent, who has posted it
    itself."""
    session = open_batched(board, server, members)
    leaves = session.post_batch([None, *session.messages()[1:]])
    session.post_own(session.key(0), M)
    session.go_to(session.due(session.key(0)))
    return board.isEmpty(key_args(session.key(0)), cm.path(leaves, 0))


def asks_without_end(board, server, members, stranger):
    """One member has two questions open."""
    session = open_batched(board, server, members)
    session.post_batch(session.messages())
    session.challenge(session.key(0), member=2)
    args = key_args(session.key(1)), 2, session.member_path(2)
    return session.goes("challenge", *args, sender=members[2], value=session.terms.bond)


def spoils_an_answer(board, server, members, stranger):
    """Somebody answers one of two questions first, so that the server's answer of both fails."""
    session = open_batched(board, server, members)
    leaves = session.post_batch(session.messages())
    shown = []
    for author in range(2):
        key = session.key(author)
        session.challenge(key, author)
        shown.append((key_args(key), session.message(key), cm.path(leaves, author)))
    board.answer(*shown[0], sender=stranger)
    return not session.goes("answerMany", shown, sender=server)


def pays_in_play_money(board, server, members, stranger):
    """A server and its friend have a session in a token of their own, and take the coins of an
    honest session for a bond in it."""
    open_session(board, server, members)
    play = deploy_token(compile_mocks()["PlainToken"], stranger, [stranger, members[0]])
    session = open_batched(board, stranger, members, token=play)
    session.post_batch(session.messages())
    session.go_to(session.challenge(session.key()))
    board.settle(key_args(session.key()), sender=stranger)
    return session.goes("withdrawBonds", NATIVE, members[0], sender=members[0])


ATTACKS = {
    "takes any window": leaves_members_no_time,
    "takes any response time": answers_two_questions_a_session,
    "what an author posts itself is nothing": is_taken_for_absent,
    "overwrites posts": rewrites_the_board,
    "takes late for in time": breaks_a_promise_for_a_while,
    "believes any signature": convicts_by_a_forged_receipt,
    "old keys sign for ever": frames_the_server_by_an_old_key,
    "the newest key has signed all": escapes_by_a_new_key,
    "a new key counts at once": escapes_by_a_new_key,
    "takes own posts for the server's": frames_the_server_by_its_own_post,
    "answers from any place": answers_with_another_kinds_batch,
    "forgets open questions": leaves_with_its_stake,
    "pays shares without marking": claims_the_others_shares,
    "leaves have no place": shows_one_message_as_anothers,
    "bonds of answers are the server's": earns_by_answering,
    "all bonds are in coins": pays_in_play_money,
    "members ask without bound": asks_without_end,
    "one answer too many spoils all": spoils_an_answer,
}


def test_every_weakening_has_its_attack():
    assert ATTACKS.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_needs_the_weakness(board, weak, provider, members, stranger, name):
    check_attack(ATTACKS[name], board, weak[name], provider, members, stranger)
