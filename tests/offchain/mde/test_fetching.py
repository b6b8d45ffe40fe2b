"""What strangers make a role fetch and store: little, once, and nothing that stops it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE
from offchain.mde import events as ev
from offchain.mde import vault
from offchain.mde.adversaries import FalseScore
from offchain.mde.artefact import artefact_bytes
from offchain.mde.buyer import Buyer
from offchain.mde.checking import require_registered
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import DealState
from offchain.mde.letters import Invitation, Letter, Offer
from offchain.mde.owner import Owner
from offchain.mde.seller import Seller
from offchain.mde.stock import Stock
from offchain.mde.training import Trainer
from offchain.storage import (
    ContentError,
    ContentMalformed,
    ContentMissing,
    DatastoreError,
    cid_from_digest,
    cid_of,
)
from tests.kit.memory_store import MemoryStore
from tests.kit.wallets import KeyWallet
from tests.offchain.mde.deals_in_memory import PLACE
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS, MarketInMemory
from tests.offchain.mde.small import drawn, fitted, linear, small_task

FOLDER = cid_from_digest(b"\x0f" * 32)


@pytest.fixture(scope="module")
def file():
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    return artefact_bytes(owner.oracle(SETTINGS["tree"]), PRICE)


class Vast(Seller):
    """Registers very many chunks of another size than asked."""

    chunk_bytes = 16_384

    def stock_of(self, samples, token, secrets_file):
        stock = super().stock_of(samples, token, secrets_file)
        changed = replace(
            stock.dataset, count=1 << 20, chunk_bytes=self.chunk_bytes, chunks=1 << 20
        )
        stock.__dict__["dataset"] = changed
        return stock


class Many(Vast):
    """Registers very many chunks of the size that is asked."""

    chunk_bytes = 64


def fetched(market: MarketInMemory) -> int:
    """The largest bound of what anybody fetched in ten rounds."""
    bounds, get = [0], market.store.get

    def watched(cid, max_bytes=None):
        bounds.append(max_bytes or 0)
        return get(cid, max_bytes)

    market.store.get = watched
    for _ in range(10):
        market.round()
    return max(bounds)


def fetches_first(store, place, dataset, cid, pricing, most_bytes):
    """The twin: looks at what came, however much it was."""
    most = dataset.count * (dataset.chunk_bytes + 32)
    found = EncryptedFile.from_bytes(store.get(cid, most))
    require_registered(dataset, place, found)
    return found


@pytest.mark.parametrize(
    ("role", "why"),
    [
        (Vast, "chunks of 16384 bytes, samples need chunks of 64"),
        (Many, "1048576 samples and their originals have 100663360 bytes, at most 1000000"),
    ],
)
def test_no_dataset_is_fetched_of_another_shape_or_beyond_the_limit(file, tmp_path, role, why):
    market = MarketInMemory(tmp_path, file, role)
    market.buyer.vault.most_bytes = 1_000_000
    assert fetched(market) < 70_000_000  # an artefact's bound
    (said,) = market.buyer.objections.values()
    assert why in said


def test_a_buyer_that_fetches_first_lets_itself_be_sent_17_gigabytes(file, tmp_path, monkeypatch):
    monkeypatch.setattr(vault, "fetch_file", fetches_first)
    assert fetched(MarketInMemory(tmp_path, file, Vast)) == 17_213_423_616


def test_strangers_orders_make_a_seller_store_its_file_once(file, tmp_path):
    market = MarketInMemory(tmp_path, file, Seller)
    while not market.session.datasets:
        market.round()
    ((_, order),) = market.session.orders.items()
    for number in range(50):
        theirs = replace(order, buyer=KeyWallet(f"stranger {number}").address)
        id_ = theirs.account.id(PLACE)
        market.deals.log.append((ev.Posted(id_, theirs.buyer, theirs.args(), 0), market.deals.now))
    puts, put = [], market.store.put
    market.store.put = lambda data: puts.append(len(data)) or put(data)
    seller = market.roles[1]
    seller.session = market.session
    assert len(seller.next_action(market.deals.clock).letters) == 51
    assert not puts


class WithFolder(MemoryStore):
    """Answers for a folder in its place as a datastore does whose own node is well."""

    blames: type[DatastoreError] = ContentMalformed

    def get(self, cid, max_bytes=None):
        if cid == FOLDER:
            raise self.blames(f"{cid} is a folder")
        return super().get(cid, max_bytes)


class BlamesItself(WithFolder):
    """The twin: takes whatever fails for its own node's fault."""

    blames = DatastoreError


