"""Features: extracted alike everywhere, decoded strictly, compared fairly."""

import copy
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from offchain.data.datasets import load_dataset
from offchain.hyperx.features import (
    DEFAULT_TOLERANCE,
    FeatureError,
    activate,
    decode_features,
    encode_features,
    extract,
    features_agree,
    to_inputs,
)
from offchain.hyperx.obfuscation import Obfuscation, obfuscate
from offchain.knn_shapley import Labelled, knn_shapley
from offchain.models.backbones import default_preprocessing
from offchain.models.extractor import pretrained_extractor
from tests.kit.random_networks import random_extractor

PREPROCESSING = default_preprocessing()


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", limit=40)


@pytest.fixture(scope="module")
def plain():
    return pretrained_extractor()


@pytest.fixture(scope="module")
def secret(plain):
    return Obfuscation.draw(plain.output_shape[0], seed=1)


@pytest.fixture(scope="module")
def published(plain, secret):
    return obfuscate(plain, secret)


@pytest.fixture(scope="module")
def honest(published, digits):
    return extract(published, PREPROCESSING, digits.images), digits.labels


def test_features_are_the_modules_outputs_in_order(plain, digits):
    seen = []
    out = extract(
        plain,
        PREPROCESSING,
        digits.images,
        torch.device("cpu"),
        batch_size=16,
        progress=lambda done, total: seen.append((done, total)),
    )
    with torch.no_grad():
        expected = plain.module(PREPROCESSING.apply(digits.images))
    assert out.shape == (40, *plain.output_shape)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)
    assert seen == [(16, 40), (32, 40), (40, 40)]


def test_preprocessing_of_another_size_is_refused(plain, digits):
    with pytest.raises(
        FeatureError, match=r"inputs of \(3, 96, 96\), the extractor takes \(3, 64, 64\)"
    ):
        extract(plain, replace(PREPROCESSING, size=96), digits.images)
    with pytest.raises(FeatureError, match="batch size must be 1 or more, not 0"):
        extract(plain, PREPROCESSING, digits.images, batch_size=0)


@pytest.mark.parametrize("batch_size", [3, 16, 40])
def test_the_same_data_agrees_whatever_the_batch_and_threads(batch_size, published, digits, honest):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3 - min(threads, 2))
        again = extract(published, PREPROCESSING, digits.images, batch_size=batch_size)
    finally:
        torch.set_num_threads(threads)
    agreement = features_agree((again, digits.labels), honest)
    assert agreement
    assert agreement.worst < DEFAULT_TOLERANCE / 10


def test_a_machine_that_rounds_otherwise_agrees_with_room_to_spare(published, digits, honest):
    """Double precision stands for any other float32 machine: it differs by all the rounding."""
    module = copy.deepcopy(published.module).double()
    with torch.no_grad():
        exact = module(PREPROCESSING.apply(digits.images).double()).float()
    agreement = features_agree((exact, digits.labels), honest)
    assert 0 < agreement.worst < DEFAULT_TOLERANCE / 10


def test_features_of_anything_else_are_told_apart(published, digits, honest):
    """One other image, one changed pixel, noise of one grey level, halved precision."""
    features, labels = honest

    def verdict(images):
        return features_agree((extract(published, PREPROCESSING, images), labels), honest)

    swapped = features.clone()
    swapped[3] = features[4]
    found = features_agree((swapped, labels), honest)
    assert not found
    assert found.sample == 3
    pixel = digits.images.clone()
    pixel[5, 0, 14, 14] ^= 128
    found = verdict(pixel)
    assert not found
    assert found.sample == 5
    noise = torch.randint(-1, 2, digits.images.shape, generator=torch.Generator().manual_seed(0))
    assert not verdict((digits.images.int() + noise).clamp(0, 255).byte())
    assert not features_agree((features.half().float(), labels), honest)
    assert verdict(digits.images)


