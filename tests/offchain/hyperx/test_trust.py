"""What a provider runs its pictures through: a collector must not read them for gas.

The twin of each refusal is an owner that lists the extractor, which is what every provider did
before it looked.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from offchain.crypto.bitmap import to_bitmap
from offchain.data.form import Pictures
from offchain.data.shards import packed_part
from offchain.hyperx import actions as do
from offchain.hyperx import trust
from offchain.hyperx.documents import EXTRACTOR
from offchain.hyperx.features import extract
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.hyperx.trust import ExtractorRefused, check_extractor, reduced
from offchain.models.backbones import (
    BACKBONES,
    BackboneError,
    default_preprocessing,
    skeleton,
)
from offchain.models.extractor import Extractor, pretrained_extractor
from offchain.models.preprocessing import Preprocessing
from offchain.models.truncate import last_layer
from tests.kit.random_networks import random_extractor
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SHARD_SIZE,
    SHARDS,
    SmallMarket,
    digits,
    digits_of,
    evaluation,
    honest,
    other_task,
)

BACKBONE, CUT, SIZE = "efficientnet-lite0", "block5_project", 32
THRICE = 84
"""Three times the side of a digit: every third pixel of the enlarged image is one of its own."""
CID = "bafy-of-the-extractor"
DIGIT = Pictures((1, 28, 28))


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
    with pytest.raises(ExtractorRefused, match=rf"64 x 84 x 84 features, .*extractor {cid}"):
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
    order = packed_part(digits_of(4), SHARDS, SHARD_SIZE).images
    assert torch.equal(seen, order[: len(sampled) * SHARD_SIZE])


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
    return reduced(pretrained_extractor(BACKBONE, CUT, SIZE), DIGIT)


@pytest.mark.parametrize("seed", range(4))
def test_a_public_network_is_accepted_under_any_obfuscation(public, seed):
    channels = public.layer_shape[0]
    check_extractor(obfuscate(public, Obfuscation.draw(channels, seed)), CID, (), DIGIT)


def test_a_session_under_a_public_network_asks_nobody(tmp_path, public):
    market = honest(tmp_path)
    market.accepted = set()
    secret = Obfuscation.draw(public.layer_shape[0], seed=3)
    published = evaluation(public, obfuscation=secret)
    put_up(market, published)
    market.collector(how=published)
    assert market.play().deal.provider == BERT


def changed(extractor, name, change):
    """A copy with one tensor changed in place."""
    extractor = obfuscate(extractor, Obfuscation.draw(extractor.layer_shape[0], seed=5))
    with torch.no_grad():
        change(extractor.module.get_parameter(name))
    return extractor


def test_whatever_is_changed_is_refused_by_its_name(public):
    """Every tensor, by a hundredth in one place; of the last layer that is another direction."""
    refused = []
    for name in public.module.state_dict():
        with pytest.raises(ExtractorRefused, match=rf"^{name} of the extractor is not"):
            check_extractor(changed(public, name, nudge), CID, (), DIGIT)
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
        check_extractor(changed(public, weight, lambda t: t[0].mul_(factor)), CID, (), DIGIT)


def test_other_weights_are_accepted_where_their_owner_lists_them(public):
    other = reduced(random_extractor(BACKBONE, CUT, SIZE, seed=1), DIGIT)
    with pytest.raises(ExtractorRefused, match=f"to take it all the same accept extractor {CID}"):
        check_extractor(other, CID, (), DIGIT)
    check_extractor(other, CID, (CID,), DIGIT)


def test_public_weights_that_cannot_be_had_are_said(monkeypatch):
    def nowhere(*_):
        raise BackboneError("the ImageNet weights of vgg19 cannot be had: no network")

    monkeypatch.setattr(trust, "_public", nowhere)
    few = reduced(random_extractor("vgg19", "4_block", 48, seed=1), DIGIT)
    with pytest.raises(ExtractorRefused, match="cannot be had: no network, so nothing to compare"):
        check_extractor(few, CID, (), DIGIT)


@pytest.mark.parametrize(
    "picture", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 96, 64), (3, 512, 512)]
)
@pytest.mark.parametrize("name", BACKBONES)
def test_what_a_collector_publishes_is_few_numbers_of_any_picture(name, picture):
    one = BACKBONES[name]
    full = Extractor(name, one.default_cut, one.size, skeleton(name, one.default_cut))
    channels, height, width = reduced(full, Pictures(picture)).output_shape
    pixels = picture[1] * picture[2]
    assert 0 < trust.LEAST_RATIO * channels * height * width <= pixels
    assert trust.LEAST_RATIO * max(height, width) <= min(picture[1:])


def test_pictures_of_which_nothing_may_be_sent_are_refused(public):
    with pytest.raises(ExtractorRefused, match=r"7 x 64 pixels are too small.* 8 or more by side"):
        reduced(pretrained_extractor(BACKBONE, CUT, SIZE), Pictures((3, 7, 64)))


@pytest.mark.parametrize(
    ("features", "picture", "accepted"),
    [
        ((80, 1, 1), (1, 26, 25), True),
        ((80, 1, 1), (3, 26, 24), False),  # 78 of 624 pixels; colours do not count
        ((9, 3, 3), (1, 24, 27), True),
        ((9, 3, 3), (1, 23, 29), False),  # a grid of more than an eighth of the side
    ],
)
def test_how_many_features_depends_on_the_providers_own_picture(features, picture, accepted):
    """Whatever the extractor enlarges it to."""
    for size in (64, 256):
        extractor = replace(pretrained_extractor(BACKBONE, CUT, size), reduced=features)
        if accepted:
            check_extractor(extractor, CID, (), Pictures(picture))
        else:
            with pytest.raises(ExtractorRefused, match=r"pictures of .* pixels can be read"):
                check_extractor(extractor, CID, (), Pictures(picture))


def learned(extractor, count):
    """How much of unseen digits a reader gets back, as a share of their variance.

    It learns by ridge regression what features of its own digits say of their pixels.
    """
    places = torch.randperm(5000, generator=torch.Generator().manual_seed(0))[: count + 50]
    images = digits().images[places]
    preprocessing = default_preprocessing(extractor.backbone, extractor.size)
    seen = extract(extractor, preprocessing, images).flatten(1).double()
    pixels = images.flatten(1).double()
    seen, mean = (seen - seen.mean(0)) / seen.std(0), pixels[:count].mean(0)
    known, asked = seen[:count], seen[count:]
    kernel = known @ known.T
    kernel += 0.1 * kernel.diagonal().mean() * torch.eye(count)
    read = asked @ known.T @ torch.linalg.solve(kernel, pixels[:count] - mean) + mean
    hidden = pixels[count:]
    return 1 - float((read - hidden).square().sum() / (hidden - mean).square().sum())


def test_digits_are_read_from_public_features_of_an_enlargement_and_less_from_few():
    """The twin: an owner that bounds nothing by its own picture. Nothing is paid for what is read.

    Features leak what features leak: few numbers of a digit still say which digit, and how bold.
    """
    enlarged = pretrained_extractor(BACKBONE, CUT, 64)
    with pytest.raises(ExtractorRefused, match="80 x 4 x 4 features"):
        check_extractor(enlarged, CID, (), DIGIT)
    few = reduced(enlarged, DIGIT)
    check_extractor(few, CID, (), DIGIT)
    assert learned(enlarged, 300) > 0.5
    assert learned(few, 300) < 0.35
