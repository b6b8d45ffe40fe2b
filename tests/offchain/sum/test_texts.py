"""Labelled texts from files, and how they become samples."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.storage import cid_of
from offchain.sum import preprocessing as words
from offchain.sum.described import fetch_preprocessing
from offchain.sum.preprocessing import (
    DOCUMENT,
    FORMAT,
    Preprocessing,
    PreprocessingError,
    tokens,
)
from offchain.sum.reviews import bitmaps, read_csv
from offchain.sum.texts import LabelledTexts, Sample, TextsError, read_texts, samples
from offchain.task import ClassNames, Task, TaskError
from offchain.task.errors import ClassesUnknown
from tests.kit.memory_store import MemoryStore

SOME = Preprocessing(("film", "great", "dull"))


def written(path, content):
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("some.csv", 'label,text\n"bad","so, dull"\ngood,great\n'),
        ("some.csv", '\ufefftext,more,label\n"so, dull",x,bad\ngreat,y,good\n'),
        (
            "some.jsonl",
            '{"text": "so, dull", "label": "bad"}\n\n{"label": "good", "text": "great"}\n',
        ),
    ],
)
def test_texts_are_read_from_either_form(tmp_path, name, content) -> None:
    found = read_texts(written(tmp_path / name, content))
    assert found == LabelledTexts(("so, dull", "great"), (0, 1), ("bad", "good"), name)


def test_labels_may_be_numbers_in_json(tmp_path) -> None:
    lines = "".join(json.dumps({"text": "x", "label": i}) + "\n" for i in (1, 0))
    assert read_texts(written(tmp_path / "some.ndjson", lines)).classes == ("0", "1")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("some.csv", "text\nx\n", "has no column label"),
        ("some.csv", "a,b\nx,y\n", "has no column label and none text"),
        ("some.csv", "text,label\n", "has no texts"),
        ("some.csv", "text,label\n ,good\n", "line 2: there is no text"),
        ("some.csv", "text,label\nx,\n", "line 2: there is no label"),
        ("some.csv", "text,label\nx\n", "line 2: there is no label"),
        ("some.jsonl", '{"text": "x"}\n', "line 1: there is no label"),
        ("some.jsonl", '{"text": 1, "label": "a"}\n', "line 1: there is no text"),
        ("some.jsonl", '{"text": "x", "label": true}\n', "line 1: there is no label"),
        ("some.jsonl", "[1]\n", "line 1: a JSON object is wanted"),
        ("some.jsonl", "nothing\n", "line 1: no JSON"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_place(tmp_path, name, content, reason) -> None:
    with pytest.raises(TextsError, match=reason):
        read_texts(written(tmp_path / name, content))


def test_a_file_in_another_encoding_or_absent_is_told(tmp_path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"text,label\n\xff,good\n")
    with pytest.raises(TextsError, match="no CSV in UTF-8"):
        read_texts(path)
    with pytest.raises(TextsError, match="No such file"):
        read_texts(tmp_path / "absent.csv")


def test_bounds_of_a_file_and_a_text(tmp_path, monkeypatch) -> None:
    path = written(tmp_path / "some.csv", "text,label\nlonger,good\n")
    monkeypatch.setattr("offchain.sum.texts.MAX_TEXT", 5)
    with pytest.raises(TextsError, match="6 characters, at most 5"):
        read_texts(path)
    monkeypatch.setattr("offchain.sum.texts.MAX_FILE_BYTES", 5)
    with pytest.raises(TextsError, match="at most 5 are read"):
        read_texts(path)


def test_labels_are_told_by_name() -> None:
    own = LabelledTexts(("a", "b", "c"), (0, 1, 2), ("bad", "good", "odd"), "own")
    names = ClassNames.parse(["good=positive", "bad=negative", "odd="])
    told = own.relabelled(("negative", "neutral", "positive"), names)
    assert (told.texts, told.labels) == (("a", "b"), (0, 2))
    with pytest.raises(ClassesUnknown, match="'bad', 'good', 'odd'"):
        own.relabelled(("negative", "positive"))
    assert own.relabelled(names=names).classes == ("negative", "positive")
    with pytest.raises(TextsError, match="leave no text"):
        own.relabelled(("x",), ClassNames.parse(["good=", "bad=", "odd="]))


def test_a_sample_is_taught_once_and_what_cannot_be_is_told() -> None:
    """Another order of words is the same sample; another label is not."""
    texts = ("great film", "a GREAT, great film", "great film", "nothing known", "film great dull")
    own = LabelledTexts(texts, (1, 1, 0, 1, 1), ("a", "b"), "own")
    left = []
    found = samples(own, SOME, 2, left.append)
    assert found == [Sample((0, 1), 1), Sample((0, 1), 0)]
    assert {one.what: one.names for one in left} == {
        "texts whose words and label another has": ("number 2",),
        "texts without a known word": ("number 4",),
        "texts of more than 2 known words": ("number 5",),
    }


def test_reviews_are_read_by_the_same_rule() -> None:
    """The study's features are what the document says."""
    lines = ["text,label,source\n", '"Great<br />film, isn\'t it",1,imdb\n', '"Dull film",0,imdb\n']
    reviews = read_csv(lines)
    rule = Preprocessing(reviews.vocabulary)
    texts = "Great<br />film, isn't it", "Dull film"
    assert [rule.bitmap(rule.features(one)) for one in texts] == list(bitmaps(reviews))
    assert Preprocessing.of(texts, 4) == Preprocessing(reviews.vocabulary[:4])


