"""A server has receipts signed by another key from a later round on, and answers for all keys."""

import pytest

from tests.kit.refusals import refused
from tests.kit.snapshots import undone
from tests.seccl.board_driver import ALTERED, MEMBERS, ROUNDS, open_session


@pytest.fixture
def session(board, provider, accounts):
    return open_session(board, provider, accounts[11 : 11 + MEMBERS])


def signers(session):
    return [session.contract.signerOf(session.id, round_) for round_ in range(ROUNDS)]


def test_each_round_has_the_signer_of_its_beginning(session, rival, stranger):
    """Before the first round, in one, and twice for the same one."""
    board, server = session.contract, session.server
    assert signers(session) == [server] * ROUNDS
    receipt = board.replaceSigner(session.id, rival, sender=server)
    (log,) = board.SignerReplaced.from_receipt(receipt)
    assert (bytes(log.session), log.round, log.signer) == (session.id, 0, rival.address)
    assert signers(session) == [rival] * ROUNDS
    session.enter(session.key(0))
    board.replaceSigner(session.id, server, sender=server)
    assert signers(session) == [rival, *[server] * (ROUNDS - 1)]
    session.go_to(session.due(session.key(0)))
    board.replaceSigner(session.id, stranger, sender=server)
    assert signers(session) == [rival, *[stranger] * (ROUNDS - 1)]


def test_the_key_of_a_round_convicts_and_no_other(session, rival, stranger):
    """The old one by what it signed before, the new one by what it signs now."""
    session.post(session.key())
    session.contract.replaceSigner(session.id, rival, sender=session.server)
    session.post(session.key(0, 1))
    for round_, right, wrong in ((0, session.server, rival), (1, rival, session.server)):
        key = session.key(0, round_)
        forged = session.receipt(key, b"another", signer=wrong)
        assert session.refusal("proveAltered", forged, sender=stranger) == refused(
            "BadSignature", wrong, right
        )
        with undone():
            receipt = session.contract.proveAltered(
                session.receipt(key, b"another", signer=right), sender=stranger
            )
            assert session.conviction(receipt)[:2] == (ALTERED, key)


def test_only_its_server_replaces_a_key_while_a_round_is_left(session, mocks, deployer, stranger):
    """By a key that can sign."""
    puppet = deployer.deploy(mocks["Puppet"])

    def replaced(signer, sender=session.server):
        return session.refusal("replaceSigner", session.id, signer, sender=sender)

    assert replaced(stranger, stranger) == refused("NotServer", stranger, session.server)
    assert replaced("0x" + "00" * 20) == refused("SignerZero")
    assert replaced(puppet) == refused("ServerIsContract", puppet)
    session.go_to(session.terms.window(ROUNDS - 1, 0)[0] - 1)
    assert replaced(stranger) is None
    session.enter(session.key(0, ROUNDS - 1))
    assert replaced(stranger) == refused("RoundOutOfRange", ROUNDS, ROUNDS)
