"""What was bought is bound to what was registered: sample by sample, label by label, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.crypto.settlement import Settlement
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
)


@pytest.mark.parametrize("settlement", Settlement)
@pytest.mark.parametrize("shown", [True, False])
def test_the_same_samples_make_the_registered_root_and_no_others_do(tmp_path, settlement, shown):
    market = honest(tmp_path, settlement=settlement, published_addresses=shown)
    session = market.play()
    key = session_key(session, market.secrets(COLLECTOR))
    bought = purchase(session, market.store(COLLECTOR), published()[0], key)
    root = session.member(BERT).address_root
    images = bought.images
    assert bought.manifest.licence == published()[0].licence
    assert rebuilt_root(session, images, BERT, key) == root
    swapped = images.subset([1, 0, *range(2, len(images))])
    other = images.labels.clone()
    other[5] = 0
    pixel = images.images.clone()
    pixel[7, 0, 3, 3] ^= 1
    for lie in (swapped, replace(images, labels=other), replace(images, images=pixel)):
        assert rebuilt_root(session, lie, BERT, key) != root
    assert rebuilt_root(session, images, ANNA, key) != root
    assert rebuilt_root(session, images, BERT, bytes(32)) != root


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
