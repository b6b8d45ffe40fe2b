"""Sales that go as they should: keys, levels, upgrades and money, by either way and currency."""

import pytest

from offchain.crypto.disputable import open_file
from offchain.hide.sale.listings import SaleState
from tests.hide.listing_driver import PRICES, content_of
from tests.kit.refusals import refused
from tests.kit.sale import DELIVERY_TIME, DISPUTE_TIME, PLENTY, STAKE


def test_a_buyer_pays_gets_its_key_and_reads_its_file(shop, buyer):
    """From payment to the content, by the events alone."""
    before = shop.money(buyer)
    receipt = shop.buy(buyer, 1)
    (bought,) = shop.contract.Bought.from_receipt(receipt)
    assert (bytes(bought.id), bought.buyer, bought.level) == (shop.id, buyer.address, 1)
    assert bought.oneTimeKey == shop.sale(buyer).one_time_key
    assert shop.deadline(buyer) == receipt.timestamp + DELIVERY_TIME
    assert shop.balance == PLENTY + PRICES[1]
    if shop.token:
        assert before - shop.money(buyer) == PRICES[1]

    delivery = shop.deliver(buyer)
    assert shop.deadline(buyer) == delivery.timestamp + DISPUTE_TIME
    key = shop.received(buyer, delivery)
    shop.files[1].require_committed(shop.domain(1), shop.listing.levels[1].file)
    assert open_file(shop.domain(1), key, shop.files[1]) == content_of(1)


def test_the_price_is_the_sellers_with_an_open_key_and_after_the_window_with_a_sealed_one(
    shop, buyer
):
    """Open: at once, though funds of the same size answer for disputes; sealed: when settled."""
    shop.buy(buyer, 0)
    hold = STAKE + (0 if shop.sealed else PRICES[0])
    assert (shop.funds, shop.held) == (PLENTY, hold)
    shop.deliver(buyer)
    assert (shop.funds, shop.held) == (PLENTY + (0 if shop.sealed else PRICES[0]), hold)
    shop.lapse(buyer)
    receipt = shop.settle(buyer)
    (log,) = shop.contract.Settled.from_receipt(receipt)
    assert (bytes(log.id), log.buyer) == (shop.id, buyer.address)
    assert (shop.funds, shop.held) == (PLENTY + PRICES[0], 0)
    shop.withdraw(PLENTY + PRICES[0])
    assert shop.balance == 0


def test_an_upgrade_pays_the_difference_to_the_best_level_owned(shop, buyer):
    """Level by level; in the end the buyer has paid the price of the best, and no more."""
    spent = 0
    for level in range(3):
        before = shop.balance
        shop.buy(buyer, level)
        assert shop.balance - before == PRICES[level] - spent
        spent = PRICES[level]
        key = shop.received(buyer, shop.deliver(buyer))
        assert open_file(shop.domain(level), key, shop.files[level]) == content_of(level)
        shop.accept(buyer)
        assert shop.status(buyer)[:4] == (SaleState.OWNED, level, level + 1, 0)
        assert shop.credit(buyer) == PRICES[level]
    assert (shop.funds, shop.held) == (PLENTY + PRICES[2], 0)


def test_an_upgrade_that_is_not_delivered_leaves_the_buyer_what_it_owned(shop, buyer):
    """It gets the difference back and may try again."""
    shop.buy(buyer, 0)
    shop.deliver(buyer)
    shop.accept(buyer)
    owned = shop.status(buyer)
    shop.buy(buyer, 2)
    shop.lapse(buyer)
    receipt = shop.refund(buyer)
    (log,) = shop.contract.Refunded.from_receipt(receipt)
    assert (bytes(log.id), log.buyer, log.amount) == (
        shop.id, buyer.address, PRICES[2] - PRICES[0],
    )  # fmt: skip
    assert shop.status(buyer) == owned
    shop.buy(buyer, 1)
    assert shop.state(buyer) is SaleState.PAID


def test_a_silent_seller_costs_the_buyer_nothing(shop, buyer):
    """All it paid comes back, and the seller's stake is free again."""
    before = shop.money(buyer)
    shop.buy(buyer, 2)
    shop.lapse(buyer)
    shop.refund(buyer)
    if shop.token:
        assert shop.money(buyer) == before
    assert shop.status(buyer) == (SaleState.NONE, 0, 0, 0, bytes(24))
    assert (shop.funds, shop.held, shop.balance) == (PLENTY, 0, PLENTY)


def test_a_silent_buyer_costs_the_seller_nothing(shop, buyer):
    """Whoever never fetches its money holds no stake, and can still fetch it later."""
    shop.buy(buyer, 1)
    shop.lapse(buyer)
    receipt = shop.settle(buyer)
    (log,) = shop.contract.Lapsed.from_receipt(receipt)
    assert (bytes(log.id), log.buyer) == (shop.id, buyer.address)
    assert (shop.funds, shop.held) == (PLENTY, 0)
    shop.withdraw(PLENTY)
    assert shop.balance == PRICES[1]
    shop.refund(buyer)
    assert shop.balance == 0


def test_a_closed_listing_serves_those_who_paid_and_nobody_else(shop, buyer, other):
    """Delivery, settlement and withdrawal go on."""
    shop.buy(buyer, 0)
    receipt = shop.contract.close(shop.args, sender=shop.seller)
    (log,) = shop.contract.ListingClosed.from_receipt(receipt)
    assert bytes(log.id) == shop.id
    assert shop.contract.bookOf(shop.id)[:2] == (True, True)
    assert shop.refusal_of_buy(other).name == "ListingIsClosed"
    shop.deliver(buyer)
    shop.accept(buyer)
    assert shop.refusal_of_buy(buyer, 1).name == "ListingIsClosed"
    shop.withdraw(PLENTY + PRICES[0])
    assert shop.balance == 0


@pytest.mark.parametrize("level", [0, 2])
def test_two_buyers_do_not_meet(shop, buyer, other, level):
    """Each with its own sale, one settled and one refunded."""
    shop.buy(buyer, 1)
    shop.buy(other, level)
    shop.deliver(other)
    shop.lapse(buyer)
    shop.lapse(other)
    receipt = shop.settle(buyer, other)
    assert shop.contract.Lapsed.from_receipt(receipt)[0].buyer == buyer
    assert shop.contract.Settled.from_receipt(receipt)[0].buyer == other
    shop.refund(buyer)
    assert (shop.funds, shop.held) == (PLENTY + PRICES[level], 0)
    assert shop.balance == shop.funds


def test_funds_are_added_and_taken_out_by_the_seller_alone(shop, buyer):
    """Who fills them to the brim stops the delivery of an open key."""
    assert shop.refusal("fund", shop.args, 0, sender=buyer) == refused(
        "NotSeller", buyer, shop.seller
    )
    receipt = shop.contract.fund(shop.args, 77, **shop.pay(77, shop.seller))
    (log,) = shop.contract.Funded.from_receipt(receipt)
    assert (bytes(log.id), log.amount) == (shop.id, 77)
    assert shop.funds == PLENTY + 77
    receipt = shop.withdraw(50)
    (log,) = shop.contract.Withdrawn.from_receipt(receipt)
    assert (bytes(log.id), log.amount) == (shop.id, 50)
    assert shop.funds == shop.balance == PLENTY + 27
