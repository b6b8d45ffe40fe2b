"""A server that keeps a batch's leaves to itself must show them, and an honest one can."""

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from tests.kit.refusals import refused
from tests.kit.snapshots import undone
from tests.seccl.board_driver import (
    ALTERED,
    BOND,
    DOCUMENT,
    EVALUATION,
    MEMBERS,
    RESPONSE_TIME,
    ROUNDS,
    STAKE,
    UNANSWERED,
    UPLOAD,
    key_args,
    open_batched,
    open_session,
    short,
)

M = b"\x01" * 32
NOTHING = bytes(32)


@pytest.fixture
def session(board, provider, members):
    return open_batched(board, provider, members)


def test_a_challenge_brings_the_leaf_to_light(session, stranger):
    """Whoever answers it, the path is on the chain, and the bond is the server's with its stake."""
    messages = session.messages()
    leaves = session.post_batch(messages)
    key, path = session.key(4), cm.path(leaves, 4)
    deadline = session.challenge(key, member=1)
    assert tuple(session.contract.challengeOf(key_args(key))) == (
        session.members[1].address, deadline, False,
    )  # fmt: skip
    assert session.contract.status(session.id).openChallenges == 1
    receipt = session.contract.answer(key_args(key), messages[4], path, sender=stranger)
    (log,) = session.contract.Answered.from_receipt(receipt)
    assert (bytes(log.session), log.author, log.round, log.kind, bytes(log.message)) == (
        session.id, 4, 0, UPLOAD, messages[4],
    )  # fmt: skip
    assert session.is_posted(key, bytes(log.message), [bytes(node) for node in log.path])
    for account in (session.server, session.members[1]):
        assert session.contract.owed(NATIVE, account) == 0
    assert session.contract.status(session.id).openChallenges == 0
    assert not session.faulty


def test_what_an_answer_shows_may_convict(session):
    """A server that cannot hide the leaf and signed another is convicted with its own answer, and
    who asked gets its bond back besides its share."""
    messages = session.messages()
    signed = session.receipt(session.key(2))
    messages[2] = None
    leaves = session.post_batch(messages)
    session.challenge(session.key(2), member=2)
    answer = session.contract.answer(
        key_args(session.key(2)), NOTHING, cm.path(leaves, 2), sender=session.server
    )
    (log,) = session.contract.Answered.from_receipt(answer)
    receipt = session.contract.proveAlteredInBatch(
        signed, log.message, log.path, sender=session.members[2]
    )
    assert session.conviction(receipt)[0] == ALTERED
    session.contract.settle(key_args(session.key(2)), sender=session.server)
    assert session.contract.owed(NATIVE, session.members[2]) == BOND <= STAKE // MEMBERS
    assert session.contract.owed(NATIVE, session.server) == 0
    assert session.refusal("settle", key_args(session.key(2)), sender=session.server) == refused(
        "NotChallenged", 0, UPLOAD, 2
    )


def test_a_flood_of_questions_is_answered_at_once(session, stranger):
    """No member has two open, so there are as many as members at most, and one call answers them
    all, also when somebody answers one of them first."""
    leaves = session.post_batch(session.messages())
    asked = range(MEMBERS - 1)
    for author in asked:
        session.challenge(session.key(author), author)
    last = key_args(session.key(MEMBERS - 1))
    path = session.member_path(1)
    assert session.refusal(
        "challenge", last, 1, path, sender=session.members[1], value=BOND
    ) == refused("StillAsking", 1)
    shown = [
        (key_args(session.key(a)), session.message(session.key(a)), cm.path(leaves, a))
        for a in asked
    ]
    wrong = [(shown[0][0], M, shown[0][2])]
    found = session.refusal("answerMany", wrong, sender=stranger)
    assert (found.name, found.args[0]) == ("LeafNotInBatch", short(cm.root_of(leaves)))
    session.contract.answer(*shown[2], sender=stranger)
    receipt = session.contract.answerMany(shown, sender=session.server)
    answered = session.contract.Answered.from_receipt(receipt)
    assert [log.author for log in answered] == [0, 1, 3]
    assert session.contract.status(session.id).openChallenges == 0
    session.challenge(session.key(MEMBERS - 1), 1)


