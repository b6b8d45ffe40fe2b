"""A provider that begins again stores what its node has not, and nothing else."""

from __future__ import annotations

from functools import partial

import pytest

from offchain.crypto import shard_cipher
from offchain.crypto.commitments import root_of
from offchain.crypto.shard_cipher import TAG_BYTES, encrypted_batches
from offchain.hyperx import actions as do
from offchain.hyperx import provider
from offchain.hyperx.stored import FILE, StoredShards
from offchain.storage import digest_of
from offchain.storage.helped import HelpedNode
from offchain.storage.ledger import Ledger
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import ANNA, SHARDS, SmallMarket, of_digit

BATCH = 3
"""Shards of a batch, so that twelve come in four."""


class Killed(BaseException):
    """As SIGKILL: nothing that the role would do afterwards is done."""


class Counting(MemoryStore):
    """Counts what is stored as many at once, and dies after so many of these."""

    def __init__(self, network):
        super().__init__(network)
        self.stored, self.most, self.dies = [], 0, None

    def put_many(self, items, progress=None):
        self.most = max(self.most, len(items))
        cids = []
        for item in items:
            cids.append(self.put(item))
            self.stored.append(cids[-1])
            if len(self.stored) == self.dies:
                raise Killed
        return cids


@pytest.fixture
def encrypted(monkeypatch):
    """Which shards were encrypted, in order; batches are small."""
    length = max(len(shard) for shard in _shards()) + TAG_BYTES
    batches = partial(encrypted_batches, most_bytes=(BATCH - 1) * length + 1)
    monkeypatch.setattr(provider, "encrypted_batches", batches)
    found, encrypt = [], shard_cipher.encrypt_shard

    def counted(key, index, plain):
        found.append(index)
        return encrypt(key, index, plain)

    monkeypatch.setattr(shard_cipher, "encrypt_shard", counted)
    return found


def _shards():
    return provider.PackedShards(of_digit(4), SHARDS, BATCH)


@pytest.fixture
def market(tmp_path, encrypted):
    return with_anna(tmp_path)


def with_anna(folder):
    """Anna sells fours; nobody else is there."""
    market = SmallMarket(folder)
    market.provider(ANNA, 4)
    market.stores[ANNA] = Counting(market.network)
    return market


def registered(market):
    """What a life of Anna's that begins now registers."""
    return market.role(ANNA, restart=True).next_action(market.chain.clock)


@pytest.mark.parametrize("dies", range(1, SHARDS + 1))
def test_killed_at_any_shard_it_stores_the_batch_of_then_again_and_no_other(
    tmp_path, market, encrypted, dies
):
    """Neither encrypts nor stores what was stored, and never holds more than a batch."""
    store = market.store(ANNA)
    store.dies = dies
    with pytest.raises(Killed):
        registered(market)
    first = encrypted.copy()
    encrypted.clear()
    action = registered(market)
    whole = (dies - 1) // BATCH * BATCH  # stored and noted when it was killed
    assert isinstance(action, do.Register)
    assert encrypted == list(range(whole, SHARDS))
    assert len(store.stored) == dies + SHARDS - whole
    assert store.most == BATCH
    assert first == list(range(whole + BATCH))
    # What it registers is what a life that was not killed does: all lies where it says.
    cids = market.role(ANNA).dataset.cids
    assert set(cids) == set(store.stored) <= set(store.pinned)
    party = market.chain.session().party(ANNA)
    assert root_of(party.address_leaves([digest_of(cid) for cid in cids])) == action.address_root


def test_once_all_is_stored_no_later_life_stores_or_encrypts_a_shard(market, encrypted):
    first = registered(market)
    market.chain.send(first, ANNA)
    encrypted.clear()
    for _ in range(3):
        role = market.role(ANNA, restart=True)
        role.check_registered(market.chain.session().members[ANNA])
    assert encrypted == []
    assert len(market.store(ANNA).stored) == SHARDS


def test_the_file_is_not_believed_where_the_node_has_a_shard_no_more(market, encrypted):
    """Two of twelve are gone, whatever is noted: these two are stored again."""
    first = registered(market)
    store, cids = market.store(ANNA), market.role(ANNA).dataset.cids
    for lost in (2, 7):
        store.remove(cids[lost])
    encrypted.clear()
    again = registered(market)
    assert encrypted == [2, 7]
    assert (again.key_root, again.address_root) == (first.key_root, first.address_root)
    assert set(cids) <= set(store.pinned)


def test_what_a_later_life_found_stored_is_forgotten_with_the_rest(tmp_path, market):
    """When the session is over nothing of it need be kept, whichever life stored it."""
    node, path = market.store(ANNA), tmp_path / "kept.sqlite"
    market.stores[ANNA] = HelpedNode(node, [], [], Ledger(path))
    registered(market)
    market.stores[ANNA] = HelpedNode(node, [], [], Ledger(path))
    registered(market)
    ledger = market.store(ANNA).ledger
    assert set(market.role(ANNA).dataset.cids) <= set(ledger.cids())
    ledger.release()
    assert not set(market.role(ANNA).dataset.cids) & set(ledger.cids())


def test_what_a_later_life_found_stored_is_its_own(tmp_path, market):
    """Its ledger was lost: what is stored here is looked after as such, and not as a stranger's."""
    registered(market)
    ledger = Ledger(tmp_path / "another.sqlite")
    market.stores[ANNA] = HelpedNode(market.store(ANNA), [], [], ledger)
    registered(market)
    assert all(ledger.is_own(cid) for cid in market.role(ANNA).dataset.cids)


def test_other_data_have_nothing_in_common(market, encrypted):
    registered(market)
    market.provider(ANNA, 9)
    encrypted.clear()
    registered(market)
    assert encrypted == list(range(SHARDS))


def test_what_a_node_lost_is_stored_again_whole(market, encrypted):
    registered(market)
    encrypted.clear()
    market.role(ANNA, restart=True).store_again()
    assert encrypted == list(range(SHARDS))


def test_a_file_that_says_something_else_than_was_registered_counts_for_nothing(market, encrypted):
    """Its node has what the file names, and it is another shard."""
    market.chain.send(registered(market), ANNA)
    role = market.role(ANNA)
    cids = role.dataset.cids
    noted = StoredShards(role.secrets_file.path.with_name(FILE), role.session_key)
    noted.note({3: cids[4]})
    noted.close()
    encrypted.clear()
    role = market.role(ANNA, restart=True)
    role.check_registered(market.chain.session().members[ANNA])
    assert encrypted == list(range(SHARDS))
    assert role.dataset.cids == cids
