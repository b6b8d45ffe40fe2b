"""Quotes: both sign, once for a pair, in time, here and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ape
import pytest
from eth_hash.auto import keccak

from offchain.crypto.settlement import LONGEST_WINDOW
from offchain.mde.deals import DealState, Place
from tests.kit.refusals import refused
from tests.kit.sale import PLENTY, SOME_KEY
from tests.kit.snapshots import undone
from tests.kit.solidity import compile_contracts
from tests.mde.deal_driver import NAME, QUOTE_TIME, make_deal, open_deal, place_of, sign

WALLET = "tests/mde/mocks/Wallet.sol"


@pytest.fixture(scope="module")
def wallet_code(project):
    """An account with code that signs by ERC-1271."""
    source = (Path(project.path) / WALLET).read_text()
    return compile_contracts({"Wallet": WALLET}, {WALLET: source})["Wallet"]


def test_a_quote_is_public_and_says_whose_it_is(sale, stranger):
    """Anybody may bring it: the signatures speak for the parties."""
    (log,) = sale.contract.Quoted.from_receipt(sale.quote(sender=stranger))
    assert bytes(log.pair) == sale.deal.pair
    assert bytes(log.order) == sale.order.account.id(sale.place)
    assert bytes(log.dataset) == sale.dataset.account.id(sale.place)
    assert tuple(log.quote) == sale.deal.quote.args()
    assert sale.status()[:2] == (DealState.QUOTED, sale.deal.quote.expiry)


def test_no_pair_is_quoted_twice_whatever_became_of_the_first(sale):
    """Not while it stands, not after it expired, not at another price, by another order."""
    sale.quote()
    expected = refused("AlreadyQuoted", sale.deal.pair)
    first = sale.deal
    dearer = replace(first, quote=replace(first.quote, price=9, expiry=first.quote.expiry + 10**6))
    # The same artefact in an order with other terms, and the same file with another key.
    order = replace(first.order, stake=7)
    dataset = replace(first.dataset, key_hash=keccak(b"another"))
    for again in (dearer, replace(dearer, order=order), replace(dearer, dataset=dataset)):
        sale.deal = again
        if again.order != first.order:
            sale.post(0)
        if again.dataset != first.dataset:
            sale.register(0)
        assert sale.refusal("quote", *sale.quote_args()) == expected
    sale.go_to(first.quote.expiry)
    sale.deal = dearer
    assert sale.refusal("quote", *sale.quote_args()) == expected


def test_no_pair_is_quoted_again_after_its_sale(sale):
    sale.quote()
    sale.buy()
    sale.deliver()
    sale.accept()
    args = sale.quote_args()
    assert sale.refusal("quote", *args) == refused("AlreadyQuoted", sale.deal.pair)


def test_other_parties_quotes_do_not_use_up_a_pair(sale, contract, buyer, other):
    """Who copies another's artefact or file into an order or dataset of its own has other pairs."""
    copied = make_deal(contract, other, sale.seller, token=sale.token)
    copied.deal = replace(
        copied.deal, order=replace(sale.order, buyer=other.address), dataset=sale.dataset
    )
    copied.post(0)
    copied.quote()
    stolen = make_deal(contract, buyer, other, token=sale.token)
    stolen.deal = replace(
        stolen.deal, order=sale.order, dataset=replace(sale.dataset, seller=other.address)
    )
    stolen.register(0)
    stolen.quote()
    assert sale.refusal("quote", *sale.quote_args()) is None


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_quote_is_recorded_before_its_expiry_or_never(sale, late):
    expiry = sale.deal.quote.expiry
    sale.go_to(expiry + late)
    outcome = sale.refusal("quote", *sale.quote_args())
    assert outcome == (None if late < 0 else refused("QuoteExpired", expiry + late, expiry))


