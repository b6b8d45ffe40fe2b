"""Quotes: both sign, once for a pair, in time, here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ape
import pytest
from eth_hash.auto import keccak

from offchain.mde.deals import DealState, Place
from tests.kit.refusals import refused
from tests.kit.sale import PLENTY
from tests.kit.snapshots import undone
from tests.kit.solidity import compile_contracts
from tests.mde.deal_driver import NAME, QUOTE_TIME, make_market, open_market, place_of, sign

WALLET = "tests/mde/mocks/Wallet.sol"


@pytest.fixture(scope="module")
def wallet_code(project):
    """An account with code that signs by ERC-1271."""
    source = (Path(project.path) / WALLET).read_text()
    return compile_contracts({"Wallet": WALLET}, {WALLET: source})["Wallet"]


def test_a_quote_is_public_and_says_whose_it_is(market, stranger):
    """Anybody may bring it: the signatures speak for the parties."""
    (log,) = market.contract.Quoted.from_receipt(market.quote(sender=stranger))
    assert bytes(log.pair) == market.deal.pair
    assert bytes(log.order) == market.order.account.id(market.place)
    assert bytes(log.dataset) == market.dataset.account.id(market.place)
    assert tuple(log.quote) == market.deal.quote.args()
    assert market.status()[:2] == (DealState.QUOTED, market.deal.quote.expiry)


def test_no_pair_is_quoted_twice_whatever_became_of_the_first(market):
    """Not while it stands, not after it expired, not at another price, by another order."""
    market.quote()
    expected = refused("AlreadyQuoted", market.deal.pair)
    first = market.deal
    dearer = replace(first, quote=replace(first.quote, price=9, expiry=first.quote.expiry + 10**6))
    # The same artefact in an order with other terms, and the same file with another key.
    order = replace(first.order, stake=7)
    dataset = replace(first.dataset, key_hash=keccak(b"another"))
    for again in (dearer, replace(dearer, order=order), replace(dearer, dataset=dataset)):
        market.deal = again
        if again.order != first.order:
            market.post(0)
        if again.dataset != first.dataset:
            market.register(0)
        assert market.refusal("quote", *market.quote_args()) == expected
    market.go_to(first.quote.expiry)
    market.deal = dearer
    assert market.refusal("quote", *market.quote_args()) == expected


def test_no_pair_is_quoted_again_after_its_sale(market):
    market.quote()
    market.buy()
    market.deliver()
    market.accept()
    args = market.quote_args()
    assert market.refusal("quote", *args) == refused("AlreadyQuoted", market.deal.pair)


def test_other_parties_quotes_do_not_use_up_a_pair(market, contract, buyer, other):
    """Who copies another's artefact or file into an order or dataset of its own has other pairs."""
    copied = make_market(contract, other, market.seller, token=market.token)
    copied.deal = replace(
        copied.deal, order=replace(market.order, buyer=other.address), dataset=market.dataset
    )
    copied.post(0)
    copied.quote()
    stolen = make_market(contract, buyer, other, token=market.token)
    stolen.deal = replace(
        stolen.deal, order=market.order, dataset=replace(market.dataset, seller=other.address)
    )
    stolen.register(0)
    stolen.quote()
    assert market.refusal("quote", *market.quote_args()) is None


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_quote_is_recorded_before_its_expiry_or_never(market, late):
    expiry = market.deal.quote.expiry
    market.go_to(expiry + late)
    outcome = market.refusal("quote", *market.quote_args())
    assert outcome == (None if late < 0 else refused("QuoteExpired", expiry + late, expiry))


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_quote_is_bought_before_its_expiry_or_never(market, late):
    """A buyer that says nothing lets it lapse, and nothing of anybody's is held."""
    market.quote()
    expiry = market.deal.quote.expiry
    market.go_to(expiry + late)
    outcome = market.refusal("purchase", market.args, 7 if market.sealed else 0)
    assert outcome == (None if late < 0 else refused("QuoteExpired", expiry + late, expiry))
    assert market.budget == market.funds == (PLENTY, 0)
    market.withdraw(market.order.account, PLENTY)
    market.withdraw(market.dataset.account, PLENTY)


def test_both_sign_and_what_is_given(market, stranger):
    digest = market.deal.digest(market.place)
    by_buyer, by_seller = market.signatures()
    by_stranger = sign(stranger, market.deal, market.place)
    no_buyer = refused("WrongSigner", market.buyer, digest)
    no_seller = refused("WrongSigner", market.seller, digest)
    flipped = bytes([by_buyer[0] ^ 1]) + by_buyer[1:]
    for signatures, expected in (
        ((by_stranger, by_seller), no_buyer),
        ((by_seller, by_seller), no_buyer),
        ((by_buyer, by_stranger), no_seller),
        ((by_seller, by_buyer), no_buyer),
        ((b"", by_seller), no_buyer),
        ((by_buyer, by_seller[:-1]), no_seller),
        ((flipped, by_seller), no_buyer),
        ((_high_s(by_buyer), by_seller), no_buyer),
    ):
        assert market.refusal("quote", market.args, *signatures) == expected
    assert market.refusal("quote", market.args, by_buyer, by_seller) is None


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("quote", {"price": 1}),
        ("quote", {"scores": bytes(32)}),
        ("quote", {"expiry": 2**40 - 1}),
        ("order", {"stake": 1}),
        ("order", {"tree": bytes(32)}),
        ("dataset", {"count": 6}),
    ],
)
def test_no_word_is_changed_after_signing(market, part, changes):
    """Whoever brings it: another price, other scores, terms or data are not what was signed."""
    signatures = market.signatures()
    changed = replace(getattr(market.deal, part), **changes)
    market.deal = replace(market.deal, **{part: changed})
    if part == "order":
        market.post(0)
    if part == "dataset":
        market.register(0)
    outcome = market.refusal("quote", market.args, *signatures)
    assert outcome == refused("WrongSigner", market.buyer, market.deal.digest(market.place))


