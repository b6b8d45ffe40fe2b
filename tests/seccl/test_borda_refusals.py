"""What BordaConsensus refuses, each by its own name, and which sessions are not created."""

from __future__ import annotations

import ape
import pytest

from offchain.seccl import ballots as b
from tests.kit.refusals import refusal, refused
from tests.seccl.borda_driver import (
    BALLOT_TIME,
    BOARD_ROUNDS,
    CONTEXT,
    REVEAL_TIME,
    SALT,
    Voter,
    board_session,
    commit,
    make_terms,
    open_session,
    opening,
)

SHORTEST, LONGEST = 600, 30 * 86_400
"""Bounds of a window, in seconds."""


def test_rounds_are_opened_one_after_another(session):
    """Not while one runs, not again."""
    session.go_to(session.opening(1))
    assert session.refusal("openRound", 1) == refused("RoundNotOver", 0)
    session.close()
    # A call is asked of the block of the closing itself, whose hash is the seed's source.
    height = ape.chain.blocks.height
    assert session.refusal("openRound", 1) == refused("SeedNotReady", height, height + 1)
    ape.chain.mine()
    assert session.refusal("openRound", 0) == refused("WrongRound", 0, 1)
    assert session.refusal("openRound", 2**256 - 1) == refused(
        "RoundOutOfRange", 2**256 - 1, BOARD_ROUNDS
    )
    assert session.refusal("openRound", 1) is None


def test_there_are_as_many_rounds_as_the_boards(session):
    """The last one opens, works and closes; in a further one nobody could have uploaded."""
    assert session.contract.terms().rounds == BOARD_ROUNDS
    session.end()
    session.close()
    last = BOARD_ROUNDS - 1
    session.open(last)
    session.vote(0, session.ranking([1, 2]))
    session.carry([session.signed(1, session.ranking([2, 0]))])
    session.end()
    session.close()
    assert session.result(last)[1] == (3, 2)
    session.go_to(session.opening(BOARD_ROUNDS))
    beyond = refused("RoundOutOfRange", BOARD_ROUNDS, BOARD_ROUNDS)
    assert session.refusal("openRound", BOARD_ROUNDS) == beyond
    session.go_to(session.opening(BOARD_ROUNDS) + BALLOT_TIME)
    assert session.refusal("result", BOARD_ROUNDS) == refused("RoundNotOver", BOARD_ROUNDS)


def test_before_the_first_round_there_is_none(bordas, deployer, voters):
    """Nothing can be cast, closed or read of a round that was never opened."""
    driver = open_session(bordas, deployer, voters)
    account = voters[0].account
    content = driver.ranking([1, 2]).content
    for number in (0, 1, 2**256 - 1):
        assert driver.refusal("vote", number, 0, 0, content, sender=account) == refused(
            "WrongRound", number, 0
        )
        assert driver.refusal("close", number, 1) == refused("WrongRound", number, 0)
        assert driver.refusal("result", number) == refused("RoundNotOver", number)
    assert driver.newest[0] == 0
    assert driver.points() == [0] * 5
    assert not driver.contract.hasVoted(0)


def test_a_ballot_names_others_all_of_them_once(session):
    """Each malformed ballot is refused by its own name and changes nothing."""
    ranking, scores = b.Form.RANKING, b.Form.SCORES
    cases = [
        (ranking, [1], "RankingLength", 1, 2),
        (ranking, [], "RankingLength", 0, 2),
        (ranking, [1, 2, 3], "RankingLength", 3, 2),
        (ranking, [1, 5], "UnknownCandidate", 5, 5),
        (ranking, [255, 1], "UnknownCandidate", 255, 5),
        (ranking, [0, 1], "SelfVote", 0),
        (ranking, [1, 0], "SelfVote", 0),
        (ranking, [3, 3], "DuplicateCandidate", 3),
        (scores, [0] * 9, "ScoresLength", 9, 10),
        (scores, [0] * 12, "ScoresLength", 12, 10),
        (scores, [0, 1] + [0] * 8, "SelfVote", 0),
        (2, [1, 2], "UnknownForm", 2),
        (2**256 - 1, [1, 2], "UnknownForm", 2**256 - 1),
    ]
    account = session.voters[0].account
    for form, content, *expected in cases:
        args = 0, 0, int(form), bytes(content)
        assert session.refusal("vote", *args, sender=account) == refused(*expected)
    session.vote(0, session.ranking([1, 2]))
    assert session.points() == [0, 2, 1, 0, 0]


