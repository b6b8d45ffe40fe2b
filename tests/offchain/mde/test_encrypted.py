"""Encrypted evaluation: the buyer gets the score that a plain evaluation gives, and no more.

What the ciphertexts tell is attacked in tests/offchain/crypto/test_inner_product.py; here is what
documents, counting and noise add. Attacks have twins that succeed on a weakened copy.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from offchain.crypto.inner_product import BITS, DEGREE, ERROR_STEPS, Masked, modulus
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.seeds import generator
from offchain.errors import SoukError
from offchain.mde import encrypted, linear_scores
from offchain.mde.compression import CompressionSettings, compression
from offchain.mde.encrypted import (
    MAX_ANSWER_BYTES,
    MAX_QUERY_BYTES,
    Bounds,
    QueryError,
    answer,
    ask,
    direction_of,
    read_query,
)
from offchain.mde.errors import FeatureMismatch, MdeError, UnknownLabel
from offchain.mde.influence import InfluenceSettings, influence
from offchain.mde.linear_scores import Moments
from offchain.mde.samples import Samples, Task
from offchain.mde.students import Distilled
from tests.kit.exact_opening import phase
from tests.offchain.mde.small import drawn, fitted, linear, small_task

CANDIDATE = drawn(40, 3)
MOST = 3
RANGE = 4.0
BOUNDS = Bounds(RANGE, 500.0)
Q = modulus()


class Enough(Exception):
    """More than `MOST`."""


def allow(number: int) -> None:
    if number > MOST:
        raise Enough(number)


@pytest.fixture
def secrets(tmp_path):
    return SecretsFile(tmp_path / "seller.json")


@pytest.fixture(scope="module")
def oracle():
    return influence(linear(fitted(small_task())), small_task())


def of_squares():
    task = small_task(loss="squared")
    return influence(linear(fitted(task)), task), CANDIDATE


def of_a_student():
    settings = CompressionSettings(Distilled(hidden=(), steps=60), linearised=True)
    return compression(linear(fitted(small_task())), small_task(), settings), CANDIDATE


def of_pictures():
    def pictures(seed: int) -> Samples:
        rng = torch.Generator().manual_seed(seed)
        inputs = torch.randint(256, (30, 1, 4, 4), generator=rng, dtype=torch.uint8)
        return Samples(inputs, torch.arange(30) % 3)

    task = Task(pictures(1), pictures(2), 3, 0.1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
    settings = InfluenceSettings(layers="last", damping=0.1)
    return influence(model.requires_grad_(True), task, settings), pictures(3)


@pytest.mark.parametrize("made", [of_squares, of_a_student, of_pictures])
def test_the_score_is_that_of_a_plain_evaluation(made, secrets):
    efficacy, candidate = made()
    plain = float(efficacy.report(candidate).scores.sum())
    asked = ask(efficacy, Bounds.of(efficacy, candidate, len(candidate)))
    found = asked.open(answer(asked.query, candidate, secrets, allow))
    assert abs(found.score - plain) <= found.error
    assert found.error < abs(plain) / 10


def test_of_a_squared_loss_not_even_the_layer_is_shown(secrets):
    """A seller computes moments alone, of which the buyer's side makes the same score."""
    oracle, _ = of_squares()
    asked = ask(oracle, Bounds.of(oracle, CANDIDATE, len(CANDIDATE)))
    read = read_query(asked.query)
    assert read.statistic == Moments(oracle.kind)
    size = int.from_bytes(asked.query[:4], "little")
    assert len(asked.query) == 4 + size + 2 * 8 * DEGREE
    _, side, shown = encrypted._sides(oracle)
    assert shown == []
    plain = float(oracle.report(CANDIDATE).scores.sum())
    assert float(read.statistic.of(CANDIDATE) @ side) == pytest.approx(plain, rel=1e-4)
    for one in (read.statistic, encrypted._gradient_sum("cross-entropy", *parts())):
        for row in range(5):
            alone = CANDIDATE.subset([row])
            assert np.linalg.norm(one.of(alone)) <= one.lengths(alone)[0] * (1 + 1e-9)


def test_a_layer_of_many_classes_takes_no_memory(monkeypatch):
    """A few samples are prepared at a time, as many as the stranger's numbers allow."""
    monkeypatch.setattr(linear_scores, "_VALUES", 20)
    for statistic in (Moments(small_task().kind), encrypted._gradient_sum("squared", *parts())):
        seen = [len(part) for part in linear_scores._in_parts(CANDIDATE, 9)]
        assert max(seen) == 2
        few = statistic.of(CANDIDATE)
        monkeypatch.setattr(linear_scores, "_VALUES", 1 << 22)
        assert statistic.of(CANDIDATE) == pytest.approx(few, rel=1e-9)
        monkeypatch.setattr(linear_scores, "_VALUES", 20)


