"""Listings and sales as they are hashed; that the contract hashes them alike is tests/hide's."""

from dataclasses import replace

import pytest
from eth_hash.auto import keccak

from offchain.crypto.settlement import Settlement
from offchain.hide.sale.listings import Level, Listing, Sale, cleaner_domain, due

CONTRACT, SELLER = "0x" + "11" * 20, "0x" + "22" * 20
H = b"\x01" * 32


def listing(count, settlement=Settlement.OPEN):
    levels = tuple(Level(100 * (i + 1), 10 * (i + 1), H, keccak(bytes([i]))) for i in range(count))
    return Listing(SELLER, "0x" + "00" * 20, 400, settlement, 100, 60, H, levels)


@pytest.mark.parametrize("count", range(1, 33))
def test_every_offer_leads_to_the_root(count):
    """As OpenZeppelin's MerkleProof walks: the smaller of two words first."""
    offered = listing(count)
    for index, node in enumerate(offered.leaves):
        for sibling in offered.path(index):
            node = keccak(b"".join(sorted([node, sibling])))
        assert node == offered.root


def test_every_part_of_a_listing_is_in_its_id():
    offered = listing(3)
    changed = [
        replace(offered, **{field: value})
        for field, value in {
            "seller": CONTRACT,
            "token": CONTRACT,
            "stake": 401,
            "settlement": Settlement.SEALED,
            "delivery_time": 101,
            "dispute_time": 61,
            "task": bytes(32),
            "levels": offered.levels[:2],
        }.items()
    ]
    ids = {one.id(1, CONTRACT) for one in [offered, *changed]}
    ids |= {offered.id(2, CONTRACT), offered.id(1, SELLER)}
    assert len(ids) == len(changed) + 3


def test_a_cleaner_has_a_domain_of_its_own():
    """By task, level, seller, contract and chain."""
    parts = (1, CONTRACT, SELLER, H, 0)
    others = [(2, *parts[1:]), (1, SELLER, *parts[2:]), (1, CONTRACT, CONTRACT, H, 0)]
    others += [(*parts[:3], bytes(32), 0), (*parts[:4], 1)]
    assert len({cleaner_domain(*p).digest for p in [parts, *others]}) == 6
    assert listing(2).domain(1, CONTRACT, 1) == cleaner_domain(1, CONTRACT, SELLER, H, 1)


def test_a_sale_pays_the_difference_and_holds_what_may_be_lost():
    """Under open settlement the price besides the stake, since the seller has it at once."""
    sale = Sale.of(listing(3), 2, credit=10)
    assert (sale.price, sale.paid) == (30, 20)
    assert listing(3).hold(sale.paid) == 420
    assert listing(3, Settlement.SEALED).hold(sale.paid) == 400
    assert sale.goods == keccak(b"".join((H, (300).to_bytes(32, "big"), H, keccak(b"\2"))))


def test_a_delivery_changes_the_sale_and_nothing_else():
    sale = Sale.of(listing(3), 0, one_time_key=7)
    delivered = sale.delivered(5, H)
    assert delivered == replace(sale, delivery=keccak((5).to_bytes(32, "big") + H))
    assert len(sale.digest()) == 24
    assert sale.digest() != delivered.digest()
    assert due([(SELLER, sale)]) == [(SELLER, (10, 0, sale.goods, 7, bytes(32)))]