def test_who_may_vote_and_where(session, bordas, deployer, voters, stranger):
    """Members alone, under their own index, once, in the round that is open, as the terms say."""
    account = session.voters[0].account
    content = session.ranking([1, 2]).content
    for number, voter, sender, *expected in [
        (0, 0, stranger, "NotMember", stranger, 0),
        (0, 1, account, "NotMember", account, 1),
        (0, 5, account, "UnknownMember", 5, 5),
        (0, 2**256 - 1, account, "UnknownMember", 2**256 - 1, 5),
        (1, 0, account, "WrongRound", 1, 1),
        (2**256 - 1, 0, account, "WrongRound", 2**256 - 1, 1),
    ]:
        args = number, voter, 0, content
        assert session.refusal("vote", *args, sender=sender) == refused(*expected)
    session.vote(0, session.ranking([1, 2]))
    assert session.refusal("vote", 0, 0, 0, content, sender=account) == refused(
        "AlreadyVoted", 0, 0
    )
    for name in ("hasVoted", "commitmentOf"):
        assert session.refusal(name, 5) == refused("UnknownMember", 5, 5)

    open_ = refused("BallotsAreOpen")
    assert session.refusal("commit", 0, 1, SALT, sender=session.voters[1].account) == open_
    signed = session.signed_commitment(1, SALT)
    assert session.refusal("commitSigned", *signed) == open_
    assert session.refusal("reveal", 0, 0, 0, content, SALT) == open_
    # Its ballots open when those of the other session have ended.
    hidden = open_session(bordas, deployer, voters, revealTime=REVEAL_TIME)
    hidden.open()
    assert hidden.refusal("vote", 0, 0, 0, content, sender=account) == refused("BallotsAreHidden")
    one = hidden.signed(0, hidden.ranking([1, 2]))
    assert hidden.refusal("voteSigned", one) == refused("BallotsAreHidden")


def test_a_commitment_is_made_once_and_opened_as_it_was_made(hidden, stranger):
    """It cannot be replaced, and only the very ballot and salt open it, once."""
    ballot, other = hidden.ranking([1, 2]), hidden.ranking([2, 1])
    commit(hidden, 0, ballot)
    account = hidden.voters[0].account
    again = 0, 0, hidden.hide(0, other, SALT)
    assert hidden.refusal("commit", *again, sender=account) == refused("AlreadyCommitted", 0, 0)
    signed = hidden.signed_commitment(0, again[2])
    assert hidden.refusal("commitSigned", *signed) == refused("AlreadyCommitted", 0, 0)
    assert hidden.refusal("commit", 0, 1, SALT, sender=stranger) == refused(
        "NotMember", stranger, 1
    )
    nothing = bytes(30) + b"\1\1"
    assert hidden.refusal("commit", 0, 1, nothing, sender=hidden.voters[1].account) == refused(
        "CommitmentZero"
    )
    signed = hidden.signed_commitment(1, nothing)
    assert hidden.refusal("commitSigned", *signed) == refused("CommitmentZero")
    commit(hidden, 1, hidden.ranking([1, 2]))
    hidden.end_ballots()
    wrong = refused("WrongOpening", 0, 0)
    assert hidden.refusal("reveal", *opening(hidden, 0, other)) == wrong
    assert hidden.refusal("reveal", *opening(hidden, 0, ballot, bytes(32))) == wrong
    assert hidden.refusal("reveal", 0, 0, 1, ballot.content, SALT) == wrong
    assert hidden.refusal("reveal", *opening(hidden, 2, ballot)) == refused("NotCommitted", 0, 2)
    assert hidden.refusal("reveal", *opening(hidden, 1, ballot)) == refused("SelfVote", 1)
    assert hidden.refusal("reveal", 0, 5, 0, b"", SALT) == refused("UnknownMember", 5, 5)
    hidden.contract.reveal(*opening(hidden, 0, ballot), sender=stranger)
    twice = hidden.refusal("reveal", *opening(hidden, 0, ballot))
    assert twice == refused("AlreadyVoted", 0, 0)


