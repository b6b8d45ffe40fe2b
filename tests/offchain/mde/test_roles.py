"""Seller and buyer without a chain: quotes that follow from the data, and every fault found."""

from dataclasses import replace

import pytest

from offchain.crypto.errors import FileError, SealError
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde import adversaries
from offchain.mde.artefact import artefact_bytes, artefact_digest
from offchain.mde.buyer import Buyer, Delivery, QuoteRefused
from offchain.mde.deals import Place, Purchase
from offchain.mde.errors import ArtefactMismatch, FeatureMismatch, UnknownLabel
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.influence import influence
from offchain.mde.owner import Owner, Purse, Trainer
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.quoting import Pricing, Terms
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller, distinct
from offchain.mde.verifiable.encoding import Encoding
from offchain.storage import ContentTooLarge
from tests.kit.memory_store import MemoryStore
from tests.offchain.mde.small import drawn, fitted, linear, small_task

PLACE = Place(31337, "0x" + "c0" * 20)
SELLER, BUYER = "0x" + "5e" * 20, "0x" + "b0" * 20
TERMS = Terms(NATIVE, 400, Settlement.SEALED, 60, 60)
NOW = 1_000
PRICE = PriceFunction(Piecewise(((0, 10), (10**9, 10**6))), 10**6, 10, useful=10)


@pytest.fixture(scope="module")
def files():
    """Artefacts of one model: an extracted tree, which a contract can check, and influence."""
    task = small_task()
    model = linear(fitted(task))
    tree = extraction(model, task, ExtractionSettings(leaves=8, points=200))
    return {
        "tree": artefact_bytes(tree, PRICE),
        "influence": artefact_bytes(influence(model, task), PRICE),
    }


def pricing_of(file: bytes) -> Pricing:
    return Pricing.read(file, artefact_digest(file))


class Deal:
    """A seller of that class and a buyer up to the quote."""

    def __init__(self, file: bytes, role=Seller, samples: Samples | None = None) -> None:
        self.store = MemoryStore({})
        self.pricing = pricing_of(file)
        self.seller = role(SELLER, PLACE, samples or drawn(20, 9), self.store)
        self.buyer = Buyer(PLACE, file, self.pricing, self.store)
        self.order = self.pricing.order(BUYER, TERMS)
        self.offer = self.seller.offer(NATIVE, self.pricing.encoding)
        self.file = self.buyer.examine(self.offer)
        read = self.seller.read(self.order, self.buyer.invite(self.offer))
        self.said = self.seller.quote(self.order, self.offer.dataset, read, NOW + 60)

    def received(self):
        """What the buyer finds in the delivery, sealed to it."""
        self.buyer.require_sound(self.said, self.order, self.offer, NOW)
        purchase = Purchase(self.buyer.one_time_key(self.said.deal))
        x, sealed = self.seller.sealed_key(purchase)
        delivery = Delivery(ephemeral_x=x, sealed=sealed)
        return self.buyer.receive(self.said, self.file, purchase.delivered(x, sealed), delivery)


@pytest.mark.parametrize("kind", ["tree", "influence"])
def test_an_honest_seller_is_never_accused_and_its_samples_arrive_whole(files, kind):
    deal = Deal(files[kind])
    found = deal.received()
    assert found.fault is None
    assert found.samples.hashes() == deal.seller.samples.hashes()
    quoted = deal.pricing.artefact.quote(deal.seller.samples).price
    assert abs(deal.said.deal.quote.price - quoted) <= PRICE.most // 100


def test_a_published_key_opens_the_same(files):
    deal = Deal(files["tree"])
    delivery = Delivery(key=deal.seller.delivered_key())
    found = deal.buyer.receive(deal.said, deal.file, Purchase(), delivery)
    assert found.samples.hashes() == deal.seller.samples.hashes()


@pytest.mark.parametrize(
    ("role", "call"),
    [
        (adversaries.SwapsData, "proveSpoiltChunk"),
        (adversaries.FalseScore, "proveWrongScore"),
        (adversaries.FalsePrice, "proveWrongPrice"),
        (adversaries.WrongKey, "proveWrongKey"),
    ],
)
def test_each_cheat_passes_until_the_delivery_and_is_then_found_out(files, role, call):
    found = Deal(files["tree"], role).received()
    assert found.samples is None
    assert found.fault.call == call


