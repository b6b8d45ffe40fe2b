"""Accounts with code, odd tokens, forced coins and copied calls: nobody takes what is another's."""

import ape
import pytest

from offchain.hide.sale.listings import Sale, SaleState
from tests.hide.listing_driver import PRICES, ListingDriver, list_args, make_listing, open_shop
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import decode, refusal, refused
from tests.kit.sale import OPEN, PLENTY, SEALED, SOME_KEY, STAKE

REVERTS, BURNS, CALLS = 1, 2, 3


class Actor:
    """A Puppet as an account of a shop: its transactions go through ``act``."""

    def __init__(self, puppet, controller):
        self.puppet, self.controller, self.address = puppet, controller, puppet.address

    def call(self, method, *args, value=0):
        """Makes the puppet call."""
        data = method.encode_input(*args)
        return self.puppet.act(method.contract.address, data, value, sender=self.controller)


@pytest.fixture
def actor(mocks, deployer, stranger):
    """An account with code, with coins."""
    puppet = deployer.deploy(mocks["Puppet"])
    ape.chain.provider.set_balance(puppet.address, 10**20)
    return Actor(puppet, stranger)


def bought_by(shop, actor, level=0):
    """The actor buys; its sale is remembered."""
    key = SOME_KEY if shop.sealed else 0
    price = shop.listing.levels[level].price
    value = 0 if shop.token else price
    actor.call(shop.contract.buy, *shop.buy_args(level, key), value=value)
    shop.sales[actor.address] = Sale.of(shop.listing, level, 0, key)


# ---------------------------------------------------------------- re-entry


def test_no_refund_is_had_twice_by_calling_back(contract, seller, buyer, actor, settlement):
    """A buyer with code that asks again while it is being paid; another's money lies beside."""
    shop = open_shop(contract, seller, settlement=settlement)
    shop.buy(buyer, 0)
    bought_by(shop, actor)
    shop.lapse(actor)
    again = contract.refund.encode_input(*shop.refund_args(actor))
    actor.puppet.prepare(CALLS, contract.address, again, 0, sender=actor.controller)
    before = actor.puppet.balance
    actor.call(contract.refund, *shop.refund_args(actor))
    assert actor.puppet.balance == before + PRICES[0]
    assert (actor.puppet.succeeded(), actor.puppet.refused()) == (0, 1)
    assert decode(bytes(actor.puppet.reason())) == refused("NothingOwed", actor)
    assert shop.balance == PLENTY + PRICES[0]


def shop_of(actor, contract, funds=PLENTY, **changes):
    """A listing whose seller has code."""
    listing, files, keys = make_listing(contract, actor, **changes)
    value = 0 if changes.get("token") else funds
    actor.call(contract.list, *list_args(listing, funds), value=value)
    return ListingDriver(contract, listing, actor, files, keys)


def test_no_funds_are_had_twice_by_calling_back(contract, seller, actor):
    """A seller with code that withdraws again while it is being paid."""
    other = open_shop(contract, seller)
    shop = shop_of(actor, contract)
    again = contract.withdraw.encode_input(shop.args, PLENTY, actor.address)
    actor.puppet.prepare(CALLS, contract.address, again, 0, sender=actor.controller)
    before = actor.puppet.balance
    actor.call(contract.withdraw, shop.args, PLENTY, actor.address)
    assert actor.puppet.balance == before + PLENTY
    assert decode(bytes(actor.puppet.reason())) == refused("FundsTooLow", 0, PLENTY)
    assert other.balance == other.funds == PLENTY


