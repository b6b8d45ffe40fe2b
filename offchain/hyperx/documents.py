"""The documents the terms point to: extractor and preprocessing, by the digests in their CIDs."""

from __future__ import annotations

import torch

from offchain.hyperx.extractor import load_extractor
from offchain.models.extractor import Extractor
from offchain.models.preprocessing import Preprocessing
from offchain.storage import Datastore, cid_from_digest

MAX_DOCUMENT_BYTES = 64 << 10
"""Largest description read, in bytes."""


def fetch_extractor(store: Datastore, digest: bytes, device: torch.device) -> Extractor:
    """The extractor whose signed description has this digest; executes no code of strangers."""
    return load_extractor(store.get(cid_from_digest(digest), MAX_DOCUMENT_BYTES), store.get, device)


def fetch_preprocessing(store: Datastore, digest: bytes) -> Preprocessing:
    """The preprocessing whose description has this digest."""
    return Preprocessing.from_bytes(store.get(cid_from_digest(digest), MAX_DOCUMENT_BYTES))