def test_one_changed_value_in_any_channel_that_varies_is_found(honest):
    """By 1 % of the channel's spread, in the channel that varies most and in a weak one."""
    features, labels = honest
    spread = features.transpose(0, 1).flatten(1).std(1)
    weak = int((spread - spread.median() / 50).abs().argmin())
    for channel in (weak, int(spread.argmax())):
        forged = features.clone()
        forged[7, channel, 2, 1] += 0.01 * spread[channel]
        found = features_agree((forged, labels), honest)
        assert not found
        assert (found.sample, found.channel) == (7, channel)
        assert "sample 7" in found.reason


def test_mislabelled_features_do_not_agree(honest):
    features, labels = honest
    wrong = labels.clone()
    wrong[2] = (wrong[2] + 1) % 10
    found = features_agree((features, wrong), honest)
    assert not found
    assert found.wrong_labels == 1
    assert "1 labels differ" in found.reason


def test_the_measure_does_not_depend_on_scale_or_shift():
    """Obfuscation must not decide which channel counts; constant channels must not blow up."""
    rng = torch.Generator().manual_seed(0)
    base = torch.randn(20, 6, 3, 3, generator=rng)
    noise = 1e-5 * torch.randn(base.shape, generator=rng)
    scale = torch.tensor([1e-3, 1e-1, 1.0, -1.0, 10.0, 100.0]).view(1, -1, 1, 1)
    labels = torch.zeros(20, dtype=torch.int64)
    unit = features_agree((base + noise, labels), (base, labels)).worst
    moved = (base + noise) * scale + 4 * scale, labels
    assert features_agree(moved, (base * scale + 4 * scale, labels)).worst == pytest.approx(
        unit, rel=5e-2
    )
    constant = base.clone()
    constant[:, 0] = 5.0
    jitter = constant.clone()
    jitter[0, 0, 0, 0] = torch.nextafter(jitter[0, 0, 0, 0], torch.tensor(9.0))
    assert features_agree((jitter, labels), (constant, labels))
    jitter[0, 0, 0, 0] = 5.1
    assert not features_agree((jitter, labels), (constant, labels))


def test_degenerate_features_are_compared_without_a_crash():
    zeros, label = torch.zeros(1, 2, 1, 1), torch.zeros(1, dtype=torch.int64)
    assert features_agree((zeros, label), (zeros, label))
    assert not features_agree((zeros + 1e-9, label), (zeros, label))
    assert not features_agree((zeros * float("nan"), label), (zeros, label))
    assert not features_agree((zeros + float("inf"), label), (zeros, label))
    with pytest.raises(FeatureError, match="recomputed features are not finite"):
        features_agree((zeros, label), (zeros * float("nan"), label))
    with pytest.raises(FeatureError, match="cannot be compared"):
        features_agree((torch.zeros(2, 2, 1, 1), label), (zeros, label))


def test_features_survive_the_journey(honest):
    features, labels = honest
    data = encode_features(features, labels)
    back = decode_features(data, tuple(features.shape))
    assert torch.equal(back.features, features)
    assert torch.equal(back.labels, labels)
    assert len(data) - 4 * features.numel() - 8 * len(labels) < 300


def _file(features=None, labels=None, **others):
    features = torch.zeros(2, 3, 1, 1) if features is None else features
    labels = torch.zeros(2, dtype=torch.int64) if labels is None else labels
    return save({"features": features, "labels": labels, **others})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "have 40 bytes and a header, not 0"),
        (b"\x80\x04" + b"." * 100, "no safetensors file"),
        (b"\0" * 10_000, "have 40 bytes and a header, not 10000"),
        (_file()[:-1], "not features"),
        (_file(torch.zeros(3, 2, 1, 1), torch.zeros(2, dtype=torch.int64)), "not torch.float32"),
        (_file(torch.zeros(2, 3, 1, 1, dtype=torch.int32)), "not torch.int32"),
        (_file(torch.full((2, 3, 1, 1), float("nan"))), "not finite"),
        (_file(torch.full((2, 3, 1, 1), float("-inf"))), "not finite"),
        (_file(labels=torch.tensor([0, -1])), r"found -1\.\.0"),
        (_file(labels=torch.tensor([0, 1 << 40])), "must lie in"),
        (_file(labels=torch.zeros(4, dtype=torch.int32)), "labels are int64"),
        (_file(extra=torch.zeros(1)), "holds features and labels, not"),
    ],
)
def test_hostile_features_are_refused_in_one_line(data, message):
    with pytest.raises(FeatureError, match=message) as caught:
        decode_features(data, (2, 3, 1, 1))
    assert "\n" not in str(caught.value)