def parts():
    model = linear(fitted(small_task()))
    return model.weight.detach().numpy(), model.bias.detach().numpy()


def test_a_harmful_set_has_a_negative_score(oracle, secrets):
    wrong = Samples(CANDIDATE.inputs, (CANDIDATE.labels + 1) % 3)
    for samples, sign in ((CANDIDATE, 1), (wrong, -1)):
        plain = float(oracle.report(samples).scores.sum())
        asked = ask(oracle, Bounds.of(oracle, drawn(30, 5), len(samples)))
        found = asked.open(answer(asked.query, samples, secrets, allow))
        assert abs(found.score - plain) <= found.error
        assert found.score * plain > 0
        assert sign == 1 or plain < 0


def test_documents_have_their_size_and_no_more(oracle, secrets):
    asked = ask(oracle, BOUNDS)
    said = answer(asked.query, CANDIDATE, secrets, allow)
    assert len(said) < MAX_ANSWER_BYTES < 40_000
    assert len(asked.query) < 70_000
    assert MAX_QUERY_BYTES < 13_000_000
    for document, reader in ((asked.query, read_query), (said, asked.open)):
        for wrong in (
            document[:-1],
            document + b"\0",
            b"",
            b"\xff\xff\xff\xff" + document[4:],
            document[:4] + b"[" * 600 + document[604:],
            document + bytes(MAX_QUERY_BYTES),
            document[:-1] + b"\xff",
            document.replace(b"souk.mde", b"souk.mdf"),
        ):
            with pytest.raises(QueryError) as caught:
                reader(wrong)
            assert "\n" not in str(caught.value)
    assert asked.open(said).error == pytest.approx(RANGE / (1 << BITS - 1) * ERROR_STEPS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"classes":3', '"classes":65537'),
        ('"classes":3', '"classes":2'),
        ('"classes":3', '"classes":1' + "0" * 800),
        ('"images":0', '"images":2'),
        ('"images":0', '"images":1'),
        ('"shape":[8]', '"shape":[9]'),
        ('"shape":[8]', '"shape":[99999999999]'),
        ('"shape":[8]', '"shape":[8.0]'),
        ('"shape":[8]', '"shape":[]'),
        ('"loss":"cross-entropy"', '"loss":"none"'),
        ('"seed":"', '"seed":"0'),
        ('"loss"', '"lose"'),
        ('"length":9', '"length":65'),
        ('"length":9', '"length":1e3'),
    ],
)
def test_a_strangers_header_is_refused_in_one_line(oracle, old, new):
    query = ask(oracle, BOUNDS).query
    size = int.from_bytes(query[:4], "little")
    header = query[4 : 4 + size].replace(old.encode(), new.encode())
    with pytest.raises(QueryError) as caught:
        read_query(len(header).to_bytes(4, "little") + header + query[4 + size :])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_changed_bytes_are_read_or_refused(oracle):
    """No other error comes of them, and none of a layer that holds NaN."""
    query = ask(oracle, BOUNDS).query
    rng = generator(0, "changed bytes")
    refused = 0
    for at in rng.integers(0, 180, 100):
        changed = bytearray(query)
        changed[at] = rng.integers(256)
        try:
            read_query(bytes(changed))
        except SoukError:
            refused += 1
    assert refused > 50
    size = int.from_bytes(query[:4], "little")
    nan = np.array([np.nan], dtype="<f4").tobytes()
    with pytest.raises(QueryError, match="NaN"):
        read_query(query[: 4 + size] + nan + query[8 + size :])


def test_what_does_not_fit_is_refused_before_it_counts(oracle, secrets):
    query = ask(oracle, BOUNDS).query
    for wrong, error in (
        (drawn(9, 3, width=7), FeatureMismatch),
        (Samples(CANDIDATE.inputs, CANDIDATE.labels + 1), UnknownLabel),
    ):
        with pytest.raises(error):
            answer(query, wrong, secrets, allow)
    assert not secrets.path.exists()
    for most in (1e-12, 0.0, -1.0, np.inf, np.nan):
        with pytest.raises(MdeError, match="the range of scores must be"):
            ask(oracle, Bounds(most, 500.0))
    for length in (0.0, -1.0, 1e30, 1e-30, np.inf, np.nan):
        with pytest.raises(MdeError, match="the length must"):
            ask(oracle, Bounds(RANGE, length))
    task = small_task()
    model = linear(fitted(task))
    deep = CompressionSettings(Distilled(hidden=(4,), steps=5), linearised=True)
    with pytest.raises(MdeError, match="takes one linear layer, not 2"):
        ask(compression(model, task, deep), BOUNDS)


