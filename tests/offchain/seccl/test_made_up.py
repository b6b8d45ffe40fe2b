"""A server that speaks for a member that sent nothing: neither readers nor the audit believe it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.seccl import reading
from offchain.seccl.audit import audit
from offchain.seccl.documents import Catalogue
from offchain.seccl.messages import MessageKind, Receipt
from offchain.seccl.server import Server
from offchain.seccl.updates import UpdateHeader, encode_update
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import MEMBERS, UPLOAD, Yard, made_updates

SILENT = 3


class Speaks(Server):
    """Makes up an update for a member that sent none, with the signature that another gave it."""

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        listed = super()._listed(round_, kind)
        if kind != UPLOAD:
            return listed
        key = self.session.key(round_, kind, SILENT)
        header = UpdateHeader(round_, str(SILENT), self.session.description.model)
        content = encode_update(made_updates(9)[0], header)
        receipt = Receipt(
            key, self.session.board.message_hash(key, content), listed.entries[0].deadline
        )
        made = self._entry(self._promise(receipt, content, listed.entries[0].authored))
        return replace(listed, entries=(*listed.entries, made))


def spoken_for(batched: bool) -> Yard:
    """A round in which all but one member upload."""
    yard = Yard.new(server=Speaks, batched=batched)
    yard.upload(silent=SILENT)
    return yard


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_what_an_author_did_not_sign_counts_for_nothing(batched: bool) -> None:
    """The others' updates are read as ever; the audit names it and goes on."""
    yard = spoken_for(batched)
    found = yard.reading()
    assert sorted(found.contents) == sorted(found.hashes) == list(range(SILENT))
    assert (found.unsigned, found.trouble) == ({SILENT}, "")
    usable, refused = yard.members[0].updates(0, found, yard.model)
    assert sorted(usable) == list(range(SILENT))
    assert refused == {SILENT: "the server posted what it did not sign"}
    yard.judge(0, [SILENT])
    told = audit(yard.session, yard.store, recover).refused
    assert told == [f"round 0, member {SILENT}: the server posted what it did not sign"]


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_a_reader_that_asks_for_no_signature_is_deceived(batched: bool, monkeypatch) -> None:
    """The twin: the same server, and readers as they were."""
    yard = spoken_for(batched)
    monkeypatch.setattr(reading, "is_authored", lambda *_: True)
    assert sorted(yard.reading().contents) == list(range(MEMBERS))


def test_what_the_author_posts_itself_needs_no_signature() -> None:
    """Its own post counts in place of what the server made up."""
    yard = spoken_for(True)
    member = yard.members[SILENT]
    member.upload(0, made_updates(0)[SILENT], yard.model)
    for action in yard.objections(SILENT):
        yard.apply(action)
    found = yard.reading()
    assert not found.unsigned
    assert sorted(found.contents) == list(range(MEMBERS))
