"""Obfuscation: undone exactly by who knows the secret, and by who knows the weights."""

from dataclasses import replace

import pytest
import torch

from offchain.hyperx.obfuscation import (
    LARGEST_FACTOR,
    LARGEST_SHIFT,
    Obfuscation,
    ObfuscationError,
    decode,
    obfuscate,
)
from offchain.models.extractor import pretrained_extractor
from offchain.models.truncate import last_layer
from tests.kit.random_networks import random_extractor


@pytest.fixture(scope="module")
def inputs():
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("backbone", "cut"),
    [
        ("efficientnet-lite0", "block9_expand"),
        ("vgg19", "1_block"),
        ("densenet-169", "conv2_52"),
        ("densenet-169", "conv4_203"),
    ],
)
def test_decoding_gives_the_plain_features_to_float32_error(backbone, cut, inputs):
    """Of a convolution, of one with pooling behind it, and of a batch norm by channel."""
    plain = random_extractor(backbone, cut, 64, seed=1)
    secret = Obfuscation.draw(plain.output_shape[0], seed=2)
    expected = plain.module(inputs)
    raw = obfuscate(plain, secret).module(inputs)
    scale = expected.abs().amax((0, 2, 3), keepdim=True) + LARGEST_SHIFT
    assert ((decode(raw, secret) - expected).abs() / scale).max() < 5e-6
    assert ((raw - expected).abs() / scale).max() > 0.5  # there was something to decode


def test_few_features_are_decoded_by_the_secret_of_their_own_channels(inputs):
    """The first ones', averaged: the plain network's, and no other channels' secret gives them."""
    plain = random_extractor(size=64, seed=1)
    secret = Obfuscation.draw(plain.output_shape[0], seed=2)
    few = (5, 1, 1)
    expected = plain.module(inputs)[:, :5].mean((2, 3), keepdim=True)
    raw = replace(obfuscate(plain, secret), reduced=few).features(inputs)
    assert (decode(raw, secret.first(5)) - expected).abs().max() < 1e-4
    assert raw.shape[1:] == few
    others = Obfuscation(secret.delta[-5:], secret.sigma[-5:])
    assert (decode(raw, others) - expected).abs().max() > 0.1


def test_a_wrong_secret_does_not_decode(inputs):
    plain = pretrained_extractor()
    raw = obfuscate(plain, Obfuscation.draw(672, seed=2)).module(inputs)
    wrong = decode(raw, Obfuscation.draw(672, seed=3))
    assert (wrong - plain.module(inputs)).abs().mean() > 1


def test_the_original_is_left_as_it_was():
    plain = random_extractor(size=32, seed=1)
    before = {key: values.clone() for key, values in plain.module.state_dict().items()}
    hidden = obfuscate(plain, Obfuscation.draw(plain.output_shape[0], seed=2))
    after = plain.module.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    changed = [k for k, v in hidden.module.state_dict().items() if not torch.equal(v, before[k])]
    layer = last_layer(plain.module)
    assert sorted(changed) == [f"{layer}.bias", f"{layer}.weight"]


def test_a_drawn_secret_spans_its_range_evenly():
    """Signs are fair, magnitudes log-uniform, shifts uniform in units of delta."""
    secret = Obfuscation.draw(20_000, seed=0)
    size = secret.delta.abs().double().log() / torch.tensor(LARGEST_FACTOR).double().log()
    shift = (secret.sigma / secret.delta).double() / LARGEST_SHIFT
    assert abs((secret.delta > 0).double().mean() - 0.5) < 0.02
    for values in (size, shift):
        assert values.abs().max() <= 1 + 1e-6
        ordered = values.sort().values
        uniform = torch.linspace(-1, 1, len(values), dtype=torch.float64)
        assert (ordered - uniform).abs().max() < 0.04  # Kolmogorov-Smirnov
    assert abs(torch.corrcoef(torch.stack([size, shift]))[0, 1]) < 0.03
    assert abs(torch.corrcoef(torch.stack([size, secret.delta.sign().double()]))[0, 1]) < 0.03


def test_secrets_differ_unless_a_seed_says_otherwise():
    def same(a, b):
        return torch.equal(a.delta, b.delta)

    assert same(Obfuscation.draw(8, seed=4), Obfuscation.draw(8, seed=4))
    assert not same(Obfuscation.draw(8, seed=4), Obfuscation.draw(8, seed=5))
    assert not same(Obfuscation.draw(8), Obfuscation.draw(8))


def test_a_secret_survives_the_secrets_file():
    secret = Obfuscation.draw(672)
    back = Obfuscation.from_bytes(secret.to_bytes())
    assert torch.equal(back.delta, secret.delta)
    assert torch.equal(back.sigma, secret.sigma)


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04.", b"x" * 1_000_000, Obfuscation.draw(3, seed=0).to_bytes()[:-1]]
)
def test_broken_bytes_are_no_secret(data):
    with pytest.raises(ObfuscationError):
        Obfuscation.from_bytes(data)


@pytest.mark.parametrize(
    ("delta", "sigma", "message"),
    [
        ([1.0, 0.0], [0.0, 0.0], "zero cannot be undone"),
        ([1.0, float("nan")], [0.0, 0.0], "delta has values that are not finite"),
        ([1.0, 1.0], [0.0, float("inf")], "sigma has values that are not finite"),
        ([1.0, 1.0], [0.0], "not 2 and 1"),
        ([], [], "not 0 and 0"),
        ([[1.0]], [[0.0]], r"float32 \(C,\)"),
    ],
)
def test_a_secret_that_cannot_be_undone_is_refused(delta, sigma, message):
    with pytest.raises(ObfuscationError, match=message):
        Obfuscation(torch.tensor(delta), torch.tensor(sigma))


def test_a_secret_for_other_channels_is_refused():
    secret = Obfuscation.draw(5, seed=0)
    with pytest.raises(ObfuscationError, match="of 5 channels does not fit 80"):
        obfuscate(random_extractor(cut="block5_project", size=32, seed=0), secret)
    with pytest.raises(ObfuscationError, match="of 5 channels does not fit 6"):
        decode(torch.zeros(2, 6, 1, 1), secret)
    with pytest.raises(ObfuscationError, match="seed must be 0 or more"):
        Obfuscation.draw(5, seed=-1)
    with pytest.raises(ObfuscationError, match="channels must be"):
        Obfuscation.draw(0)
