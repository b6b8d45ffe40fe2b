"""What a seller may list, close, fund and withdraw, and what it may not."""

from dataclasses import replace

import ape
import pytest

from offchain.crypto.settlement import LONGEST_WINDOW, SHORTEST_WINDOW
from offchain.hide.sale.listings import Level
from tests.hide.listing_driver import (
    CATALOGUE,
    PRICES,
    TASK,
    list_args,
    make_listing,
    open_shop,
)
from tests.kit.refusals import refusal, refused
from tests.kit.sale import PLENTY, SOME_KEY, STAKE, key_words

H = b"\x01" * 32


@pytest.fixture
def listing(contract, seller):
    return make_listing(contract, seller)[0]


def refusal_of(contract, listing, seller, funds=PLENTY, value=None):
    return refusal(
        contract.list,
        *list_args(listing, funds),
        sender=seller,
        value=funds if value is None else value,
    )


def with_level(listing, index, **changes):
    levels = list(listing.levels)
    levels[index] = replace(levels[index], **changes)
    return replace(listing, levels=tuple(levels))


def test_a_listing_is_told_in_one_event_and_known_by_its_id(contract, seller, listing):
    receipt = contract.list(*list_args(listing, PLENTY), value=PLENTY, sender=seller)
    (log,) = contract.Listed.from_receipt(receipt)
    assert bytes(log.id) == listing.id(ape.chain.chain_id, contract.address)
    assert (bytes(log.task), bytes(log.catalogue), log.funds) == (TASK, CATALOGUE, PLENTY)
    told_seller, told_token, *rest = log.terms
    assert (told_seller.lower(), told_token) == (seller.address.lower(), listing.token)
    assert rest == list(listing.terms()[2:])
    assert [tuple(level) for level in log.levels] == [level.args() for level in listing.levels]
    assert contract.bookOf(log.id) == [True, False, PLENTY, 0]


def test_the_seller_is_who_lists(contract, seller, other, listing):
    """Another's terms, copied, make a listing of one's own, whose keys nobody has."""
    receipt = contract.list(*list_args(listing, 0), sender=other)
    (log,) = contract.Listed.from_receipt(receipt)
    assert log.terms[0].lower() == other.address.lower()
    assert bytes(log.id) != listing.id(ape.chain.chain_id, contract.address)


def test_the_same_is_not_listed_twice(contract, seller, listing):
    contract.list(*list_args(listing, 0), sender=seller)
    assert refusal_of(contract, listing, seller, 0) == refused(
        "ListingExists", listing.id(ape.chain.chain_id, contract.address)
    )


@pytest.mark.parametrize("count", [0, 33])
def test_there_are_one_to_32_levels(contract, seller, listing, count):
    levels = tuple(Level(i + 1, i + 1, H, H) for i in range(count))
    assert refusal_of(contract, replace(listing, levels=levels), seller) == refused(
        "LevelCountOutOfRange", count, 32
    )


@pytest.mark.parametrize("count", [1, 2, 5, 32])
def test_any_allowed_number_of_levels_can_be_bought_to_the_last(contract, seller, buyer, count):
    levels = tuple(Level(i + 1, i + 1, H, H) for i in range(count))
    listing = replace(make_listing(contract, seller)[0], levels=levels)
    contract.list(*list_args(listing, PLENTY), value=PLENTY, sender=seller)
    for level in {0, count // 2, count - 1}:
        args = (listing.terms(), level, listing.offer(level), listing.path(level), 0, 0)
        assert refusal(contract.buy, *args, sender=buyer, value=level + 1) is None


@pytest.mark.parametrize("accuracy", [0, 3_000, 2_999, 10_001])
def test_accuracies_rise_up_to_one(contract, seller, listing, accuracy):
    changed = with_level(listing, 1, accuracy_bps=accuracy)
    assert refusal_of(contract, changed, seller) == refused("AccuracyOutOfOrder", 1, accuracy)


@pytest.mark.parametrize(("index", "price"), [(0, 0), (1, 1_000), (1, 999)])
def test_prices_rise_from_one(contract, seller, listing, index, price):
    changed = with_level(listing, index, price=price)
    assert refusal_of(contract, changed, seller) == refused("PriceOutOfOrder", index, price)


@pytest.mark.parametrize("part", ["file", "key_hash"])
def test_every_level_has_its_commitments(contract, seller, listing, part):
    changed = with_level(listing, 2, **{part: bytes(32)})
    assert refusal_of(contract, changed, seller) == refused("CommitmentMissing", 2)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"task": bytes(32)}, "TaskMissing"),
        ({"stake": 0}, "StakeZero"),
    ],
)
def test_nothing_is_missing(contract, seller, listing, changes, name):
    assert refusal_of(contract, replace(listing, **changes), seller) == refused(name)


