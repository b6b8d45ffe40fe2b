"""A session whose stake, shares and bonds are in an ERC-20."""

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from tests.kit.mock_contracts import deploy_token
from tests.kit.permits import signed_permit
from tests.kit.refusals import refusal, refused
from tests.seccl.board_driver import (
    BOND,
    DOCUMENT,
    MEMBERS,
    STAKE,
    key_args,
    make_terms,
    open_batched,
)

SHARE = STAKE // MEMBERS


@pytest.fixture
def make(mocks, deployer, provider, members):
    """Deploys a token by its name; server and members have plenty of it."""
    return lambda name: deploy_token(mocks[name], deployer, [provider, *members])


def test_all_money_of_the_session_is_in_the_token(board, make, provider, members, stranger):
    """To the unit, each once, and no coin moves."""
    token = make("PlainToken")
    session = open_batched(board, provider, members, token=token)
    assert board.terms(session.id).token == token.address
    session.post_batch(session.messages())
    session.challenge(session.key(1), 0)
    assert token.balanceOf(board) == STAKE + BOND
    two = session.receipt(session.key(), b"one"), session.receipt(session.key(), b"other")
    board.proveEquivocation(*two, sender=stranger)
    board.settle(key_args(session.key(1)), sender=stranger)
    assert (board.owed(token, members[0]), board.owed(NATIVE, members[0])) == (BOND, 0)
    assert session.refusal("withdrawBonds", NATIVE, stranger, sender=members[0]) == refused(
        "NothingOwed", members[0]
    )
    board.withdrawBonds(token, stranger, sender=members[0])
    assert token.balanceOf(stranger) == BOND
    for member, account in enumerate(members):
        path = session.member_path(member)
        board.claimShare(session.id, member, path, stranger, sender=account)
        assert token.balanceOf(stranger) == BOND + (member + 1) * SHARE
    assert token.balanceOf(board) == board.balance == 0


def test_an_honest_server_gets_stake_and_bonds_in_the_token(board, make, provider, members):
    """With the session before it the board holds both currencies, and mixes nothing."""
    token = make("PlainToken")
    open_batched(board, provider, members)
    session = open_batched(board, provider, members, token=token)
    leaves = session.post_batch(session.messages())
    key = session.key(2)
    session.challenge(key, 1)
    board.answer(key_args(key), session.message(key), cm.path(leaves, 2), sender=provider)
    session.go_to(session.terms.accusation_end)
    before = token.balanceOf(provider)
    board.withdrawStake(session.id, provider, sender=provider)
    assert token.balanceOf(provider) - before == STAKE + BOND
    assert (token.balanceOf(board), board.balance) == (0, STAKE)


def test_tokens_and_payments_that_are_refused(board, make, provider, members, stranger):
    """Each by its own name."""
    fee, plain = make("FeeToken"), make("PlainToken")
    fee.approve(board, STAKE, sender=provider)

    def opened(token, value=0):
        words = make_terms(board, provider, members, token=token).words()
        return refusal(board.createSession, words, DOCUMENT, sender=provider, value=value)

    words = make_terms(board, provider, members).words()
    bare = (*words[:-1], stranger.address)
    assert refusal(board.createSession, bare, DOCUMENT, sender=provider) == refused(
        "TokenWithoutCode", stranger
    )
    assert opened(plain, value=1) == refused("WrongPayment", 1, 0)
    assert opened(plain).name == "ERC20InsufficientAllowance"
    assert opened(fee).name == "TokenTakesFee"


def test_a_question_without_a_bond_moves_nothing(board, make, provider, members):
    """So a token that refuses to move zero keeps nobody from asking; no coin may come either."""
    token = make("NoZeroToken")
    session = open_batched(board, provider, members, token=token, bond=0)
    session.post_batch(session.messages())
    args = key_args(session.key(1)), 1, session.member_path(1)
    assert session.refusal("challenge", *args, sender=members[1], value=1) == refused(
        "WrongPayment", 1, 0
    )
    deadline = session.challenge(session.key(1), 1)
    assert token.balanceOf(board) == STAKE
    session.at(deadline)
    board.settle(key_args(session.key(1)), sender=members[1])
    assert session.faulty


def test_a_signed_allowance_saves_the_approval(board, make, provider, members):
    """In one transaction, for a token that knows ERC-2612."""
    token = make("PermitToken")
    terms = make_terms(board, provider, members, token=token)
    signed = signed_permit(token, provider, board, STAKE, terms.start)
    calls = [
        board.permit.encode_input(token, STAKE, signed),
        board.createSession.encode_input(terms.words(), DOCUMENT),
    ]
    board.multicall(calls, sender=provider)
    assert token.balanceOf(board) == STAKE
