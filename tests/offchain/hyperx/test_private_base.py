"""A base network that is the collector's own: sessions work, and only then is something hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from offchain.hyperx.documents import EXTRACTOR, fetch_extractor
from offchain.hyperx.evaluation import Evaluation, EvaluationSettings
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.models.backbones import BackboneError
from offchain.models.efficientnet_lite import EfficientNetLite0
from offchain.models.extractor import pretrained_extractor, private_extractor
from offchain.models.truncate import last_layer
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import (
    BERT,
    COLLECTOR,
    CPU,
    DigitScorer,
    digits,
    honest,
    other_task,
    published,
    sold,
)

BACKBONE, CUT, SIZE = "efficientnet-lite0", "block5_project", 32


def trained(seed):
    """Weights that hang on the seed alone, with batch norms that have seen data."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        weights = EfficientNetLite0().state_dict()
        for name, values in weights.items():
            if name.endswith(("running_mean", "bias")):
                values.normal_(0, 0.1)
    return weights


@pytest.fixture(scope="module")
def own():
    """The weights of a network that nobody else has."""
    return trained(11)


@pytest.fixture(scope="module")
def file(own, tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own.safetensors"
    save_file(own, path)
    return path


def prepared(secrets, weights=None):
    settings = EvaluationSettings(BACKBONE, CUT, SIZE, weights)
    validation = digits().subset(range(0, 5000, 500))
    return Evaluation.prepare(settings, validation, DigitScorer(), secrets, CPU)


def ratio(published, reference):
    """What who has `reference` takes for delta and sigma: by least squares, channel by channel."""
    path = last_layer(reference.module)
    theirs, mine = (one.module.get_parameter(f"{path}.weight") for one in (published, reference))
    theirs, mine = theirs.flatten(1), mine.flatten(1)
    delta = (theirs * mine).sum(1) / mine.square().sum(1)
    sigma = published.module.get_parameter(f"{path}.bias") - delta * reference.module.get_parameter(
        f"{path}.bias"
    )
    return delta, sigma


def off(found, secret):
    """How far the median channel's delta is from the true one, as a share of it."""
    return float(((found - secret.delta) / secret.delta).abs().median())


def test_a_public_base_gives_the_secret_away():
    """Whoever has the public weights, here the same package, recovers delta and sigma from what
    is published alone."""
    secret = Obfuscation.draw(672)
    published = obfuscate(pretrained_extractor(), secret)
    delta, sigma = ratio(published, pretrained_extractor())  # the attacker's own copy
    torch.testing.assert_close(delta, secret.delta, rtol=1e-5, atol=0)
    torch.testing.assert_close(sigma, secret.sigma, rtol=1e-4, atol=1e-4)


def test_a_private_base_does_not(own):
    """The same attack with the public weights, and with another network trained from nothing."""
    secret = Obfuscation.draw(80, seed=4)
    published = obfuscate(private_extractor(own, BACKBONE, CUT, SIZE), secret)
    public = pretrained_extractor(BACKBONE, CUT, SIZE)
    for reference in (public, private_extractor(trained(12), BACKBONE, CUT, SIZE)):
        delta, _ = ratio(published, reference)
        assert off(delta, secret) > 0.5
        # Not even on which side of zero it lies: as good as a coin, 80 times.
        assert 0.3 < float((delta.sign() == secret.delta.sign()).float().mean()) < 0.7


def test_a_base_that_strayed_a_little_from_a_public_one_gives_it_away_still():
    """Fine-tuning keeps the directions of the weights, and by them the ratio is found."""
    public = pretrained_extractor(BACKBONE, CUT, SIZE)
    secret = Obfuscation.draw(80, seed=4)
    tuned = pretrained_extractor(BACKBONE, CUT, SIZE)
    weight = tuned.module.get_parameter(f"{last_layer(tuned.module)}.weight")
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        weight.add_(0.1 * weight.std() * noise)
    delta, _ = ratio(obfuscate(tuned, secret), public)
    assert off(delta, secret) < 0.05


@pytest.mark.parametrize("published", [True, False])
def test_a_session_with_a_private_base_ends_with_the_best_dataset(tmp_path, file, published):
    """Providers need nothing but what is published."""
    market = honest(tmp_path, published_addresses=published)
    evaluation = prepared(market.secrets(COLLECTOR), file)
    documents = evaluation.publish(market.store(COLLECTOR))
    market.accepted = {documents[EXTRACTOR]}
    task = other_task(market, documents=documents)
    market.chain.terms = replace(
        market.chain.terms, task=task, encryption_key=evaluation.encryption_key
    )
    market.collector(how=evaluation)
    session = market.play()
    assert session.deal.provider == BERT
    assert market.role(COLLECTOR).objections == {}
    assert market.role(COLLECTOR).dataset().digest() == sold(9)


def test_of_the_base_only_the_obfuscated_layer_and_those_before_it_are_published(
    tmp_path, file, own
):
    network = {}
    evaluation = prepared(honest(tmp_path).secrets(COLLECTOR), file)
    documents = evaluation.publish(MemoryStore(network))
    stored = b"".join(network.values())
    assert str(file).encode() not in stored
    assert file.name.encode() not in stored

    plain = evaluation.extractor.module
    last = last_layer(plain)
    for tensor in (plain.get_parameter(f"{last}.weight"), plain.get_parameter(f"{last}.bias")):
        assert tensor.numpy().tobytes() not in stored
    for name in ("_conv_head.weight", "_fc.weight", "_blocks.6._depthwise_conv.weight"):
        assert own[name].numpy().tobytes() not in stored
    # The search finds what is there: a layer before the last.
    assert plain.get_parameter("_conv_stem.weight").numpy().tobytes() in stored

    task = replace(published()[0], documents=documents)
    fetched = fetch_extractor(MemoryStore(network), task, CPU)
    for name, tensor in evaluation.published.module.state_dict().items():
        assert torch.equal(fetched.module.state_dict()[name], tensor)


def test_a_secret_that_hid_a_public_base_never_hides_a_private_one(tmp_path, file, own):
    """Else who took delta from the public base's publication would undo the private one's."""
    secrets = honest(tmp_path).secrets(COLLECTOR)
    public, private = prepared(secrets), prepared(secrets, file)
    assert not torch.equal(public.obfuscation.delta, private.obfuscation.delta)
    again = prepared(secrets, file)
    assert torch.equal(again.obfuscation.delta, private.obfuscation.delta)
    other = tmp_path / "other.safetensors"
    save_file(own | {"_conv_stem.weight": own["_conv_stem.weight"] * 2}, other)
    assert not torch.equal(prepared(secrets, other).obfuscation.delta, private.obfuscation.delta)


def test_what_lies_behind_the_cut_may_be_missing_or_of_another_task(own, tmp_path, file):
    """A network trained for other classes has another head."""
    shorter = {name: t for name, t in own.items() if not name.startswith(("_conv_head", "_fc"))}
    shorter["_fc.weight"] = torch.zeros(7, 1280)
    one, other = (private_extractor(w, BACKBONE, CUT, SIZE) for w in (own, shorter))
    inputs = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one.module(inputs), other.module(inputs))