@pytest.mark.parametrize("more", [0, 1])
def test_a_quote_is_recorded_within_thirty_days_of_its_expiry_or_not_yet(sale, more):
    """Else a buyer could buy at the old price for ever."""
    at = sale.now + 100
    latest = at + LONGEST_WINDOW
    sale.deal = replace(sale.deal, quote=replace(sale.deal.quote, expiry=latest + more))
    args = sale.quote_args()
    sale.go_to(at)
    too_far = refused("ExpiryTooFar", latest + 1, latest)
    assert sale.refusal("quote", *args) == (too_far if more else None)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_quote_is_bought_before_its_expiry_or_never(sale, late):
    """A buyer that says nothing lets it lapse, and nothing of anybody's is held."""
    sale.quote()
    expiry = sale.deal.quote.expiry
    sale.go_to(expiry + late)
    outcome = sale.refusal("purchase", *sale.buy_args(SOME_KEY if sale.sealed else 0))
    assert outcome == (None if late < 0 else refused("QuoteExpired", expiry + late, expiry))
    assert sale.budget == sale.funds == (PLENTY, 0)
    sale.withdraw(sale.order.account, PLENTY)
    sale.withdraw(sale.dataset.account, PLENTY)


def test_both_sign_and_what_is_given(sale, stranger):
    digest = sale.deal.digest(sale.place)
    by_buyer, by_seller = sale.signatures()
    by_stranger = sign(stranger, sale.deal, sale.place)
    no_buyer = refused("WrongSigner", sale.buyer, digest)
    no_seller = refused("WrongSigner", sale.seller, digest)
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
        assert sale.refusal("quote", sale.args, *signatures) == expected
    assert sale.refusal("quote", sale.args, by_buyer, by_seller) is None


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("quote", {"price": 1}),
        ("quote", {"scores": bytes(32)}),
        ("quote", {"expiry": QUOTE_TIME}),
        ("order", {"stake": 1}),
        ("order", {"tree": bytes(32)}),
        ("dataset", {"count": 4}),
        ("dataset", {"chunks": 6}),
    ],
)
def test_no_word_is_changed_after_signing(sale, part, changes):
    """Whoever brings it: another price, other scores, terms or data are not what was signed."""
    signatures = sale.signatures()
    signed = getattr(sale.deal, part)
    if "expiry" in changes:
        changes = {"expiry": signed.expiry + changes["expiry"]}
    changed = replace(signed, **changes)
    sale.deal = replace(sale.deal, **{part: changed})
    if part == "order":
        sale.post(0)
    if part == "dataset":
        sale.register(0)
    outcome = sale.refusal("quote", sale.args, *signatures)
    assert outcome == refused("WrongSigner", sale.buyer, sale.deal.digest(sale.place))


def test_a_signature_is_worth_nothing_elsewhere(sale, project, deployer):
    """At another contract, or on another chain: ids and domain are others."""
    elsewhere = project.DatasetSale.deploy(sender=deployer)
    signatures = sale.signatures()
    here = sale.contract
    sale.contract = elsewhere
    sale.post(0)
    sale.register(0)
    outcome = sale.refusal("quote", sale.args, *signatures)
    assert outcome == refused("WrongSigner", sale.buyer, sale.deal.digest(sale.place))
    sale.contract = here
    foreign = Place(ape.chain.chain_id + 1, here.address)
    signatures = [sign(who, sale.deal, foreign) for who in (sale.buyer, sale.seller)]
    outcome = sale.refusal("quote", sale.args, *signatures)
    assert outcome == refused("WrongSigner", sale.buyer, sale.deal.digest(sale.place))
    assert here.quoteDigest(sale.args) == sale.deal.digest(sale.place)


@pytest.mark.parametrize("party", ["buyer", "seller"])
def test_either_party_withdraws_a_quote_for_ever(sale, stranger, party):
    """Recorded or not; nobody else does, and nobody after a purchase."""
    party, pair = getattr(sale, party), sale.deal.pair
    order, dataset = sale.order, sale.dataset
    words = (order.buyer, order.artefact, dataset.seller, dataset.file)
    recorded = sale.quote_args()
    assert sale.refusal("withdrawQuote", *words, sender=stranger) == refused("NotParty", stranger)
    with undone():
        (log,) = sale.contract.QuoteWithdrawn.from_receipt(
            sale.contract.withdrawQuote(*words, sender=party)
        )
        assert (bytes(log.pair), log.by) == (pair, party.address)
        assert sale.status()[:2] == (DealState.WITHDRAWN, 0)
        assert sale.refusal("quote", *recorded) == refused("AlreadyQuoted", pair)
    sale.quote()
    key = SOME_KEY if sale.sealed else 0
    with undone():
        sale.contract.withdrawQuote(*words, sender=party)
        gone = refused("WrongState", int(DealState.WITHDRAWN), int(DealState.QUOTED))
        assert sale.refusal("purchase", *sale.buy_args(key)) == gone
        assert sale.refusal("withdrawQuote", *words, sender=party) == gone
    sale.buy()
    sold = refused("WrongState", int(DealState.PAID), int(DealState.QUOTED))
    assert sale.refusal("withdrawQuote", *words, sender=party) == sold


