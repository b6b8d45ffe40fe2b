"""Deals from the order to the money, with everybody honest, late or silent."""

from __future__ import annotations

from offchain.crypto.deals import DealState
from tests.dataset_sale.market import (
    PLENTY,
    STAKE,
)


def test_a_quoted_dataset_is_bought_delivered_and_paid(market):
    """The buyer has the key and the seller the price, to the last unit."""
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
