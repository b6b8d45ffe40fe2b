"""Documents of a session come back as they went, or are refused with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.models.canonical import DocumentError
from offchain.seccl.description import Description
from offchain.seccl.documents import Catalogue, Evaluation
from tests.offchain.seccl.session_in_memory import MEMBERS, UPLOAD, Yard


def test_documents_come_back_as_they_went() -> None:
    yard = Yard.new()
    yard.uploads()
    listed = yard.server.hand(0, 0, UPLOAD)
    assert listed is not None
    about, id_ = yard.session.description, yard.session.id
    assert Description.from_bytes(about.to_bytes()) == about
    assert Catalogue.from_bytes(listed.to_bytes(), id_, 0, UPLOAD, MEMBERS) == listed
    said = Evaluation.of(2, 1, [0.5] * MEMBERS, [3])
    assert Evaluation.from_bytes(said.to_bytes(), 2, 1, MEMBERS) == said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.replace(b'"round":0', b'"round":1'), "another session, round or kind"),
        (lambda d: d.replace(b"[[0,", b"[[1,"), "authors below 4 once"),
        (lambda d: d.replace(b"[[0,", b'[["0",'), "no entry of a catalogue"),
        (lambda d: d + b" " * 9_000, "at most"),
        (lambda d: d.replace(b'","', b'","00', 2), "no entry of a catalogue"),
        (lambda d: d[:-1], "no JSON document"),
    ],
)
def test_a_catalogue_that_is_none_is_refused(change, why: str) -> None:
    yard = Yard.new()
    yard.uploads()
    listed = yard.server.hand(0, 0, UPLOAD)
    assert listed is not None
    with pytest.raises(DocumentError, match=why):
        Catalogue.from_bytes(change(listed.to_bytes()), yard.session.id, 0, UPLOAD, MEMBERS)


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([1, 2, 3], "has 4 scores"),
        ([1, 0, 3, 65_536], "0 to 65535"),
        ([1, 0, 3, 0.5], "0 to 65535"),
        ([1, 0, 3, True], "0 to 65535"),
        ([1, 7, 3, 4], "member 1 gives itself 7"),
    ],
)
def test_an_evaluation_that_is_none_is_refused(scores, why: str) -> None:
    data = replace(Evaluation(0, 1, ()), scores=tuple(scores)).to_bytes()
    with pytest.raises(DocumentError, match=why):
        Evaluation.from_bytes(data, 0, 1, MEMBERS)


@pytest.mark.parametrize(("round_", "author"), [(1, 1), (0, 2)])
def test_an_evaluation_of_another_round_or_author_is_refused(round_: int, author: int) -> None:
    """A message of an earlier round shown again, or another member's shown as one's own."""
    data = Evaluation(0, 1, (4, 0, 3, 2)).to_bytes()
    assert Evaluation.from_bytes(data, 0, 1, MEMBERS).scores == (4, 0, 3, 2)
    with pytest.raises(DocumentError, match="an evaluation of another round or author"):
        Evaluation.from_bytes(data, round_, author, MEMBERS)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.5])
def test_a_score_that_is_none_is_not_sent(score: float) -> None:
    with pytest.raises(ValueError, match="of member 2 is not between 0 and 1"):
        Evaluation.of(0, 1, [0.5, 0.5, score, 0.5], ())
