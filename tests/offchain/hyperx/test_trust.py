"""What a provider runs its pictures through: a collector must not read them for gas.

The twin of each refusal is an owner that lists the extractor, which is what every provider did
before it looked.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.crypto.bitmap import to_bitmap
from offchain.data.shards import unpack_shard
from offchain.hyperx import actions as do
from offchain.hyperx import trust
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.hyperx.trust import ExtractorRefused, check_extractor
from offchain.models.backbones import BACKBONES, BackboneError, skeleton
from offchain.models.extractor import Extractor, pretrained_extractor
from offchain.models.preprocessing import Preprocessing
from offchain.models.truncate import last_layer
from tests.kit.random_networks import random_extractor
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SmallMarket,
    evaluation,
    honest,
    other_task,
)

BACKBONE, CUT, SIZE = "efficientnet-lite0", "block5_project", 32
THRICE = 84
"""Three times the side of a digit: every third pixel of the enlarged image is one of its own."""
CID = "bafy-of-the-extractor"


def mirror() -> Extractor:
    """VGG19 cut after its second convolution, with a delta for each kernel: it hands on the red."""
    network = skeleton("vgg19", "1_block").to_empty(device="cpu")
    for parameter in network.parameters():
        parameter.zero_()
        if parameter.dim() == 4:
            parameter[0, 0, 1, 1] = 1
    return Extractor("vgg19", "1_block", THRICE, network)


def put_up(market, evaluation):
    """Makes the market's session one for this extractor; its CID."""
    documents = evaluation.publish(market.store(COLLECTOR))
    market.chain.terms = replace(
        market.chain.terms,
        task=other_task(market, documents=documents),
        encryption_key=evaluation.encryption_key,
    )
    return documents[EXTRACTOR]


@pytest.fixture
def spying(tmp_path):
    """A market whose collector publishes the mirror; its evaluation, and the mirror's CID."""
    evil = evaluation(mirror(), Preprocessing(THRICE), Obfuscation(torch.ones(64), torch.zeros(64)))
    market = SmallMarket(tmp_path, sample_bps=5000, deposit=1000)
    for account, digit in {ANNA: 4, BERT: 9, CARL: 6}.items():
        market.provider(account, digit)
    return market, evil, put_up(market, evil)


def test_an_extractor_whose_features_are_the_pictures_is_refused(spying):
    market, _, cid = spying
    with pytest.raises(ExtractorRefused, match=rf"84 x 84 features of 84 px.*extractor {cid}"):
        market.act(ANNA)
    assert market.chain.events == []


def test_an_owner_that_takes_any_extractor_gives_its_pictures_away(spying):
    """The twin: every sampled picture comes out, bit for bit, and nothing is paid for it."""
    market, evil, cid = spying
    market.accepted = {cid}
    market.act(ANNA)
    terms = market.chain.terms
    sampled = tuple(range(terms.first_sample))
    words = tuple(to_bitmap(sampled, terms.shard_count))
    market.chain.send(do.SampleData(ANNA, words), COLLECTOR)
    market.act(ANNA)
    session = market.chain.session()
    features = evil.open(
        market.store(COLLECTOR),
        session.party(ANNA),
        session.members[ANNA].features,
        len(sampled) * terms.shard_size,
    ).features
    seen = (features[:, :1, 1::3, 1::3] * 255).round().to(torch.uint8)
    plain = [unpack_shard(market.role(ANNA).shards[i]).images for i in sampled]
    assert torch.equal(seen, torch.cat(plain))


@pytest.mark.parametrize("more", [0, 1])
def test_no_features_of_more_than_half_of_what_may_be_opened(tmp_path, more):
    """The contract lets a collector sample all of it; the other half is what reviews are for."""
    market = honest(tmp_path, sample_bps=5000, deposit=1000)
    market.act(ANNA)
    terms = market.chain.terms
    sampled = range(terms.first_sample + more)
    assert terms.first_sample + more <= terms.sample_limit
    words = tuple(to_bitmap(tuple(sampled), terms.shard_count))
    market.chain.send(do.SampleData(ANNA, words), COLLECTOR)
    assert (market.act(ANNA) is None) == bool(more)


@pytest.fixture(scope="module")
def public():
    return pretrained_extractor(BACKBONE, CUT, SIZE)


@pytest.mark.parametrize("seed", range(4))
def test_a_public_network_is_accepted_under_any_obfuscation(public, seed):
    channels = public.output_shape[0]
    check_extractor(obfuscate(public, Obfuscation.draw(channels, seed)), CID, ())


def test_a_session_under_a_public_network_asks_nobody(tmp_path, public):
    market = honest(tmp_path)
    market.accepted = set()
    secret = Obfuscation.draw(public.output_shape[0], seed=3)
    published = evaluation(public, obfuscation=secret)
    put_up(market, published)
    market.collector(how=published)
    assert market.play().deal.provider == BERT


def changed(extractor, name, change):
    """A copy with one tensor changed in place."""
    extractor = obfuscate(extractor, Obfuscation.draw(extractor.output_shape[0], seed=5))
    with torch.no_grad():
        change(extractor.module.get_parameter(name))
    return extractor


def test_whatever_is_changed_is_refused_by_its_name(public):
    """Every tensor, by a hundredth in one place; of the last layer that is another direction."""
    refused = []
    for name in public.module.state_dict():
        with pytest.raises(ExtractorRefused, match=rf"^{name} of the extractor is not"):
            check_extractor(changed(public, name, nudge), CID, ())
        refused.append(name)
    assert len(refused) > 20


def nudge(tensor):
    """A hundredth of the whole in one place; of a last bias, an offset that none can have."""
    tensor[(0,) * tensor.dim()] += 0.01 * tensor.norm() + (1_000 if tensor.dim() == 1 else 0)


@pytest.mark.parametrize("factor", [0.0, 1e-3, 1e3])
def test_a_factor_that_obfuscation_never_has_is_refused(public, factor):
    """Channels shut off, and one left that is so large that rounding keeps what it wants."""
    weight = f"{last_layer(public.module)}.weight"
    with pytest.raises(ExtractorRefused, match="weight of the extractor"):
        check_extractor(changed(public, weight, lambda t: t[0].mul_(factor)), CID, ())


def test_other_weights_are_accepted_where_their_owner_lists_them(public):
    other = random_extractor(BACKBONE, CUT, SIZE, seed=1)
    with pytest.raises(ExtractorRefused, match=f"to take it all the same accept extractor {CID}"):
        check_extractor(other, CID, ())
    check_extractor(other, CID, (CID,))


def test_public_weights_that_cannot_be_had_are_said(monkeypatch):
    def nowhere(*_):
        raise BackboneError("the ImageNet weights of vgg19 cannot be had: no network")

    monkeypatch.setattr(trust, "_public", nowhere)
    with pytest.raises(ExtractorRefused, match="cannot be had: no network, so nothing to compare"):
        check_extractor(random_extractor("vgg19", "4_block", 48, seed=1), CID, ())


def test_no_default_is_refused_for_its_features_being_too_fine():
    for name, backbone in BACKBONES.items():
        one = Extractor(
            name, backbone.default_cut, backbone.size, skeleton(name, backbone.default_cut)
        )
        assert one.size >= trust.LEAST_STRIDE * max(one.output_shape[1:]), name