class OffersFolder(Seller):
    """Says that its samples lie where no file is."""

    def _offers(self, clock):
        for message, buyer in super()._offers(clock):
            yield replace(message, file=FOLDER), buyer


def on_node(folder, file: bytes, store: type[WithFolder], *roles: type[Seller]) -> MarketInMemory:
    market = MarketInMemory(folder, file, *roles)
    market.store = store(market.store.network)
    market.roles = [market._make(number) for number in range(len(market.roles))]
    return market


def invited_to_folder(folder, file: bytes, store: type[WithFolder]) -> MarketInMemory:
    """The buyer's first letter asks a seller to read a folder."""
    market = on_node(folder, file, store, Seller, Seller)
    while len(market.session.datasets) < 2:
        market.round()
    (order,), dataset = market.session.orders, market.roles[1].id
    buyer, seller = market.buyer.account, market.roles[1].account
    market.deals.letters.append(Letter(buyer, seller, Invitation(order, dataset, FOLDER)))
    while market.round(1):  # it reads that letter before any other comes
        pass
    return market.run()


def sold(market: MarketInMemory) -> int:
    states = [sale.state for sale in market.session.sales.values()]
    return states.count(DealState.SETTLED)


def test_an_invitation_to_no_file_stops_no_seller(file, tmp_path):
    """It quotes to the next, and the others are bought; the twin ends."""
    market = invited_to_folder(tmp_path / "mended", file, WithFolder)
    assert "is a folder" in market.roles[1].objections[FOLDER]
    assert sold(market) >= 1
    with pytest.raises(DatastoreError):
        invited_to_folder(tmp_path / "twin", file, BlamesItself)


def test_an_offer_of_no_file_stops_no_buyer(file, tmp_path):
    """It buys the other's set and takes the rest home; the twin ends with its budget inside."""
    market = on_node(tmp_path / "mended", file, WithFolder, OffersFolder, Seller).run()
    assert "is a folder" in market.buyer.objections[market.roles[1].id]
    assert sold(market) == 1
    twin = on_node(tmp_path / "twin", file, BlamesItself, OffersFolder, Seller)
    with pytest.raises(DatastoreError):
        twin.run()
    (order,) = twin.session.orders
    assert twin.session.books[order].free > 0
    assert issubclass(ContentMalformed, ContentError)


# ---------------------------------------------------------------- what is nowhere


class Slow:
    """A store that looks for what is nowhere for 29 seconds of the chain's time."""

    def __init__(self, market: MarketInMemory) -> None:
        self.store, self.deals = market.store, market.deals

    def __getattr__(self, name):
        return getattr(self.store, name)

    def get(self, cid, max_bytes=None):
        try:
            return self.store.get(cid, max_bytes)
        except ContentMissing:
            self.deals.now += 29
            raise


def paid_to_a_cheat(folder, file: bytes, buyer: type[Buyer]) -> MarketInMemory:
    """A cheat was paid, and strangers offer thirty datasets that are nowhere."""
    market = MarketInMemory(folder, file, FalseScore, buyer=buyer)
    for role in market.roles:
        role.store = Slow(market)
    market.buyer.vault.store = market.buyer.store
    states: list[DealState] = []
    while DealState.PAID not in states:
        if not market.step(0) and not market.step(1):
            market.deals.now += 30
        states = [sale.state for sale in market.session.sales.values()]
    for number in range(30):
        wallet, secrets = KeyWallet(f"sybil {number}"), SecretsFile(folder / f"s{number}.json")
        stock = Stock(wallet.address, PLACE, drawn(6, 100 + number), NATIVE, secrets)
        args = stock.dataset.args()
        event = ev.Registered(stock.id, wallet.address, args, market.terms.stake)
        market.deals.log.append((event, market.deals.now))
        offer = Offer(stock.id, cid_of(b"nowhere %d" % number))
        market.deals.letters.append(Letter(wallet.address, market.buyer.account, offer))
    return market