def test_an_honest_seller_sells_a_sample_that_it_has_twice_once(files):
    samples = drawn(12, 9)
    twice = samples.joined(samples.subset([3, 4]))
    assert distinct(twice).hashes() == samples.hashes()
    deal = Deal(files["tree"], samples=twice)
    assert deal.offer.dataset.count == 12
    assert deal.received().fault is None


def test_only_the_seller_that_was_invited_can_read_the_artefact(files):
    deal = Deal(files["tree"])
    other = Seller(SELLER, PLACE, drawn(5, 1), deal.store)
    with pytest.raises(SealError):
        other.read(deal.order, deal.buyer.invite(deal.offer))


@pytest.mark.parametrize(
    "change", [{"artefact": b"a" * 32}, {"rule": b"r" * 32}, {"tree": b"t" * 32}, {"depth": 31}]
)
def test_a_seller_refuses_an_order_that_does_not_follow_from_the_artefact(files, change):
    deal = Deal(files["tree"])
    with pytest.raises(ArtefactMismatch):
        deal.seller.read(replace(deal.order, **change), deal.buyer.invite(deal.offer))


def test_an_order_without_a_tree_is_held_against_its_rule(files):
    deal = Deal(files["influence"])
    for change in ({"rule": b"r" * 32}, {"tree": b"t" * 32}):
        with pytest.raises(ArtefactMismatch, match="rule"):
            deal.seller.read(replace(deal.order, **change), deal.buyer.invite(deal.offer))


def test_a_buyer_signs_only_what_it_can_check(files):
    deal = Deal(files["tree"])

    def refused(said, says, error=QuoteRefused):
        with pytest.raises(error, match=says):
            deal.buyer.require_sound(said, deal.order, deal.offer, NOW)

    quote = deal.said.deal.quote

    def with_quote(**changes):
        return replace(deal.said, deal=replace(deal.said.deal, quote=replace(quote, **changes)))

    refused(with_quote(expiry=NOW), "expired at 1000, it is 1000")
    refused(with_quote(price=PRICE.most + 1), "1000001 are asked, the rule gives at most 1000000")
    refused(with_quote(scores=b"s" * 32), "scores with root", FileError)
    refused(replace(deal.said, leaves=None), "without the leaves")
    other = replace(deal.said.deal, order=replace(deal.order, stake=1))
    refused(replace(deal.said, deal=other), "another order or another dataset")


def test_a_file_that_is_not_the_registered_one_is_refused_before_anything_is_signed(files):
    deal = Deal(files["tree"])
    swapped = replace(deal.offer, dataset=replace(deal.offer.dataset, file=b"f" * 32))
    with pytest.raises(FileError, match="committed is"):
        deal.buyer.examine(swapped)
    for count, error in ((19, ContentTooLarge), (21, FileError)):
        other = replace(deal.offer, dataset=replace(deal.offer.dataset, count=count))
        with pytest.raises(error):
            deal.buyer.examine(other)


def test_a_dataset_in_longer_chunks_than_samples_need_is_refused(files):
    """It could not be read as samples, whatever its commitment says."""
    deal = Deal(files["tree"])
    encoding = deal.pricing.encoding
    other = Seller(SELLER, PLACE, drawn(5, 1, width=16), deal.store)
    wide = other.offer(NATIVE, Encoding(16, encoding.value_bytes))
    with pytest.raises(QuoteRefused, match=f"samples need chunks of {encoding.chunk_bytes}"):
        deal.buyer.examine(wide)


def test_samples_of_another_size_or_an_unknown_label_are_refused_by_the_seller_itself(files):
    store, pricing = MemoryStore({}), pricing_of(files["tree"])
    narrow = Seller(SELLER, PLACE, drawn(5, 1, width=7), store)
    with pytest.raises(FeatureMismatch):
        narrow.offer(NATIVE, pricing.encoding)
    strange = Samples(drawn(5, 1).inputs, drawn(5, 1).labels + 7)
    with pytest.raises(UnknownLabel, match="label 9 is unknown: the task has 3 classes"):
        Deal(files["tree"], samples=strange)
    assert Encoding.of(pricing.kind).value_bytes == 4


def test_a_price_function_of_the_owner_is_fixed_by_its_own_data(files):
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    oracle = owner.oracle(ExtractionSettings(leaves=8, points=200))
    function = Purse(10**6, 10).function(oracle, owner, 20)
    assert function.most == 10**6
    assert function.harmful < 0 < function.useful
    assert function.price(0) == 10
    again = Purse(10**6, 10).function(oracle, owner, 20)
    assert function.digest() == again.digest()
