"""Prices of features as a second opinion: they rank offers by what the owner lacks."""

import pytest
import torch

from offchain.mde.errors import EmptySet, FeatureMismatch
from offchain.mde.features import feature_prices
from offchain.mde.samples import Samples
from tests.offchain.mde.small import drawn


def wrong(samples: Samples, share: float) -> Samples:
    bad = torch.arange(len(samples)) < share * len(samples)
    return Samples(samples.inputs, torch.where(bad, (samples.labels + 1) % 3, samples.labels))


def offers() -> dict[str, Samples]:
    return {str(share): wrong(drawn(60, 7), share) for share in (0.0, 0.3, 0.6, 0.9)}


def test_the_more_labels_are_wrong_the_lower_the_price_and_none_above_the_most():
    prices = feature_prices(offers(), drawn(80, 5), 3, 10**18)
    assert list(prices) == ["0.0", "0.3", "0.6", "0.9"]
    values = list(prices.values())
    assert values == sorted(values, reverse=True)
    assert 10**18 >= values[0] > values[-1] == 0


def test_prices_do_not_hang_on_the_scale_of_features():
    plain = feature_prices(offers(), drawn(80, 5), 3, 10**18)
    large = {n: Samples(s.inputs * 64, s.labels) for n, s in offers().items()}
    own = drawn(80, 5)
    scaled = feature_prices(large, Samples(own.inputs * 64, own.labels), 3, 10**18)
    assert all(abs(plain[n] - scaled[n]) <= 10**15 for n in plain)


def test_features_of_another_width_and_too_little_of_ones_own_are_refused():
    with pytest.raises(FeatureMismatch):
        feature_prices({"odd": drawn(9, 1, width=5)}, drawn(80, 5), 3, 10)
    with pytest.raises(EmptySet, match="8 samples of one's own or more"):
        feature_prices({}, drawn(7, 5), 3, 10)