def test_a_closing_asks_for_something_once(session):
    """Not for nothing, and not again when it is done."""
    session.end()
    assert session.refusal("close", 0, 0) == refused("NothingToDo")
    assert session.refusal("close", 1, 1) == refused("WrongRound", 1, 1)
    session.close()
    assert session.refusal("close", 0, 1) == refused("RoundNotOpen", 0)
    assert session.refusal("result", 1) == refused("RoundNotOver", 1)


# ---------------------------------------------------------------- sessions


def test_terms_are_readable_as_they_were_agreed_on(bordas, deployer, voters):
    """All of them, the members by their index, the caller as owner; the event names the session."""
    driver = open_session(
        bordas, deployer, voters, winners=4, quorum=5, ballotTime=700, revealTime=800, period=1_600
    )
    (log,) = bordas.SessionCreated.from_receipt(driver.created)
    context = driver.terms["context"]
    assert (log.owner, bytes(log.context)) == (deployer.address, context)
    # Inside a struct and a list of an event Ape leaves addresses in lower case.
    told = [log.terms[i] for i in range(len(driver.terms))]
    assert [bytes(told[1]), *told[2:]] == list(driver.terms.values())[1:]
    assert [one.lower() for one in log.members] == [voter.address.lower() for voter in voters]
    assert bordas.version() == driver.contract.version() == 3
    terms = driver.contract.terms(skip_trace=True)
    assert {name: getattr(terms, name) for name in driver.terms} == driver.terms | {
        "context": terms.context
    }
    assert bytes(terms.context) == context
    members = driver.contract.members(skip_trace=True)
    assert list(members) == [voter.address for voter in voters]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"winners": 0}, ("WinnersOutOfRange", 0, 4)),
        ({"winners": 5}, ("WinnersOutOfRange", 5, 4)),
        ({"winners": 4}, None),
        ({"quorum": 6}, ("QuorumOutOfRange", 6, 5)),
        ({"quorum": 5}, None),
        ({"quorum": 0}, ("QuorumOutOfRange", 0, 5)),
        ({"ballotTime": SHORTEST - 1}, ("WindowOutOfRange", SHORTEST - 1, SHORTEST, LONGEST)),
        ({"ballotTime": SHORTEST, "period": SHORTEST}, None),
        ({"revealTime": 1}, ("WindowOutOfRange", 1, SHORTEST, LONGEST)),
        ({"revealTime": LONGEST + 1}, ("WindowOutOfRange", LONGEST + 1, SHORTEST, LONGEST)),
        ({"period": LONGEST + 1}, ("WindowOutOfRange", LONGEST + 1, SHORTEST, LONGEST)),
        ({"period": LONGEST}, None),
        ({"ballotTime": 700, "revealTime": 900, "period": 1_599}, ("PeriodTooShort", 1_599, 1_600)),
        ({"ballotTime": 700, "revealTime": 900, "period": 1_600}, None),
    ],
)
def test_sessions_that_could_not_work_are_not_created(bordas, deployer, voters, changes, expected):
    """Each bound of the terms, at it and beyond."""
    args = make_terms(**changes), [voter.address for voter in voters]
    got = refusal(bordas.createSession, *args, sender=deployer)
    # What the board has of no such session is asked for last.
    assert got == refused(*expected or ("UnknownSession", CONTEXT))


