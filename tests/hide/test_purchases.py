"""Who may buy what and when; every refusal by its name, every deadline to the second."""

from dataclasses import replace

import pytest

from offchain.crypto.evidence import chunk_evidence
from offchain.crypto.sealing import FIELD
from offchain.hide.sale.listings import Sale, SaleState
from tests.hide.listing_driver import PRICES, open_shop
from tests.kit.refusals import refused
from tests.kit.sale import NO_KEY, PLENTY, SEALED, SOME_KEY, STAKE, key_words

NONE, PAID, DELIVERED, CHEATED, LAPSED, OWNED = SaleState


def value_of(shop, amount):
    return 0 if shop.token else amount


# ---------------------------------------------------------------- purchases


def test_an_offer_is_bought_as_it_was_listed(shop, buyer):
    """At another price, level or path it leads to a listing that does not exist."""
    key = key_words(SOME_KEY if shop.sealed else 0)
    terms, path, offer = shop.listing.terms(), shop.listing.path(1), shop.listing.offer(1)
    for args in (
        (terms, 1, (offer[0] - 1, offer[1]), path, *key),
        (terms, 2, offer, path, *key),
        (terms, 257, offer, path, *key),
        (terms, 1, offer, path[:-1], *key),
        (terms, 1, offer, [*path, bytes(32)], *key),
        (terms, 1, shop.listing.offer(0), path, *key),
    ):
        value = value_of(shop, args[2][0])
        outcome = shop.refusal("buy", *args, sender=buyer, value=value)
        assert outcome.name == "UnknownListing"
    assert shop.refusal_of_buy(buyer, 1) is None


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_is_bought_once_and_no_worse_one_after_it(shop, buyer, level):
    shop.buy(buyer, 1)
    shop.deliver(buyer)
    shop.accept(buyer)
    assert shop.refusal_of_buy(buyer, level) == refused("LevelNotAbove", level, 2)
    assert shop.refusal_of_buy(buyer, 2) is None


def test_one_purchase_at_a_time(shop, buyer):
    """Paid, delivered or lapsed, it must come to its end first."""
    shop.buy(buyer, 0)
    assert shop.refusal_of_buy(buyer, 1) == refused("SaleUnderWay", int(PAID))
    shop.deliver(buyer)
    assert shop.refusal_of_buy(buyer, 1) == refused("SaleUnderWay", int(DELIVERED))
    shop.accept(buyer)
    shop.buy(buyer, 1)
    shop.lapse(buyer)
    shop.settle(buyer)
    assert shop.refusal_of_buy(buyer, 1) == refused("SaleUnderWay", int(LAPSED))


@pytest.mark.parametrize("by", [-1, 1])
def test_the_price_is_paid_to_the_wei(contract, seller, buyer, settlement, by):
    shop = open_shop(contract, seller, settlement=settlement)
    args = shop.buy_args(0, SOME_KEY if shop.sealed else 0)
    assert shop.refusal("buy", *args, sender=buyer, value=PRICES[0] + by) == refused(
        "WrongPayment", PRICES[0] + by, PRICES[0]
    )


def test_coins_are_no_tokens(contract, seller, buyer, coin):
    shop = open_shop(contract, seller, token=coin)
    args = shop.buy_args(0, 0)
    assert shop.refusal("buy", *args, sender=buyer, value=1) == refused("WrongPayment", 1, 0)


def test_a_one_time_key_is_brought_where_it_is_needed(shop, buyer):
    def outcome(*key):
        args = (*shop.buy_args(0, 0)[:4], *key)
        return shop.refusal("buy", *args, sender=buyer, value=value_of(shop, PRICES[0]))

    x, y = key_words(SOME_KEY)
    if not shop.sealed:
        assert outcome(x, y) == refused("KeyNotWanted", x)
        return
    for point in ((0, 0), key_words(NO_KEY), (x, y + 1), (x + FIELD, y)):
        assert outcome(*point) == refused("KeyNotOnCurve", *point)
    assert outcome(x, FIELD - y) is None


def test_no_purchase_that_the_funds_do_not_answer_for(contract, seller, buyer, other, settlement):
    """The last free wei answers for a sale; with one less nothing is sold."""
    hold = STAKE if settlement else STAKE + PRICES[0]
    shop = open_shop(contract, seller, funds=2 * hold - 1, settlement=settlement)
    shop.buy(buyer, 0)
    assert shop.refusal_of_buy(other, 0) == refused("FundsTooLow", hold - 1, hold)
    contract.fund(shop.args, 1, value=1, sender=seller)
    shop.buy(other, 0)
    assert shop.funds == shop.held == 2 * hold


