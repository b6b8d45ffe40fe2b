"""What the collector makes of an opened review: right shards pass, each kind of wrong is named."""

from dataclasses import dataclass, replace

import pytest
import torch
from safetensors.torch import save

from offchain.crypto import sealing
from offchain.crypto.bitmap import to_bitmap
from offchain.crypto.commitments import Party, root_of
from offchain.crypto.shard_cipher import encrypt_shard
from offchain.data.shards import pack_shards, unpack_shard
from offchain.hyperx.actions import WrongKeyEvidence
from offchain.hyperx.manifest import Manifest
from offchain.hyperx.review import ReviewError, fetch_shards, opened_keys
from offchain.hyperx.session import Member
from offchain.storage import cid_of, digest_of
from tests.kit.memory_store import MemoryStore
from tests.kit.multiproofs import proven_root
from tests.offchain.hyperx.small_market import (
    ANNA,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    digits,
    of_digit,
)

PARTY = Party(1, "0x" + "5e" * 20, ANNA)
SAMPLE = (1, 4, 11)
ONE_TIME = 0xABCDEF
KEYS = PARTY.shard_keys(bytes([9]) * 32, SHARDS)
LEAVES = PARTY.key_leaves(KEYS)
CID = cid_of(b"")


@dataclass
class Sale:
    """Anna's registered dataset in a store, and what she opens."""

    store: MemoryStore
    plain: list[bytes]
    addresses: list[bytes]
    manifest: Manifest

    def fetch(self, indices=SAMPLE, **changes):
        keys = changes.get("keys", {i: KEYS[i] for i in indices})
        addresses = [self.addresses[i] for i in indices]
        return fetch_shards(
            self.store, changes.get("manifest", self.manifest), digits().classes, addresses, keys
        )

    def replace(self, index, plain, key=None):
        """Stores another shard at `index`."""
        cid = self.store.put(encrypt_shard(key or KEYS[index], index, plain))
        self.addresses[index] = digest_of(cid)


@pytest.fixture
def sale():
    data, store = of_digit(3), MemoryStore({})
    plain = pack_shards(data, SHARDS, SHARD_SIZE)
    cids = store.put_many([encrypt_shard(KEYS[i], i, p) for i, p in enumerate(plain)])
    manifest = Manifest("threes", CID, LICENCE, data.shape, SHARDS, SHARD_SIZE, CID, CID)
    return Sale(store, plain, [digest_of(cid) for cid in cids], manifest)


def member(sample=SAMPLE):
    """Of whom the review opens the sample alone."""
    return Member(
        ANNA,
        root_of(LEAVES),
        bytes(32),
        bytes(32),
        opened=sample,
        opened_bitmap=tuple(to_bitmap(sample, SHARDS)),
    )


def test_honest_shards_are_the_sampled_images_in_order(sale):
    images = sale.fetch()
    expected = [unpack_shard(sale.plain[i]) for i in SAMPLE]
    assert torch.equal(images.images, torch.cat([shard.images for shard in expected]))
    assert torch.equal(images.labels, torch.cat([shard.labels for shard in expected]))


def test_a_missing_shard_is_named(sale):
    sale.store.remove(sale.store.put(encrypt_shard(KEYS[4], 4, sale.plain[4])))
    with pytest.raises(ReviewError, match=r"^shard 4: .* is not there"):
        sale.fetch()


def test_a_shard_whose_bytes_changed_is_named(sale):
    cid = sale.store.put(encrypt_shard(KEYS[4], 4, sale.plain[4]))
    sale.store.pinned.clear()
    sale.store.corrupt(cid)
    with pytest.raises(ReviewError, match=r"^shard 4: .* other content"):
        sale.fetch()


def test_a_shard_under_another_key_is_named(sale):
    with pytest.raises(ReviewError, match=r"^shard 4: .*does not decrypt"):
        sale.fetch(keys={1: KEYS[1], 4: KEYS[5], 11: KEYS[11]})


def test_a_shard_moved_to_another_place_is_named(sale):
    sale.addresses[4] = sale.addresses[1]
    with pytest.raises(ReviewError, match=r"^shard 4: .*does not decrypt"):
        sale.fetch()