class FetchesAll(Buyer):
    """The twin: looks for all that was offered before it does anything else."""

    def _invitations(self, order, clock):
        for id_ in self._unpaid(clock):
            try:
                self.vault.file(order, id_)
            except ContentError as error:
                self.objections.note(id_, error, clock.now)
        return super()._invitations(order, clock)


@pytest.mark.parametrize(("buyer", "seconds"), [(Buyer, 29), (FetchesAll, 30 * 29)])
def test_offers_of_nothing_hide_no_cheat_from_the_buyer(file, tmp_path, buyer, seconds):
    """The dispute outlasts every look; the twin looks longer than any dispute of ten minutes."""
    market = paid_to_a_cheat(tmp_path, file, buyer)
    began = market.deals.now
    market.buyer.session = market.session
    market.buyer.next_action(market.deals.clock)
    assert market.deals.now - began == seconds
    if buyer is Buyer:
        market.deals.now = began
        assert market.step(1)  # the cheat delivers as the buyer begins to look
        market.deals.now += 29
        assert market.step(0)
        assert [one.state for one in market.session.sales.values()] == [DealState.CHEATED]


def test_who_offers_nothing_stands_behind_all_others(file, tmp_path):
    """All are looked for once before any is again, though the first would be due long before."""
    market = paid_to_a_cheat(tmp_path, file, Buyer)
    market.buyer.session = market.session
    (order,) = market.session.orders
    for looked in range(1, 31):
        assert not [*market.buyer._invitations(order, market.deals.clock)]
        assert len(market.buyer.objections) == looked


class ReadsAll(Seller):
    """The twin: looks for whatever it was invited to."""

    def _proposals(self, clock):
        for order in self._orders():
            for invitation in Correspondence(self.session, order, self.id).by_buyer(Invitation):
                try:
                    self.read(order, invitation.artefact)
                except ContentError as error:
                    self.objections.note(invitation.artefact, error, clock.now)
        return iter(())


@pytest.mark.parametrize(("role", "seconds"), [(Seller, 29), (ReadsAll, 200 * 29)])
def test_invitations_to_nowhere_hold_a_seller_for_one_look(file, tmp_path, role, seconds):
    market = MarketInMemory(tmp_path, file, role)
    while not any(isinstance(one.message, Offer) for one in market.session.letters):
        market.round(0, 1)
    (order,), (dataset,) = market.session.orders, market.session.datasets
    buyer, seller = market.buyer.account, market.roles[1]
    for number in range(200):
        said = Invitation(order, dataset, cid_of(b"nowhere %d" % number))
        market.deals.letters.append(Letter(buyer, seller.account, said))
    seller.store, seller.session, began = Slow(market), market.session, market.deals.now
    seller.next_action(market.deals.clock)
    assert market.deals.now - began == seconds


def test_what_was_offered_lies_in_the_datastore_and_not_in_memory(file, tmp_path, monkeypatch):
    """However many strangers offer; the twin, which keeps what it fetched, keeps all of it."""
    fetch, seen, kept = vault.fetch_file, [], []

    def watched(*said):
        seen.append(weakref.ref(found := fetch(*said)))
        return found

    monkeypatch.setattr(vault, "fetch_file", watched)
    market = MarketInMemory(tmp_path, file, Seller, Seller)
    while len(market.session.sales) < 2:
        assert market.round()
    gc.collect()
    assert len(seen) >= 2
    assert not [one for one in seen if one() is not None]
    buyer = market.buyer
    buyer.session = market.session
    (order,) = market.session.orders
    kept += [buyer.vault.file(order, id_) for id_ in market.session.datasets]
    assert len([one for one in seen if one() is not None]) == len(kept) == 2
