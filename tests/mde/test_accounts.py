"""Orders, datasets and the money of both: what is refused, and by which name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.settlement import LONGEST_WINDOW, SHORTEST_WINDOW
from offchain.mde.deals import Side
from tests.kit.mock_contracts import deploy_token
from tests.kit.permits import signed_permit
from tests.kit.refusals import refused
from tests.kit.sale import PLENTY, STAKE
from tests.mde.deal_driver import make_deal, open_deal, place_of

MOST = 2**96 - 1


@pytest.fixture
def draft(contract, buyer, seller, currency):
    """Parties that have done nothing yet."""
    return make_deal(contract, buyer, seller, token=currency)


def value(sale, amount):
    return 0 if sale.token else amount


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
        *(
            ({name: seconds}, refused("WindowOutOfRange", seconds, SHORTEST_WINDOW, LONGEST_WINDOW))
            for name in ("delivery_time", "dispute_time")
            for seconds in (0, SHORTEST_WINDOW - 1, LONGEST_WINDOW + 1, 2**32 - 1)
        ),
        ({"value_bytes": 0}, refused("ValueBytesOutOfRange", 0, 4)),
        ({"value_bytes": 5}, refused("ValueBytesOutOfRange", 5, 4)),
    ],
)
def test_nothing_of_an_order_is_missing(contract, buyer, seller, changes, expected):
    order = replace(make_deal(contract, buyer, seller).order, **changes)
    sale = make_deal(contract, buyer, seller)
    assert sale.refusal("post", order.args(), 0) == expected


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
        ({"chunks": 4}, refused("ChunksOutOfRange", 4, 5, 2**20)),
        ({"chunks": 2**20 + 1}, refused("ChunksOutOfRange", 2**20 + 1, 5, 2**20)),
    ],
)
def test_nothing_of_a_dataset_is_missing(contract, buyer, seller, changes, expected):
    sale = make_deal(contract, buyer, seller)
    dataset = replace(sale.dataset, **changes)
    assert sale.refusal("register", dataset.args(), 0, sender=seller) == expected


@pytest.mark.parametrize(("count", "chunk_bytes"), [(1, 32), (2**20, 16_384)])
def test_the_ends_of_the_ranges_are_in_them(contract, buyer, seller, count, chunk_bytes):
    sale = make_deal(contract, buyer, seller)
    dataset = replace(sale.dataset, count=count, chunk_bytes=chunk_bytes, chunks=2**20)
    assert sale.refusal("register", dataset.args(), 0, sender=seller) is None
    for width, seconds in ((1, SHORTEST_WINDOW), (4, LONGEST_WINDOW)):
        windows = {"delivery_time": seconds, "dispute_time": seconds}
        order = replace(sale.order, value_bytes=width, **windows)
        assert sale.refusal("post", order.args(), 0) is None


def test_the_token_is_a_contract(contract, buyer, seller, stranger):
    sale = make_deal(contract, buyer, seller)
    expected = refused("TokenWithoutCode", stranger)
    order = replace(sale.order, token=stranger.address)
    dataset = replace(sale.dataset, token=stranger.address)
    assert sale.refusal("post", order.args(), 0) == expected
    assert sale.refusal("register", dataset.args(), 0, sender=seller) == expected


def test_nobody_posts_or_registers_for_another(draft, stranger):
    assert draft.refusal("post", draft.order.args(), 0, sender=stranger) == refused(
        "NotBuyer", stranger, draft.buyer
    )
    assert draft.refusal("register", draft.dataset.args(), 0, sender=stranger) == refused(
        "NotSeller", stranger, draft.seller
    )


def test_the_same_is_not_posted_or_registered_twice(sale):
    for call, account, sender in (
        (("post", sale.order.args(), 0), sale.order.account, sale.buyer),
        (("register", sale.dataset.args(), 0), sale.dataset.account, sale.seller),
    ):
        expected = refused("AccountExists", account.id(sale.place))
        assert sale.refusal(*call, sender=sender) == expected


@pytest.mark.parametrize("by", [-1, 1])
def test_money_is_paid_to_the_wei(contract, buyer, seller, by):
    sale = make_deal(contract, buyer, seller)
    expected = refused("WrongPayment", PLENTY + by, PLENTY)
    args = {"value": PLENTY + by}
    assert sale.refusal("post", sale.order.args(), PLENTY, **args) == expected
    dataset = sale.dataset.args()
    assert sale.refusal("register", dataset, PLENTY, sender=seller, **args) == expected
    sale.post()
    assert sale.refusal("fund", sale.order.account.args(), PLENTY, **args) == expected


def test_coins_are_no_tokens(contract, buyer, seller, stablecoin):
    sale = make_deal(contract, buyer, seller, token=stablecoin)
    expected = refused("WrongPayment", 1, 0)
    assert sale.refusal("post", sale.order.args(), 1, value=1) == expected


def test_only_the_owner_funds_and_takes_out_what_is_free(sale, stranger):
    """Of both kinds of account, to the last unit; another party has no more right than anyone."""
    sale.quote()
    sale.buy()
    for account, owner, held in (
        (sale.order.account, sale.buyer, sale.price),
        (sale.dataset.account, sale.seller, STAKE),
    ):
        sale.contract.fund(account.args(), 5, **sale.pay(5, owner))
        free = PLENTY + 5 - held
        for thief in (stranger, sale.seller if owner is sale.buyer else sale.buyer):
            for name, more in (("withdraw", (1, thief)), ("fund", (0,))):
                assert sale.refusal(name, account.args(), *more, sender=thief) == refused(
                    "NotOwner", thief, owner
                )
        assert sale.refusal("withdraw", account.args(), 0, owner, sender=owner) == refused(
            "NothingOwed", owner
        )
        assert sale.refusal("withdraw", account.args(), free + 1, owner, sender=owner) == refused(
            "FundsTooLow", free, free + 1
        )
        nobody = "0x" + "00" * 20
        assert sale.refusal("withdraw", account.args(), 1, nobody, sender=owner) == refused(
            "NoReceiver"
        )
        before, had = sale.money(sale.contract), sale.money(stranger)
        (log,) = sale.contract.Withdrawn.from_receipt(sale.withdraw(account, free, to=stranger))
        assert sale.token is None or sale.money(stranger) == had + free
        assert (bytes(log.id), log.amount) == (account.id(sale.place), free)
        assert before - sale.money(sale.contract) == free
        assert sale.account(account)[2:] == (held, held)


def test_funds_fit_their_place(contract, buyer, seller):
    """2**96 - 1 in all; one more is refused, not wrapped."""
    sale = open_deal(contract, buyer, seller, budget=5)
    account = sale.order.account.args()
    assert sale.refusal("fund", account, MOST - 5) == refused("WrongPayment", 0, MOST - 5)
    assert sale.refusal("fund", account, MOST - 4) == refused("FundsTooHigh", MOST + 1, MOST)


def test_only_the_owner_closes_and_once(sale, stranger):
    for account, owner in (
        (sale.order.account, sale.buyer),
        (sale.dataset.account, sale.seller),
    ):
        assert sale.refusal("close", account.args(), sender=stranger) == refused(
            "NotOwner", stranger, owner
        )
        sale.contract.close(account.args(), sender=owner)
        assert sale.refusal("close", account.args(), sender=owner) == refused(
            "AccountIsClosed", account.id(sale.place)
        )
        sale.withdraw(account, PLENTY)
    assert sale.money(sale.contract) == 0


def test_an_account_nobody_opened_is_refused_by_every_call(sale, other):
    """Another side, owner, token or content is another account, whoever's money is meant."""
    own = sale.order.account
    for changed in (
        replace(own, side=Side.DATASET),
        replace(own, owner=other.address),
        replace(own, token=other.address),
        replace(own, content=bytes(32)),
    ):
        unknown = refused("UnknownAccount", changed.id(sale.place))
        for name, more in (("fund", (1,)), ("withdraw", (1, other)), ("close", ())):
            outcome = sale.refusal(name, changed.args(), *more, sender=other)
            assert outcome == unknown, name


