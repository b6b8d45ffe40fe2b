"""The pricing artefact: whoever reads it quotes the same, and nothing else is read."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch import nn

from offchain.mde import artefact_reading
from offchain.mde.artefact import artefact_bytes, artefact_digest, load_artefact
from offchain.mde.compression import CompressionSettings, compression
from offchain.mde.errors import ArtefactError, ArtefactMismatch, MdeError
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.pricing import Binary, Piecewise, PriceFunction
from offchain.mde.students import Distilled
from tests.offchain.mde.small import drawn, fitted, linear, small_task

PRICE = PriceFunction(Piecewise(((0, 10), (10**9, 10**18))), budget=10**18, floor=5)


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def oracles(task):
    model = linear(fitted(task))
    distilled = Distilled(hidden=(6,), steps=60)
    return {
        "trees": extraction(model, task, ExtractionSettings(trees=2, points=300, leaves=9)),
        "linear": influence(model, task),
        "student": compression(model, task, CompressionSettings(distilled, linearised=True)),
    }


@pytest.fixture(scope="module")
def data(oracles):
    return artefact_bytes(oracles["trees"], PRICE)


def read(data):
    return load_artefact(data, artefact_digest(data))


@pytest.mark.parametrize("name", ["trees", "linear", "student"])
def test_whoever_reads_the_artefact_quotes_as_its_maker(oracles, name):
    candidate = drawn(50, 3).joined(drawn(10, 1))  # some of it the owner has
    data = artefact_bytes(oracles[name], PRICE)
    quote = read(data).quote(candidate)
    own = oracles[name].report(candidate)
    assert quote.report.total == pytest.approx(own.total, rel=1e-5, abs=1e-9)
    assert quote.report.scores == pytest.approx(own.scores, rel=1e-4, abs=1e-9)
    assert quote.report.findings.counts() == own.findings.counts()
    assert quote.price == PRICE.price(quote.score)
    assert quote.artefact == artefact_digest(data)
    assert quote.report.findings.redundant.sum() == 10


def test_a_file_that_was_not_committed_to_is_refused(oracles, data):
    other = artefact_bytes(oracles["trees"], PriceFunction(Binary(9), budget=9))
    with pytest.raises(ArtefactMismatch, match=artefact_digest(data).hex()):
        load_artefact(other, artefact_digest(data))
    with pytest.raises(ArtefactMismatch):
        load_artefact(data + b"\0", artefact_digest(data))


def test_the_same_oracle_gives_the_same_bytes(oracles, data):
    assert artefact_bytes(oracles["trees"], PRICE) == data


def parts(data):
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return load(data), json.loads(header["__metadata__"]["souk"])


def rebuilt(data, change_arrays=None, change_document=None):
    arrays, document = parts(data)
    arrays.update(change_arrays or {})
    document.update(change_document or {})
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"souk": text})


SPOILT_ARRAYS = {
    "NaN": lambda a: {"tree0.proba": a["tree0.proba"] * np.nan},
    "probability above 1": lambda a: {"tree0.proba": a["tree0.proba"] + 1},
    "walk in a circle": lambda a: {
        "tree0.left": np.where(a["tree0.feature"] >= 0, 0, a["tree0.left"]).astype(np.int32)
    },
    "feature out of range": lambda a: {
        "tree0.feature": np.where(a["tree0.feature"] >= 0, 99, -1).astype(np.int32)
    },
    "leaf out of range": lambda a: {
        "tree0.left": np.where(a["tree0.feature"] < 0, 99, a["tree0.left"]).astype(np.int32)
    },
    "wrong dtype": lambda a: {"tree0.table": a["tree0.table"].astype(np.float32)},
    "wrong shape": lambda a: {"tree0.table": a["tree0.table"][1:]},
    "infinite threshold": lambda a: {"tree0.threshold": a["tree0.threshold"] + np.inf},
    "no folds": lambda a: {"fold_sizes": np.zeros(0)},
    "empty fold": lambda a: {"fold_sizes": a["fold_sizes"] * 0},
    "wrong centre": lambda a: {"set.centre": a["set.centre"][1:]},
    "unknown array": lambda a: {"code": np.zeros(3)},
}


@pytest.mark.parametrize("name", SPOILT_ARRAYS)
def test_arrays_that_cannot_be_used_are_refused_in_one_line(data, name):
    spoilt = rebuilt(data, SPOILT_ARRAYS[name](parts(data)[0]))
    with pytest.raises(ArtefactError) as refused:
        read(spoilt)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "souk.mde.artefact.v0"},
        {"classes": 10**9},
        {"classes": 1},
        {"trees": 3},
        {"trees": 0},
        {"trees": 10**9},
        {"shape": [8, 8, 8]},
        {"shape": [10**9]},
        {"shape": [8.5]},
        {"images": 2},
        {"hidden": [0]},
        {"near": -1.0},
        {"loss": "hinge"},
        {"extra": 1},
        {"price": {"format": "souk.mde.price.v1"}},
    ],
    ids=str,
)
def test_documents_that_cannot_be_used_are_refused_in_one_line(data, change):
    with pytest.raises(MdeError) as refused:
        read(rebuilt(data, change_document=change))
    assert "\n" not in str(refused.value)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("code was run",))


def test_nothing_in_a_file_is_executed_and_rubbish_is_refused(data):
    for rubbish in (pickle.dumps(Bomb()), b"", b"\xff" * 64, data[:-1], data[:100]):
        with pytest.raises(ArtefactError):
            read(rubbish)


def test_the_size_is_bounded_both_ways(oracles, data, monkeypatch):
    monkeypatch.setattr("offchain.mde.artefact.MAX_ARTEFACT_BYTES", len(data) - 1)
    with pytest.raises(ArtefactError, match=str(len(data))):
        read(data)
    with pytest.raises(MdeError, match=str(len(data))):
        artefact_bytes(oracles["trees"], PRICE)
    assert artefact_reading.MAX_ARTEFACT_BYTES == 64 << 20


def test_what_cannot_be_published_is_refused(task):
    model = linear(fitted(task))
    embedded = influence(model, task, embed=lambda x: x[:, 1:])
    with pytest.raises(MdeError, match="embedding"):
        artefact_bytes(embedded, PRICE)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 3))
    for layers in ("all", "last"):
        settings = InfluenceSettings(layers=layers, damping=0.1)
        with pytest.raises(MdeError, match="cannot be published"):
            artefact_bytes(influence(network, task, settings), PRICE)