def test_the_same_samples_sold_twice_are_named_by_their_indices(sale):
    """Encrypted under their own keys the copies look different; decrypted they do not."""
    sale.replace(11, sale.plain[4])
    with pytest.raises(ReviewError, match="shard 11 is a copy of shard 4"):
        sale.fetch()


@pytest.mark.parametrize("content", [b"", b"rubbish", b"x" * 5000])
def test_a_shard_of_another_length_is_named(sale, content):
    sale.replace(1, content)
    with pytest.raises(ReviewError, match=r"^shard 1[: ]"):
        sale.fetch()


def test_rubbish_of_the_right_length_is_no_shard(sale):
    sale.replace(1, bytes(len(sale.plain[1])))
    with pytest.raises(ReviewError, match="shard 0: "):
        sale.fetch()


def test_a_label_that_is_no_class_is_refused(sale):
    shard = unpack_shard(sale.plain[1])
    sale.replace(1, save({"images": shard.images, "labels": shard.labels + 7}))
    with pytest.raises(ReviewError, match="label 10 is out of range for 10 classes"):
        sale.fetch()


def test_images_of_another_shape_are_refused(sale):
    """28 x 28 as the manifest says, not 14 x 56, which has as many bytes."""
    for i in SAMPLE:
        shard = unpack_shard(sale.plain[i])
        images = shard.images.reshape(SHARD_SIZE, 1, 14, 56)
        sale.replace(i, save({"images": images, "labels": shard.labels}))
    with pytest.raises(ReviewError, match=r"of \(1, 14, 56\), the manifest says"):
        sale.fetch()


def test_right_keys_are_opened(sale):
    review = sealing.seal_keys(sealing.point_of(ONE_TIME), {i: KEYS[i] for i in SAMPLE})
    opened = opened_keys(PARTY, member(), review, LEAVES, ONE_TIME)
    assert opened == {i: KEYS[i] for i in SAMPLE}


@pytest.mark.parametrize("wrong", SAMPLE)
def test_a_wrong_key_gives_evidence_that_anyone_can_check(wrong):
    """Checked here as the contract does: the product, the path to the root, and that the
    delivered key does not hash to the leaf."""
    keys = {i: KEYS[i] for i in SAMPLE} | {wrong: bytes(32)}
    review = sealing.seal_keys(sealing.point_of(ONE_TIME), keys)
    found = opened_keys(PARTY, member(), review, LEAVES, ONE_TIME)
    assert isinstance(found, WrongKeyEvidence)
    assert found.shard == wrong
    shared = sealing.shared_x(ONE_TIME, sealing.Point.with_even_y(review.ephemeral_x))
    assert found.shared_x == shared
    assert sealing.Point.with_even_y(shared).y in (found.shared_y, sealing.FIELD - found.shared_y)
    assert proven_root(SHARDS, {wrong: found.leaf}, found.path) == found.key_root == root_of(LEAVES)
    assert found.leaf == LEAVES[wrong] != PARTY.key_leaf(wrong, bytes(32))
    assert (found.sealed_keys, found.ephemeral_x) == (review.sealed, review.ephemeral_x)
    assert found.one_time_key == sealing.point_of(ONE_TIME).x
    assert found.one_time_secret == sealing.even_secret(ONE_TIME)


def test_a_point_that_is_none_is_evidence_too():
    """The candidate sealed to nothing: no key can be opened, and the contract sees it."""
    review = sealing.SealedKeys(5, (bytes(32),) * 3)
    found = opened_keys(PARTY, member(), review, LEAVES, ONE_TIME)
    assert isinstance(found, WrongKeyEvidence)
    assert (found.shard, found.ephemeral_x) == (SAMPLE[0], 5)


def test_keys_sealed_for_other_shards_are_wrong(sale):
    """Sealed in another order, the right keys arrive at the wrong places."""
    honest = sealing.seal_keys(sealing.point_of(ONE_TIME), {i: KEYS[i] for i in SAMPLE})
    swapped = replace(honest, sealed=honest.sealed[::-1])
    assert isinstance(opened_keys(PARTY, member(), swapped, LEAVES, ONE_TIME), WrongKeyEvidence)


def test_a_whole_dataset_is_read_back_as_it_was_sold(sale):
    bought = sale.fetch(range(SHARDS))
    assert len(bought) == SHARDS * SHARD_SIZE
    assert bought.classes == digits().classes
