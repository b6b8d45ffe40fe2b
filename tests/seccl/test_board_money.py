"""Where the stakes and the bonds go: to the wei, to whom the rules name, and to nobody twice."""

import ape
import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from tests.kit.driver import gained
from tests.kit.refusals import decode, refused
from tests.seccl.board_driver import (
    BOND,
    MEMBERS,
    STAKE,
    key_args,
    open_batched,
    open_session,
)

SHARE = STAKE // MEMBERS
ZERO = "0x" + "00" * 20
CALLS = 3  # the mood of a Puppet that calls back


@pytest.fixture
def session(board, provider, members):
    return open_session(board, provider, members)


def convict(session, sender):
    """Convicts the session's server of two signatures."""
    key = session.key()
    two = session.receipt(key, b"one"), session.receipt(key, b"other")
    return session.contract.proveEquivocation(*two, sender=sender)


def claim(session, member):
    account = session.members[member]
    return session.contract.claimShare(
        session.id, member, session.member_path(member), account, sender=account
    )


# ---------------------------------------------------------------- the stake


def test_an_honest_server_gets_its_stake_back_once(session, stranger):
    """After the last window of accusations; nobody else gets it."""
    session.go_to(session.contract.accusationEnd(session.id))
    for sender in (stranger, session.members[0]):
        assert session.refusal("withdrawStake", session.id, sender, sender=sender) == refused(
            "NotServer", sender, session.server
        )
    receipt = session.contract.withdrawStake(session.id, session.server, sender=session.server)
    assert gained(session.server, receipt) == STAKE
    (log,) = session.contract.StakeWithdrawn.from_receipt(receipt)
    assert (bytes(log.session), log.amount) == (session.id, STAKE)
    assert session.contract.balance == 0
    assert session.contract.status(session.id).stakeWithdrawn
    assert session.refusal(
        "withdrawStake", session.id, session.server, sender=session.server
    ) == refused("NothingOwed", session.server)


def test_a_convicted_servers_stake_goes_to_all_members_alike(session, stranger):
    """Each gets its share once, the accuser none of its own; nothing stays."""
    receipt = convict(session, stranger)
    assert gained(stranger, receipt) == 0
    for member, account in enumerate(session.members):
        args = session.id, member, session.member_path(member), account
        for sender in (stranger, session.server, session.members[member - 1]):
            assert session.refusal("claimShare", *args, sender=sender) == refused(
                "NotMember", sender, member
            )
        receipt = claim(session, member)
        assert gained(account, receipt) == SHARE
        (log,) = session.contract.ShareClaimed.from_receipt(receipt)
        assert (bytes(log.session), log.member, log.account, log.amount) == (
            session.id, member, account.address, SHARE,
        )  # fmt: skip
        assert session.contract.isShareClaimed(session.id, member)
        assert session.refusal("claimShare", *args, sender=account) == refused(
            "AlreadyClaimed", member
        )
    assert session.contract.balance == 0


def test_a_server_that_convicts_itself_loses_what_others_would_cost_it(board, provider, members):
    """With two of its own among five members it gets two fifths back, whoever brings the proof."""
    session = open_session(board, provider, [provider, *members[:4]])
    first = gained(provider, convict(session, provider))
    assert first == 0
    assert gained(provider, claim(session, 0)) == SHARE
    assert session.refusal(
        "claimShare", session.id, 0, session.member_path(0), provider, sender=provider
    ) == (refused("AlreadyClaimed", 0))
    for member in range(1, MEMBERS):
        claim(session, member)
    assert session.contract.balance == 0


def test_one_sessions_money_pays_for_no_other(board, provider, rival, members, stranger):
    """A convicted session next to an open one, and one without a stake."""
    faulty = open_session(board, provider, members)
    honest = open_session(board, rival, members, stake=7 * MEMBERS)
    poor = open_session(board, rival, members, stake=0)
    for one in (faulty, poor):
        convict(one, stranger)
    assert poor.refusal(
        "claimShare", poor.id, 0, poor.member_path(0), members[0], sender=members[0]
    ) == refused("NothingOwed", members[0])
    assert honest.refusal(
        "claimShare", honest.id, 0, honest.member_path(0), members[0], sender=members[0]
    ) == refused("NotFaulty", honest.id)
    for member in range(MEMBERS):
        claim(faulty, member)
    assert board.balance == 7 * MEMBERS
    honest.go_to(board.accusationEnd(honest.id))
    board.withdrawStake(honest.id, rival, sender=rival)
    assert board.balance == 0


