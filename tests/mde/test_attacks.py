"""Accounts with code, odd tokens and forced coins: nobody takes what is another's."""

from __future__ import annotations

import ape
import pytest

from offchain.mde.deals import DealState
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import decode, refusal, refused
from tests.kit.sale import PLENTY, STAKE
from tests.kit.snapshots import undone
from tests.mde.deal_driver import make_deal, open_deal, sold_deal

REVERTS, BURNS, CALLS = 1, 2, 3


class Actor:
    """A Puppet as an account of a sale: its transactions go through ``act``."""

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


def posted_by(actor, contract, seller, token=None):
    """An order of the actor's, with a budget."""
    sale = make_deal(contract, actor, seller, token=token)
    value = 0 if token else PLENTY
    actor.call(contract.post, sale.order.args(), PLENTY, value=value)
    return sale


def test_no_budget_is_had_twice_by_calling_back(contract, buyer, seller, actor):
    """A buyer with code that withdraws again while it is paid; another's money lies beside."""
    other = open_deal(contract, buyer, seller)
    sale = posted_by(actor, contract, seller)
    account = sale.order.account.args()
    again = contract.withdraw.encode_input(account, PLENTY, actor.address)
    actor.puppet.prepare(CALLS, contract.address, again, 0, sender=actor.controller)
    before = actor.puppet.balance
    actor.call(contract.withdraw, account, PLENTY, actor.address)
    assert actor.puppet.balance == before + PLENTY
    assert decode(bytes(actor.puppet.reason())) == refused("FundsTooLow", 0, PLENTY)
    assert other.money(contract) == 2 * PLENTY


def test_a_token_that_calls_back_in_the_midst_of_a_payment_gains_nothing(
    contract, mocks, deployer, seller, buyer, actor
):
    """While it funds, an account of a hooked token takes money out: the payment did not arrive."""
    token = deploy_token(mocks["HookToken"], deployer, [seller, buyer, actor.puppet])
    open_deal(contract, buyer, seller, token=token)
    actor.call(token.approve, contract.address, 10**30)
    sale = posted_by(actor, contract, seller, token)
    account = sale.order.account.args()
    actor.call(token.hook, True)
    data = contract.withdraw.encode_input(account, 500, actor.address)
    actor.puppet.prepare(CALLS, contract.address, data, 0, sender=actor.controller)
    call = contract.fund.encode_input(account, 500)
    outcome = refusal(actor.puppet.act, contract.address, call, 0, sender=actor.controller)
    assert outcome is not None


@pytest.mark.parametrize("mood", [REVERTS, BURNS])
def test_a_hostile_receiver_harms_only_itself(contract, buyer, seller, other, actor, mood):
    """A buyer that cannot be paid keeps its budget; all others are paid as if it were not there."""
    sale = posted_by(actor, contract, seller)
    actor.puppet.prepare(mood, contract.address, b"", 0, sender=actor.controller)
    call = contract.withdraw.encode_input(sale.order.account.args(), PLENTY, actor.address)
    outcome = refusal(actor.puppet.act, contract.address, call, 0, sender=actor.controller)
    assert outcome is not None
    sold = sold_deal(contract, buyer, seller)
    sold.accept()
    sold.withdraw(sold.order.account, PLENTY - sold.price)
    sold.withdraw(sold.dataset.account, PLENTY + sold.price)
    assert sold.money(contract) == PLENTY


def test_a_token_that_takes_a_fee_is_refused(contract, mocks, deployer, buyer, seller):
    token = deploy_token(mocks["FeeToken"], deployer, [seller, buyer])
    sale = make_deal(contract, buyer, seller, token=token)
    token.approve(contract, PLENTY, sender=buyer)
    assert sale.refusal("post", sale.order.args(), PLENTY).name == "TokenTakesFee"


def test_forced_coins_change_no_book(contract, buyer, seller):
    """What nobody's account holds is nobody's, and all are paid what the books say."""
    sale = sold_deal(contract, buyer, seller)
    ape.chain.provider.set_balance(contract.address, 2 * PLENTY + 10**18)
    sale.accept()
    sale.withdraw(sale.order.account, PLENTY - sale.price)
    sale.withdraw(sale.dataset.account, PLENTY + sale.price)
    assert sale.money(contract) == 10**18


def test_every_state_has_an_exit(contract, buyer, seller, settlement, currency):
    """Left alone at any point, both have all that is theirs in the end, and nothing stays."""
    for steps in range(5):
        with undone():
            sale = make_deal(contract, buyer, seller, settlement=settlement, token=currency)
            for step in (
                lambda m=sale: (m.post(), m.register()),
                sale.quote,
                sale.buy,
                sale.deliver,
            )[:steps]:
                step()
            if steps == 0:
                assert sale.state is DealState.NONE
                continue
            if sale.state in (DealState.PAID, DealState.DELIVERED):
                sale.lapse()
                sale.settle()
            for account in (sale.order.account, sale.dataset.account):
                sale.withdraw(account, sale.account(account)[2])
            assert sale.money(contract) == 0


def test_all_who_were_cheated_are_served(contract, buyer, other, accounts, seller):
    """Each finds its stake held, whoever comes first and whatever the seller withdraws before."""
    buyers = accounts[14:18]
    first = open_deal(contract, buyers[0], seller, funds=len(buyers) * STAKE, spoilt=2)
    sales = [first]
    for one in buyers[1:]:
        sales.append(make_deal(contract, one, seller, spoilt=2))
        sales[-1].post()
    for sale in sales:
        sale.quote()
        sale.buy()
        sale.deliver()
    account = first.dataset.account.args()
    assert first.refusal("withdraw", account, 1, seller, sender=seller) == refused(
        "FundsTooLow", 0, 1
    )
    for sale in reversed(sales):
        contract.proveSpoiltChunk(*sale.chunk_proof(2), sender=sale.buyer)
        assert sale.budget == (PLENTY + STAKE, 0)
    assert first.funds == (0, 0)
    for sale in sales:
        sale.withdraw(sale.order.account, PLENTY + STAKE)
    assert first.money(contract) == 0
