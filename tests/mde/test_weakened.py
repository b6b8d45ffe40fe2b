"""Attacks that the sale withstands, and that succeed where the defence against them is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.commitments import path
from offchain.crypto.evidence import key_evidence
from offchain.crypto.settlement import LONGEST_WINDOW
from offchain.mde.deals import Purchase
from offchain.mde.verifiable.rules import price_rule
from tests.kit.sale import NO_KEY, PLENTY, SEALED
from tests.kit.weakened import check_attack, compile_switched, nobodys_files
from tests.mde.deal_driver import CHUNKS, RULE, make_deal, open_deal, sold_deal
from tests.mde.weakened import SALE, WEAKENINGS


@pytest.fixture(scope="module")
def weak(contract, deployer):
    """Weakened sales by name."""
    copies = compile_switched(WEAKENINGS, SALE, large=True)
    return {name: deployer.deploy(code) for name, code in copies.items()}


def holds_price_and_stake_to_ransom(contract, buyer, seller, stranger, stablecoin):
    """A buyer with the key lets the seller wait 136 years for both, unless it pays for `accept`."""
    sale = make_deal(contract, buyer, seller, dispute_time=2**32 - 1)
    if not sale.goes("post", sale.order.args(), 0):
        return False
    sale = sold_deal(contract, buyer, seller, dispute_time=2**32 - 1)
    sale.go_to(sale.now + LONGEST_WINDOW)
    return not sale.goes("settle", *sale.both, sender=seller)


def buys_at_the_price_of_years_ago(contract, buyer, seller, stranger, stablecoin):
    """A quote without an end is an option that the seller was never paid for."""
    year = 365 * 24 * 3600
    sale = open_deal(contract, buyer, seller, expiry=2**40 - 1)
    if not sale.goes("quote", *sale.quote_args()):
        return False
    sale.quote()
    sale.go_to(sale.now + year)
    return sale.goes("purchase", *sale.buy_args(0))


def asks_twice(contract, buyer, seller, stranger, stablecoin):
    """Two parties agree on another price for a pair that was sold."""
    sale = sold_deal(contract, buyer, seller)
    sale.deal = replace(sale.deal, quote=replace(sale.deal.quote, price=1))
    return sale.goes("quote", *sale.quote_args())


def withdraws(contract, sale, party):
    """A party takes back its signature of the sale's quote."""
    order, dataset = sale.order, sale.dataset
    words = (order.buyer, order.artefact, dataset.seller, dataset.file)
    contract.withdrawQuote(*words, sender=party)


def records_what_was_withdrawn(contract, buyer, seller, stranger, stablecoin):
    """A signature once given away is brought when the price no longer suits who gave it."""
    sale = open_deal(contract, buyer, seller)
    args = sale.quote_args()
    withdraws(contract, sale, seller)
    return sale.goes("quote", *args)


def fills_the_budget_before_a_proof(contract, buyer, seller, stranger, stablecoin):
    """In a token of such a supply no stake fits any more, and the cheat cannot be convicted."""
    sale = sold_deal(contract, buyer, seller, token=stablecoin, spoilt=1)
    fund = (sale.order.account.args(), 2**96 - 1 - sale.budget[0])
    stablecoin.mint(seller, fund[1], sender=seller)
    stablecoin.approve(contract, fund[1], sender=seller)
    if not sale.goes("fund", *fund, sender=seller):
        return False
    contract.fund(*fund, sender=seller)
    return not sale.goes("proveSpoiltChunk", *sale.chunk_proof(1))


def quotes_without_the_buyer(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller)
    signature = sale.signatures()[1]
    return sale.goes("quote", sale.args, signature, signature)


def quotes_without_the_seller(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller)
    signature = sale.signatures()[0]
    return sale.goes("quote", sale.args, signature, signature)


def buys_at_an_expired_price(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller)
    sale.quote()
    sale.lapse()
    return sale.goes("purchase", *sale.buy_args(0))


