"""What the contract refuses, as one line for people: by name, with what was given and needed."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.buyer import Buyer
from offchain.mde.deals import Purchase
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import Pricing, Terms
from offchain.mde.seller import Said, Seller
from scripts._mde.chain import PriceChain
from scripts._stage.chain import ActionRefused
from scripts._stage.wallet import AccountWallet
from tests.kit.memory_store import MemoryStore
from tests.kit.snapshots import undone
from tests.offchain.mde.small import drawn, fitted, linear, small_task

PRICE = PriceFunction(Piecewise(((0, 10), (10**9, 10**6))), 10**6, 10, useful=10)


class Deal:
    """A posted order, a registered dataset, and a quote that nobody recorded yet."""

    def __init__(self, deployer, buyer, seller) -> None:
        task = small_task()
        tree = extraction(linear(fitted(task)), task, ExtractionSettings(leaves=8, points=200))
        file = artefact_bytes(tree, PRICE)
        self.parties = buyer, seller
        self.chain = PriceChain(deployer, NATIVE)
        pricing, store = Pricing.read(file, artefact_digest(file)), MemoryStore({})
        terms = Terms(NATIVE, 400, Settlement.OPEN, 60, 60)
        self.order = pricing.order(str(buyer.address), terms)
        self.chain.post(self.order, 10**6, buyer)
        role = Seller(str(seller.address), self.chain.place, drawn(20, 9), store)
        self.key = role.delivered_key()
        offer = role.offer(NATIVE, pricing.encoding)
        self.chain.register(offer.dataset, 400, seller)
        read = role.read(self.order, Buyer(self.chain.place, file, pricing, store).invite(offer))
        now = int(ape.chain.pending_timestamp)
        self.said: Said = role.quote(self.order, offer.dataset, read, now + 3600)

    def signed(self, deal):
        typed = deal.typed_data(self.chain.place)
        buyer, seller = (AccountWallet(party).sign(typed) for party in self.parties)
        return buyer, seller


@pytest.fixture
def deal(project, deployer, accounts):
    with undone():
        yield Deal(deployer, accounts[1], accounts[2])


def refused(act) -> str:
    """The one line."""
    with pytest.raises(ActionRefused) as refusal:
        act()
    assert "\n" not in refusal.value.message
    return refusal.value.message


def test_a_quote_is_recorded_once_for_both_signatures_and_before_it_expires(deal):
    """Wrong signer, expired, unknown dataset, second quote: each by its name."""
    chain, told, seller = deal.chain, deal.said.deal, deal.parties[1]
    mine, theirs = deal.signed(told)
    assert "WrongSigner" in refused(lambda: chain.quote(told, (theirs, mine), seller))
    old = replace(told, quote=replace(told.quote, expiry=1))
    assert "QuoteExpired" in refused(lambda: chain.quote(old, deal.signed(old), seller))
    other = replace(told, dataset=replace(told.dataset, count=19))
    assert "UnknownAccount" in refused(lambda: chain.quote(other, deal.signed(other), seller))
    chain.quote(told, (mine, theirs), seller)
    assert "AlreadyQuoted (pair 0x" in refused(lambda: chain.quote(told, (mine, theirs), seller))
    assert chain.refused == ["quote"] * 4


def test_only_the_buyer_buys_and_only_the_committed_key_is_delivered(deal):
    """Nobody else's purchase, no other key, no second settlement."""
    chain, told = deal.chain, deal.said.deal
    buyer, seller = deal.parties
    chain.quote(told, deal.signed(told), seller)
    assert "NotBuyer" in refused(lambda: chain.purchase(told, 0, seller))
    assert "KeyNotWanted" in refused(lambda: chain.purchase(told, 7, buyer))
    chain.purchase(told, 0, buyer)
    other = b"another key".ljust(32, b"\0")
    bought = Purchase()
    assert "WrongKey" in refused(lambda: chain.publish_key(told, bought, other, seller))
    chain.publish_key(told, bought, deal.key, seller)
    chain.accept(told, bought, buyer)
    assert "WrongState" in refused(lambda: chain.accept(told, bought, buyer))
    for account, owner in ((told.order.account, buyer), (told.dataset.account, seller)):
        chain.withdraw(account, owner)
    assert chain.held() == 0
