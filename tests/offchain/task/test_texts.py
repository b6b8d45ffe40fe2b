"""Texts and tasks: bags of words by a tokenizer that the task names by its digest."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest
import torch

from offchain.data.corruptions import Corruption, corrupt_records
from offchain.data.imageset import DataError
from offchain.data.originals import Originals
from offchain.data.pictures import UnreadableError
from offchain.data.tables import load_table
from offchain.storage import cid_of
from offchain.task import Task, TaskError
from offchain.task.errors import OfferRefused
from offchain.task.forms import as_author, check_form, documents_of, form_asked, in_form, said
from offchain.task.images import offer_of
from offchain.task.texts import MAX_TEXT_BYTES, TOKENIZER, Texts

WORDS = Texts(64)


def texts(folder: Path, *rows: tuple[str, str]) -> Originals:
    """Of a file with one more column."""
    with (folder / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("stars", "review", "label"), *((5, *row) for row in rows)])
    return load_table(folder / "reviews.csv", "label", "review")


def test_texts_are_records_as_they_stand(tmp_path) -> None:
    read = texts(tmp_path, ("A good\nfilm, indeed", "good"), ("Nie! wieder…", "bad"))
    assert read.files == (b"A good\nfilm, indeed", "Nie! wieder…".encode())
    mine = as_author(read)
    assert mine.form == Texts()
    assert offer_of(mine).shape == ()
    assert mine.inputs.norm(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Good FILM", "film, good!", True),
        ("it's", "its", False),
        ("good good film", "good film", False),
        ("café", "cafe", False),
        ("...", "?!", True),
    ],
)
def test_what_words_are_follows_from_the_bytes(one: str, other: str, same: bool) -> None:
    a, b = (WORDS.decoded(text.encode(), "it") for text in (one, other))
    assert torch.equal(a, b) is same


def test_nothing_of_texts_of_one_long_word_is_kept() -> None:
    """Of 65,536 such words 4 GiB would stay in memory, after texts that nobody looked at."""
    tracemalloc.start()
    try:
        for i in range(64):
            assert WORDS.decoded(b"%05d" % i + b"x" * 60_000, "it").sum() == 1
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1 << 20


def test_the_rule_is_the_same_for_ever() -> None:
    """Places by SHA-256 of the words, counts by their logarithms."""
    row = WORDS.decoded(b"A film film", "it")
    found = {i: round(value, 4) for i, value in enumerate(row.tolist()) if value}
    assert found == {10: 0.5336, 42: 0.8457}


def test_a_task_names_its_tokenizer_by_the_digest() -> None:
    documents = {name: cid_of(data) for name, data in documents_of(WORDS).items()}
    task = Task(classes=("bad", "good"), licence="MIT", documents=documents, **said(WORDS))
    store = {documents[TOKENIZER]: WORDS.to_bytes()}
    assert form_asked(task, Texts(), lambda cid, _: store[cid]) == WORDS
    check_form(task, WORDS)
    with pytest.raises(TaskError, match="the task has another tokenizer"):
        check_form(task, Texts())


def test_a_task_without_a_tokenizer_is_refused() -> None:
    task = Task("text", ("bad", "good"), (), "MIT")
    with pytest.raises(OfferRefused, match="does not say what its text is made of"):
        form_asked(task, Texts(), lambda *_: b"")


@pytest.mark.parametrize(
    "document",
    [
        b"{}",
        b"[]",
        WORDS.to_bytes().replace(b"v1", b"v2"),
        WORDS.to_bytes().replace(b"64", b"65536"),
        WORDS.to_bytes().replace(b"64", b"1"),
        WORDS.to_bytes().replace(b"64", b"true"),
    ],
)
def test_documents_that_are_no_tokenizer_are_refused(document: bytes) -> None:
    with pytest.raises(TaskError):
        Texts.from_bytes(document)


@pytest.mark.parametrize("record", [b"", b"\xff", b"a" * (MAX_TEXT_BYTES + 1)])
def test_bytes_that_are_no_text_are_refused(record: bytes) -> None:
    with pytest.raises(UnreadableError):
        WORDS.decoded(record, "it")


def test_rows_without_text_are_told(tmp_path) -> None:
    with pytest.raises(UnreadableError, match="row 2: no text under 3 columns"):
        texts(tmp_path, ("good", "good"), (" ", "bad"))
    with pytest.raises(DataError, match="has no column 'body'"):
        load_table(tmp_path / "reviews.csv", "label", "body")


@pytest.mark.parametrize("kind", ["noise:0.5", "remove:1", "decimate:3", "dope:0.5"])
def test_texts_are_made_worse_and_stay_texts(tmp_path, kind: str) -> None:
    rows = [(f"film number {i} was {'good' if i % 2 else 'bad'}", str(i % 2)) for i in range(20)]
    mine = in_form(texts(tmp_path, *rows), WORDS)
    worse = corrupt_records(mine, Corruption.parse(kind), seed=1)
    assert worse.files != mine.files
    assert all(worse.files)
    assert torch.equal(worse.labels, mine.labels)
    assert worse.inputs.shape == mine.inputs.shape
