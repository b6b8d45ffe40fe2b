"""What was bought is bound to what was registered: file by file, label by label, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.crypto.settlement import Settlement
from offchain.data.shards import Shard, pack_shard
from offchain.hyperx.purchase import NothingBought, purchase, rebuilt_root, session_key
from offchain.task import Least
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SHARD_SIZE,
    SHARDS,
    honest,
    of_digit,
    other_task,
    published,
    sold,
)


def plain(shards):
    return [pack_shard(shard, published()[0].classes) for shard in shards]


@pytest.mark.parametrize("settlement", Settlement)
@pytest.mark.parametrize("shown", [True, False])
def test_the_same_samples_make_the_registered_root_and_no_others_do(tmp_path, settlement, shown):
    market = honest(tmp_path, settlement=settlement, published_addresses=shown)
    session = market.play()
    key = session_key(session, market.secrets(COLLECTOR))
    bought = purchase(session, market.store(COLLECTOR), published()[0], key)
    root = session.member(BERT).address_root
    shards = [shard for _, shard in bought.shards()]
    assert bought.manifest.licence == published()[0].licence
    assert len(bought) == SHARDS * SHARD_SIZE
    assert bought.digest() == sold(9)
    assert rebuilt_root(session, plain(shards), BERT, key) == root
    first = shards[0]
    swapped = Shard((first.files[1], first.files[0], *first.files[2:]), first.labels)
    labels = Shard(first.files, (0, *first.labels[1:]))
    more = Shard((first.files[0] + b"0", *first.files[1:]), first.labels)
    for lie in (swapped, labels, more):
        assert rebuilt_root(session, plain([lie, *shards[1:]]), BERT, key) != root
    assert rebuilt_root(session, plain([shards[1], first, *shards[2:]]), BERT, key) != root
    assert rebuilt_root(session, plain(shards), ANNA, key) != root
    assert rebuilt_root(session, plain(shards), BERT, bytes(32)) != root
    assert [index for index, _ in bought.shards(SHARDS - 2)] == [SHARDS - 2, SHARDS - 1]


def test_without_a_deal_there_is_nothing(tmp_path):
    market = honest(tmp_path)
    market.seats.pop(COLLECTOR)
    session = market.play()
    with pytest.raises(NothingBought, match="closed without a deal"):
        session_key(session, market.secrets(COLLECTOR))


def test_a_sealed_key_is_the_collectors_alone(tmp_path):
    market = honest(tmp_path, settlement=Settlement.SEALED)
    session = market.play()
    with pytest.raises(ValueError, match="holds no secret called"):
        session_key(session, market.secrets(CARL))


@pytest.mark.parametrize(("copies", "bought"), [(30, CARL), (2, BERT)])
def test_copies_beyond_what_was_promised_are_found_in_the_review(tmp_path, copies, bought):
    """Bert says nothing of them; where enough distinct ones are left he is bought all the same."""
    market = honest(tmp_path, further_reviews=1)
    total = SHARDS * SHARD_SIZE
    least = Least(distinct=total - 2)
    market.chain.terms = replace(market.chain.terms, task=other_task(market, least=least))
    role = market.role(BERT)
    places = torch.arange(total)
    places[:copies] = copies
    role.__dict__["data"] = of_digit(9).subset(places)
    role.check_task = lambda: None
    session = market.play()
    assert session.deal is not None
    assert session.deal.provider == bought
