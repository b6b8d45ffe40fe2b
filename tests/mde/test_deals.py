"""Deals from the order to the money, with everybody honest, late or silent."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest

from offchain.crypto.sealing import FIELD
from offchain.mde.deals import DealState
from tests.kit.refusals import refused
from tests.kit.sale import (
    DELIVERY_TIME,
    DISPUTE_TIME,
    NO_KEY,
    PLENTY,
    SEALED,
    SOME_KEY,
    STAKE,
    key_words,
)
from tests.mde.deal_driver import make_deal, open_deal


def test_a_quoted_dataset_is_bought_delivered_and_paid(
    contract, buyer, seller, settlement, currency
):
    """The buyer has the key and the seller the price, to the last unit."""
    sale = open_deal(contract, buyer, seller, settlement=settlement, token=currency)
    before = sale.money(sale.seller), sale.money(sale.buyer)
    sale.quote()
    assert sale.state is DealState.QUOTED
    sale.buy()
    assert sale.budget == (PLENTY, sale.price)
    assert sale.funds == (PLENTY, STAKE)
    assert sale.received(sale.deliver()) == sale.key
    sale.lapse()
    sale.settle()
    assert sale.state is DealState.SETTLED
    assert sale.budget == (PLENTY - sale.price, 0)
    assert sale.funds == (PLENTY + sale.price, 0)
    sale.withdraw(sale.order.account, PLENTY - sale.price)
    sale.withdraw(sale.dataset.account, PLENTY + sale.price)
    assert sale.money(sale.contract) == 0
    if sale.token:
        assert sale.money(sale.seller) == before[0] + PLENTY + sale.price
        assert sale.money(sale.buyer) == before[1] + PLENTY - sale.price


def test_a_purchase_holds_price_and_stake(sale):
    sale.quote()
    (log,) = sale.contract.Purchased.from_receipt(sale.buy())
    now = ape.chain.blocks.head.timestamp
    assert bytes(log.pair) == sale.deal.pair
    assert (log.oneTimeKey, log.deadline) == (sale.purchase.one_time_key, now + DELIVERY_TIME)
    assert sale.status()[:2] == (DealState.PAID, now + DELIVERY_TIME)


def test_only_the_buyer_buys_and_once(sale, stranger):
    key = SOME_KEY if sale.sealed else 0
    early = sale.refusal("purchase", *sale.buy_args(key))
    assert early == refused("WrongState", int(DealState.NONE), int(DealState.QUOTED))
    sale.quote()
    for thief in (stranger, sale.seller):
        assert sale.refusal("purchase", *sale.buy_args(key), sender=thief) == refused(
            "NotBuyer", thief, sale.buyer
        )
    sale.buy()
    again = sale.refusal("purchase", *sale.buy_args(key))
    assert again == refused("WrongState", int(DealState.PAID), int(DealState.QUOTED))


def test_a_one_time_key_is_brought_where_it_is_needed(sale):
    sale.quote()
    if not sale.sealed:
        outcome = sale.refusal("purchase", *sale.buy_args(SOME_KEY))
        assert outcome == refused("KeyNotWanted", SOME_KEY)
        return
    x, y = key_words(SOME_KEY)
    for point in ((0, 0), key_words(NO_KEY), (x, y + 1), (x + FIELD, y)):
        outcome = sale.refusal("purchase", sale.args, *point)
        assert outcome == refused("KeyNotOnCurve", *point)
    assert sale.refusal("purchase", sale.args, x, FIELD - y) is None


def test_what_fetches_nothing_is_not_sold(contract, buyer, seller):
    """Else a seller that agreed to what its data is worth would owe it for nothing."""
    sale = open_deal(contract, buyer, seller, price=0)
    sale.quote()
    assert sale.refusal("purchase", *sale.buy_args(0)) == refused("PriceZero")


def test_no_purchase_that_budget_and_stakes_do_not_answer_for(contract, buyer, seller, settlement):
    """The last free unit of each answers for a sale; with one less nothing is sold."""
    sale = open_deal(
        contract, buyer, seller, settlement=settlement, budget=599, funds=STAKE - 1, price=600
    )
    sale.quote()
    key = SOME_KEY if sale.sealed else 0
    assert sale.refusal("purchase", *sale.buy_args(key)) == refused("FundsTooLow", 599, 600)
    contract.fund(sale.order.account.args(), 1, value=1, sender=buyer)
    expected = refused("FundsTooLow", STAKE - 1, STAKE)
    assert sale.refusal("purchase", *sale.buy_args(key)) == expected
    contract.fund(sale.dataset.account.args(), 1, value=1, sender=seller)
    sale.buy()
    assert (sale.budget, sale.funds) == ((600, 600), (STAKE, STAKE))


@pytest.mark.parametrize("part", ["order", "dataset", "quote"])
def test_no_deal_but_the_signed_one_is_acted_upon(sale, part):
    """Another stake, count or price finds another hash, in every call that takes a deal."""
    sale.quote()
    sale.buy()
    change = {"order": {"stake": 1}, "dataset": {"count": 4}, "quote": {"price": 1}}[part]
    changed = replace(sale.deal, **{part: replace(getattr(sale.deal, part), **change)})
    args = (changed.args(), sale.purchase.args())
    delivery = (5, bytes(32)) if sale.sealed else (sale.key,)
    deliver = "sealKey" if sale.sealed else "publishKey"
    outcome = sale.refusal(deliver, *args, *delivery, sender=sale.seller)
    assert outcome.name == "WrongDeal"
    sale.lapse()
    assert sale.refusal("settle", *args).name == "WrongDeal"


def test_another_purchase_is_no_purchase(sale):
    """Nor one with a one-time key that another party has."""
    sale.quote()
    sale.buy()
    args = (sale.args, replace(sale.purchase, one_time_key=9).args())
    delivery = (5, bytes(32)) if sale.sealed else (sale.key,)
    deliver = "sealKey" if sale.sealed else "publishKey"
    assert sale.refusal(deliver, *args, *delivery, sender=sale.seller).name == "WrongDeal"


# ---------------------------------------------------------------- delivery and deadlines


def delivery(sale):
    """The call that delivers the right key."""
    if sale.sealed:
        return ("sealKey", *sale.both, *sale.seal_args())
    return ("publishKey", *sale.both, sale.key)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_key_comes_before_the_deadline_or_the_price_goes_back(sale, late):
    sale.quote()
    sale.buy()
    end = sale.deadline
    sale.go_to(end + late)
    outcome = sale.refusal(*delivery(sale), sender=sale.seller)
    assert outcome == (None if late < 0 else refused("TooLate", end + late, end))
    lapses = sale.refusal("settle", *sale.both)
    assert lapses == (refused("TooEarly", end + late, end) if late < 0 else None)


def test_a_silent_seller_is_not_paid_and_nothing_stays(sale, stranger):
    """Anybody lets it lapse; the buyer has its price back, the seller its stake."""
    sale.quote()
    sale.buy()
    sale.lapse()
    (log,) = sale.contract.Lapsed.from_receipt(sale.settle(stranger))
    assert bytes(log.pair) == sale.deal.pair
    assert sale.state is DealState.LAPSED
    assert sale.budget == sale.funds == (PLENTY, 0)
    for name in ("settle", "accept"):
        outcome = sale.refusal(name, *sale.both)
        assert outcome == refused("WrongState", int(DealState.LAPSED), int(DealState.DELIVERED))


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_sale_settles_from_the_deadline_on(sale, late):
    """A buyer that says nothing has agreed."""
    sale.quote()
    sale.buy()
    sale.deliver()
    now = ape.chain.blocks.head.timestamp
    end = sale.deadline
    assert end == now + DISPUTE_TIME
    sale.go_to(end + late)
    outcome = sale.refusal("settle", *sale.both)
    assert outcome == (refused("TooEarly", end + late, end) if late < 0 else None)


def test_a_content_buyer_settles_at_once(sale, stranger):
    sale.quote()
    sale.buy()
    early = sale.refusal("accept", *sale.both)
    assert early == refused("WrongState", int(DealState.PAID), int(DealState.DELIVERED))
    sale.deliver()
    for thief in (stranger, sale.seller):
        assert sale.refusal("accept", *sale.both, sender=thief) == refused(
            "NotBuyer", thief, sale.buyer
        )
    (log,) = sale.contract.Settled.from_receipt(sale.accept())
    assert bytes(log.pair) == sale.deal.pair
    assert (sale.budget, sale.funds) == (
        (PLENTY - sale.price, 0),
        (PLENTY + sale.price, 0),
    )
    again = sale.refusal("accept", *sale.both)
    assert again == refused("WrongState", int(DealState.SETTLED), int(DealState.DELIVERED))


def test_only_the_right_key_is_published_and_by_anyone(contract, buyer, seller, stranger):
    sale = open_deal(contract, buyer, seller)
    sale.quote()
    sale.buy()
    wrong = sale.refusal("publishKey", *sale.both, bytes(32), sender=seller)
    given = sale.domain.key_hash(bytes(32))
    assert wrong == refused("WrongKey", sale.dataset.key_hash, given)
    assert sale.refusal("publishKey", *sale.both, sale.key, sender=stranger) is None
    sealed = sale.refusal("sealKey", *sale.both, 5, bytes(32), sender=seller)
    assert sealed == refused("WrongSettlement", 0, 1)


def test_only_the_seller_seals(contract, buyer, seller, stranger):
    """Who else could would have the seller lose its stake."""
    sale = open_deal(contract, buyer, seller, settlement=SEALED)
    sale.quote()
    sale.buy()
    outcome = sale.refusal("sealKey", *sale.both, 5, bytes(32), sender=stranger)
    assert outcome == refused("NotSeller", stranger, seller)
    outcome = sale.refusal("publishKey", *sale.both, sale.key, sender=seller)
    assert outcome == refused("WrongSettlement", 1, 0)


def test_nothing_is_delivered_twice(sale):
    sale.quote()
    sale.buy()
    sale.deliver()
    if sale.sealed:
        again = ("sealKey", *sale.both, 5, bytes(32))
    else:
        again = ("publishKey", *sale.both, sale.key)
    outcome = sale.refusal(*again, sender=sale.seller)
    assert outcome == refused("WrongState", int(DealState.DELIVERED), int(DealState.PAID))


def test_a_closed_account_finishes_what_is_under_way(sale):
    """And its owner takes out the rest."""
    sale.quote()
    sale.buy()
    sale.contract.close(sale.order.account.args(), sender=sale.buyer)
    sale.contract.close(sale.dataset.account.args(), sender=sale.seller)
    sale.deliver()
    sale.accept()
    sale.withdraw(sale.order.account, PLENTY - sale.price)
    sale.withdraw(sale.dataset.account, PLENTY + sale.price)
    assert sale.money(sale.contract) == 0


def test_one_dataset_is_sold_to_many_and_one_order_buys_many(
    contract, buyer, other, seller, settlement
):
    """Each pair has its quote, and all are held at once."""
    first = open_deal(contract, buyer, seller, settlement=settlement)
    second = make_deal(contract, other, seller, settlement=settlement)
    second.post()
    third = make_deal(contract, buyer, seller, settlement=settlement, name=b"\1" * 32)
    third.register()
    for sale in (first, second, third):
        sale.quote()
        sale.buy()
    assert first.budget == (PLENTY, first.price + third.price)
    assert first.funds == (PLENTY, 2 * STAKE)
    for sale in (first, second, third):
        assert sale.received(sale.deliver()) == sale.key
        sale.accept()
    assert first.budget == (PLENTY - first.price - third.price, 0)
    assert first.funds == (PLENTY + first.price + second.price, 0)