def test_a_session_starts_neither_in_the_past_nor_after_sixty_days(bordas, deployer, voters):
    """Both ends count."""
    now = ape.chain.blocks.head.timestamp
    ends = now, now + 2 * LONGEST
    for start, expected in [(now - 1, True), (now, False), (ends[1], False), (ends[1] + 1, True)]:
        args = make_terms(start=start), [voter.address for voter in voters]
        got = refusal(bordas.createSession, *args, sender=deployer)
        out = refused("StartOutOfRange", start, *ends)
        assert got == (out if expected else refused("UnknownSession", CONTEXT))


def test_member_lists_are_ascending_and_of_some_size(bordas, deployer, voters):
    """No member twice, none zero, from two to 1,024."""
    addresses = [voter.address for voter in voters]

    def refused_with(members, **changes):
        return refusal(bordas.createSession, make_terms(**changes), members, sender=deployer)

    zero = "0x" + "00" * 20
    assert refused_with([addresses[1], addresses[0], *addresses[2:]]) == refused(
        "MembersOutOfOrder", 1, addresses[0]
    )
    assert refused_with([*addresses[:3], addresses[2]]) == refused(
        "MembersOutOfOrder", 3, addresses[2]
    )
    assert refused_with([zero, *addresses]) == refused("MembersOutOfOrder", 0, zero)
    assert refused_with(addresses[:1]) == refused("MemberCountOutOfRange", 1, 2, 1024)
    assert refused_with([]) == refused("MemberCountOutOfRange", 0, 2, 1024)
    many = [f"0x{i:040x}" for i in range(1, 1026)]
    assert refused_with(many) == refused("MemberCountOutOfRange", 1025, 2, 1024)
    unknown = refused("UnknownSession", CONTEXT)
    assert refused_with(many[:1024], winners=1023) == unknown
    assert refused_with(addresses[:2], winners=1) == unknown


def test_a_consensus_is_its_boards_sessions(bordas, deployer, voters, stranger):
    """Of its server, of its members in its order, at its times; each refused by its own name."""
    terms = make_terms()
    context = board_session(bordas, deployer, voters, terms)
    terms["context"] = context
    addresses = [voter.address for voter in voters]
    start, period = terms["start"], terms["period"]
    fewer, other = addresses[:-1], [*addresses[:-1], "0x" + "ff" * 20]
    for sender, changes, members, *expected in [
        (stranger, {}, addresses, "NotServer", stranger, deployer),
        (deployer, {}, fewer, "OtherMembers", context),
        (deployer, {}, other, "OtherMembers", context),
        (
            deployer,
            {"start": start + 1},
            addresses,
            "OtherSchedule",
            start + 1,
            period,
            start,
            period,
        ),
        (deployer, {"period": 4_000}, addresses, "OtherSchedule", start, 4_000, start, period),
    ]:
        got = refusal(bordas.createSession, terms | changes, members, sender=sender)
        assert got == refused(*expected)
    assert refusal(bordas.createSession, terms, addresses, sender=deployer) is None


def test_a_member_that_is_a_contract_votes_by_its_own_call(bordas, deployer, voters, mocks):
    """It cannot sign, and is told so."""
    puppet = deployer.deploy(mocks["Puppet"])
    people = sorted([*voters, Voter(b"", puppet.address)], key=lambda one: int(one.address, 16))
    driver = open_session(bordas, deployer, people)
    driver.open()
    me = next(i for i, one in enumerate(people) if one.address == puppet.address)
    others = [i for i in range(len(people)) if i != me]
    ballot = driver.ranking(others[:2])
    forged = driver.signed(me, ballot, signer=others[0])
    assert driver.refusal("voteSigned", forged) == refused("SignerIsContract", puppet)
    call = driver.contract.vote.encode_input(*driver.vote_args(me, ballot))
    puppet.act(driver.contract.address, call, 0, sender=deployer)
    assert driver.contract.hasVoted(me)