def test_large_sets_are_refused_before_errors_show(oracle, secrets):
    far = Samples(CANDIDATE.inputs * 1e6, (CANDIDATE.labels + 1) % 3)
    with pytest.raises(QueryError, match="longer than 512") as refusal:
        answer(ask(oracle, BOUNDS).query, far, secrets, allow)
    with pytest.raises(QueryError) as other:
        answer(ask(oracle, BOUNDS).query, CANDIDATE.joined(far), secrets, allow)
    assert str(refusal.value) == str(other.value)  # it tells of no data but that


def test_an_answer_opens_its_own_query_alone_and_once(oracle, secrets):
    asked, other = ask(oracle, BOUNDS), ask(oracle, BOUNDS)
    said = answer(asked.query, CANDIDATE, secrets, allow)
    with pytest.raises(QueryError, match="no answer to this query"):
        other.open(said)
    asked.open(said)
    with pytest.raises(SoukError, match="each opens one"):
        asked.open(said)


def unit_vectors(oracle, places: range):
    """Queries for one number of the gradients' sum each, as a buyer can make them."""
    folds, size = oracle.directions.shape
    for place in places:
        direction = torch.zeros(size)
        direction[place] = 1
        chosen = vars(oracle) | {"directions": direction.expand(folds, size)}
        yield ask(type(oracle)(**chosen), Bounds(64.0, 500.0))


@pytest.mark.parametrize("counted", [True, False], ids=["as it is", "weakened"])
def test_who_asks_for_one_number_after_another_gets_few(oracle, secrets, counted):
    """Also about the same data in another order. Twin: a seller that does not count."""
    truth = read_query(ask(oracle, BOUNDS).query).statistic.of(CANDIDATE)
    read = []
    for place, asked in enumerate(unit_vectors(oracle, range(8))):
        shuffled = CANDIDATE.subset(generator(place, "order").permutation(len(CANDIDATE)))
        try:
            said = answer(asked.query, shuffled, secrets, allow if counted else lambda number: None)
        except Enough:
            break
        found = asked.open(said)
        assert abs(found.score - truth[place]) <= found.error
        read.append(found.score)
    assert len(read) == (MOST if counted else 8)


@pytest.mark.parametrize("kept", [True, False], ids=["as it is", "weakened"])
def test_the_same_question_again_does_not_average_the_noise_away(oracle, tmp_path, kept):
    """A query is answered again, after a crash, say, under the same noise. Twin: a seller that
    forgets what its noise follows from."""
    asked = ask(oracle, BOUNDS)
    found = []
    for number in range(12):
        secrets = SecretsFile(tmp_path / f"{0 if kept else number}.json")
        said = answer(asked.query, CANDIDATE, secrets, allow)
        found.append(phase(asked.opener, masked(said)) / (Q / (1 << BITS)))
    truth = float(oracle.report(CANDIDATE).scores.sum()) / (RANGE / (1 << BITS - 1))
    assert np.ptp(found) < 0.01 if kept else np.ptp(found) > 0.5
    if not kept:
        assert abs(np.mean(found) - truth) < 0.35


def masked(said: bytes) -> Masked:
    words = np.frombuffer(said[-8 * (1 + DEGREE) :], dtype="<u8").astype(np.uint64)
    return Masked(int(words[0]), words[1:])


def test_what_a_seller_adds_shows_nowhere(oracle, secrets):
    """Known and stated: nothing binds the answer to the data that are sold."""
    asked = ask(oracle, BOUNDS)
    said = answer(asked.query, CANDIDATE, secrets, allow)
    honest = float(oracle.report(CANDIDATE).scores.sum())
    at = len(said) - 8 * (1 + DEGREE)
    more = int.from_bytes(said[at : at + 8], "little") + int(Q / 2 / RANGE)
    found = asked.open(said[:at] + (more % Q).to_bytes(8, "little") + said[at + 8 :])
    assert abs(found.score - (honest + 1)) <= found.error


def test_the_query_shows_the_layer_and_not_the_direction(oracle):
    """Nor does its range: what a seller reads is what it needs for its samples' gradients."""
    query = ask(oracle, BOUNDS).query
    read = read_query(query)
    assert torch.equal(read.statistic.layer.weight, oracle.model.weight.double())
    assert direction_of(oracle).astype("<f4").tobytes()[:8] not in query
    other = ask(oracle, Bounds(2 * RANGE, 500.0)).query
    assert len(other) == len(query)
    size = int.from_bytes(query[:4], "little")
    same = np.frombuffer(query[4 + size :], np.uint8) == np.frombuffer(other[4 + size :], np.uint8)
    assert same[108:].mean() < 0.2  # all but the layer