@pytest.mark.parametrize("name", ["fund", "withdraw", "refund"])
def test_a_token_that_calls_back_in_the_midst_of_a_payment_gains_nothing(
    contract, mocks, deployer, seller, buyer, actor, name
):
    """While it funds, an account of a hooked token takes money out: the payment did not arrive."""
    token = deploy_token(mocks["HookToken"], deployer, [seller, buyer, actor.puppet])
    victim = open_shop(contract, seller, token=token)
    actor.call(token.approve, contract.address, 10**30)
    shop = shop_of(actor, contract, token=token.address)
    shop.token = token
    amount = 500
    if name == "fund":
        args = (shop.args, 1)
    elif name == "withdraw":
        args = (shop.args, amount, actor.address)
    else:
        bought_by(victim, actor)
        victim.lapse(actor)
        args = victim.refund_args(actor)
    actor.call(token.hook, True)
    held = token.balanceOf(contract)
    data = getattr(contract, name).encode_input(*args)
    actor.puppet.prepare(CALLS, contract.address, data, 0, sender=actor.controller)
    call = contract.fund.encode_input(shop.args, amount)
    outcome = refusal(actor.puppet.act, contract.address, call, 0, sender=actor.controller)
    # What came and what went in between do not add up to what is due.
    assert outcome is not None
    assert outcome.name in {"TokenTakesFee", "Panic"}
    assert token.balanceOf(contract) == held


# ---------------------------------------------------------------- receivers


@pytest.mark.parametrize("mood", [REVERTS, BURNS])
def test_a_buyer_that_cannot_be_paid_hinders_nobody(
    contract, seller, buyer, actor, settlement, mood
):
    """Its refund fails and stays open; the other buyer and the seller have theirs."""
    shop = open_shop(contract, seller, settlement=settlement)
    shop.buy(buyer, 1)
    bought_by(shop, actor)
    shop.lapse(actor)
    actor.puppet.prepare(mood, contract.address, b"", 0, sender=actor.controller)
    with ape.reverts():
        actor.call(contract.refund, *shop.refund_args(actor))
    shop.refund(buyer)
    shop.settle(actor)
    shop.withdraw(PLENTY)
    assert shop.balance == PRICES[0]
    actor.puppet.prepare(0, contract.address, b"", 0, sender=actor.controller)
    actor.call(contract.refund, *shop.refund_args(actor))
    assert shop.balance == 0


# ---------------------------------------------------------------- tokens