def test_a_permit_and_the_call_that_pays_are_one_transaction(
    contract, buyer, seller, mocks, deployer
):
    """No approval before it; one that has expired, or is of another amount, pays nothing."""
    token = deploy_token(mocks["PermitToken"], deployer, [buyer, seller])
    sale = make_deal(contract, buyer, seller, token=token)
    post = contract.post.encode_input(sale.order.args(), PLENTY)

    def calls(deadline, amount=PLENTY):
        words = signed_permit(token, buyer, contract, amount, deadline)
        return [contract.permit.encode_input(token.address, amount, words), post]

    for bad in (calls(1), calls(2**32, PLENTY - 1)):
        assert sale.refusal("multicall", bad).name == "ERC20InsufficientAllowance"
    contract.multicall(calls(2**32), sender=buyer)
    assert sale.budget == (PLENTY, 0)
    assert token.allowance(buyer, contract) == 0
    assert contract.version() == 3


def test_several_calls_in_one_pay_no_coins(contract, buyer, seller):
    """Else one payment could count in each."""
    sale = open_deal(contract, buyer, seller, budget=5)
    fund = contract.fund.encode_input(sale.order.account.args(), 1)
    assert sale.refusal("multicall", [fund, fund]) == refused("WrongPayment", 0, 1)
    assert sale.refusal("multicall", [fund, fund], value=1) is not None


def test_ids_are_those_of_the_chain_and_the_contract(sale, project, deployer):
    elsewhere = project.DatasetSale.deploy(sender=deployer)
    assert sale.contract.orderId(sale.order.args()) == sale.order.account.id(sale.place)
    assert elsewhere.orderId(sale.order.args()) == sale.order.account.id(place_of(elsewhere))
    assert elsewhere.orderId(sale.order.args()) != sale.order.account.id(sale.place)
