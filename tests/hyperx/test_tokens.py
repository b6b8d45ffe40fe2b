"""Tokens that misbehave: the session refuses them by name or works with them."""

import ape
import pytest

from tests.hyperx.session_driver import open_session
from tests.hyperx.terms import make_terms
from tests.kit.mock_contracts import deploy_token
from tests.kit.permits import permitted, signed_permit
from tests.kit.refusals import refusal, refused

ROOTS = (b"\1" * 32, b"\2" * 32, b"\3" * 32)


@pytest.fixture
def deploy(mocks, deployer, accounts):
    """Deploys the token of that name, everybody rich."""
    return lambda name: deploy_token(mocks[name], deployer, accounts[1:5])


def create_refusal(factory, collector, token, value=0):
    terms = make_terms(ape.chain.blocks.head.timestamp, collector.address, token=token.address)
    token.approve(factory.address, factory.escrowOf(terms), sender=collector)
    return refusal(factory.createSession, terms, 0, sender=collector, value=value)


def test_a_fee_on_transfer_is_refused_at_once(factory, collector, deploy):
    """The collector learns when it creates the session, not when the money is short."""
    outcome = create_refusal(factory, collector, deploy("FeeToken"))
    due = make_terms(0, collector.address)[2]
    assert outcome == refused("TokenTakesFee", due - due // 100, due)


def test_a_fee_that_starts_later_keeps_providers_out(factory, collector, provider, deploy):
    """A deposit that does not arrive in full is none."""
    token = deploy("FeeToken")
    token.setFeePercent(0, sender=collector)
    driver = open_session(factory, collector, token=token)
    token.setFeePercent(1, sender=collector)
    due = driver.terms.deposit
    token.approve(driver.session.address, due, sender=provider)
    outcome = refusal(driver.session.register, *ROOTS, sender=provider)
    assert outcome == refused("TokenTakesFee", due - due // 100, due)


def test_a_transfer_that_returns_false_is_no_payment(factory, collector, provider, deploy):
    """Neither on the way in nor on the way out; afterwards what is owed is still owed."""
    token = deploy("FalseToken")
    failed = refused("SafeERC20FailedOperation", token)
    token.setFailing(True, sender=collector)
    assert create_refusal(factory, collector, token) == failed
    token.setFailing(False, sender=collector)
    driver = open_session(factory, collector, token=token)
    driver.register(provider)
    driver.close()
    token.setFailing(True, sender=collector)
    assert refusal(driver.session.claimDeposit, provider, sender=provider) == failed
    assert refusal(driver.session.reclaimEscrow, collector, sender=collector) == failed
    token.setFailing(False, sender=collector)
    driver.claim_deposit(provider)
    driver.reclaim_escrow()
    assert driver.balance(driver.session) == 0


def test_a_paused_token_delays_but_loses_nothing(factory, collector, provider, deploy):
    """Pausing refuses every payment and changes no book."""
    token = deploy("PausingToken")
    driver = open_session(factory, collector, token=token)
    driver.register(provider)
    driver.close()
    token.setPaused(True, sender=collector)
    assert refusal(driver.session.claimDeposit, provider, sender=provider) == refused("Paused")
    assert driver.session.owedTo(provider) == driver.terms.deposit
    token.setPaused(False, sender=collector)
    driver.claim_deposit(provider)
    driver.reclaim_escrow()
    assert driver.balance(driver.session) == 0


def test_a_token_that_returns_nothing_works(factory, collector, provider, rival, deploy):
    """The oldest tokens, of which a good deal of the world's money is made."""
    token = deploy("SilentToken")
    driver = open_session(factory, collector, token=token)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    before = token.balanceOf(provider)
    driver.claim_reward(provider)
    driver.claim_deposit(rival)
    paid = driver.terms.reward + driver.terms.deposit
    assert token.balanceOf(provider) - before == paid
    assert driver.balance(driver.session) == 0


def test_a_claim_takes_all_that_the_session_holds(factory, collector, provider, token):
    """Paid at once, not owed: nobody else took part."""
    driver = open_session(factory, collector, token=token)
    driver.enter(provider)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    due, before = driver.terms.reward + driver.terms.deposit, token.balanceOf(provider)
    assert driver.balance(driver.session) == due
    driver.claim_reward(provider)
    assert token.balanceOf(provider) - before == due
    assert driver.balance(driver.session) == driver.session.owedTo(provider) == 0


def test_signed_allowances_replace_approvals(factory, collector, provider, rival, deploy):
    """Escrow and deposit are drawn by a permit, sent with the call or by a stranger before it."""
    token, soon = deploy("PermitToken"), ape.chain.pending_timestamp + 3_600
    terms = make_terms(ape.chain.pending_timestamp, collector.address, token=token.address)
    due = factory.escrowOf(terms)
    signed = signed_permit(token, collector, factory, due, soon)
    address = factory.sessionOf(terms, 0)
    create = permitted(factory.createSession, terms, 0, token=token, value=due, signed=signed)
    factory.multicall(create, sender=collector)
    assert token.balanceOf(address) == due
    session = ape.project.TradingSession.at(address)
    deposit = session.terms(skip_trace=True).deposit
    for account in (provider, rival):
        signed = signed_permit(token, account, session, deposit, soon)
        if account == rival:
            token.permit(rival, address, deposit, *signed, sender=provider)
        join = permitted(session.register, *ROOTS, token=token, value=deposit, signed=signed)
        session.multicall(join, sender=account)
    assert token.balanceOf(address) == due + 2 * deposit


def test_a_permit_that_is_none_moves_nothing(factory, collector, provider, stranger, deploy):
    """Another's signature, another spender's and an old one: the payment itself fails."""
    token = deploy("PermitToken")
    driver = open_session(factory, collector, token=token)
    session, due, now = driver.session, driver.terms.deposit, ape.chain.pending_timestamp
    for owner, spender, ahead in (
        (stranger, session, 3_600),
        (provider, factory, 3_600),
        (provider, session, -3_600),
    ):
        signed = signed_permit(token, owner, spender, due, now + ahead)
        join = permitted(session.register, *ROOTS, token=token, value=due, signed=signed)
        outcome = refusal(session.multicall, join, sender=provider)
        assert outcome.name == "ERC20InsufficientAllowance"


def test_several_calls_in_one_pay_no_coins(factory, collector, provider):
    """Else one payment could count in each: two sessions for one escrow, two deposits for one."""
    driver = open_session(factory, collector)
    terms = make_terms(ape.chain.pending_timestamp, collector.address)
    due, deposit = factory.escrowOf(terms), driver.terms.deposit
    two = [factory.createSession.encode_input(terms, nonce) for nonce in (8, 9)]
    assert refusal(factory.multicall, two, sender=collector) == refused("WrongPayment", 0, due)
    assert refusal(factory.multicall, two, sender=collector, value=due) is not None
    join = [driver.session.register.encode_input(*ROOTS)]
    outcome = refusal(driver.session.multicall, join, sender=provider)
    assert outcome == refused("WrongPayment", 0, deposit)
    assert refusal(driver.session.multicall, join, sender=provider, value=deposit) is not None


def test_no_ether_where_a_token_pays(factory, collector, provider, token):
    """It would be lost, so it is refused."""
    assert create_refusal(factory, collector, token, value=1) == refused("WrongPayment", 1, 0)
    driver = open_session(factory, collector, token=token)
    token.approve(driver.session.address, driver.terms.deposit, sender=provider)
    outcome = refusal(driver.session.register, *ROOTS, sender=provider, value=1)
    assert outcome == refused("WrongPayment", 1, 0)


def test_without_allowance_nothing_moves(factory, collector, provider, token):
    """Neither the escrow nor a deposit is drawn without consent."""
    driver = open_session(factory, collector, token=token)
    token.approve(driver.session.address, driver.terms.deposit - 1, sender=provider)
    assert refusal(driver.session.register, *ROOTS, sender=provider).name == (
        "ERC20InsufficientAllowance"
    )