def test_a_token_that_takes_a_fee_is_refused(contract, mocks, deployer, seller, buyer):
    """At once when it is listed with funds, and at the purchase when it begins later."""
    token = deploy_token(mocks["FeeToken"], deployer, [seller, buyer])
    listing = make_listing(contract, seller, token=token.address)[0]
    token.approve(contract, PLENTY, sender=seller)
    outcome = refusal(contract.list, *list_args(listing, PLENTY), sender=seller)
    assert outcome == refused("TokenTakesFee", PLENTY - PLENTY // 100, PLENTY)
    token.setFeePercent(0, sender=seller)
    shop = open_shop(contract, seller, token=token)
    token.setFeePercent(1, sender=seller)
    assert shop.refusal_of_buy(buyer, 0) == refused(
        "TokenTakesFee", PRICES[0] - PRICES[0] // 100, PRICES[0]
    )


def test_a_token_that_says_false_pays_nothing(contract, mocks, deployer, seller, buyer):
    """Afterwards what is owed is still owed."""
    token = deploy_token(mocks["FalseToken"], deployer, [seller, buyer])
    shop = open_shop(contract, seller, token=token)
    shop.buy(buyer)
    shop.lapse(buyer)
    token.setFailing(True, sender=seller)
    failed = refused("SafeERC20FailedOperation", token)
    assert shop.refusal("refund", *shop.refund_args(buyer), sender=buyer) == failed
    assert shop.refusal("withdraw", shop.args, 1, seller, sender=seller) == failed
    token.setFailing(False, sender=seller)
    shop.refund(buyer)
    assert shop.balance == PLENTY


def test_a_token_that_returns_nothing_is_as_good_as_any(contract, mocks, deployer, seller, buyer):
    token = deploy_token(mocks["SilentToken"], deployer, [seller, buyer])
    shop = open_shop(contract, seller, token=token)
    shop.buy(buyer)
    shop.deliver(buyer)
    shop.accept(buyer)
    shop.withdraw(PLENTY + PRICES[0])
    assert shop.balance == 0


def test_a_paused_token_stops_neither_delivery_nor_proof(contract, mocks, deployer, seller, buyer):
    """Windows go by while nothing can be paid; who acted in them is paid afterwards."""
    token = deploy_token(mocks["PausingToken"], deployer, [seller, buyer])
    shop = open_shop(contract, seller, token=token, settlement=SEALED)
    shop.buy(buyer)
    token.setPaused(True, sender=seller)
    proof = shop.key_proof(buyer, shop.deliver(buyer, bytes(32)))
    contract.proveWrongKey(*proof, sender=buyer)
    shop.go_to(ape.chain.blocks.head.timestamp + 10**6)
    assert shop.refusal("refund", *shop.refund_args(buyer), sender=buyer) == refused("Paused")
    token.setPaused(False, sender=seller)
    shop.refund(buyer)
    assert shop.balance == PLENTY - STAKE


def test_coins_forced_in_are_nobodys(contract, seller, buyer, mocks, deployer, settlement):
    """The books decide, not the balance."""
    shop = open_shop(contract, seller, settlement=settlement)
    deployer.deploy(mocks["Force"], contract, value=123)
    shop.buy(buyer)
    shop.deliver(buyer)
    shop.accept(buyer)
    funds = PLENTY + PRICES[0]
    assert shop.refusal("withdraw", shop.args, funds + 1, seller, sender=seller) == refused(
        "FundsTooLow", funds, funds + 1
    )
    shop.withdraw(funds)
    assert shop.balance == 123


# ---------------------------------------------------------------- copied calls


def test_a_refund_copied_from_the_queue_pays_its_copier_nothing(shop, buyer, other):
    shop.buy(buyer)
    shop.lapse(buyer)
    args = shop.refund_args(buyer, other)
    assert shop.refusal("refund", *args, sender=other) == refused("NothingOwed", other)


def test_a_proof_copied_from_the_queue_gains_its_copier_nothing(
    contract, seller, buyer, other, settlement
):
    """Even where the copier bought the same level: it proves its own sale, the buyer's stays."""
    shop = open_shop(contract, seller, settlement=settlement, spoilt=(0, 1))
    shop.buy(buyer)
    shop.deliver(buyer)
    proof = shop.chunk_proof(buyer, 1)
    assert shop.refusal("proveSpoiltChunk", *proof, sender=other).name == "WrongState"
    contract.proveSpoiltChunk(*proof, sender=buyer)
    assert shop.state(other) is SaleState.NONE


def test_a_published_key_copied_from_the_queue_pays_the_seller(contract, seller, buyer, stranger):
    shop = open_shop(contract, seller, settlement=OPEN)
    shop.buy(buyer)
    contract.publishKey(*shop.publish_args(buyer), sender=stranger)
    assert shop.funds == PLENTY + PRICES[0]
    assert shop.refusal("publishKey", *shop.publish_args(buyer), sender=seller) == refused(
        "WrongState", int(SaleState.DELIVERED), int(SaleState.PAID)
    )


def test_a_listing_copied_with_its_commitments_cannot_be_served(
    contract, seller, other, buyer, settlement
):
    """Whoever offers another's files and keys cannot deliver: they are bound to their seller."""
    mine = open_shop(contract, seller, settlement=settlement)
    copy, _, _ = make_listing(contract, other, settlement=settlement)
    fields = vars(copy) | {"levels": mine.listing.levels}
    thief = ListingDriver(contract, type(copy)(**fields), other, mine.files, mine.keys)
    contract.list(*list_args(thief.listing, PLENTY), value=PLENTY, sender=other)
    thief.buy(buyer)
    if settlement is OPEN:
        outcome = thief.refusal("publishKey", *thief.publish_args(buyer), sender=other)
        assert outcome.name == "WrongKey"
    else:
        proof = thief.key_proof(buyer, thief.deliver(buyer))
        assert thief.refusal("proveWrongKey", *proof, sender=buyer) is None


def test_a_buyer_that_acts_first_stops_no_settlement_of_others(shop, buyer, other):
    """It accepts, or is refunded, just before the seller settles all."""
    shop.buy(buyer)
    shop.buy(other)
    shop.deliver(other)
    shop.lapse(buyer)
    shop.lapse(other)
    shop.accept(other)
    shop.refund(buyer)
    shop.settle(buyer, other)
    assert (shop.state(buyer), shop.state(other)) == (SaleState.NONE, SaleState.OWNED)
    assert shop.held == 0
