"""Attacks on what the session pays: they fail, and succeed on a copy without the defence."""

import ape
import pytest

from tests.hyperx.session_driver import open_session
from tests.kit.mock_contracts import deploy_token
from tests.kit.permits import permitted, signed_permit
from tests.kit.refusals import decode, refusal, refused

CALLS, REVERTS, BURNS_GAS = 3, 1, 2


def puppet(mocks, deployer):
    """An account with code that does what it is told."""
    account = deployer.deploy(mocks["Puppet"])
    ape.chain.provider.set_balance(account.address, 10**19)
    return account


def tell(account, method, *args, sender, value=0):
    """Has the puppet call a method of the session."""
    data = method.encode_input(*args)
    return account.act(method.contract.address, data, value, sender=sender)


@pytest.mark.parametrize("coin", ["native", "token"])
def test_re_entry_while_being_paid(
    factory, collector, provider, stranger, deployer, mocks, accounts, against, coin
):
    """A provider with code that claims its deposit again while it is paid gets it once."""

    def attack():
        overrides = {}
        thief = puppet(mocks, deployer)
        if coin == "token":
            money = deployer.deploy(mocks["HookToken"])
            for account in (collector, provider, thief):
                money.mint(account, 10**20, sender=deployer)
            overrides["token"] = money
        driver = open_session(factory, collector, **overrides)
        driver.register(provider)
        deposit = driver.terms.deposit
        if coin == "token":
            tell(thief, money.approve, driver.session.address, deposit, sender=stranger)
        roots = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
        value = deposit if coin == "native" else 0
        tell(thief, driver.session.register, *roots, sender=stranger, value=value)
        if coin == "token":
            tell(thief, money.hook, True, sender=stranger)
        driver.close()
        again = driver.session.claimDeposit.encode_input(thief)
        thief.prepare(CALLS, driver.session.address, again, 0, sender=stranger)
        before = driver.balance(thief)
        tell(thief, driver.session.claimDeposit, thief, sender=stranger)
        reason = decode(bytes(thief.reason())) if thief.refused() else None
        return (driver.balance(thief) - before) / deposit, reason

    assert against(attack) == (1, refused("ReentrancyGuardReentrantCall"))
    assert against(attack, "pays before it marks, unguarded") == (2, None)


