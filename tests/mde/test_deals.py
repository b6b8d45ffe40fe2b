"""Deals from the order to the money, with everybody honest, late or silent."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest

from offchain.mde.deals import DealState
from tests.kit.refusals import refused
from tests.kit.sale import DELIVERY_TIME, DISPUTE_TIME, PLENTY, SEALED, STAKE
from tests.mde.deal_driver import make_market, open_market


def test_a_quoted_dataset_is_bought_delivered_and_paid(
    contract, buyer, seller, settlement, currency
):
    """The buyer has the key and the seller the price, to the last unit."""
    market = open_market(contract, buyer, seller, settlement=settlement, token=currency)
    before = market.money(market.seller), market.money(market.buyer)
    market.quote()
    assert market.state is DealState.QUOTED
    market.buy()
    assert market.budget == (PLENTY, market.price)
    assert market.funds == (PLENTY, STAKE)
    assert market.received(market.deliver()) == market.key
    market.lapse()
    market.settle()
    assert market.state is DealState.SETTLED
    assert market.budget == (PLENTY - market.price, 0)
    assert market.funds == (PLENTY + market.price, 0)
    market.withdraw(market.order.account, PLENTY - market.price)
    market.withdraw(market.dataset.account, PLENTY + market.price)
    assert market.money(market.contract) == 0
    if market.token:
        assert market.money(market.seller) == before[0] + PLENTY + market.price
        assert market.money(market.buyer) == before[1] + PLENTY - market.price


def test_a_purchase_holds_price_and_stake(market):
    market.quote()
    (log,) = market.contract.Purchased.from_receipt(market.buy())
    now = ape.chain.blocks.head.timestamp
    assert bytes(log.pair) == market.deal.pair
    assert (log.oneTimeKey, log.deadline) == (market.purchase.one_time_key, now + DELIVERY_TIME)
    assert market.status()[:2] == (DealState.PAID, now + DELIVERY_TIME)


def test_only_the_buyer_buys_and_once(market, stranger):
    key = 7 if market.sealed else 0
    early = market.refusal("purchase", market.args, key)
    assert early == refused("WrongState", int(DealState.NONE), int(DealState.QUOTED))
    market.quote()
    for thief in (stranger, market.seller):
        assert market.refusal("purchase", market.args, key, sender=thief) == refused(
            "NotBuyer", thief, market.buyer
        )
    market.buy()
    again = market.refusal("purchase", market.args, key)
    assert again == refused("WrongState", int(DealState.PAID), int(DealState.QUOTED))


def test_a_one_time_key_is_brought_where_it_is_needed(market):
    market.quote()
    outcome = market.refusal("purchase", market.args, 0 if market.sealed else 7)
    assert outcome == (refused("KeyMissing") if market.sealed else refused("KeyNotWanted", 7))


def test_what_fetches_nothing_is_not_sold(contract, buyer, seller):
    """Else a seller that agreed to what its data is worth would owe it for nothing."""
    market = open_market(contract, buyer, seller, price=0)
    market.quote()
    assert market.refusal("purchase", market.args, 0) == refused("PriceZero")


def test_no_purchase_that_budget_and_stakes_do_not_answer_for(contract, buyer, seller, settlement):
    """The last free unit of each answers for a sale; with one less nothing is sold."""
    market = open_market(
        contract, buyer, seller, settlement=settlement, budget=599, funds=STAKE - 1, price=600
    )
    market.quote()
    key = 7 if market.sealed else 0
    assert market.refusal("purchase", market.args, key) == refused("FundsTooLow", 599, 600)
    contract.fund(market.order.account.args(), 1, value=1, sender=buyer)
    expected = refused("FundsTooLow", STAKE - 1, STAKE)
    assert market.refusal("purchase", market.args, key) == expected
    contract.fund(market.dataset.account.args(), 1, value=1, sender=seller)
    market.buy()
    assert (market.budget, market.funds) == ((600, 600), (STAKE, STAKE))


@pytest.mark.parametrize("part", ["order", "dataset", "quote"])
def test_no_deal_but_the_signed_one_is_acted_upon(market, part):
    """Another stake, count or price finds another hash, in every call that takes a deal."""
    market.quote()
    market.buy()
    change = {"order": {"stake": 1}, "dataset": {"count": 4}, "quote": {"price": 1}}[part]
    changed = replace(market.deal, **{part: replace(getattr(market.deal, part), **change)})
    args = (changed.args(), market.purchase.args())
    delivery = (5, bytes(32)) if market.sealed else (market.key,)
    deliver = "sealKey" if market.sealed else "publishKey"
    outcome = market.refusal(deliver, *args, *delivery, sender=market.seller)
    assert outcome.name == "WrongDeal"
    market.lapse()
    assert market.refusal("settle", *args).name == "WrongDeal"


def test_another_purchase_is_no_purchase(market):
    """Nor one with a one-time key that another party has."""
    market.quote()
    market.buy()
    args = (market.args, replace(market.purchase, one_time_key=9).args())
    delivery = (5, bytes(32)) if market.sealed else (market.key,)
    deliver = "sealKey" if market.sealed else "publishKey"
    assert market.refusal(deliver, *args, *delivery, sender=market.seller).name == "WrongDeal"


# ---------------------------------------------------------------- delivery and deadlines


def delivery(market):
    """The call that delivers the right key."""
    if market.sealed:
        return ("sealKey", *market.both, *market.seal_args())
    return ("publishKey", *market.both, market.key)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_key_comes_before_the_deadline_or_the_price_goes_back(market, late):
    market.quote()
    market.buy()
    end = market.deadline
    market.go_to(end + late)
    outcome = market.refusal(*delivery(market), sender=market.seller)
    assert outcome == (None if late < 0 else refused("TooLate", end + late, end))
    lapses = market.refusal("settle", *market.both)
    assert lapses == (refused("TooEarly", end + late, end) if late < 0 else None)


def test_a_silent_seller_is_not_paid_and_nothing_stays(market, stranger):
    """Anybody lets it lapse; the buyer has its price back, the seller its stake."""
    market.quote()
    market.buy()
    market.lapse()
    (log,) = market.contract.Lapsed.from_receipt(market.settle(stranger))
    assert bytes(log.pair) == market.deal.pair
    assert market.state is DealState.LAPSED
    assert market.budget == market.funds == (PLENTY, 0)
    for name in ("settle", "accept"):
        outcome = market.refusal(name, *market.both)
        assert outcome == refused("WrongState", int(DealState.LAPSED), int(DealState.DELIVERED))


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_sale_settles_from_the_deadline_on(market, late):
    """A buyer that says nothing has agreed."""
    market.quote()
    market.buy()
    market.deliver()
    now = ape.chain.blocks.head.timestamp
    end = market.deadline
    assert end == now + DISPUTE_TIME
    market.go_to(end + late)
    outcome = market.refusal("settle", *market.both)
    assert outcome == (refused("TooEarly", end + late, end) if late < 0 else None)


def test_a_content_buyer_settles_at_once(market, stranger):
    market.quote()
    market.buy()
    early = market.refusal("accept", *market.both)
    assert early == refused("WrongState", int(DealState.PAID), int(DealState.DELIVERED))
    market.deliver()
    for thief in (stranger, market.seller):
        assert market.refusal("accept", *market.both, sender=thief) == refused(
            "NotBuyer", thief, market.buyer
        )
    (log,) = market.contract.Settled.from_receipt(market.accept())
    assert bytes(log.pair) == market.deal.pair
    assert (market.budget, market.funds) == (
        (PLENTY - market.price, 0),
        (PLENTY + market.price, 0),
    )
    again = market.refusal("accept", *market.both)
    assert again == refused("WrongState", int(DealState.SETTLED), int(DealState.DELIVERED))


def test_only_the_right_key_is_published_and_by_anyone(contract, buyer, seller, stranger):
    market = open_market(contract, buyer, seller)
    market.quote()
    market.buy()
    wrong = market.refusal("publishKey", *market.both, bytes(32), sender=seller)
    given = market.domain.key_hash(bytes(32))
    assert wrong == refused("WrongKey", market.dataset.key_hash, given)
    assert market.refusal("publishKey", *market.both, market.key, sender=stranger) is None
    sealed = market.refusal("sealKey", *market.both, 5, bytes(32), sender=seller)
    assert sealed == refused("WrongSettlement", 0, 1)


def test_only_the_seller_seals(contract, buyer, seller, stranger):
    """Who else could would have the seller lose its stake."""
    market = open_market(contract, buyer, seller, settlement=SEALED)
    market.quote()
    market.buy()
    outcome = market.refusal("sealKey", *market.both, 5, bytes(32), sender=stranger)
    assert outcome == refused("NotSeller", stranger, seller)
    outcome = market.refusal("publishKey", *market.both, market.key, sender=seller)
    assert outcome == refused("WrongSettlement", 1, 0)


def test_nothing_is_delivered_twice(market):
    market.quote()
    market.buy()
    market.deliver()
    if market.sealed:
        again = ("sealKey", *market.both, 5, bytes(32))
    else:
        again = ("publishKey", *market.both, market.key)
    outcome = market.refusal(*again, sender=market.seller)
    assert outcome == refused("WrongState", int(DealState.DELIVERED), int(DealState.PAID))


def test_a_closed_account_finishes_what_is_under_way(market):
    """And its owner takes out the rest."""
    market.quote()
    market.buy()
    market.contract.close(market.order.account.args(), sender=market.buyer)
    market.contract.close(market.dataset.account.args(), sender=market.seller)
    market.deliver()
    market.accept()
    market.withdraw(market.order.account, PLENTY - market.price)
    market.withdraw(market.dataset.account, PLENTY + market.price)
    assert market.money(market.contract) == 0


def test_one_dataset_is_sold_to_many_and_one_order_buys_many(
    contract, buyer, other, seller, settlement
):
    """Each pair has its quote, and all are held at once."""
    first = open_market(contract, buyer, seller, settlement=settlement)
    second = make_market(contract, other, seller, settlement=settlement)
    second.post()
    third = make_market(contract, buyer, seller, settlement=settlement, name=b"\1" * 32)
    third.register()
    for market in (first, second, third):
        market.quote()
        market.buy()
    assert first.budget == (PLENTY, first.price + third.price)
    assert first.funds == (PLENTY, 2 * STAKE)
    for market in (first, second, third):
        assert market.received(market.deliver()) == market.key
        market.accept()
    assert first.budget == (PLENTY - first.price - third.price, 0)
    assert first.funds == (PLENTY + first.price + second.price, 0)