# ---------------------------------------------------------------- deadlines


def settle_at(shop, buyer, timestamp):
    """Somebody settles in that second, which is then the latest block's."""
    shop.go_to(timestamp - 1)
    shop.at(timestamp)
    shop.settle(buyer)


@pytest.mark.parametrize("late", [0, 1])
def test_an_overdue_key_is_refused_and_the_refund_is_not_though_nobody_settled(shop, buyer, late):
    shop.buy(buyer, 0)
    end = shop.deadline(buyer)
    shop.go_to(end + late)
    sale = shop.sale(buyer).args()
    if shop.sealed:
        args = (shop.args, buyer, sale, 5, b"\1" * 32)
        delivery = shop.refusal("sealKey", *args, sender=shop.seller)
    else:
        delivery = shop.refusal("publishKey", *shop.publish_args(buyer), sender=shop.seller)
    assert delivery == refused("TooLate", end + late, end)
    assert shop.refusal("refund", shop.args, sale, buyer, sender=buyer) is None


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_key_comes_before_the_deadline_or_not_at_all(shop, buyer, late):
    """One second before, at and after it: either delivery or refund, never both or neither."""
    shop.buy(buyer, 0)
    end = shop.deadline(buyer)
    settle_at(shop, buyer, end + late)
    assert shop.state(buyer) is (PAID if late < 0 else LAPSED)
    sale = shop.sale(buyer).args()
    if shop.sealed:
        args = (shop.args, buyer, sale, 5, b"\1" * 32)
        delivery = shop.refusal("sealKey", *args, sender=shop.seller)
    else:
        delivery = shop.refusal("publishKey", *shop.publish_args(buyer), sender=shop.seller)
    money = shop.refusal("refund", shop.args, sale, buyer, sender=buyer)
    if late < 0:
        assert (delivery, money) == (None, refused("TooEarly", end + late, end))
    else:
        assert (delivery, money) == (refused("WrongState", int(LAPSED), int(PAID)), None)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_fault_is_proved_before_the_deadline_or_the_sale_is_settled(
    contract, seller, buyer, settlement, late
):
    shop = open_shop(contract, seller, settlement=settlement, spoilt=(0, 1))
    shop.buy(buyer, 0)
    shop.deliver(buyer)
    end = shop.deadline(buyer)
    proof = shop.chunk_proof(buyer, 1)
    if late < 0:
        settle_at(shop, buyer, end + late)
        assert shop.state(buyer) is DELIVERED, "it was not due"
    shop.go_to(end + late)
    outcome = shop.refusal("proveSpoiltChunk", *proof, sender=buyer)
    assert outcome == (None if late < 0 else refused("TooLate", end + late, end))
    if shop.sealed:
        evidence = (shop.secret(buyer), 5, bytes(32), 0, 0)
        args = (*proof[:3], evidence)
        outcome = shop.refusal("proveWrongKey", *args, sender=buyer)
        assert outcome.name == ("WrongDelivery" if late < 0 else "TooLate")
    if late >= 0:
        shop.settle(buyer)
        assert shop.state(buyer) is OWNED


# ---------------------------------------------------------------- states


def reach(shop, buyer, state):
    """Brings a buyer into a state."""
    if state is NONE:
        return
    shop.buy(buyer, 1)
    if state is LAPSED:
        shop.lapse(buyer)
        shop.settle(buyer)
    if state in (DELIVERED, CHEATED, OWNED):
        shop.deliver(buyer)
    if state is CHEATED:
        shop.contract.proveSpoiltChunk(*shop.chunk_proof(buyer, 0), sender=buyer)
    if state is OWNED:
        shop.accept(buyer)


ALLOWED = {
    NONE: set(),
    PAID: {"deliver"},
    DELIVERED: {"accept", "proveSpoiltChunk", "proveWrongKey"},
    CHEATED: {"refund"},
    LAPSED: {"refund"},
    OWNED: set(),
}