def test_taking_a_deposit_twice(factory, collector, provider, rival, against):
    """The second call finds nothing; without the mark it takes another's deposit."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        driver.register(rival)
        driver.close()
        driver.claim_deposit(provider)
        return refusal(driver.session.claimDeposit, provider, sender=provider)

    assert against(attack) == refused("NotProvider", provider)
    assert against(attack, "pays without marking") is None


@pytest.mark.parametrize("mood", [REVERTS, BURNS_GAS], ids=["reverts", "burns gas"])
def test_a_hostile_receiver_stops_nobody_else(
    factory, collector, provider, rival, stranger, deployer, mocks, against, mood
):
    """A candidate that cannot be paid still leaves the collector and its rivals whole."""

    def attack():
        hostile = puppet(mocks, deployer)
        driver = open_session(factory, collector)
        driver.enter(rival)
        commitment = driver.entry(hostile).commitment
        roots = (commitment.key_root, commitment.address_root, commitment.manifest)
        deposit = driver.terms.deposit
        tell(hostile, driver.session.register, *roots, sender=stranger, value=deposit)
        driver.sample(hostile)
        tell(hostile, driver.session.submitFeatures, b"\4" * 32, sender=stranger)
        driver.set_candidate(hostile)
        review = driver.review_args(hostile)
        tell(hostile, driver.session.submitReview, review, sender=stranger)
        hostile.prepare(mood, hostile.address, b"", 0, sender=stranger)
        driver.go_to(driver.deadline)
        calls = ((driver.session.claimDeposit, rival), (driver.session.reclaimEscrow, collector))
        return [refusal(method, who, sender=who) is None for method, who in calls]

    assert against(attack) == [True, True]
    assert against(attack, "pushes the compensation") == [False, False]


@pytest.mark.parametrize("coin", ["native", "token"])
def test_a_payment_that_fails_within_the_claims_window(
    factory, collector, provider, rival, stranger, deployer, mocks, against, coin
):
    """The token is paused, or the candidate refuses coins, for exactly that window.

    The claim, whose key everybody has seen, stands, and what it earned waits; on the weak copy it
    reverts, and the deposit goes to the collector.
    """

    def attack():
        overrides, seller = {}, provider
        if coin == "token":
            money = deploy_token(mocks["PausingToken"], deployer, (collector, provider))
            overrides["token"] = money
        driver = open_session(factory, collector, **overrides)
        if coin == "native":
            seller = puppet(mocks, deployer)

        def act(method, *args, value=0):
            if coin == "native":
                tell(seller, method, *args, sender=stranger, value=value)
            else:
                method(*args, sender=seller)

        commitment = driver.entry(seller).commitment
        driver.approve(seller, driver.session.address, driver.terms.deposit)
        roots = (commitment.key_root, commitment.address_root, commitment.manifest)
        act(driver.session.register, *roots, value=driver.terms.deposit)
        driver.sample(seller)
        act(driver.session.submitFeatures, b"\4" * 32)
        driver.set_candidate(seller)
        act(driver.session.submitReview, driver.review_args(seller))
        driver.set_optimal(seller)
        if coin == "token":
            money.setPaused(True, sender=deployer)
        else:
            seller.prepare(REVERTS, seller.address, b"", 0, sender=stranger)
        try:
            act(driver.session.claimReward, *driver.claim_args(seller))
        except ape.exceptions.ContractLogicError:
            driver.go_to(driver.deadline)
            driver.settle(stranger)
        if coin == "token":
            money.setPaused(False, sender=deployer)
        before = driver.balance(rival)
        owed = driver.session.owedTo(seller)
        if owed:
            act(driver.session.claimDeposit, rival)
        return owed - driver.terms.reward - driver.terms.deposit, driver.balance(rival) - before

    worth = open_session(factory, collector).terms
    gained = worth.reward + worth.deposit
    assert against(attack) == (0, gained)
    assert against(attack, "a claim stands or falls with its payment") == (-gained, 0)


def test_a_false_declaration_does_not_save_the_compensation(factory, collector, provider, against):
    """Good data called rubbish costs the collector twice what refusing it does.

    On the weak copy it costs nothing, and the candidate is robbed of its deposit for spite.
    """

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.declare_rubbish(provider)
        lost = driver.escrow - driver.session.owedToCollector()
        return lost / driver.compensation, driver.session.owedTo(provider) < driver.terms.deposit

    assert against(attack) == (2, True)
    assert against(attack, "declares rubbish for nothing") == (0, True)


def test_forced_ether_changes_no_book(factory, collector, provider, deployer, mocks, against):
    """Ether that nobody sent by the rules is nobody's, and takes nobody's money along."""

    def attack():
        driver = open_session(factory, collector)
        driver.register(provider)
        before = driver.session.owedToCollector()
        deployer.deploy(mocks["Force"], driver.session.address, value=10**18)
        assert driver.session.balance == driver.escrow + driver.terms.deposit + 10**18
        driver.close()
        driver.reclaim_escrow()
        gained = driver.session.owedTo(provider) == driver.terms.deposit
        paid_out = refusal(driver.session.claimDeposit, provider, sender=provider) is None
        return before == driver.escrow, gained, paid_out

    assert against(attack) == (True, True, True)
    assert against(attack, "counts its balance") == (False, True, False)


def test_a_permit_that_a_stranger_sent_first(
    factory, collector, provider, stranger, deployer, mocks, against
):
    """Whoever sees it in the pool may use it; the registration that it came with goes on."""

    def attack():
        money = deploy_token(mocks["PermitToken"], deployer, (collector, provider))
        driver = open_session(factory, collector, token=money)
        due, soon = driver.terms.deposit, driver.terms.registrationEnd
        signed = signed_permit(money, provider, driver.session, due, soon)
        roots = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
        join = permitted(driver.session.register, *roots, token=money, value=due, signed=signed)
        money.permit(provider, driver.session, due, *signed, sender=stranger)
        return refusal(driver.session.multicall, join, sender=provider)

    assert against(attack) is None
    assert against(attack, "needs its own permit").name == "ERC2612InvalidSigner"


def test_a_token_that_keeps_a_share(factory, collector, provider, deployer, mocks, against):
    """Deposits that arrive in part would leave the last one to claim with nothing."""

    def attack():
        money = deployer.deploy(mocks["FeeToken"])
        money.setFeePercent(0, sender=deployer)
        for account in (collector, provider):
            money.mint(account, 10**20, sender=deployer)
        driver = open_session(factory, collector, token=money)
        money.setFeePercent(1, sender=deployer)
        money.approve(driver.session.address, driver.terms.deposit, sender=provider)
        roots = (b"\1" * 32, b"\2" * 32, b"\3" * 32)
        outcome = refusal(driver.session.register, *roots, sender=provider)
        return outcome.name if outcome else "ok"

    assert against(attack) == "TokenTakesFee"
    assert against(attack, "trusts tokens") == "ok"


def test_a_token_that_lies_about_a_transfer(factory, collector, provider, deployer, mocks, against):
    """Otherwise a provider would be marked as paid and have nothing."""

    def attack():
        money = deployer.deploy(mocks["FalseToken"])
        for account in (collector, provider):
            money.mint(account, 10**20, sender=deployer)
        driver = open_session(factory, collector, token=money)
        driver.register(provider)
        driver.close()
        money.setFailing(True, sender=deployer)
        outcome = refusal(driver.session.claimDeposit, provider, sender=provider)
        return outcome.name if outcome else "ok"

    assert against(attack) == "SafeERC20FailedOperation"
    assert against(attack, "trusts tokens") == "ok"
