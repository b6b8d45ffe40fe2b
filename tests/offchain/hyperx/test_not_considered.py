"""The collector's role: whose manifest or features cannot be used is not asked."""

from dataclasses import replace

import pytest
import torch

from offchain.data.originals import originals_of
from offchain.hyperx import actions as do
from offchain.hyperx import adversaries
from offchain.hyperx.features import LabelledFeatures
from offchain.hyperx.manifest import Manifest, publish_manifest
from offchain.hyperx.provider import Provider
from offchain.hyperx.submission import seal_features
from offchain.storage import cid_from_digest, digest_of
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SHARD_SIZE,
    SHARDS,
    candidates,
    deal,
    digits,
    evaluation,
    honest,
)

NINES = originals_of(digits().subset(range(4900, 4900 + SHARDS * SHARD_SIZE), "other nines"))


class Sends(Provider):
    """Submits what `content` makes of the role and its sample."""

    def __init__(self, *args, content, **more):
        super().__init__(*args, **more)
        self.content = content

    def submit_features(self, me):
        return do.SubmitFeatures(self.content(self, me))


class BadManifest(Provider):
    """Publishes its manifest with `changes`."""

    def __init__(self, *args, changes, **more):
        super().__init__(*args, **more)
        self.changes = changes

    def register(self):
        action = super().register()
        terms = self.session.terms
        document = self.store.get(cid_from_digest(action.manifest))
        lie = replace(Manifest.from_bytes(document, terms), **self.changes)
        return replace(action, manifest=publish_manifest(self.store, lie))


@pytest.mark.parametrize(
    "changes",
    [
        {"shard_count": SHARDS + 1},
        {"licence": "CC0-1.0"},
        {"shape": (3, 28, 28)},
        {"shape": (1, 4097, 28)},
        {"addresses": None},
        {"addresses": cid_from_digest(bytes(32))},
        {"key_leaves": cid_from_digest(bytes(32))},
    ],
    ids=str,
)
def test_nobody_is_sampled_with_a_manifest_that_does_not_fit(tmp_path, changes):
    market = honest(tmp_path)
    market.provider(BERT, 9, BadManifest, changes=changes)
    session = market.play()
    assert session.members[BERT].sample is None
    assert market.role(COLLECTOR).objections[BERT].startswith("manifest: ")
    assert deal(market) == CARL


def test_nobody_is_sampled_that_registered_anothers_root(tmp_path):
    market = honest(tmp_path)
    market.provider(BERT, 9, adversaries.RootCopier)
    session = market.play()
    assert session.members[BERT].key_root == session.members[ANNA].key_root
    assert session.members[BERT].sample is None
    assert "the address root this provider registered" in market.role(COLLECTOR).objections[BERT]


def of_another(role, me):
    """The digest that the first provider submitted."""
    return next(iter(role.session.members.values())).features


def for_nobody(role, me):
    """Good features, sealed to another key."""
    _, labels = role.sampled_features(me)
    features = torch.zeros(len(labels), *evaluation().extractor.output_shape)
    return digest_of(role.store.put(seal_features(role.party, bytes([9]) * 32, features, labels)))


def too_few(role, me):
    """Features of one sample less."""
    features, labels = role.sampled_features(me)
    return digest_of(role.store.put(role._seal(LabelledFeatures(features[1:], labels[1:]))))


def no_such_class(role, me):
    """A label that the task does not have."""
    features, labels = role.sampled_features(me)
    return digest_of(role.store.put(role._seal(LabelledFeatures(features, labels + 1))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda role, me: bytes(32), "is not there"),
        (lambda role, me: digest_of(role.store.put(b"rubbish")), "does not open"),
        (lambda role, me: digest_of(role.store.put(bytes(10**6))), "more than the"),
        (of_another, "not sealed by"),
        (for_nobody, "does not open"),
        (too_few, "have"),
        (no_such_class, "label"),
    ],
    ids=["missing", "rubbish", "huge", "another's", "for nobody", "too few", "no class"],
)
def test_nobody_is_asked_whose_features_cannot_be_used(tmp_path, content, reason):
    market = honest(tmp_path)
    market.provider(BERT, 9, Sends, content=content)
    session = market.play()
    said = market.role(COLLECTOR).objections[BERT]
    assert reason in said
    assert "\n" not in said
    assert (candidates(market), session.members[BERT].paid) == ([CARL], 600)