def test_features_that_would_be_refused_are_not_written():
    labels = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(FeatureError, match="not finite"):
        encode_features(torch.full((2, 3, 1, 1), float("nan")), labels)
    with pytest.raises(FeatureError, match=r"not torch\.float64"):
        encode_features(torch.zeros(2, 3, 1, 1, dtype=torch.float64), labels)


def test_activations_are_those_of_the_network():
    values = torch.tensor([-2.0, 3.0, 8.0])
    assert activate(values, "relu").tolist() == [0.0, 3.0, 8.0]
    assert activate(values, "relu6").tolist() == [0.0, 3.0, 6.0]
    assert activate(values, "none").tolist() == [-2.0, 3.0, 8.0]
    with pytest.raises(FeatureError, match="not 'swish'"):
        activate(values, "swish")


def test_the_collector_sees_the_same_through_the_obfuscation(plain, secret, honest, digits):
    """Decode, activate, pool: equal to what its own plain extractor gives."""
    through = to_inputs(honest[0], secret, plain.activation, pool=2)
    direct = to_inputs(extract(plain, PREPROCESSING, digits.images), None, plain.activation, 2)
    assert through.shape == (40, 672 * 4)
    torch.testing.assert_close(through, direct, atol=2e-5, rtol=1e-4)
    assert direct.min() >= 0
    assert direct.max() <= 6


def test_pooling_comes_after_the_activation_and_is_a_mean():
    raw = torch.tensor([[[[-4.0, 4.0], [8.0, 0.0]]]])
    assert to_inputs(raw, None, "relu6", 1).tolist() == [[2.5]]
    assert to_inputs(raw, None, "none", 1).tolist() == [[2.0]]
    assert to_inputs(raw, None, "none", None).tolist() == [[-4.0, 4.0, 8.0, 0.0]]
    assert to_inputs(raw, None, "none", 7).shape == (1, 4)  # no finer than the features are
    with pytest.raises(FeatureError, match="pool must be 1 or more, not 0"):
        to_inputs(raw, None, "none", 0)


def test_features_of_digits_tell_the_digits_apart(plain):
    """The default cut and pooling carry what the quality score needs: ridge on 250 digits."""
    digits = load_dataset("digits", limit=400)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    features = extract(plain, PREPROCESSING, digits.images[order])
    inputs, labels = to_inputs(features, None, plain.activation), digits.labels[order]
    train, test = slice(0, 250), slice(250, 400)
    centred = (inputs - inputs[test].mean(0)) / (inputs[test].std(0) + 1e-3)
    kernel = (centred[train] @ centred[train].T / centred.shape[1]).double()
    targets = torch.nn.functional.one_hot(labels[train], 10).double() - 0.1
    weights = torch.linalg.solve(kernel + 0.1 * torch.eye(250, dtype=torch.float64), targets)
    scores = (centred[test] @ centred[train].T / centred.shape[1]).double() @ weights
    assert (scores.argmax(1) == labels[test]).double().mean() > 0.93


def test_wrong_labels_have_the_least_knn_shapley_values_of_a_providers_features(plain, secret):
    """Per sample: all but one of 30 mislabelled ones are among the 40 worst of 200."""
    digits = load_dataset("digits", limit=300)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    features = extract(obfuscate(plain, secret), PREPROCESSING, digits.images[order])
    inputs, labels = to_inputs(features, secret, plain.activation), digits.labels[order]
    said = labels[:200].clone()
    said[:30] = (said[:30] + 1) % 10
    values = knn_shapley(Labelled(inputs[:200], said), Labelled(inputs[200:], labels[200:]), 5)
    assert (values.mean(1).argsort()[:40] < 30).sum() >= 29


def test_a_random_extractor_is_no_pretrained_one(digits, honest):
    other = random_extractor(seed=0)
    features = extract(other, PREPROCESSING, digits.images)
    assert not features_agree((features, digits.labels), honest)
