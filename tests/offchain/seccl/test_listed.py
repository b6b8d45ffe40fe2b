"""Catalogues that whoever keeps for others fetches: nobody's missing one keeps the rest waiting."""

from __future__ import annotations

from threading import Event

import pytest

from offchain.seccl import listed
from offchain.seccl.documents import Catalogue
from offchain.seccl.listed import Batch, Catalogues
from offchain.seccl.messages import MessageKind
from offchain.storage import DatastoreUnavailable, cid_from_digest, digest_of
from tests.kit.memory_store import MemoryStore

MEMBERS = 3


class Slow(MemoryStore):
    """What lies nowhere is looked for until `over`."""

    def __init__(self) -> None:
        super().__init__({})
        self.over = Event()

    def get(self, cid, max_bytes=None):
        if cid not in self.network:
            self.over.wait(30)
        return super().get(cid, max_bytes)


@pytest.fixture
def store():
    store = Slow()
    yield store
    store.over.set()


def batch(number: int, store: MemoryStore, *, there: bool = True) -> Batch:
    catalogue = Catalogue(bytes([number]) * 32, 0, MessageKind.UPLOAD, ())
    cid = store.put(catalogue.to_bytes())
    if not there:
        store.remove(cid)
    return Batch(catalogue.session, 0, MessageKind.UPLOAD, MEMBERS, digest_of(cid))


def looked(store: MemoryStore) -> tuple[Batch, Catalogues]:
    """Of several that are nowhere, and then of one that is there."""
    gone = [batch(number, store, there=False) for number in range(2, 6)]
    here, catalogues = batch(1, store), Catalogues(store, 0.3)
    catalogues.look(gone)
    catalogues.look([*gone, here])
    return here, catalogues


def test_what_lies_nowhere_keeps_nobody_waiting(store):
    here, catalogues = looked(store)
    assert set(catalogues.found) == {here}


def test_twin_that_fetches_one_after_the_other_is_kept_waiting(store, monkeypatch):
    monkeypatch.setattr(listed, "PARALLEL", 1)
    _, catalogues = looked(store)
    assert not catalogues.found


def test_what_turns_up_is_found_and_what_is_no_more_wanted_is_dropped(store):
    store.over.set()
    late, catalogues = batch(1, store, there=False), Catalogues(store)
    catalogues.look([late])
    assert not catalogues.found
    batch(1, store)
    catalogues.look([late])
    assert set(catalogues.found) == {late}
    store.remove(cid_from_digest(late.document))
    catalogues.look([late])
    assert set(catalogues.found) == {late}
    catalogues.look([])
    assert not catalogues.found


def test_another_sessions_catalogue_is_none(store):
    store.over.set()
    other, catalogues = batch(1, store)._replace(session=bytes(32)), Catalogues(store)
    catalogues.look([other])
    assert not catalogues.found


def test_a_node_of_ones_own_that_does_not_answer_is_told(store, monkeypatch):
    def silent(cid, max_bytes=None):
        raise DatastoreUnavailable("it does not answer")

    monkeypatch.setattr(store, "get", silent)
    with pytest.raises(DatastoreUnavailable):
        Catalogues(store).look([batch(1, store)])