def test_silence_convicts_from_the_deadline_on_and_no_second_before(session, stranger):
    """An answer at the last second is in time; one at the deadline is not."""
    leaves = session.post_batch(session.messages())
    key = session.key(3)
    deadline = session.challenge(key)
    args = key_args(key), session.message(key), cm.path(leaves, 3)
    session.go_to(deadline - 1)
    assert session.refusal("settle", args[0], sender=stranger) == refused(
        "TooEarly", deadline - 1, deadline
    )
    assert session.refusal("answer", *args, sender=session.server) is None
    session.go_to(deadline)
    assert session.refusal("answer", *args, sender=session.server) == refused(
        "TooLate", deadline, deadline
    )
    receipt = session.contract.settle(args[0], sender=stranger)
    assert session.conviction(receipt) == (UNANSWERED, key, NOTHING, NOTHING)
    (log,) = session.contract.ChallengeReturned.from_receipt(receipt)
    assert (bytes(log.session), log.author, log.round, log.kind) == (session.id, 3, 0, UPLOAD)
    assert session.contract.owed(NATIVE, session.members[0]) == BOND
    assert session.contract.owed(NATIVE, session.server) == 0


def test_a_root_of_nothing_cannot_be_answered_for(session, stranger):
    """A server that posts a root without a tree shows no leaf of it."""
    session.enter(session.key())
    session.contract.postBatch(session.id, 0, UPLOAD, M, DOCUMENT, sender=session.server)
    deadline = session.challenge(session.key(1))
    leaves = session.leaves(session.messages())
    computed = short(cm.root_of(leaves))
    args = key_args(session.key(1)), session.message(session.key(1)), cm.path(leaves, 1)
    assert session.refusal("answer", *args, sender=session.server) == refused(
        "LeafNotInBatch", short(M), computed
    )
    session.go_to(deadline)
    session.contract.settle(args[0], sender=stranger)
    assert session.faulty


def test_only_the_leaf_that_was_asked_for_answers(session):
    """Not another author's, nor another round's, nor a path that is too long."""
    first = session.post_batch(session.messages())
    second = session.post_batch(session.messages(1), 1)
    key = session.key(1, 1)
    session.challenge(key)
    root = short(cm.root_of(second))
    for message, path in (
        (session.message(session.key(0, 1)), cm.path(second, 0)),
        (session.message(session.key(1)), cm.path(first, 1)),
        (NOTHING, cm.path(second, 1)),
    ):
        found = session.refusal("answer", key_args(key), message, path, sender=session.server)
        assert (found.name, found.args[0]) == ("LeafNotInBatch", root)
    path = [*cm.path(second, 1), M]
    assert session.refusal(
        "answer", key_args(key), session.message(key), path, sender=session.server
    ) == refused("ProofLength", 4, 3)


def test_a_leaf_is_asked_for_once(session):
    """Not while the question is open, nor after the answer: members cannot wear a server out."""
    leaves = session.post_batch(session.messages())
    key = session.key(1)
    session.challenge(key)
    again = refused("AlreadyChallenged", 0, UPLOAD, 1)
    path = session.member_path(2)

    def ask():
        return session.refusal(
            "challenge", key_args(key), 2, path, sender=session.members[2], value=BOND
        )

    assert ask() == again
    session.contract.answer(
        key_args(key), session.message(key), cm.path(leaves, 1), sender=session.server
    )
    assert ask() == again
    nobody = refused("NotChallenged", 0, UPLOAD, 1)
    assert session.refusal("settle", key_args(key), sender=session.server) == nobody
    assert (
        session.refusal(
            "answer", key_args(key), session.message(key), cm.path(leaves, 1), sender=session.server
        )
        == nobody
    )


