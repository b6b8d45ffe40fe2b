"""Task documents come from strangers: one form, bounded, and told in one line what is wrong."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.models.canonical import to_canonical
from offchain.storage import ContentTooLarge, cid_from_digest, cid_of
from offchain.task import (
    MAX_TASK_BYTES,
    MODALITIES,
    Least,
    Task,
    TaskError,
    canonical_classes,
    fetch_task,
    publish_task,
)
from offchain.task.document import MAX_RETENTION
from tests.kit.memory_store import MemoryStore

CID = cid_of(b"some document")
TASK = Task(
    "images",
    ("café", "tea"),
    (3, 0, 64),
    "CC-BY-4.0",
    {"extractor": CID, "preprocessing": CID},
    ("mail@example.org", "/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW"),
    "One cup.\nNo faces.",
    Least(5, 100, 90),
    86_400,
)


def document(**changes):
    """The bytes of a good task with `changes`; ... as a value takes the field out."""
    fields = json.loads(TASK.to_bytes()) | changes
    return to_canonical({name: value for name, value in fields.items() if value is not ...})


def test_a_task_is_found_again_by_its_digest_and_stays():
    network: dict[str, bytes] = {}
    digest = publish_task(MemoryStore(network), TASK)
    assert len(digest) == 32
    reader = MemoryStore(network)
    assert fetch_task(reader, digest) == TASK
    network.clear()
    assert fetch_task(reader, digest) == TASK


def test_the_form_is_what_others_implement():
    """Written out once: who changes it changes every digest, and the number of the format."""
    assert TASK.to_bytes() == (
        b'{"classes":["caf\\u00e9","tea"],"contact":["mail@example.org",'
        b'"/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW"],"content":"One cup.\\nNo faces.",'
        b'"documents":{"extractor":"'
        + CID.encode()
        + b'","preprocessing":"'
        + CID.encode()
        + b'"},'
        b'"format":"souk.task.v2","least":{"distinct":90,"per_class":5,"samples":100},'
        b'"licence":"CC-BY-4.0","modality":"images","retention":86400,"shape":[3,0,64]}'
    )


HOSTILE = {
    "empty": b"",
    "no JSON": b"\xff\x00",
    "a list": b"[]",
    "deep brackets": b"[" * 100_000,
    "a missing field": document(licence=...),
    "an extra field": document(price=1),
    "another format": document(format="souk.task.v1"),
    "another modality": document(modality="smells"),
    "no classes": document(classes=[]),
    "a class twice": document(classes=["tea", "tea"]),
    "classes out of order": document(classes=["tea", "café"]),
    "a decomposed class": document(classes=[unicodedata.normalize("NFD", "café"), "tea"]),
    "an empty class": document(classes=["", "tea"]),
    "a class of spaces": document(classes=[" "]),
    "a class that ends in a space": document(classes=["tea "]),
    "a class that drives a terminal": document(classes=["\x1b[2J"]),
    "a class that turns the writing round": document(classes=["a\u202eb"]),
    "a class with a line break": document(classes=["a\nb"]),
    "a class of half a character": document(classes=["\ud800"]),
    "a class too long": document(classes=["x" * 201]),
    "a class that is a number": document(classes=[5]),
    "a class that is a list": document(classes=[["tea"]]),
    "too many classes": document(classes=sorted(f"{i:x}" for i in range(65_537))),
    "a shape of two sides": document(shape=[28, 28]),
    "a side that is negative": document(shape=[3, -1, 28]),
    "a side too long": document(shape=[3, 65_537, 28]),
    "a side that is a bool": document(shape=[True, 28, 28]),
    "a side that is a float": document(shape=[3.0, 28, 28]),
    "a side of 4,000 digits": document(shape=[3, 10**4000, 28]),
    "two channels": document(shape=[2, 28, 28]),
    "the shape of a table": document(modality="table"),
    "no licence": document(licence=""),
    "a licence too long": document(licence="x" * 4_097),
    "a licence that is a number": document(licence=4),
    "a contact that is a number": document(contact=[4]),
    "too many contacts": document(contact=["a@b.org"] * 17),
    "a contact too long": document(contact=["x" * 257]),
    "a content too long": document(content="x" * 4_097),
    "a document that is no CID": document(documents={"extractor": "../../etc/passwd"}),
    "a document of version 0": document(
        documents={"extractor": "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"}
    ),
    "a document that is a number": document(documents={"extractor": 5}),
    "a document called by a sentence": document(documents={"The extractor": CID}),
    "too many documents": document(documents={f"d{i}": CID for i in range(17)}),
    "documents that are a list": document(documents=[CID]),
    "counts with a field too few": document(least={"samples": 1, "distinct": 1}),
    "a negative count": document(least={"samples": -1, "distinct": 1, "per_class": 1}),
    "a count that is a bool": document(least={"samples": True, "distinct": 1, "per_class": 1}),
    "a count past all readers": document(least={"samples": 2**53, "distinct": 1, "per_class": 1}),
    "a count that is a float": document(least={"samples": 1.5, "distinct": 1, "per_class": 1}),
    "a negative retention": document(retention=-1),
    "a retention that is a bool": document(retention=True),
    "a retention of a lifetime": document(retention=MAX_RETENTION + 1),
    "a space": document().replace(b":", b": ", 1),
    "a line break at the end": document() + b"\n",
    "a field twice": document()[:-1] + b',"modality":"images"}',
    "another order": json.dumps(dict(reversed(json.loads(document()).items()))).encode(),
    "another spelling of a letter": document().replace(b"tea", b"te\\u0061"),
    "too long": document(content="x" * MAX_TASK_BYTES),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_task_is_refused_in_one_line(case):
    with pytest.raises(TaskError) as caught:
        Task.from_bytes(HOSTILE[case])
    said = str(caught.value)
    assert said.isprintable()
    assert 0 < len(said) < 400


def test_a_document_past_one_block_is_neither_fetched_nor_written():
    store = MemoryStore({})
    long = store.put(b" " * (MAX_TASK_BYTES + 1))
    assert cid_from_digest(bytes(32)) != long
    with pytest.raises(ContentTooLarge):
        store.get(long, MAX_TASK_BYTES)
    many = canonical_classes([f"{i:05}" + "x" * 100 for i in range(3_000)])
    with pytest.raises(TaskError, match="bytes, at most 262144 are allowed"):
        replace(TASK, classes=many).to_bytes()


def test_peers_are_the_multiaddresses_among_the_contacts():
    assert TASK.peers == ("/ip4/192.0.2.1/tcp/4001/p2p/12D3KooW",)


# ------------------------------------------------------------------ whatever anybody writes

LETTERS = st.characters(categories=("L", "N", "P", "S"), exclude_characters="\u200e\u200f")
NAMES = st.text(LETTERS, min_size=1, max_size=12).map(
    lambda text: unicodedata.normalize("NFC", text)
)


@st.composite
def tasks(draw):
    modality = draw(st.sampled_from(sorted(MODALITIES)))
    sides = draw(
        st.lists(
            st.integers(0, 65_536), min_size=MODALITIES[modality], max_size=MODALITIES[modality]
        )
    )
    if modality == "images":
        sides[0] = draw(st.sampled_from([0, 1, 3]))
    count = st.integers(0, 2**53 - 1)
    digests = st.binary(min_size=32, max_size=32)
    return Task(
        modality,
        canonical_classes(draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))),
        tuple(sides),
        draw(NAMES),
        {f"d{i}": cid_from_digest(d) for i, d in enumerate(draw(st.lists(digests, max_size=4)))},
        tuple(draw(st.lists(NAMES, max_size=4))),
        draw(NAMES),
        Least(draw(count), draw(count), draw(count)),
    )


@given(tasks())
def test_what_is_written_is_read_as_it_was(task):
    assert Task.from_bytes(task.to_bytes()) == task


@given(tasks(), st.data())
def test_no_second_sequence_of_bytes_says_the_same(task, data):
    """So that one digest names it: whatever byte is changed, it is another task or none."""
    written = task.to_bytes()
    place = data.draw(st.integers(0, len(written) - 1))
    other = bytearray(written)
    other[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != written[place]))
    try:
        read = Task.from_bytes(bytes(other))
    except TaskError:
        return
    assert read != task


@given(st.binary(max_size=200))
def test_strange_bytes_are_no_task_and_nothing_else_is_raised(data):
    with pytest.raises(TaskError):
        Task.from_bytes(data)