def test_a_signature_is_worth_nothing_elsewhere(market, project, deployer):
    """At another contract, or on another chain: ids and domain are others."""
    elsewhere = project.DatasetSale.deploy(sender=deployer)
    signatures = market.signatures()
    here = market.contract
    market.contract = elsewhere
    market.post(0)
    market.register(0)
    outcome = market.refusal("quote", market.args, *signatures)
    assert outcome == refused("WrongSigner", market.buyer, market.deal.digest(market.place))
    market.contract = here
    foreign = Place(ape.chain.chain_id + 1, here.address)
    signatures = [sign(who, market.deal, foreign) for who in (market.buyer, market.seller)]
    outcome = market.refusal("quote", market.args, *signatures)
    assert outcome == refused("WrongSigner", market.buyer, market.deal.digest(market.place))
    assert here.quoteDigest(market.args) == market.deal.digest(market.place)


def test_order_and_dataset_are_known_and_open(contract, buyer, seller, settlement):
    market = make_market(contract, buyer, seller, settlement=settlement)
    order, dataset = (a.id(market.place) for a in (market.order.account, market.dataset.account))
    assert market.refusal("quote", *market.quote_args()) == refused("UnknownAccount", order)
    market.post()
    assert market.refusal("quote", *market.quote_args()) == refused("UnknownAccount", dataset)
    market.register()
    market.quote()
    again = open_market(
        contract, buyer, seller, settlement=settlement, artefact=keccak(b"other"), name=NAME[::-1]
    )
    for account, owner in ((again.order.account, buyer), (again.dataset.account, seller)):
        with undone():
            contract.close(account.args(), sender=owner)
            outcome = again.refusal("quote", *again.quote_args())
        assert outcome == refused("AccountIsClosed", account.id(again.place))
    for account, owner in ((market.order.account, buyer), (market.dataset.account, seller)):
        with undone():
            contract.close(account.args(), sender=owner)
            outcome = market.refusal("purchase", market.args, 7 if market.sealed else 0)
        assert outcome == refused("AccountIsClosed", account.id(market.place))


def test_both_sides_use_one_currency(contract, buyer, seller, stablecoin):
    market = open_market(contract, buyer, seller)
    dataset = replace(market.dataset, token=stablecoin.address)
    market.deal = replace(market.deal, dataset=dataset)
    market.register(0)
    assert market.refusal("quote", *market.quote_args()) == refused(
        "OtherToken", market.order.token, stablecoin
    )


@pytest.mark.parametrize(("features", "fits"), [(30, True), (31, False)])
def test_a_chunk_holds_a_sample(contract, buyer, seller, features, fits):
    """Else no score of it could ever be proved wrong."""
    market = open_market(contract, buyer, seller, features=features)
    outcome = market.refusal("quote", *market.quote_args())
    assert outcome == (None if fits else refused("ChunkTooSmall", 32, 33))


def test_accounts_with_code_sign_by_erc_1271(contract, buyer, seller, stranger, wallet_code):
    """The buyer and the seller are wallets whose owners sign, and nobody else's signature does."""
    owners = {"buyer": buyer, "seller": seller}
    wallets = {n: a.deploy(wallet_code, a.address, value=10 * PLENTY) for n, a in owners.items()}
    market = make_market(contract, wallets["buyer"], wallets["seller"])

    def act(who, method, *args, value=0):
        data = method.encode_input(*args)
        wallets[who].act(contract.address, data, value, sender=owners[who])

    act("buyer", contract.post, market.order.args(), PLENTY, value=PLENTY)
    act("seller", contract.register, market.dataset.args(), PLENTY, value=PLENTY)
    digest = market.deal.digest(market.place)
    signed = [sign(owner, market.deal, market.place) for owner in (buyer, seller)]
    false = sign(stranger, market.deal, market.place)
    outcome = market.refusal("quote", market.args, false, signed[1], sender=stranger)
    assert outcome == refused("WrongSigner", wallets["buyer"], digest)
    contract.quote(market.args, *signed, sender=stranger)
    act("buyer", contract.purchase, market.args, 0)
    assert market.state is DealState.PAID


def test_a_quote_lasts_as_long_as_it_says(market):
    assert market.deal.quote.expiry - ape.chain.blocks.head.timestamp <= QUOTE_TIME
    assert place_of(market.contract) == market.place


def _high_s(signature):
    """The other signature that the same curve arithmetic accepts."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r + (order - s).to_bytes(32, "big") + bytes([55 - v])
