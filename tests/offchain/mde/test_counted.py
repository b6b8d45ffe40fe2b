"""The same data in another shape answers no more questions: what is counted, and on disk."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from offchain.crypto.secrets_file import SecretsFile
from offchain.mde import counted
from offchain.mde.counted import count_artefact, sketch
from offchain.mde.samples import Samples
from tests.offchain.mde.small import drawn

MOST = 3
DATA = drawn(300, 9, width=2)


class Enough(Exception):
    """More than `MOST`."""


def allow(number: int) -> None:
    if number > MOST:
        raise Enough(number)


def held(folder, samples: Samples, artefacts: range) -> int:
    """How many of the artefacts a seller that starts anew holds these samples against."""
    secrets = SecretsFile(folder / "seller.json")
    for done, number in enumerate(artefacts):
        try:
            count_artefact(secrets, sketch(samples), bytes([number]) * 32, allow)
        except Enough:
            return done
    return len(artefacts)


def shuffled() -> Samples:
    return DATA.subset(np.random.default_rng(0).permutation(300))


SHAPES = {
    "as they were": lambda: DATA,
    "in another order": shuffled,
    "without one": lambda: DATA.subset(np.arange(1, 300)),
    "half of them": lambda: shuffled().subset(np.arange(150)),
    "labels numbered otherwise": lambda: Samples(DATA.inputs, 2 - DATA.labels),
    "more beside them": lambda: DATA.joined(drawn(300, 10, width=2)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_data_in_another_shape_have_their_questions_used_up(tmp_path, shape):
    assert held(tmp_path, DATA, range(MOST + 2)) == MOST
    assert held(tmp_path, SHAPES[shape](), range(100, 105)) == 0


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "as they were"])
def test_who_counts_by_the_exact_set_answers_anew_for_each_shape(tmp_path, shape, monkeypatch):
    """The twin: what told data was a digest of them all, in their order."""
    monkeypatch.setattr(counted, "_marks", lambda data: {data})
    monkeypatch.setattr(
        "tests.offchain.mde.test_counted.sketch",
        lambda samples: hashlib.sha256(b"".join(samples.hashes())).digest(),
    )
    assert held(tmp_path, DATA, range(MOST + 2)) == MOST
    assert held(tmp_path, SHAPES[shape](), range(100, 105)) == MOST


def test_the_same_question_about_the_very_same_data_is_counted_once(tmp_path):
    for _ in range(3):
        assert held(tmp_path, DATA, range(2)) == 2
        assert held(tmp_path, shuffled(), range(2)) == 2
    assert held(tmp_path, DATA, range(2, 9)) == 1


def test_the_same_question_about_fewer_is_another(tmp_path):
    """The difference of the two answers tells of the one that is missing."""
    assert held(tmp_path, DATA, range(2)) == 2
    assert held(tmp_path, SHAPES["without one"](), range(2)) == 1


def test_other_data_have_questions_of_their_own(tmp_path):
    assert held(tmp_path, DATA, range(MOST + 1)) == MOST
    assert held(tmp_path, drawn(300, 10, width=2), range(MOST + 1)) == MOST
