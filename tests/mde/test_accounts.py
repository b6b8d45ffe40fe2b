"""Orders, datasets and the money of both: what is refused, and by which name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.mde.deals import Side
from tests.kit.refusals import refused
from tests.kit.sale import PLENTY, STAKE
from tests.mde.deal_driver import make_market, open_market, place_of

MOST = 2**96 - 1


@pytest.fixture
def draft(contract, buyer, seller, currency):
    """Parties that have done nothing yet."""
    return make_market(contract, buyer, seller, token=currency)


def value(market, amount):
    return 0 if market.token else amount


def test_an_order_is_public_with_its_budget(draft):
    (log,) = draft.contract.Posted.from_receipt(draft.post(7))
    assert (bytes(log.id), log.buyer, log.budget) == (
        draft.order.account.id(draft.place),
        draft.buyer.address,
        7,
    )
    assert tuple(log.order)[3:] == draft.order.args()[3:]
    assert draft.account(draft.order.account) == (True, False, 7, 0)
    assert draft.money(draft.contract) == 7


def test_a_dataset_is_public_with_its_funds(draft):
    (log,) = draft.contract.Registered.from_receipt(draft.register(9))
    assert (bytes(log.id), log.seller, log.funds) == (
        draft.dataset.account.id(draft.place),
        draft.seller.address,
        9,
    )
    assert tuple(log.dataset)[2:] == draft.dataset.args()[2:]
    assert draft.account(draft.dataset.account) == (True, False, 9, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"artefact": bytes(32)}, refused("ArtefactMissing")),
        ({"rule": bytes(32)}, refused("RuleMissing")),
        ({"stake": 0}, refused("StakeZero")),
        ({"delivery_time": 0}, refused("TimeZero")),
        ({"dispute_time": 0}, refused("TimeZero")),
        ({"value_bytes": 0}, refused("ValueBytesOutOfRange", 0, 4)),
        ({"value_bytes": 5}, refused("ValueBytesOutOfRange", 5, 4)),
    ],
)
def test_nothing_of_an_order_is_missing(contract, buyer, seller, changes, expected):
    order = replace(make_market(contract, buyer, seller).order, **changes)
    market = make_market(contract, buyer, seller)
    assert market.refusal("post", order.args(), 0) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"file": bytes(32)}, refused("FileMissing")),
        ({"key_hash": bytes(32)}, refused("FileMissing")),
        ({"count": 0}, refused("CountOutOfRange", 0, 2**20)),
        ({"count": 2**20 + 1}, refused("CountOutOfRange", 2**20 + 1, 2**20)),
        ({"chunk_bytes": 0}, refused("ChunkBytesOutOfRange", 0, 16_384)),
        ({"chunk_bytes": 33}, refused("ChunkBytesOutOfRange", 33, 16_384)),
        ({"chunk_bytes": 16_416}, refused("ChunkBytesOutOfRange", 16_416, 16_384)),
    ],
)
def test_nothing_of_a_dataset_is_missing(contract, buyer, seller, changes, expected):
    market = make_market(contract, buyer, seller)
    dataset = replace(market.dataset, **changes)
    assert market.refusal("register", dataset.args(), 0, sender=seller) == expected


@pytest.mark.parametrize(("count", "chunk_bytes"), [(1, 32), (2**20, 16_384)])
def test_the_ends_of_the_ranges_are_in_them(contract, buyer, seller, count, chunk_bytes):
    market = make_market(contract, buyer, seller)
    dataset = replace(market.dataset, count=count, chunk_bytes=chunk_bytes)
    assert market.refusal("register", dataset.args(), 0, sender=seller) is None
    for width in (1, 4):
        order = replace(market.order, value_bytes=width)
        assert market.refusal("post", order.args(), 0) is None


def test_the_token_is_a_contract(contract, buyer, seller, stranger):
    market = make_market(contract, buyer, seller)
    expected = refused("TokenWithoutCode", stranger)
    order = replace(market.order, token=stranger.address)
    dataset = replace(market.dataset, token=stranger.address)
    assert market.refusal("post", order.args(), 0) == expected
    assert market.refusal("register", dataset.args(), 0, sender=seller) == expected


def test_nobody_posts_or_registers_for_another(draft, stranger):
    assert draft.refusal("post", draft.order.args(), 0, sender=stranger) == refused(
        "NotBuyer", stranger, draft.buyer
    )
    assert draft.refusal("register", draft.dataset.args(), 0, sender=stranger) == refused(
        "NotSeller", stranger, draft.seller
    )


def test_the_same_is_not_posted_or_registered_twice(market):
    for call, account, sender in (
        (("post", market.order.args(), 0), market.order.account, market.buyer),
        (("register", market.dataset.args(), 0), market.dataset.account, market.seller),
    ):
        expected = refused("AccountExists", account.id(market.place))
        assert market.refusal(*call, sender=sender) == expected


@pytest.mark.parametrize("by", [-1, 1])
def test_money_is_paid_to_the_wei(contract, buyer, seller, by):
    market = make_market(contract, buyer, seller)
    expected = refused("WrongPayment", PLENTY + by, PLENTY)
    args = {"value": PLENTY + by}
    assert market.refusal("post", market.order.args(), PLENTY, **args) == expected
    dataset = market.dataset.args()
    assert market.refusal("register", dataset, PLENTY, sender=seller, **args) == expected
    market.post()
    assert market.refusal("fund", market.order.account.args(), PLENTY, **args) == expected


def test_coins_are_no_tokens(contract, buyer, seller, stablecoin):
    market = make_market(contract, buyer, seller, token=stablecoin)
    expected = refused("WrongPayment", 1, 0)
    assert market.refusal("post", market.order.args(), 1, value=1) == expected


def test_anybody_funds_and_only_the_owner_takes_out_what_is_free(market, stranger):
    """Of both kinds of account, to the last unit; another party has no more right than anyone."""
    market.quote()
    market.buy()
    for account, owner, held in (
        (market.order.account, market.buyer, market.price),
        (market.dataset.account, market.seller, STAKE),
    ):
        market.contract.fund(account.args(), 5, **market.pay(5, stranger))
        free = PLENTY + 5 - held
        for thief in (stranger, market.seller if owner is market.buyer else market.buyer):
            assert market.refusal("withdraw", account.args(), 1, sender=thief) == refused(
                "NotOwner", thief, owner
            )
        assert market.refusal("withdraw", account.args(), 0, sender=owner) == refused(
            "NothingOwed", owner
        )
        assert market.refusal("withdraw", account.args(), free + 1, sender=owner) == refused(
            "FundsTooLow", free, free + 1
        )
        before = market.money(market.contract)
        (log,) = market.contract.Withdrawn.from_receipt(market.withdraw(account, free))
        assert (bytes(log.id), log.amount) == (account.id(market.place), free)
        assert before - market.money(market.contract) == free
        assert market.account(account)[2:] == (held, held)


def test_funds_fit_their_place(contract, buyer, seller):
    """2**96 - 1 in all; one more is refused, not wrapped."""
    market = open_market(contract, buyer, seller, budget=5)
    account = market.order.account.args()
    assert market.refusal("fund", account, MOST - 5) == refused("WrongPayment", 0, MOST - 5)
    assert market.refusal("fund", account, MOST - 4) == refused("FundsTooHigh", MOST + 1, MOST)


def test_only_the_owner_closes_and_once(market, stranger):
    for account, owner in (
        (market.order.account, market.buyer),
        (market.dataset.account, market.seller),
    ):
        assert market.refusal("close", account.args(), sender=stranger) == refused(
            "NotOwner", stranger, owner
        )
        market.contract.close(account.args(), sender=owner)
        assert market.refusal("close", account.args(), sender=owner) == refused(
            "AccountIsClosed", account.id(market.place)
        )
        market.withdraw(account, PLENTY)
    assert market.money(market.contract) == 0


def test_an_account_nobody_opened_is_refused_by_every_call(market, other):
    """Another side, owner, token or content is another account, whoever's money is meant."""
    own = market.order.account
    for changed in (
        replace(own, side=Side.DATASET),
        replace(own, owner=other.address),
        replace(own, token=other.address),
        replace(own, content=bytes(32)),
    ):
        unknown = refused("UnknownAccount", changed.id(market.place))
        for name, more in (("fund", (1,)), ("withdraw", (1,)), ("close", ())):
            outcome = market.refusal(name, changed.args(), *more, sender=other)
            assert outcome == unknown, name


def test_ids_are_those_of_the_chain_and_the_contract(market, project, deployer):
    elsewhere = project.DatasetSale.deploy(sender=deployer)
    assert market.contract.orderId(market.order.args()) == market.order.account.id(market.place)
    assert elsewhere.orderId(market.order.args()) == market.order.account.id(place_of(elsewhere))
    assert elsewhere.orderId(market.order.args()) != market.order.account.id(market.place)
