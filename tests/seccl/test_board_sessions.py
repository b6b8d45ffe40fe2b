"""What a session is: its terms, its id, its schedule, and what is refused when it opens."""

from dataclasses import replace

import ape
import pytest
from eth_account.messages import encode_typed_data

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import LONGEST_WINDOW as LONGEST
from offchain.crypto.settlement import SHORTEST_WINDOW as SHORTEST
from offchain.seccl.messages import (
    MEMBERS_LIMIT,
    ROUNDS_LIMIT,
    TIME_LIMIT,
    MessageKind,
    PostKey,
    Receipt,
)
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone
from tests.seccl.board_driver import (
    DOCUMENT,
    EVALUATION,
    EVALUATION_TIME,
    KINDS,
    MEMBERS,
    RESPONSE_TIME,
    ROUNDS,
    STAKE,
    UPLOAD,
    UPLOAD_TIME,
    key_args,
    make_terms,
    open_session,
    short,
    twin_of,
)

UINT32 = 2**32 - 1


@pytest.fixture
def session(board, provider, members):
    return open_session(board, provider, members)


# ---------------------------------------------------------------- what is agreed


def test_an_announcement_is_told_and_leaves_nothing(board, provider):
    """Whoever looks for members is found by the event, which names who it was."""
    task, until = bytes(range(32)), 2**40
    receipt = board.announce(DOCUMENT, task, until, sender=provider)
    (log,) = board.Announced.from_receipt(receipt)
    told = log.server, bytes(log.document), bytes(log.task), log.until
    assert told == (provider.address, DOCUMENT, task, until)
    # Again, and whatever it says: it binds nobody.
    board.announce(DOCUMENT, task, 0, sender=provider)
    assert board.balance == 0


def test_terms_are_readable_in_one_call_and_the_event_tells_all_of_them(board, provider, members):
    """A member who knows the id can check what it takes part in, and rebuild it from events."""
    terms = make_terms(board, provider, members, batched_evaluations=True)
    receipt = board.createSession(terms.words(), DOCUMENT, value=STAKE, sender=provider)
    (log,) = board.SessionCreated.from_receipt(receipt)
    session = twin_of(board).session_id(terms)
    assert (bytes(log.session), log.server, bytes(log.document)) == (
        session, provider.address, DOCUMENT,
    )  # fmt: skip
    assert tuple(board.terms(session)) == terms.words()
    # Inside a struct of an event Ape leaves addresses in lower case.
    server, *told = (log.terms[i] for i in range(len(terms.words())))
    assert (server, *told) == (terms.server.lower(), *terms.words()[1:])
    assert tuple(board.status(session)) == (False, 0, False)
    assert board.balance == STAKE
    assert board.version() == 4
    assert board.accusationEnd(session) == terms.accusation_end
    assert terms.accusation_end == terms.end + 3 * RESPONSE_TIME


def test_the_id_changes_with_every_term_and_the_document(board, provider, members):
    """Nobody can be brought to take part in another session under the same id."""
    terms = make_terms(board, provider, members)
    twin = twin_of(board)
    changes = {
        "server": members[0].address, "member_root": b"\x01" * 32, "members": 10, "rounds": 4,
        "start": terms.start + 1,
        "upload_time": 1_201, "evaluation_time": 961, "response_time": 601,
        "batched_uploads": True, "batched_evaluations": True, "stake": 2 * STAKE, "bond": 0,
        "document": b"\x0e" * 32, "token": members[0].address,
    }  # fmt: skip
    ids = {twin.session_id(replace(terms, **{name: new})) for name, new in changes.items()}
    assert len(ids | {twin.session_id(terms)}) == 1 + len(changes)


def test_the_caller_is_the_server_whomever_it_names(board, provider, stranger, members):
    """Nobody can open a session in another's name."""
    named = make_terms(board, provider, members)
    receipt = board.createSession(named.words(), DOCUMENT, value=STAKE, sender=stranger)
    (log,) = board.SessionCreated.from_receipt(receipt)
    assert board.terms(log.session).server == stranger.address
    assert bytes(log.session) == twin_of(board).session_id(
        make_terms(board, stranger, members, start=named.start)
    )


def test_windows_follow_each_other_without_a_gap(session):
    """At every second of a session exactly one round and kind is posted."""
    expected = session.terms.start
    for round_ in range(ROUNDS):
        for kind, length in ((UPLOAD, UPLOAD_TIME), (EVALUATION, EVALUATION_TIME)):
            window = tuple(session.contract.windowOf(session.id, round_, int(kind)))
            assert window == (expected, expected + length) == session.terms.window(round_, kind)
            expected += length
    assert expected == session.terms.end