@pytest.mark.parametrize("name", ["delivery_time", "dispute_time"])
@pytest.mark.parametrize("seconds", [0, SHORTEST_WINDOW - 1, LONGEST_WINDOW + 1, 2**32 - 1])
def test_a_window_is_ten_minutes_to_thirty_days(contract, seller, listing, name, seconds):
    outcome = refusal_of(contract, replace(listing, **{name: seconds}), seller)
    assert outcome == refused("WindowOutOfRange", seconds, SHORTEST_WINDOW, LONGEST_WINDOW)


@pytest.mark.parametrize("seconds", [SHORTEST_WINDOW, LONGEST_WINDOW])
def test_the_ends_of_the_range_are_in_it(contract, seller, listing, seconds):
    ends = replace(listing, delivery_time=seconds, dispute_time=seconds)
    assert refusal_of(contract, ends, seller) is None


def test_the_token_is_a_contract(contract, seller, listing, stranger):
    changed = replace(listing, token=stranger.address)
    assert refusal_of(contract, changed, seller, value=0) == refused("TokenWithoutCode", stranger)


@pytest.mark.parametrize("value", [PLENTY - 1, PLENTY + 1])
def test_funds_are_paid_to_the_wei(contract, seller, listing, value):
    assert refusal_of(contract, listing, seller, value=value) == refused(
        "WrongPayment", value, PLENTY
    )


def test_only_the_seller_closes_and_once(shop, other):
    assert shop.refusal("close", shop.args, sender=other) == refused(
        "NotSeller", other, shop.seller
    )
    shop.contract.close(shop.args, sender=shop.seller)
    assert shop.refusal("close", shop.args, sender=shop.seller) == refused(
        "ListingIsClosed", shop.id
    )


def test_only_the_seller_withdraws_and_only_what_is_free(shop, buyer, other):
    shop.buy(buyer, 1)
    free = PLENTY - shop.listing.hold(PRICES[1])
    assert shop.refusal("withdraw", shop.args, 1, other, sender=other) == refused(
        "NotSeller", other, shop.seller
    )
    assert shop.refusal("withdraw", shop.args, 0, other, sender=shop.seller) == refused(
        "NothingOwed", shop.seller
    )
    assert shop.refusal("withdraw", shop.args, free + 1, other, sender=shop.seller) == refused(
        "FundsTooLow", free, free + 1
    )
    nobody = "0x" + "00" * 20
    assert shop.refusal("withdraw", shop.args, 1, nobody, sender=shop.seller) == refused(
        "NoReceiver"
    )
    before = shop.money(other)
    shop.withdraw(free, to=other)
    assert shop.money(other) == before + free
    assert shop.funds == shop.held == shop.listing.hold(PRICES[1])


def test_funds_fit_their_place(contract, seller):
    """2**96 - 1 in all; one more is refused, not wrapped."""
    shop = open_shop(contract, seller, funds=5)
    most = 2**96 - 1
    assert refusal(contract.fund, shop.args, most - 5, sender=seller, value=0) == refused(
        "WrongPayment", 0, most - 5
    )
    assert refusal(contract.fund, shop.args, most - 4, sender=seller, value=0) == refused(
        "FundsTooHigh", most + 1, most
    )


def test_a_listing_nobody_listed_is_refused_by_every_call(shop, buyer, other):
    """One field changed, and it is another."""
    shop.buy(buyer)
    sale = shop.sale(buyer).args()
    paid = shop.listing.levels[0].price
    for changed in (
        replace(shop.listing, stake=STAKE + 1),
        replace(shop.listing, dispute_time=1),
        replace(shop.listing, seller=other.address),
    ):
        args = changed.args()
        unknown = refused("UnknownListing", changed.id(ape.chain.chain_id, shop.contract.address))
        value = 0 if shop.token else paid
        buy = (changed.terms(), 0, changed.offer(0), changed.path(0), *key_words(SOME_KEY))
        assert shop.refusal("buy", *buy, sender=other, value=value) == unknown
        for name, more in (
            ("fund", (1,)),
            ("withdraw", (1, other)),
            ("close", ()),
            ("accept", (sale,)),
            ("settle", ([],)),
            ("refund", (sale, other)),
        ):
            assert shop.refusal(name, args, *more, sender=shop.seller) == unknown, name
