"""Features on their way to the collector are readable by it alone, and by their owner's name."""

from itertools import product

import pytest
import torch

from offchain.crypto.commitments import Party
from offchain.crypto.errors import SealError
from offchain.crypto.sealing import public_key_of, seal
from offchain.hyperx.features import FeatureError, encode_features
from offchain.hyperx.submission import (
    SubmissionError,
    max_sealed_bytes,
    open_features,
    seal_features,
)

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20
ANNA = Party(1, A, A)
PRIVATE = bytes([1]) * 32
PUBLIC = public_key_of(PRIVATE)
SHAPE = (4, 2, 2)
FEATURES = torch.arange(96.0).reshape(6, *SHAPE)
LABELS = torch.arange(6)


def sealed():
    return seal_features(ANNA, PUBLIC, FEATURES, LABELS)


def test_the_collector_reads_exactly_what_was_sealed():
    features, labels = open_features(ANNA, PRIVATE, sealed(), 6, SHAPE)
    assert torch.equal(features, FEATURES)
    assert torch.equal(labels, LABELS)


@pytest.mark.parametrize("other", [Party(1, A, B), Party(1, B, A), Party(2, A, A)])
def test_anothers_sealed_features_are_refused(other):
    """Bert registers the digest of Anna's file as his own; or she sends last session's again."""
    with pytest.raises(SubmissionError, match=f"not sealed by {other.provider}"):
        open_features(other, PRIVATE, sealed(), 6, SHAPE)


def test_who_lacks_the_collectors_key_reads_nothing():
    with pytest.raises(SealError):
        open_features(ANNA, bytes([2]) * 32, sealed(), 6, SHAPE)
    assert FEATURES.numpy().tobytes()[64:96] not in sealed()


@pytest.mark.parametrize(
    ("samples", "shape"), [(5, SHAPE), (7, SHAPE), (6, (4, 2, 3)), (6, (4, 4)), (12, (2, 2, 2))]
)
def test_features_of_another_size_are_refused(samples, shape):
    with pytest.raises(FeatureError):
        open_features(ANNA, PRIVATE, sealed(), samples, shape)


@pytest.mark.parametrize("message", [b"", b"short", bytes(32), bytes(1000)])
def test_rubbish_inside_a_good_seal_is_refused_in_one_line(message):
    with pytest.raises(SubmissionError) as caught:
        open_features(ANNA, PRIVATE, seal(PUBLIC, message), 6, SHAPE)
    assert "\n" not in str(caught.value)


def test_features_without_a_name_are_refused():
    with pytest.raises(SubmissionError):
        open_features(ANNA, PRIVATE, seal(PUBLIC, encode_features(FEATURES, LABELS)), 6, SHAPE)


@pytest.mark.parametrize(("samples", "shape"), product([1, 9, 1000], [(1, 1, 1), (672, 2, 2)]))
def test_honest_features_fit_the_bound_and_the_bound_is_tight(samples, shape):
    """The collector reads at most this much of what a stranger stored."""
    features = torch.zeros(samples, *shape)
    size = len(seal_features(ANNA, PUBLIC, features, torch.zeros(samples, dtype=torch.int64)))
    assert size <= max_sealed_bytes(samples, shape) <= size + 1200