def test_the_largest_session_keeps_its_terms(board, provider, members):
    """Every field at its limit, so none spills into another."""
    terms = replace(
        make_terms(board, provider, members),
        members=MEMBERS_LIMIT, rounds=ROUNDS_LIMIT, upload_time=TIME_LIMIT,
        evaluation_time=TIME_LIMIT, response_time=TIME_LIMIT, batched_uploads=True,
        batched_evaluations=True, bond=10**15, stake=MEMBERS_LIMIT * 10**15,
        start=ape.chain.blocks.head.timestamp + 2 * LONGEST,
    )  # fmt: skip
    board.createSession(terms.words(), DOCUMENT, value=terms.stake, sender=provider)
    session = twin_of(board).session_id(terms)
    assert tuple(board.terms(session)) == terms.words()
    last = tuple(board.windowOf(session, ROUNDS_LIMIT - 1, int(EVALUATION)))
    assert last == terms.window(ROUNDS_LIMIT - 1, EVALUATION)
    assert board.accusationEnd(session) == terms.accusation_end


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("field", "value", "error", "arguments"),
    [
        (2, 0, "MembersOutOfRange", (0, MEMBERS_LIMIT)),
        (2, MEMBERS_LIMIT + 1, "MembersOutOfRange", (MEMBERS_LIMIT + 1, MEMBERS_LIMIT)),
        (3, 0, "RoundsOutOfRange", (0, ROUNDS_LIMIT)),
        (3, ROUNDS_LIMIT + 1, "RoundsOutOfRange", (ROUNDS_LIMIT + 1, ROUNDS_LIMIT)),
        (5, SHORTEST - 1, "WindowOutOfRange", (SHORTEST - 1, SHORTEST, LONGEST)),
        (5, TIME_LIMIT + 1, "TimeOutOfRange", (TIME_LIMIT + 1, TIME_LIMIT)),
        (6, SHORTEST - 1, "WindowOutOfRange", (SHORTEST - 1, SHORTEST, LONGEST)),
        (6, TIME_LIMIT + 1, "TimeOutOfRange", (TIME_LIMIT + 1, TIME_LIMIT)),
        (7, SHORTEST - 1, "WindowOutOfRange", (SHORTEST - 1, SHORTEST, LONGEST)),
        (7, EVALUATION_TIME + 1, "ResponseTimeTooLong", (EVALUATION_TIME + 1, EVALUATION_TIME)),
        (10, STAKE + 1, "StakeNotDivisible", (STAKE + 1, MEMBERS)),
        (11, STAKE // MEMBERS + 1, "BondTooHigh", (STAKE // MEMBERS + 1, STAKE // MEMBERS)),
    ],
)
def test_terms_out_of_range_are_refused_by_name(session, provider, field, value, error, arguments):
    words = list(session.terms.words())
    words[field] = value
    assert session.refusal("createSession", tuple(words), DOCUMENT, sender=provider) == refused(
        error, *arguments
    )


def test_a_session_starts_within_sixty_days_and_ends_before_2106(session, provider):
    length = ROUNDS * (UPLOAD_TIME + EVALUATION_TIME)

    def starting(start):
        words = list(session.terms.words())
        words[4] = start
        return session.refusal(
            "createSession", tuple(words), DOCUMENT, sender=provider, value=STAKE
        )

    now = ape.chain.blocks.head.timestamp
    ends = now, now + 2 * LONGEST
    assert starting(now) is None
    assert starting(now - 1) == refused("StartOutOfRange", now - 1, *ends)
    assert starting(ends[1]) is None
    assert starting(ends[1] + 1) == refused("StartOutOfRange", ends[1] + 1, *ends)
    with undone():
        session.go_to(UINT32 - length - 10)
        assert starting(UINT32 - length) is None
        assert starting(UINT32 - length + 1) == refused("TimeOutOfRange", UINT32 + 1, UINT32)


def test_the_stake_must_be_paid_and_the_terms_be_new(session, provider):
    args = session.terms.words(), DOCUMENT
    new = session.terms.words(), b"\x0e" * 32
    for value in (0, STAKE - 1, STAKE + 1):
        assert session.refusal("createSession", *new, sender=provider, value=value) == refused(
            "WrongPayment", value, STAKE
        )
    assert session.refusal("createSession", *args, sender=provider, value=STAKE) == refused(
        "SessionExists", session.id
    )


def test_a_contract_opens_no_session(board, members, deployer, mocks):
    """It could sign no receipt that counts, so its members would have nothing against it."""
    puppet = deployer.deploy(mocks["Puppet"])
    words = make_terms(board, puppet, members, stake=0).words()
    assert refusal(board.createSession, words, DOCUMENT, sender=puppet) == refused(
        "ServerIsContract", puppet
    )