def stakes_another_currency(contract, buyer, seller, stranger, stablecoin):
    """A seller answers in tokens for a price in coins: the cheated are paid by others."""
    sale = open_deal(contract, buyer, seller)
    dataset = replace(sale.dataset, token=stablecoin.address)
    sale.deal = replace(sale.deal, dataset=dataset)
    sale.register(0)
    return sale.goes("quote", *sale.quote_args())


def cheats_more_than_it_can_repay(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller, funds=0)
    sale.quote()
    return sale.goes("purchase", *sale.buy_args(0))


def buys_without_money(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller, budget=0)
    sale.quote()
    return sale.goes("purchase", *sale.buy_args(0))


def burns_a_pair_for_nothing(contract, buyer, seller, stranger, stablecoin):
    """To its key nothing can be sealed: the price comes back, and the pair is quoted no more."""
    sale = open_deal(contract, buyer, seller, settlement=SEALED)
    sale.quote()
    args = sale.buy_args(NO_KEY)
    if not sale.goes("purchase", *args):
        return False
    contract.purchase(*args, sender=buyer)
    sale.purchase = Purchase(NO_KEY)
    sale.lapse()
    sale.settle()
    return sale.budget == (PLENTY, 0) and not sale.goes("quote", *sale.quote_args())


def seals_rubbish_in_the_sellers_name(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller, settlement=SEALED)
    sale.quote()
    sale.buy()
    return sale.goes("sealKey", *sale.both, 5, bytes(32), sender=stranger)


def pays_a_price_of_its_own(contract, buyer, seller, stranger, stablecoin):
    sale = open_deal(contract, buyer, seller)
    sale.quote()
    sale.deal = replace(sale.deal, quote=replace(sale.deal.quote, price=1))
    return sale.goes("purchase", *sale.buy_args(0))


def complains_of_another_delivery(contract, buyer, seller, stranger, stablecoin):
    """A buyer seals itself a wrong key and shows that."""
    sale = open_deal(contract, buyer, seller, settlement=SEALED)
    sale.quote()
    sale.buy()
    sale.deliver()
    forged = key_evidence(sale.secret, *sale.seal_args(bytes(32)))
    return sale.goes("proveWrongKey", *sale.both, forged)


def settles_before_the_buyer_has_looked(contract, buyer, seller, stranger, stablecoin):
    sale = sold_deal(contract, buyer, seller, spoilt=1)
    return sale.goes("settle", *sale.both, sender=seller)


def brings_a_meaner_rule(contract, buyer, seller, stranger, stablecoin):
    sale = sold_deal(contract, buyer, seller)
    *head, _ = sale.price_proof()
    return sale.goes("proveWrongPrice", *head, price_rule(replace(RULE, cap=51)))


def shows_a_sample_of_its_own(contract, buyer, seller, stranger, stablecoin):
    """The same values under another label, which the tree scores otherwise."""
    sale = sold_deal(contract, buyer, seller)
    *head, evidence = sale.score_proof(1)
    index, chunk, path = evidence[1]
    sample = (index, b"\0\0" + chunk[2:], path)
    return sale.goes("proveWrongScore", *head, (evidence[0], sample, *evidence[2:]))


def exchanges_an_original(contract, buyer, seller, stranger, stablecoin):
    """The file that was encoded is committed to, and another lies in its place."""
    originals = [bytes([i]) * 100 for i in range(len(CHUNKS))]
    sale = sold_deal(contract, buyer, seller, originals=originals, spoilt=len(CHUNKS) + 3)
    return not sale.goes("proveSpoiltChunk", *sale.chunk_proof(len(CHUNKS) + 3))


def takes_originals_for_samples(contract, buyer, seller, stranger, stablecoin):
    """An honest seller's files are alike in places, as borders of pictures are."""
    sale = sold_deal(contract, buyer, seller, originals=[bytes(100)] * len(CHUNKS))
    blank = bytes(len(CHUNKS[0]))
    alike = [(i, blank, path(sale.file.plain_leaves, i)) for i in (len(CHUNKS), len(CHUNKS) + 1)]
    proof = (*sale.both, sale.key, sale.cipher_root, *alike)
    return sale.goes("proveRepeatedSample", *proof)