@pytest.mark.parametrize("state", SaleState, ids=lambda s: s.name.lower())
def test_every_call_in_every_state_as_the_table_says(contract, seller, buyer, settlement, state):
    """Within the deadline; those outside of the table are refused for the state."""
    shop = open_shop(contract, seller, settlement=settlement, spoilt=(1, 0))
    wrong = None
    if state is DELIVERED and shop.sealed:
        shop.buy(buyer, 1)
        wrong = shop.key_proof(buyer, shop.deliver(buyer, bytes(32)))
    else:
        reach(shop, buyer, state)
    assert shop.state(buyer) is state
    if state in (NONE, OWNED):
        shop.sales.setdefault(buyer.address, _any_sale(shop))
    sale, goods = shop.sale(buyer).args(), shop.listing.goods(1)
    chunk = shop.chunk_proof(buyer, 0)
    if state is NONE:
        evidence = _evidence_of_level_one(shop)
        chunk = (shop.args, sale, goods, shop.keys[1], evidence)
    key = (shop.args, sale, goods, (1, 5, bytes(32), 0, 0))
    calls = {
        "accept": (shop.args, sale),
        "refund": (shop.args, sale, buyer),
        "proveSpoiltChunk": chunk,
    }
    if shop.sealed:
        calls["proveWrongKey"] = wrong or key
        calls["sealKey"] = (shop.args, buyer, sale, 5, bytes(32))
    else:
        calls["publishKey"] = (shop.args, buyer, sale, goods, shop.keys[1])
    for name, args in calls.items():
        sender = shop.seller if name in ("sealKey", "publishKey") else buyer
        outcome = shop.refusal(name, *args, sender=sender)
        allowed = name in ALLOWED[state] or (
            name in ("sealKey", "publishKey") and "deliver" in ALLOWED[state]
        )
        if allowed:
            assert outcome is None, name
        else:
            expected = {"refund": ("NothingOwed", "TooEarly")}.get(name, ("WrongState",))
            assert outcome.name in expected, (name, outcome)


def _any_sale(shop):

    return Sale.of(shop.listing, 1)


def _evidence_of_level_one(shop):
    return chunk_evidence(shop.domain(1), shop.files[1], 0)


def test_another_sale_than_the_present_one_is_refused(shop, buyer, other):
    """Each field is bound; so nobody gets back more than it paid."""
    shop.buy(buyer, 0)
    sale = shop.sale(buyer)
    shop.lapse(buyer)
    for changed in (
        replace(sale, price=sale.price + 1),
        replace(sale, credit=1),
        replace(sale, goods=bytes(32)),
        replace(sale, one_time_key=sale.one_time_key + 1),
        replace(sale, delivery=b"\1" * 32),
    ):
        assert shop.refusal("refund", shop.args, changed.args(), buyer, sender=buyer) == refused(
            "WrongSale", sale.digest(), changed.digest()
        )
        # A settlement passes over it instead, so that it stops no other.
        due = [(buyer.address, changed.args())]
        shop.contract.settle(shop.args, due, sender=other)
        assert shop.state(buyer) is PAID


# ---------------------------------------------------------------- delivery


def test_each_settlement_has_its_own_delivery(shop, buyer):
    shop.buy(buyer, 0)
    sale, goods = shop.sale(buyer).args(), shop.listing.goods(0)
    if shop.sealed:
        args = (shop.args, buyer, sale, goods, shop.keys[0])
        assert shop.refusal("publishKey", *args, sender=shop.seller) == refused(
            "WrongSettlement", 1, 0
        )
    else:
        args = (shop.args, buyer, sale, 5, bytes(32))
        assert shop.refusal("sealKey", *args, sender=shop.seller) == refused(
            "WrongSettlement", 0, 1
        )


def test_a_published_key_is_the_committed_one_of_the_paid_goods(contract, seller, buyer):
    shop = open_shop(contract, seller)
    shop.buy(buyer, 0)
    args = shop.publish_args(buyer)
    outcome = shop.refusal("publishKey", *args[:4], shop.keys[1], sender=seller)
    assert outcome.name == "WrongKey"
    other_goods = (*args[:3], shop.listing.goods(1), shop.keys[1])
    assert shop.refusal("publishKey", *other_goods, sender=seller).name == "WrongGoods"


def test_a_published_key_may_be_brought_by_anybody_to_the_sellers_good(
    contract, seller, buyer, other, stranger
):
    """Once it is public those who paid wait for nobody; who brings it gains nothing."""
    shop = open_shop(contract, seller)
    shop.buy(buyer, 0)
    shop.buy(other, 0)
    shop.deliver(buyer)
    contract.publishKey(*shop.publish_args(other), sender=stranger)
    assert shop.state(other) is DELIVERED
    assert shop.funds == PLENTY + 2 * PRICES[0]


def test_only_the_seller_seals(contract, seller, buyer, stranger):
    """Else anybody could make it lose its stake by rubbish."""
    shop = open_shop(contract, seller, settlement=SEALED)
    shop.buy(buyer, 0)
    args = (shop.args, buyer, shop.sale(buyer).args(), 5, bytes(32))
    for sender in (stranger, buyer):
        assert shop.refusal("sealKey", *args, sender=sender) == refused("NotSeller", sender, seller)
