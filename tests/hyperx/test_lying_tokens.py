"""A claim is paid once, whatever its token says of the payment."""

from __future__ import annotations

import ape
import pytest
from eth_utils import to_hex

from tests.hyperx.session_driver import open_session
from tests.hyperx.weakened import SESSION, WEAKENINGS, weakened
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import refusal
from tests.kit.snapshots import undone
from tests.kit.weakened import compile_switched

HONEST, SAYS_NO_AND_PAYS, SAYS_YES_AND_KEEPS = range(3)


@pytest.fixture(scope="module")
def credulous():
    """A session that judges by the answer."""
    copies = compile_switched(WEAKENINGS, SESSION, large=True)
    return copies["believes a token's answer"]


def chosen(factory, collector, token, provider, *others):
    """A session in which the provider may claim; the others registered beside it."""
    driver = open_session(factory, collector, token=token)
    driver.enter(provider, *others)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    return driver


@pytest.fixture
def claim(factory, collector, provider, rival, newcomer, stranger, deployer, mocks):
    """Claims in a session of four while the token lies, and again what was credited.

    Returns what the provider got beyond its due, and how many of the others then leave in full.
    """

    def play(lie):
        others = rival, newcomer, stranger
        token = deploy_token(mocks["LyingToken"], deployer, (collector, provider, *others))
        driver = chosen(factory, collector, token, provider, *others)
        before = token.balanceOf(provider)
        token.setLie(lie, sender=deployer)
        driver.claim_reward(provider)
        token.setLie(HONEST, sender=deployer)
        if driver.session.owedTo(provider):
            driver.claim_deposit(provider)
        gained = token.balanceOf(provider) - before - driver.terms.reward - driver.terms.deposit
        left = 0
        for other in others:
            if refusal(driver.session.claimDeposit, other, sender=other) is None:
                driver.claim_deposit(other)
                left += 1
        return gained, left

    return play


@pytest.mark.parametrize("lie", [SAYS_NO_AND_PAYS, SAYS_YES_AND_KEEPS], ids=["no", "yes"])
def test_a_token_that_lies_pays_a_claim_once(factory, collector, claim, credulous, lie):
    """The weak copy pays it again out of the others' deposits, or never."""
    terms = open_session(factory, collector).terms
    worth = terms.reward + terms.deposit
    with undone():
        assert claim(lie) == (0, 3)
    with weakened(factory, credulous):
        assert claim(lie) == ((worth, 0) if lie == SAYS_NO_AND_PAYS else (-worth, 3))


def test_at_no_gas_limit_is_a_claim_paid_and_credited(
    factory, collector, provider, deployer, mocks
):
    """Who claims chooses its gas, and so which calls within the claim have too little of it."""
    token = deploy_token(mocks["PlainToken"], deployer, (collector, provider))
    driver = chosen(factory, collector, token, provider)
    due, before = driver.terms.reward + driver.terms.deposit, token.balanceOf(provider)
    claim = driver.session.claimReward
    data = to_hex(claim.encode_input(*driver.claim_args(provider)))
    with undone():
        used = driver.claim_reward(provider).gas_used
    outcomes = set()
    for gas in range(used, used + 30_000, 750):
        with undone():
            call = {"from": provider.address, "to": claim.contract.address, "data": data}
            # Straight to the node: Ape looks into why a transaction fails.
            node = ape.chain.provider.web3.eth
            sent = node.send_transaction(call | {"gas": gas})
            if node.wait_for_transaction_receipt(sent, poll_latency=0.01)["status"]:
                gained = token.balanceOf(provider) - before
                outcomes.add((driver.session.owedTo(provider), gained))
    assert (0, due) in outcomes
    assert outcomes <= {(0, due), (due, 0)}


def test_a_token_that_tells_no_balance_is_asked_for_no_money(
    factory, collector, provider, rival, deployer, mocks
):
    """The claim stands; what it earned waits until the token speaks again."""
    token = deploy_token(mocks["SecretiveToken"], deployer, (collector, provider, rival))
    driver = chosen(factory, collector, token, provider, rival)
    due, before = driver.terms.reward + driver.terms.deposit, token.balanceOf(provider)
    token.setSecretive(True, sender=deployer)
    driver.claim_reward(provider)
    token.setSecretive(False, sender=deployer)
    assert driver.session.owedTo(provider) == due
    assert token.balanceOf(provider) == before
    driver.claim_deposit(provider)
    driver.claim_deposit(rival)
    assert driver.balance(driver.session) == 0