def test_only_a_member_asks_for_the_bond_and_of_a_batch(
    session, board, provider, members, stranger
):
    key = key_args(session.key(1))
    asker, path = members[0], session.member_path(0)
    assert session.refusal("challenge", key, 0, path, sender=asker, value=BOND) == refused(
        "NotPosted", 0, UPLOAD, 1
    )
    session.post_batch(session.messages())
    for value in (0, BOND - 1, BOND + 1):
        assert session.refusal("challenge", key, 0, path, sender=asker, value=value) == refused(
            "WrongPayment", value, BOND
        )
    for sender in (stranger, provider, members[1]):
        assert session.refusal("challenge", key, 0, path, sender=sender, value=BOND) == refused(
            "NotMember", sender, 0
        )
    assert session.refusal("challenge", key, MEMBERS, path, sender=asker, value=BOND) == refused(
        "AuthorOutOfRange", MEMBERS, MEMBERS
    )
    singly = open_session(board, provider, members, batched_evaluations=True)
    assert session.refusal(
        "challenge", key_args(singly.key(1)), 0, path, sender=asker, value=BOND
    ) == refused("KindSingle", UPLOAD)


def test_questions_end_one_response_time_after_the_session(session):
    """So that every answer, and what it proves, still finds the stake."""
    leaves = session.post_batch(session.messages(ROUNDS - 1, EVALUATION), ROUNDS - 1, EVALUATION)
    key = session.key(1, ROUNDS - 1, EVALUATION)
    end = session.terms.end + RESPONSE_TIME
    args = key_args(key), 0, session.member_path(0)
    session.go_to(end)
    assert session.refusal("challenge", *args, sender=session.members[0], value=BOND) == refused(
        "TooLate", end, end
    )
    assert not session.faulty
    assert leaves


def test_the_last_question_is_settled_within_the_time_of_accusations(session):
    """Asked and answered at the last seconds, there is a response time left to convict."""
    messages = session.messages(ROUNDS - 1, EVALUATION)
    messages[1] = None
    leaves = session.post_batch(messages, ROUNDS - 1, EVALUATION)
    key = session.key(1, ROUNDS - 1, EVALUATION)
    session.go_to(session.terms.end + RESPONSE_TIME - 2)
    session.at(session.terms.end + RESPONSE_TIME - 1)
    deadline = session.challenge(key)
    assert deadline == session.terms.end + 2 * RESPONSE_TIME - 1
    session.go_to(deadline - 2)
    session.at(deadline - 1)
    path = cm.path(leaves, 1)
    session.contract.answer(key_args(key), NOTHING, path, sender=session.server)
    session.go_to(session.contract.accusationEnd(session.id) - 1)
    assert (
        session.refusal(
            "proveAlteredInBatch", session.receipt(key), NOTHING, path, sender=session.members[1]
        )
        is None
    )


def test_an_open_question_keeps_the_stake_until_somebody_settles(session, stranger):
    """If everybody sleeps through the time of accusations, the server still does not escape."""
    session.post_batch(session.messages())
    key = session.key(1)
    session.challenge(key)
    session.go_to(session.contract.accusationEnd(session.id) + 10**6)
    assert session.refusal(
        "withdrawStake", session.id, session.server, sender=session.server
    ) == refused("ChallengesOpen", 1)
    session.contract.settle(key_args(key), sender=stranger)
    assert session.faulty
    assert session.refusal(
        "withdrawStake", session.id, session.server, sender=session.server
    ) == refused("SessionFaulty", session.id)


def test_all_bonds_come_back_when_the_server_is_convicted(session, stranger):
    """By whichever proof, at once and without a wait; and the server cannot earn them any more."""
    leaves = session.post_batch(session.messages())
    keys = [session.key(a) for a in range(3)]
    for member, key in enumerate(keys):
        session.challenge(key, member)
    two = session.receipt(keys[0], b"one"), session.receipt(keys[0], b"other")
    session.contract.proveEquivocation(*two, sender=stranger)
    for member, key in enumerate(keys):
        assert session.refusal(
            "answer", key_args(key), session.message(key), cm.path(leaves, member),
            sender=session.server,
        ) == refused("SessionFaulty", session.id)  # fmt: skip
        receipt = session.contract.settle(key_args(key), sender=stranger)
        assert not session.contract.ServerFaulty.from_receipt(receipt)
        assert session.contract.owed(NATIVE, session.members[member]) == BOND
    assert session.contract.owed(NATIVE, session.server) == 0
    with undone():
        assert session.refusal("settle", key_args(keys[0]), sender=stranger) == refused(
            "NotChallenged", 0, UPLOAD, 0
        )