def test_a_session_without_a_stake_has_none_to_give_back(board, provider, members):
    session = open_session(board, provider, members, stake=0)
    session.go_to(board.accusationEnd(session.id))
    assert session.refusal("withdrawStake", session.id, provider, sender=provider) == refused(
        "NothingOwed", provider
    )


def test_more_members_than_a_word_has_bits_claim_each_their_own(board, provider, accounts):
    """Members 0 and 256 do not share a claim."""
    everybody = [a.address for a in accounts[:20]] + [
        "0x" + i.to_bytes(20, "big").hex() for i in range(1, 281)
    ]
    everybody[256] = accounts[20].address
    session = open_session(
        board, provider, [_Listed(address) for address in everybody], stake=300 * 4
    )
    convict(session, provider)
    for member in (0, 256):
        path = cm.path(session.twin.member_leaves(everybody), member)
        account = accounts[0 if member == 0 else 20]
        receipt = board.claimShare(session.id, member, path, account, sender=account)
        assert gained(account, receipt) == 4
    assert not board.isShareClaimed(session.id, 1)
    assert board.balance == 298 * 4


class _Listed:
    """A member of whom only the address is known."""

    def __init__(self, address: str) -> None:
        self.address = address


# ---------------------------------------------------------------- bonds


def test_bonds_are_paid_to_whom_they_are_owed(board, provider, members, stranger):
    """Those that were not answered back, and all others when the server is convicted by that; each
    once, and none to the server."""
    session = open_batched(board, provider, members)
    leaves = session.post_batch(session.messages())
    deadlines = [session.challenge(session.key(a), a) for a in range(3)]
    for author in range(2):
        key = session.key(author)
        board.answer(key_args(key), session.message(key), cm.path(leaves, author), sender=stranger)
    session.go_to(deadlines[2])
    board.settle(key_args(session.key(2)), sender=stranger)
    assert board.balance == STAKE + 3 * BOND
    for author in range(2):
        board.settle(key_args(session.key(author)), sender=stranger)
    for account, amount in ((members[0], BOND), (members[1], BOND), (members[2], BOND)):
        assert board.owed(NATIVE, account) == amount
        receipt = board.withdrawBonds(NATIVE, account, sender=account)
        assert gained(account, receipt) == amount
        (log,) = board.BondsWithdrawn.from_receipt(receipt)
        assert (log.account, log.amount) == (account.address, amount)
    for account in (provider, members[0], members[2], stranger):
        assert session.refusal("withdrawBonds", NATIVE, account, sender=account) == refused(
            "NothingOwed", account
        )
    assert board.balance == STAKE


def test_an_honest_server_gets_the_bonds_of_its_answers_with_its_stake(board, provider, members):
    session = open_batched(board, provider, members)
    leaves = session.post_batch(session.messages())
    for author in range(2):
        key = session.key(author)
        session.challenge(key, author)
        board.answer(key_args(key), session.message(key), cm.path(leaves, author), sender=provider)
        assert session.refusal("settle", key_args(key), sender=members[author]) == refused(
            "NotChallenged", 0, 0, author
        )
    session.go_to(board.accusationEnd(session.id))
    receipt = board.withdrawStake(session.id, provider, sender=provider)
    assert gained(provider, receipt) == STAKE + 2 * BOND
    assert board.balance == 0


