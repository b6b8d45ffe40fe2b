"""Attacks that the sale withstands, and that succeed where the defence against them is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto.disputable import key_evidence
from offchain.mde.verifiable.rules import price_rule
from tests.kit.sale import SEALED
from tests.kit.weakened import check_attack, compile_copies, nobodys_files
from tests.mde.deal_driver import CHUNKS, RULE, make_market, open_market, sold_market
from tests.mde.weakened import SALE, WEAKENINGS


@pytest.fixture(scope="module")
def weak(contract, deployer):
    """Weakened sales by name."""
    return {name: deployer.deploy(code) for name, code in compile_copies(WEAKENINGS, SALE).items()}


def asks_twice(contract, buyer, seller, stranger, stablecoin):
    """Two parties agree on another price for a pair that was sold."""
    market = sold_market(contract, buyer, seller)
    market.deal = replace(market.deal, quote=replace(market.deal.quote, price=1))
    return market.goes("quote", *market.quote_args())


def quotes_without_the_buyer(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller)
    signature = market.signatures()[1]
    return market.goes("quote", market.args, signature, signature)


def quotes_without_the_seller(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller)
    signature = market.signatures()[0]
    return market.goes("quote", market.args, signature, signature)


def buys_at_an_expired_price(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller)
    market.quote()
    market.lapse()
    return market.goes("purchase", market.args, 0)


def stakes_another_currency(contract, buyer, seller, stranger, stablecoin):
    """A seller answers in tokens for a price in coins: the cheated are paid by others."""
    market = open_market(contract, buyer, seller)
    dataset = replace(market.dataset, token=stablecoin.address)
    market.deal = replace(market.deal, dataset=dataset)
    market.register(0)
    return market.goes("quote", *market.quote_args())


def cheats_more_than_it_can_repay(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller, funds=0)
    market.quote()
    return market.goes("purchase", market.args, 0)


def buys_without_money(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller, budget=0)
    market.quote()
    return market.goes("purchase", market.args, 0)


def seals_rubbish_in_the_sellers_name(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller, settlement=SEALED)
    market.quote()
    market.buy()
    return market.goes("sealKey", *market.both, 5, bytes(32), sender=stranger)


def pays_a_price_of_its_own(contract, buyer, seller, stranger, stablecoin):
    market = open_market(contract, buyer, seller)
    market.quote()
    market.deal = replace(market.deal, quote=replace(market.deal.quote, price=1))
    return market.goes("purchase", market.args, 0)


def complains_of_another_delivery(contract, buyer, seller, stranger, stablecoin):
    """A buyer seals itself a wrong key and shows that."""
    market = open_market(contract, buyer, seller, settlement=SEALED)
    market.quote()
    market.buy()
    market.deliver()
    forged = key_evidence(market.secret, *market.seal_args(bytes(32)))
    return market.goes("proveWrongKey", *market.both, forged)


def settles_before_the_buyer_has_looked(contract, buyer, seller, stranger, stablecoin):
    market = sold_market(contract, buyer, seller, spoilt=1)
    return market.goes("settle", *market.both, sender=seller)


def brings_a_meaner_rule(contract, buyer, seller, stranger, stablecoin):
    market = sold_market(contract, buyer, seller)
    *head, _ = market.price_proof()
    return market.goes("proveWrongPrice", *head, price_rule(replace(RULE, cap=51)))


def shows_a_sample_of_its_own(contract, buyer, seller, stranger, stablecoin):
    """The same values under another label, which the tree scores otherwise."""
    market = sold_market(contract, buyer, seller)
    *head, evidence = market.score_proof(1)
    index, chunk, path = evidence[1]
    sample = (index, b"\0\0" + chunk[2:], path)
    return market.goes("proveWrongScore", *head, (evidence[0], sample, *evidence[2:]))


def shows_one_sample_twice(contract, buyer, seller, stranger, stablecoin):
    market = sold_market(contract, buyer, seller)
    return market.goes("proveRepeatedSample", *market.repeated_proof(1, 1))


def goes_another_way_through_the_tree(contract, buyer, seller, stranger, stablecoin):
    market = sold_market(contract, buyer, seller)
    *head, evidence = market.score_proof(1)
    other = market.tree.path(CHUNKS[0])
    return market.goes("proveWrongScore", *head, (*evidence[:2], other, *evidence[3:]))


def starts_from_a_total_of_its_own(contract, buyer, seller, stranger, stablecoin):
    market = sold_market(contract, buyer, seller)
    *head, evidence = market.score_proof(1)
    forged = (*evidence[:3], evidence[3] + 1, *evidence[4:])
    return market.goes("proveWrongScore", *head, forged)


def complains_of_a_gift(contract, buyer, seller, stranger, stablecoin):
    """A seller that counts a good sample for nothing is punished for it."""
    market = sold_market(contract, buyer, seller, counted=[True, False, True, True, True])
    return market.goes("proveWrongScore", *market.score_proof(1))


def leaves_out_harm(contract, buyer, seller, stranger, stablecoin):
    """The seller passes over what does harm, and nobody can prove it."""
    totals = [300, 800, 800, 860, 870]
    market = sold_market(contract, buyer, seller, totals=totals, price=RULE.price(870))
    return not market.goes("proveWrongScore", *market.score_proof(2))


def sells_files_of_another(contract, buyer, seller, stranger, stablecoin):
    """A thief registers another's commitments and brings the key that the seller published."""
    market = sold_market(contract, buyer, seller)
    stolen = make_market(contract, buyer, stranger)
    stolen.deal = replace(market.deal, dataset=replace(market.dataset, seller=stranger.address))
    stolen.key = market.key
    stolen.register()
    stolen.quote()
    stolen.buy()
    return stolen.goes("publishKey", *stolen.both, stolen.key, sender=stranger)


ATTACKS = {
    "quotes a pair again": asks_twice,
    "asks no buyer": quotes_without_the_buyer,
    "asks no seller": quotes_without_the_seller,
    "knows no expiry": buys_at_an_expired_price,
    "mixes currencies": stakes_another_currency,
    "sells without stakes": cheats_more_than_it_can_repay,
    "sells without a budget": buys_without_money,
    "lets anybody seal": seals_rubbish_in_the_sellers_name,
    "believes any deal": pays_a_price_of_its_own,
    "believes any delivery": complains_of_another_delivery,
    "settles at once": settles_before_the_buyer_has_looked,
    "believes any rule": brings_a_meaner_rule,
    "believes any sample": shows_a_sample_of_its_own,
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
