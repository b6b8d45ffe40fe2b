"""What the collector makes of an opened review: right shards pass, each kind of wrong is named."""

import io
from dataclasses import dataclass, replace

import pytest
import torch
from PIL import Image

from offchain.crypto import sealing
from offchain.crypto.bitmap import to_bitmap
from offchain.crypto.commitments import Party, root_of
from offchain.crypto.shard_cipher import encrypt_shard
from offchain.data.form import Pictures
from offchain.data.shards import PackedShards, Shard, pack_shard, packed_part, unpack_shard
from offchain.hyperx import patience
from offchain.hyperx.actions import WrongKeyEvidence
from offchain.hyperx.manifest import Manifest
from offchain.hyperx.patience import Patience
from offchain.hyperx.review import ReviewError, features_of, fetch_shards, opened_keys
from offchain.hyperx.session import Member
from offchain.storage import ContentMissing, cid_of, digest_of
from tests.kit.memory_store import MemoryStore
from tests.kit.multiproofs import proven_root
from tests.offchain.hyperx.small_market import (
    ANNA,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    digits,
    digits_of,
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
        """All of them, by index."""
        keys = changes.get("keys", {i: KEYS[i] for i in indices})
        addresses = [self.addresses[i] for i in indices]
        classes = digits().classes
        return dict(fetch_shards(self.store, self.manifest, classes, addresses, keys))

    def seen(self, indices=SAMPLE):
        """The pictures that are decoded, in their order, and their labels."""
        shards = self.fetch(indices).items()
        return features_of(shards, Pictures(self.manifest.shape), lambda pictures: pictures)

    def replace(self, index, plain, key=None):
        """Stores another shard at `index`."""
        cid = self.store.put(encrypt_shard(key or KEYS[index], index, plain))
        self.addresses[index] = digest_of(cid)


@pytest.fixture
def sale():
    data, store = of_digit(3), MemoryStore({})
    plain = list(PackedShards(data, SHARDS, SHARD_SIZE))
    cids = store.put_many([encrypt_shard(KEYS[i], i, p) for i, p in enumerate(plain)])
    lengths = [len(one) for one in plain]
    numbers = SHARDS, SHARD_SIZE, max(lengths), sum(lengths)
    manifest = Manifest("threes", CID, LICENCE, data.shape, *numbers, CID, CID)
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


def opened(sale, index):
    """A shard as it was sold."""
    return unpack_shard(sale.plain[index], digits().classes, SHARD_SIZE)


def test_honest_shards_are_the_sampled_files_in_order(sale):
    """And what is decoded of them are the very pixels."""
    shards = sale.fetch()
    assert list(shards) == list(SAMPLE)
    files = packed_part(of_digit(3), SHARDS, SHARD_SIZE).files
    places = [i * SHARD_SIZE + k for i in SAMPLE for k in range(SHARD_SIZE)]
    assert [file for shard in shards.values() for file in shard.files] == [files[i] for i in places]
    order = packed_part(digits_of(3), SHARDS, SHARD_SIZE).subset(places)
    seen = sale.seen()
    assert torch.equal(seen.features.features, order.images)
    assert torch.equal(seen.features.labels, order.labels)
    assert seen.copies == 0


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
        sale.seen()


def test_the_same_pictures_sold_twice_are_named_whatever_their_bytes_and_order(sale):
    """Something is written behind each picture, or the picture is saved in another format."""
    first, *rest = opened(sale, 4).files
    again = io.BytesIO()
    Image.open(io.BytesIO(first)).save(again, "BMP")
    files = (*(file + b"more" for file in rest), again.getvalue())
    sale.replace(11, pack_shard(Shard(files, (3,) * SHARD_SIZE), digits().classes))
    sale.manifest = replace(sale.manifest, shard_bytes=20_000)
    with pytest.raises(ReviewError, match="shard 11 is a copy of shard 4"):
        sale.seen()


def test_what_was_paid_for_is_fetched_although_it_is_a_copy(sale):
    """A buyer that sees it too late has at least what is no copy."""
    sale.replace(11, sale.plain[4])
    assert list(sale.fetch()) == list(SAMPLE)


def test_time_passes_while_pictures_are_decoded(sale, monkeypatch):
    """One shard may hold many that take seconds each."""
    now = iter(range(100))
    monkeypatch.setattr(patience, "monotonic", lambda: next(now))
    shards = [(1, opened(sale, 1))]
    with pytest.raises(ContentMissing, match="not all that came could be looked at in 2 s"):
        features_of(shards, Pictures(sale.manifest.shape), lambda pictures: pictures, Patience(2))


@pytest.mark.parametrize("content", [b"", b"rubbish", b"x" * 50_000])
def test_what_is_no_shard_or_larger_than_the_manifest_says_is_named(sale, content):
    sale.replace(1, content)
    with pytest.raises(ReviewError, match=r"^shard 1: "):
        sale.fetch()


def test_a_class_that_the_task_does_not_have_is_refused(sale):
    files = opened(sale, 1).files
    sale.replace(1, pack_shard(Shard(files, (0,) * SHARD_SIZE), ["seven"]))
    with pytest.raises(ReviewError, match="sample 0 is of class 'seven', which the task does not"):
        sale.fetch()


@pytest.mark.parametrize("count", [SHARD_SIZE - 1, SHARD_SIZE + 1])
def test_another_number_of_samples_is_refused(sale, count):
    files = (opened(sale, 1).files * 2)[:count]
    sale.replace(1, pack_shard(Shard(files, (3,) * count), digits().classes))
    sale.manifest = replace(sale.manifest, shard_bytes=10_000)
    with pytest.raises(ReviewError, match=f"shard 1: a shard of {count} samples, 3 are asked for"):
        sale.fetch()


def test_a_file_that_is_no_picture_is_named_with_its_shard(sale):
    files = (opened(sale, 4).files[0], b"no picture", opened(sale, 4).files[2])
    sale.replace(4, pack_shard(Shard(files, (3,) * SHARD_SIZE), digits().classes))
    with pytest.raises(ReviewError, match=r"^shard 4: sample 1 cannot be read as an image"):
        sale.seen()


def test_a_copy_is_seen_whatever_is_written_behind_its_picture(sale):
    """A shard that is no copy byte by byte, of pictures that are."""
    files = (*(file + b"more" for file in opened(sale, 1).files[1:]), opened(sale, 4).files[0])
    sale.replace(4, pack_shard(Shard(files, (3,) * SHARD_SIZE), digits().classes))
    assert sale.seen().copies == SHARD_SIZE - 1


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
    assert list(bought) == list(range(SHARDS))
    assert [pack_shard(one, digits().classes) for one in bought.values()] == sale.plain