def test_the_document_has_one_form_and_one_digest() -> None:
    assert Preprocessing.from_bytes(SOME.to_bytes()) == SOME
    other = Preprocessing(("great", "film", "dull"))
    assert cid_of(other.to_bytes()) != cid_of(SOME.to_bytes())


@pytest.mark.parametrize(
    ("vocabulary", "reason"),
    [
        ([], "0 words"),
        (["film", "film"], "'film' stands there twice"),
        (["Film"], "'Film' is no word"),
        (["two words"], "is no word"),
        (["x" * 65], "is no word"),
        ([1], "1 is no word"),
        ([["film"]], "is no word"),
    ],
)
def test_what_is_no_vocabulary_is_refused(vocabulary, reason) -> None:
    data = json.dumps(
        {"format": FORMAT, "vocabulary": vocabulary}, sort_keys=True, separators=(",", ":")
    ).encode()
    with pytest.raises(PreprocessingError, match=reason):
        Preprocessing.from_bytes(data)


def test_another_rule_is_refused_by_name() -> None:
    data = SOME.to_bytes().replace(b"words.v1", b"words.v2")
    with pytest.raises(PreprocessingError, match=r"not 'souk\.words\.v2'"):
        Preprocessing.from_bytes(data)


def test_a_document_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(words, "MAX_BYTES", 20)
    with pytest.raises(PreprocessingError, match="at most 20"):
        SOME.to_bytes()
    monkeypatch.setattr(words, "MAX_FEATURES", 2)
    with pytest.raises(PreprocessingError, match="3 words, must be 1 to 2"):
        Preprocessing(("film", "great", "dull"))


@given(st.binary(max_size=200))
def test_foreign_bytes_are_read_or_refused_in_one_line(data) -> None:
    with pytest.raises(PreprocessingError) as refused:
        Preprocessing.from_bytes(data)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=200))
def test_a_text_and_its_bitmap_name_the_same_words(text) -> None:
    features = SOME.features(text)
    bitmap = SOME.bitmap(features)
    assert [f for f in range(3) if bitmap[0] >> f & 1] == list(features)
    assert list(np.flatnonzero(SOME.sample(features))) == list(features)
    assert {SOME.vocabulary[f] for f in features} == set(tokens(text)) & set(SOME.vocabulary)
    assert SOME.words_of(bitmap, 3) == [SOME.vocabulary[f] for f in features]


def test_the_task_names_the_document() -> None:
    store = MemoryStore({})
    task = Task("text", ("a", "b"), (), "MIT", {DOCUMENT: store.put(SOME.to_bytes())})
    assert fetch_preprocessing(store, task) == SOME
    with pytest.raises(TaskError, match="no document 'preprocessing'"):
        fetch_preprocessing(store, Task("text", ("a", "b"), (), "MIT", {}))