def test_an_unknown_session_is_named(session, stranger):
    unknown = b"\x99" * 32
    key = (unknown, 0, 0, 0)
    receipt = (key, b"\x01" * 32, 1, bytes(65))
    calls = {
        "post": (key, b"\x01" * 32, DOCUMENT),
        "replaceSigner": (unknown, stranger),
        "signerOf": (unknown, 0),
        "postBatch": (unknown, 0, 0, b"\x01" * 32, DOCUMENT),
        "postOwn": (key, b"\x01" * 32, DOCUMENT, []),
        "proveEquivocation": (receipt, receipt),
        "proveAltered": (receipt,),
        "proveAlteredInBatch": (receipt, b"\x01" * 32, []),
        "proveUnposted": (receipt,),
        "challenge": (key, 0, []),
        "answer": (key, b"\x01" * 32, []),
        "answerMany": ([(key, b"\x01" * 32, [])],),
        "settle": (key,),
        "claimShare": (unknown, 0, [], stranger),
        "withdrawStake": (unknown, stranger),
        "terms": (unknown,),
        "status": (unknown,),
        "windowOf": (unknown, 0, 0),
        "accusationEnd": (unknown,),
        "postOf": (key,),
        "ownPostOf": (key,),
        "isPosted": (key, b"\x01" * 32, []),
        "isEmpty": (key, []),
        "challengeOf": (key,),
    }
    for name, args in calls.items():
        assert session.refusal(name, *args, sender=stranger) == refused("UnknownSession", unknown)


def test_places_out_of_range_are_named(session, provider):
    """A round or an author that does not exist is never mistaken for another's place."""
    alias = 1 << 16  # where the kind begins in the place of a post
    for key, error in (
        ((session.id, ROUNDS, 0, 0), refused("RoundOutOfRange", ROUNDS, ROUNDS)),
        ((session.id, 2**255, 0, 0), refused("RoundOutOfRange", 2**255, ROUNDS)),
        ((session.id, 0, 0, MEMBERS), refused("AuthorOutOfRange", MEMBERS, MEMBERS)),
        ((session.id, 0, 0, alias), refused("AuthorOutOfRange", alias, MEMBERS)),
    ):
        signed = session.sign(
            Receipt(PostKey(key[0], key[1], MessageKind(key[2]), key[3]), b"\x01" * 32, 1)
        )
        for name, args in {
            "post": (key, b"\x01" * 32, DOCUMENT),
            "postOwn": (key, b"\x01" * 32, DOCUMENT, []),
            "proveEquivocation": (signed, signed),
            "proveAltered": (signed,),
            "proveAlteredInBatch": (signed, b"\x01" * 32, []),
            "proveUnposted": (signed,),
            "challenge": (key, 0, []),
            "answer": (key, b"\x01" * 32, []),
            "settle": (key,),
            "postOf": (key,),
            "ownPostOf": (key,),
            "isPosted": (key, b"\x01" * 32, []),
            "isEmpty": (key, []),
            "challengeOf": (key,),
        }.items():
            assert session.refusal(name, *args, sender=provider) == error, name
    assert session.refusal("windowOf", session.id, ROUNDS, 0, sender=provider) == refused(
        "RoundOutOfRange", ROUNDS, ROUNDS
    )
    assert session.refusal("signerOf", session.id, ROUNDS, sender=provider) == refused(
        "RoundOutOfRange", ROUNDS, ROUNDS
    )
    assert session.refusal(
        "postBatch", session.id, ROUNDS, 0, b"\x01" * 32, DOCUMENT, sender=provider
    ) == (refused("RoundOutOfRange", ROUNDS, ROUNDS))
    assert session.refusal("claimShare", session.id, 0, [], provider, sender=provider) == refused(
        "NotFaulty", session.id
    )


# ---------------------------------------------------------------- the twin


def test_a_receipt_is_the_same_to_contract_twin_and_wallet(session):
    """Three implementations of EIP-712 agree on what is signed."""
    for kind in KINDS:
        receipt = Receipt(session.key(3, 2, kind), bytes(range(32)), 1_234_567)
        signed = (key_args(receipt.key), receipt.message, receipt.deadline, b"")
        signable = encode_typed_data(full_message=session.twin.typed_data(receipt))
        wallet = cm.keccak(b"\x19" + signable.version + signable.header + signable.body)
        assert bytes(session.contract.receiptDigest(signed)) == wallet
        assert session.twin.receipt_digest(receipt) == wallet


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_both_trees_are_the_same_to_contract_and_twin(board, accounts, provider, count):
    """Every member and every message of a batch is found at its index, and at no other."""
    members = accounts[1 : 1 + count]
    session = open_session(board, provider, members, stake=0, batched_evaluations=True)
    messages = [m if i % 3 else None for i, m in enumerate(session.messages(0, EVALUATION))]
    session.post_own(session.key(count - 1), b"\x07" * 32)
    own = session.contract.ownPostOf(key_args(session.key(count - 1)))
    assert bytes(own.digest) == short(b"\x07" * 32)
    leaves = session.post_batch(messages, 0, EVALUATION)
    for i, message in enumerate(messages):
        key, path = session.key(i, 0, EVALUATION), cm.path(leaves, i)
        assert session.is_posted(key, message or bytes(32), path) == (message is not None)
        assert not session.is_posted(key, b"\x08" * 32, path)
        other = session.key(i ^ 1, 0, EVALUATION)
        if message is not None and i ^ 1 < count and len(cm.path(leaves, i ^ 1)) == len(path):
            assert not session.is_posted(other, message, path)
