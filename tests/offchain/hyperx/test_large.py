"""Pictures larger than a collector bargained for: they fill neither its disk nor its memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.crypto.commitments import root_of
from offchain.data.shards import MAX_SHARD_BYTES
from offchain.hyperx import actions as do
from offchain.hyperx import features, policy, safekeeping
from offchain.hyperx.features import extract
from offchain.hyperx.manifest import Manifest, publish_manifest, put_words
from offchain.hyperx.memory import MemoryShort, memory_told
from offchain.hyperx.provider import Provider
from offchain.storage import cid_from_digest
from offchain.task.document import ANY
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    LICENCE,
    SEEDED,
    SmallMarket,
    evaluation,
    honest,
    other_task,
)

SIDE, COUNT = 4096, 1_000


def huge(folder, **asked):
    """A market in which Anna registers 1,000 of the largest shards: 34 GB.

    All are one and the same file of zeros, which costs her nothing.
    """
    market = SmallMarket(folder, shard_count=COUNT, shard_size=5, sample_bps=1000)
    terms = market.chain.terms = replace(market.chain.terms, task=other_task(market, **asked))
    party, store = market.chain.session().party(ANNA), market.store(ANNA)
    leaves = party.key_leaves(party.shard_keys(b"k" * 32, COUNT))
    addresses = [b"\1" * 32] * COUNT
    words = put_words(store, leaves), put_words(store, addresses)
    manifest = Manifest(
        *("big", cid_from_digest(terms.task), LICENCE, (3, SIDE, SIDE), COUNT, 5),
        *(MAX_SHARD_BYTES, COUNT * MAX_SHARD_BYTES, *words),
    )
    published = publish_manifest(store, manifest)
    roots = root_of(leaves), root_of(party.address_leaves(addresses))
    market.chain.send(do.Register(*roots, published), ANNA)
    return market


def test_a_shape_that_the_task_does_not_ask_for_is_not_sampled(tmp_path):
    market = huge(tmp_path)
    market.collector()
    assert market.act(COLLECTOR) is None
    assert "the task asks for" in market.role(COLLECTOR).objections[ANNA]


def test_where_any_size_is_asked_for_the_collectors_bound_holds(tmp_path):
    market = huge(tmp_path, shape=(3, ANY, ANY))
    market.collector()
    assert market.act(COLLECTOR) is None
    said = market.role(COLLECTOR).objections[ANNA]
    assert said.endswith(f"bytes, at most {policy.MOST_BYTES} are kept")
    assert len(market.store(COLLECTOR).pinned) == 1  # the task, its own
    # The twin: a collector that keeps whatever comes.
    market.collector(replace(SEEDED, most_bytes=1 << 60))
    del market.roles[COLLECTOR]
    assert isinstance(market.act(COLLECTOR), do.SampleData)


class Understates(Provider):
    """Says that all of its shards have as many bytes as the largest has."""

    def register(self):
        action, terms = super().register(), self.session.terms
        written = Manifest.from_bytes(self.store.get(cid_from_digest(action.manifest)), terms)
        lie = replace(written, total_bytes=written.shard_bytes)
        return replace(action, manifest=publish_manifest(self.store, lie))


@pytest.mark.parametrize("counted", [True, False])
def test_shards_of_more_bytes_than_were_announced_are_not_kept(tmp_path, monkeypatch, counted):
    """The twin counts nothing, and keeps whatever comes."""
    market = honest(tmp_path)
    market.provider(BERT, 9, Understates)
    if not counted:
        monkeypatch.setattr(safekeeping, "encrypted_bytes", lambda manifest: 1 << 30)
    session = market.play()
    if not counted:
        assert session.deal.provider == BERT
        return
    assert session.deal.provider == CARL
    said = market.role(COLLECTOR).objections[BERT]
    assert said.startswith("shards: with shard 1 there are more than the")


def test_large_pictures_come_in_smaller_batches(monkeypatch):
    """And give the same features."""
    one, steps = evaluation(), []
    images = torch.randint(0, 256, (10, 3, 64, 64), dtype=torch.uint8)
    monkeypatch.setattr(features, "BATCH_BYTES", 3 * 4 * 3 * 64 * 64)
    few = extract(one.published, one.preprocessing, images, progress=lambda *s: steps.append(s[0]))
    assert steps == [3, 6, 9, 10]
    monkeypatch.undo()
    torch.testing.assert_close(few, extract(one.published, one.preprocessing, images))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA out of memory. Tried to allocate 48.00 GiB"),
    ],
)
def test_a_review_that_memory_does_not_hold_is_refused_and_burns_nothing(
    tmp_path, monkeypatch, error
):
    market = honest(tmp_path, further_reviews=1)
    market.play(until=1000)
    market.chain.now = 2000
    market.act(COLLECTOR)
    market.act(BERT)

    def fails(*_):
        raise error

    monkeypatch.setattr(market.role(COLLECTOR), "_judge", fails)
    assert market.act(COLLECTOR) is None
    market.chain.now = market.chain.session().last_look
    assert market.act(COLLECTOR) == do.RefuseReview(BERT)
    assert "this machine's memory is too small" in market.role(COLLECTOR).objections[BERT]


def test_other_errors_of_torch_are_no_want_of_memory():
    with pytest.raises(RuntimeError, match="shapes") as caught, memory_told("this"):
        raise RuntimeError("shapes do not fit")
    assert not isinstance(caught.value, MemoryShort)