def test_order_and_dataset_are_known_and_open(contract, buyer, seller, settlement):
    sale = make_deal(contract, buyer, seller, settlement=settlement)
    order, dataset = (a.id(sale.place) for a in (sale.order.account, sale.dataset.account))
    assert sale.refusal("quote", *sale.quote_args()) == refused("UnknownAccount", order)
    sale.post()
    assert sale.refusal("quote", *sale.quote_args()) == refused("UnknownAccount", dataset)
    sale.register()
    sale.quote()
    again = open_deal(
        contract, buyer, seller, settlement=settlement, artefact=keccak(b"other"), name=NAME[::-1]
    )
    for account, owner in ((again.order.account, buyer), (again.dataset.account, seller)):
        with undone():
            contract.close(account.args(), sender=owner)
            outcome = again.refusal("quote", *again.quote_args())
        assert outcome == refused("AccountIsClosed", account.id(again.place))
    for account, owner in ((sale.order.account, buyer), (sale.dataset.account, seller)):
        with undone():
            contract.close(account.args(), sender=owner)
            outcome = sale.refusal("purchase", *sale.buy_args(SOME_KEY if sale.sealed else 0))
        assert outcome == refused("AccountIsClosed", account.id(sale.place))


def test_both_sides_use_one_currency(contract, buyer, seller, stablecoin):
    sale = open_deal(contract, buyer, seller)
    dataset = replace(sale.dataset, token=stablecoin.address)
    sale.deal = replace(sale.deal, dataset=dataset)
    sale.register(0)
    assert sale.refusal("quote", *sale.quote_args()) == refused(
        "OtherToken", sale.order.token, stablecoin
    )


@pytest.mark.parametrize(("features", "fits"), [(62, True), (63, False)])
def test_a_chunk_holds_a_sample(contract, buyer, seller, features, fits):
    """Else no score of it could ever be proved wrong."""
    sale = open_deal(contract, buyer, seller, features=features)
    outcome = sale.refusal("quote", *sale.quote_args())
    assert outcome == (None if fits else refused("ChunkTooSmall", 64, 65))


def test_accounts_with_code_sign_by_erc_1271(contract, buyer, seller, stranger, wallet_code):
    """The buyer and the seller are wallets whose owners sign, and nobody else's signature does."""
    owners = {"buyer": buyer, "seller": seller}
    wallets = {n: a.deploy(wallet_code, a.address, value=10 * PLENTY) for n, a in owners.items()}
    sale = make_deal(contract, wallets["buyer"], wallets["seller"])

    def act(who, method, *args, value=0):
        data = method.encode_input(*args)
        wallets[who].act(contract.address, data, value, sender=owners[who])

    act("buyer", contract.post, sale.order.args(), PLENTY, value=PLENTY)
    act("seller", contract.register, sale.dataset.args(), PLENTY, value=PLENTY)
    digest = sale.deal.digest(sale.place)
    signed = [sign(owner, sale.deal, sale.place) for owner in (buyer, seller)]
    false = sign(stranger, sale.deal, sale.place)
    outcome = sale.refusal("quote", sale.args, false, signed[1], sender=stranger)
    assert outcome == refused("WrongSigner", wallets["buyer"], digest)
    contract.quote(sale.args, *signed, sender=stranger)
    act("buyer", contract.purchase, *sale.buy_args(0))
    assert sale.state is DealState.PAID


def test_a_quote_lasts_as_long_as_it_says(sale):
    assert sale.deal.quote.expiry - ape.chain.blocks.head.timestamp <= QUOTE_TIME
    assert place_of(sale.contract) == sale.place


def _high_s(signature):
    """The other signature that the same curve arithmetic accepts."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r + (order - s).to_bytes(32, "big") + bytes([55 - v])