def test_payouts_go_where_their_owner_says(board, provider, members, stranger):
    """For an account that cannot receive; who is owed stays the caller, and zero gets nothing."""
    faulty = open_batched(board, provider, members)
    honest = open_session(board, members[1], members)
    faulty.post_batch(faulty.messages())
    faulty.challenge(faulty.key(1), 0)
    convict(faulty, stranger)
    board.settle(key_args(faulty.key(1)), sender=stranger)
    honest.go_to(honest.terms.accusation_end)
    path = faulty.member_path(0)
    for name, args, sender, amount in (
        ("claimShare", (faulty.id, 0, path), members[0], SHARE),
        ("withdrawBonds", (NATIVE,), members[0], BOND),
        ("withdrawStake", (honest.id,), members[1], STAKE),
    ):
        assert faulty.refusal(name, *args, ZERO, sender=sender) == refused("NoReceiver")
        assert not faulty.goes(name, *args, stranger, sender=stranger)
        receipt = getattr(board, name)(*args, stranger, sender=sender)
        assert (gained(stranger, receipt), gained(sender, receipt)) == (amount, 0)


# ---------------------------------------------------------------- accounts with code


def test_no_payment_can_be_had_twice_by_calling_back(board, mocks, deployer, members):
    """A member with code that claims again, and takes its bond again, while it is being paid."""
    puppet = deployer.deploy(mocks["Puppet"])
    ape.chain.provider.set_balance(puppet.address, 10**18)
    session = open_batched(board, members[1], [puppet, *members[1:]])
    session.post_batch(session.messages())
    path = session.member_path(0)
    ask = board.challenge.encode_input(key_args(session.key(1)), 0, path)
    puppet.act(board.address, ask, BOND, sender=deployer)
    session.go_to(ape.chain.blocks.head.timestamp + session.terms.response_time)
    board.settle(key_args(session.key(1)), sender=deployer)
    for data, amount in (
        (board.claimShare.encode_input(session.id, 0, path, puppet.address), SHARE),
        (board.withdrawBonds.encode_input(NATIVE, puppet.address), BOND),
    ):
        before = puppet.balance
        puppet.prepare(CALLS, board.address, data, 0, sender=deployer)
        puppet.act(board.address, data, 0, sender=deployer)
        assert puppet.balance == before + amount
    assert (puppet.succeeded(), puppet.refused()) == (0, 2)
    assert decode(bytes(puppet.reason())) == refused("NothingOwed", puppet)
    assert board.balance == STAKE - SHARE


def test_a_member_that_cannot_be_paid_hinders_nobody(board, mocks, deployer, members, stranger):
    """Its own claim fails and stays open; the others' do not."""
    puppet = deployer.deploy(mocks["Puppet"])
    session = open_session(board, members[1], [puppet, *members[1:]])
    convict(session, stranger)
    puppet.prepare(1, board.address, b"", 0, sender=deployer)
    data = board.claimShare.encode_input(session.id, 0, session.member_path(0), puppet.address)
    with ape.reverts():
        puppet.act(board.address, data, 0, sender=deployer)
    for member in range(1, MEMBERS):
        claim(session, member)
    assert board.balance == SHARE
    puppet.prepare(0, board.address, b"", 0, sender=deployer)
    puppet.act(board.address, data, 0, sender=deployer)
    assert board.balance == 0


def test_coins_forced_in_are_nobodys(session, mocks, deployer, stranger):
    """The books decide, not the balance."""
    deployer.deploy(mocks["Force"], session.contract, value=123)
    session.go_to(session.contract.accusationEnd(session.id))
    receipt = session.contract.withdrawStake(session.id, session.server, sender=session.server)
    assert gained(session.server, receipt) == STAKE
    assert session.contract.balance == 123


def test_a_proof_copied_from_the_queue_gains_its_copier_nothing(session, stranger, rival):
    """The same call by another convicts as well, and the first caller loses nothing by it."""
    convict(session, stranger)
    assert session.faulty
    key = session.key()
    two = session.receipt(key, b"one"), session.receipt(key, b"other")
    assert session.refusal("proveEquivocation", *two, sender=rival) == refused(
        "SessionFaulty", session.id
    )
    assert session.contract.owed(NATIVE, stranger) == session.contract.owed(NATIVE, rival) == 0
