"""A provider's features on their way to the collector: bound to the provider, sealed.

Without the binding a rival could register another's sealed features as its own and share its
score without owning any data.
"""

from __future__ import annotations

import math

import torch
from eth_hash.auto import keccak
from nacl.bindings import crypto_box_SEALBYTES

from offchain.crypto.commitments import Party
from offchain.crypto.sealing import seal, unseal
from offchain.errors import SoukError
from offchain.hyperx.features import (
    MAX_HEADER_BYTES,
    LabelledFeatures,
    decode_features,
    encode_features,
)

FEATURES_TYPE = keccak(b"souk.features.v1")
_TAG_BYTES = 32


class SubmissionError(SoukError):
    """Sealed features that are not this provider's."""


def max_sealed_bytes(samples: int, shape: tuple[int, ...]) -> int:
    """Bound on the sealed features of `samples` samples of `shape`, in bytes."""
    payload = samples * (4 * math.prod(shape) + 8)
    return payload + MAX_HEADER_BYTES + _TAG_BYTES + crypto_box_SEALBYTES


def seal_features(
    party: Party, encryption_key: bytes, features: torch.Tensor, labels: torch.Tensor
) -> bytes:
    """Features float32 (N, ...) and labels int64 (N,) sealed to the collector's X25519 key."""
    return seal(encryption_key, party.domain(FEATURES_TYPE) + encode_features(features, labels))


def open_features(
    party: Party, private_key: bytes, sealed: bytes, samples: int, shape: tuple[int, ...]
) -> LabelledFeatures:
    """What `seal_features` sealed: features (samples, *shape) and labels (samples,).

    Raises SealError if it does not open, SubmissionError if another party sealed it, FeatureError
    if it does not hold such tensors.
    """
    message = unseal(private_key, sealed)
    if message[:_TAG_BYTES] != party.domain(FEATURES_TYPE):
        raise SubmissionError(f"the features were not sealed by {party.provider} in this session")
    return decode_features(message[_TAG_BYTES:], (samples, *shape))