def shows_one_sample_twice(contract, buyer, seller, stranger, stablecoin):
    sale = sold_deal(contract, buyer, seller)
    return sale.goes("proveRepeatedSample", *sale.repeated_proof(1, 1))


def goes_another_way_through_the_tree(contract, buyer, seller, stranger, stablecoin):
    sale = sold_deal(contract, buyer, seller)
    *head, evidence = sale.score_proof(1)
    other = sale.tree.path(CHUNKS[0])
    return sale.goes("proveWrongScore", *head, (*evidence[:2], other, *evidence[3:]))


def starts_from_a_total_of_its_own(contract, buyer, seller, stranger, stablecoin):
    sale = sold_deal(contract, buyer, seller)
    *head, evidence = sale.score_proof(1)
    forged = (*evidence[:3], evidence[3] + 1, *evidence[4:])
    return sale.goes("proveWrongScore", *head, forged)


def complains_of_a_gift(contract, buyer, seller, stranger, stablecoin):
    """A seller that counts a good sample for nothing is punished for it."""
    sale = sold_deal(contract, buyer, seller, counted=[True, False, True, True, True])
    return sale.goes("proveWrongScore", *sale.score_proof(1))


def leaves_out_harm(contract, buyer, seller, stranger, stablecoin):
    """The seller passes over what does harm, and nobody can prove it."""
    totals = [300, 800, 800, 860, 870]
    sale = sold_deal(contract, buyer, seller, totals=totals, price=RULE.price(870))
    return not sale.goes("proveWrongScore", *sale.score_proof(2))


def sells_files_of_another(contract, buyer, seller, stranger, stablecoin):
    """A thief registers another's commitments and brings the key that the seller published."""
    sale = sold_deal(contract, buyer, seller)
    stolen = make_deal(contract, buyer, stranger)
    stolen.deal = replace(sale.deal, dataset=replace(sale.dataset, seller=stranger.address))
    stolen.key = sale.key
    stolen.register()
    stolen.quote()
    stolen.buy()
    return stolen.goes("publishKey", *stolen.both, stolen.key, sender=stranger)


ATTACKS = {
    "windows of any length": holds_price_and_stake_to_ransom,
    "quotes for ever": buys_at_the_price_of_years_ago,
    "quotes a pair again": asks_twice,
    "withdraws no quote": records_what_was_withdrawn,
    "lets anybody fund": fills_the_budget_before_a_proof,
    "asks no buyer": quotes_without_the_buyer,
    "asks no seller": quotes_without_the_seller,
    "knows no expiry": buys_at_an_expired_price,
    "mixes currencies": stakes_another_currency,
    "sells without stakes": cheats_more_than_it_can_repay,
    "sells without a budget": buys_without_money,
    "believes any one-time key": burns_a_pair_for_nothing,
    "lets anybody seal": seals_rubbish_in_the_sellers_name,
    "believes any deal": pays_a_price_of_its_own,
    "believes any delivery": complains_of_another_delivery,
    "settles at once": settles_before_the_buyer_has_looked,
    "believes any rule": brings_a_meaner_rule,
    "believes any sample": shows_a_sample_of_its_own,
    "judges samples alone": exchanges_an_original,
    "takes originals for samples": takes_originals_for_samples,
    "looks at one place": shows_one_sample_twice,
    "believes any tree": goes_another_way_through_the_tree,
    "believes any total": starts_from_a_total_of_its_own,
    "forbids to leave out good": complains_of_a_gift,
    "forgives left-out harm": leaves_out_harm,
    "files belong to nobody": sells_files_of_another,
}


def test_every_defence_has_its_attack():
    assert ATTACKS.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_needs_the_weakness(contract, weak, buyer, seller, stranger, stablecoin, name):
    twin = nobodys_files() if name == "files belong to nobody" else None
    check_attack(
        ATTACKS[name], contract, weak[name], buyer, seller, stranger, stablecoin, twin=twin
    )