def test_the_callers_weights_stay_as_they_were(own):
    before = {name: tensor.clone() for name, tensor in own.items()}
    obfuscate(private_extractor(own, BACKBONE, CUT, SIZE), Obfuscation.draw(80, seed=1))
    assert all(torch.equal(before[name], own[name]) for name in own)


def refusal(secrets, path, backbone=BACKBONE, cut=CUT):
    settings = EvaluationSettings(backbone, cut, SIZE, path)
    validation = digits().subset(range(0, 5000, 500))
    with pytest.raises(BackboneError) as caught:
        Evaluation.prepare(settings, validation, DigitScorer(), secrets, CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_bad_files_are_refused_in_one_line_and_nothing_is_remembered(tmp_path, own, file):
    secrets = honest(tmp_path).secrets(COLLECTOR)
    path = tmp_path / "bad.safetensors"
    assert refusal(secrets, path) == f"weights: there is no file {path}"
    assert refusal(secrets, tmp_path) == f"weights: there is no file {tmp_path}"
    for rubbish in (b"", b"no weights", (1 << 60).to_bytes(8, "little") + b"{}"):
        path.write_bytes(rubbish)
        assert f"{path} is no safetensors file" in refusal(secrets, path)
    torch.save(own, path)  # a pickle, which is not opened
    assert f"{path} is no safetensors file" in refusal(secrets, path)

    stem = "_conv_stem.weight"
    for changed, message in (
        ({n: t for n, t in own.items() if n != stem}, f"{stem} of "),
        ({stem: own[stem]}, "and"),
        (
            own | {stem: own[stem][:5].clone()},
            f"{stem} is float32 (32, 3, 3, 3), not",
        ),
        (own | {stem: own[stem].half()}, f"{stem} is float32 (32, 3, 3, 3), not torch.float16"),
        (own | {stem: own[stem] / 0}, f"{stem} has values that are not finite"),
    ):
        save_file(changed, path)
        found = refusal(secrets, path)
        assert found.startswith(f"weights of {BACKBONE} up to {CUT}: ")
        assert message in found
    assert "one of efficientnet-lite0, vgg19" in refusal(secrets, file, backbone="resnet")
    assert "are missing" in refusal(secrets, file, backbone="vgg19", cut="1_block")
    assert not secrets.path.exists()
