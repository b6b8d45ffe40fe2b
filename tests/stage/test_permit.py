"""Calls that pay in a token: with a signed allowance where the token has them, else approved."""

from __future__ import annotations

import ape
import pytest

from offchain.crypto.commitments import root_of
from offchain.crypto.settlement import NATIVE
from offchain.seccl.board import Board
from offchain.seccl.messages import SessionTerms
from scripts._stage.chain import now, transact
from scripts._stage.permit import paid_calls, signed_permit
from tests.kit.mock_contracts import deploy_token

PLENTY = 10**20


@pytest.fixture(scope="module")
def board(project, deployer):
    """A contract that takes signed allowances."""
    return deployer.deploy(project.BulletinBoard)


def opening(board, server, accounts, token):
    """The calls that open a session with a stake in the token, an address, and its terms."""
    members = [member.address for member in accounts[11:16]]
    terms = SessionTerms(
        server=server.address,
        member_root=root_of(Board(ape.chain.chain_id, board.address).member_leaves(members)),
        members=len(members),
        rounds=1,
        start=now() + 100,
        upload_time=1_200,
        evaluation_time=1_200,
        response_time=600,
        batched_uploads=True,
        batched_evaluations=True,
        stake=5_000,
        bond=70,
        document=bytes(32),
        token=token,
    )
    words = terms.words(), terms.document
    return paid_calls(board, "createSession", words, server, terms.token, terms.stake), terms


def opened(board, server, accounts, token) -> list[str]:
    """Opens one; the names of what was sent."""
    calls, terms = opening(board, server, accounts, token.address)
    for one in calls:
        receipt = transact(one.method, one.arguments, server, one.value)
    assert board.SessionCreated.from_receipt(receipt)
    assert token.balanceOf(board) == terms.stake
    return [one.name for one in calls]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("PermitToken", ["createSession"]),
        ("PlainToken", ["approve", "createSession"]),
    ],
)
def test_a_token_with_signed_allowances_needs_no_approval(
    board, mocks, deployer, provider, accounts, kind, sent
) -> None:
    """One transaction instead of two; the same comes of both."""
    token = deploy_token(mocks[kind], deployer, [provider])
    assert opened(board, provider, accounts, token) == sent
    assert token.allowance(provider, board) == 0


def test_who_sends_the_allowance_first_hinders_nobody(
    board, mocks, deployer, provider, stranger, accounts
) -> None:
    """It is in the queue of transactions for all to see."""
    token = deploy_token(mocks["PermitToken"], deployer, [provider])
    calls, terms = opening(board, provider, accounts, token.address)
    permit = signed_permit(token.address, provider, board.address, terms.stake, now() + 3_600)
    assert permit is not None
    token.permit(provider, board, terms.stake, *permit, sender=stranger)
    (one,) = calls
    receipt = transact(one.method, one.arguments, provider, one.value)
    assert board.SessionCreated.from_receipt(receipt)


def test_a_token_that_tells_of_anothers_domain_gets_no_signature(
    board, mocks, deployer, provider, accounts
) -> None:
    """Else whoever pays in it would sign an allowance of the other token."""
    dear = deploy_token(mocks["PermitToken"], deployer, [provider])
    token = deployer.deploy(mocks["NamesakeToken"], dear)
    assert token.DOMAIN_SEPARATOR() == dear.DOMAIN_SEPARATOR()
    assert signed_permit(token.address, provider, board.address, 1, now() + 60) is None
    token.mint(provider, PLENTY, sender=deployer)
    assert opened(board, provider, accounts, token) == ["approve", "createSession"]


def test_the_native_coin_goes_with_the_call(board, provider, accounts) -> None:
    (one,), terms = opening(board, provider, accounts, NATIVE)
    assert (one.name, one.value) == ("createSession", terms.stake)
    assert board.SessionCreated.from_receipt(
        transact(one.method, one.arguments, provider, one.value)
    )
