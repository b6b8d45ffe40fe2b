"""Content that a server, or a member, shows to some or to nobody: what is read counts for all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.seccl import actions as do
from offchain.seccl.audit import AuditError, audit
from offchain.seccl.participant import Participant
from offchain.seccl.reading import Reading, read
from offchain.seccl.server import Server
from offchain.storage import cid_of, digest_of
from tests.kit.peer_store import PeerStore, peer_stores
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import (
    EVALUATION,
    MEMBERS,
    UPLOAD,
    WALLETS,
    Yard,
    made_updates,
)

VICTIM, WITNESS = 1, 3
BOTH = pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])


class Nodes:
    """A yard in which every party has a datastore of its own."""

    def __init__(self, batched: bool) -> None:
        self.yard = Yard.new(batched=batched)
        self.stores = peer_stores(["server", *(f"member {i}" for i in range(MEMBERS)), "auditor"])
        self.yard.server._store = self.stores["server"]
        for member in self.yard.members:
            member._store = self.store(member.index)

    @property
    def server(self) -> PeerStore:
        """The server's node."""
        return self.stores["server"]

    def store(self, member: int) -> PeerStore:
        """A member's node."""
        return self.stores[f"member {member}"]

    def look(self, member: int, now: int, *, objects: bool = True) -> Reading:
        """A member reads the uploads and posts itself where it has to; what it reads then."""
        yard, store = self.yard, self.store(member)
        reading = read(yard.session, 0, UPLOAD, store, recover)
        if objects:
            for action in yard.members[member].objections(0, UPLOAD, reading, None, now):
                if isinstance(action, do.PostOwn):
                    yard.apply(action)
        return read(yard.session, 0, UPLOAD, store, recover)

    def audited(self) -> Reading:
        """What a stranger reads."""
        return read(self.yard.session, 0, UPLOAD, self.stores["auditor"], recover)


def uploaded(batched: bool) -> tuple[Nodes, int, int]:
    """Nodes after the server's post, the deadline of its receipts and the end of the window."""
    nodes = Nodes(batched)
    yard = nodes.yard
    updates = zip(yard.members, made_updates(0), strict=True)
    yard.exchange(0, UPLOAD, [m.upload(0, update, yard.model) for m, update in updates])
    start, end = yard.session.terms.window(0, UPLOAD)
    return nodes, (start + end) // 2, end


@BOTH
def test_what_the_server_shows_its_author_alone_all_read(batched: bool) -> None:
    """The author finds all in order and posts nothing itself; the others find its message by its
    own node, and the catalogue too."""
    nodes, now, end = uploaded(batched)
    nodes.server.serves = lambda reader, _: reader == f"member {VICTIM}"
    assert VICTIM in nodes.look(VICTIM, now).contents
    for member in range(MEMBERS):
        assert nodes.look(member, end).contents.keys() == set(range(MEMBERS))
    assert nodes.audited().contents.keys() == set(range(MEMBERS))
    assert not nodes.yard.session.posted(0, UPLOAD, own=True)


@BOTH
def test_what_was_read_outlives_the_server(batched: bool) -> None:
    """All is in order until the window ends and nobody can post itself; then the server is gone."""
    nodes, now, _ = uploaded(batched)
    for member in range(MEMBERS):
        assert not nodes.look(member, now).trouble
    nodes.server.up = False
    found = nodes.audited()
    assert (found.contents.keys(), found.trouble) == (set(range(MEMBERS)), "")


@BOTH
def test_members_that_serve_nothing_are_left_out(batched: bool, monkeypatch) -> None:
    """The twin of both: members as they were."""
    monkeypatch.setattr(Participant, "_keep_served", lambda *_: None)
    nodes, now, _ = uploaded(batched)
    for store in (nodes.store(i) for i in range(MEMBERS)):
        store.pinned.clear()
    for member in range(MEMBERS):
        nodes.look(member, now)
    nodes.server.up = False
    found = nodes.audited()
    assert found.trouble
    assert not found.contents


@BOTH
def test_who_is_shown_nothing_posts_itself_while_there_is_time(batched: bool) -> None:
    """By the receipt's deadline there is a margin left, whatever the server's last second is."""
    nodes, now, end = uploaded(batched)
    nodes.server.serves = lambda *_: False
    assert end - now >= nodes.yard.session.terms.margin(UPLOAD)
    for member in range(MEMBERS):
        nodes.look(member, now)
    assert nodes.yard.session.posted(0, UPLOAD, own=True).keys() == set(range(MEMBERS))
    assert nodes.audited().contents.keys() == set(range(MEMBERS))


def test_a_post_in_the_windows_last_second_convicts() -> None:
    """The promise was for its middle: by then members have posted themselves, and prove it."""
    nodes = Nodes(batched=True)
    yard = nodes.yard
    for member, update in zip(yard.members, made_updates(0), strict=True):
        sent = member.upload(0, update, yard.model)
        member.keep(
            yard.server.receive(*(sent.key, sent.content, sent.authored), yard.now(0, UPLOAD))
        )
    start, end = yard.session.terms.window(0, UPLOAD)
    reading = read(yard.session, 0, UPLOAD, nodes.store(VICTIM), recover)
    proof, own = yard.members[VICTIM].objections(0, UPLOAD, reading, None, (start + end) // 2)
    assert isinstance(proof, do.ProveUnposted)
    assert isinstance(own, do.PostOwn)
    yard.apply(own)
    (posted,) = yard.server.post(0, UPLOAD)
    yard.apply(replace(posted, document=bytes(32)))
    assert nodes.audited().contents.keys() == {VICTIM}


def test_a_catalogue_that_names_other_content_makes_its_author_post_itself() -> None:
    """The hash is the one that was signed, so that nothing convicts, and the CID names nothing."""

    class Misnames(Server):
        def _listed(self, round_, kind):
            listed = super()._listed(round_, kind)
            wrong = (
                replace(e, content=bytes(32)) if e.author == VICTIM else e for e in listed.entries
            )
            return replace(listed, entries=tuple(wrong))

    yard = Yard.new(Misnames)
    reading = yard.uploads()
    assert (reading.contents.keys(), reading.trouble) == (set(range(MEMBERS)) - {VICTIM}, "")
    (own,) = yard.objections(VICTIM)
    yard.apply(own)
    assert yard.reading().contents.keys() == set(range(MEMBERS))


def test_what_a_member_shows_to_one_honest_member_all_read() -> None:
    """A member posts itself and serves one other alone: who has read it serves it on, so that no
    elected update is one member's secret."""
    nodes, _, end = uploaded(batched=True)
    cheat = nodes.store(VICTIM)
    sent = nodes.yard.members[VICTIM].upload(0, made_updates(9)[0], nodes.yard.model)
    document = cheat.put(sent.content)
    only = {f"member {WITNESS}"}
    cheat.serves = lambda reader, cid: cid != document or reader in only
    path = nodes.yard.session.member_path(VICTIM)
    nodes.yard.apply(do.PostOwn(sent.key, sent.message, path, digest_of(document)))
    assert VICTIM in nodes.audited().missing
    assert VICTIM in nodes.look(WITNESS, end).contents
    assert VICTIM in nodes.audited().contents


def test_an_evaluation_lies_nowhere_before_it_is_sent() -> None:
    """Else who watches the network would see ballots before they are committed to."""
    yard = Yard.new()
    said = yard.members[VICTIM].evaluation(0, [0.5] * MEMBERS, ())
    assert not yard.store.network
    now = yard.now(0, EVALUATION)
    receipt = yard.server.receive(said.key, said.content, said.authored, now)
    yard.store.remove(cid_of(said.content))
    yard.members[VICTIM].keep(receipt)
    assert yard.store.get(cid_of(said.content)) == said.content


class Hides(Server):
    """Posts what names nothing, round after round, and answers every question."""

    def post(self, round_, kind):
        return [replace(one, document=bytes(32)) for one in super().post(round_, kind)]


def bonds_paid(rounds: int = 3) -> int:
    """How often a member asks a server that hides and answers, in so many rounds."""
    yard, asked = Yard.new(Hides), 0
    for round_ in range(rounds):
        yard.uploads(round_)
        for action in yard.objections(VICTIM, round_):
            asked += isinstance(action, do.Challenge)
            yard.apply(action, WALLETS[VICTIM].address)
        for action in yard.server.answers():
            yard.apply(action)
        assert VICTIM in yard.reading(round_).contents, "it posts itself"
    return asked


def test_a_server_does_not_live_on_the_bonds_of_what_it_hides() -> None:
    """Who was answered rightly asks no more, as long as it can post itself."""
    assert bonds_paid() == 1


def test_who_asks_again_and_again_pays_for_every_batch(monkeypatch) -> None:
    """The twin: members as they were, who knew no answer."""

    def ask(self, key, now):
        return [] if key in self.session.challenges else [do.Challenge(key, self.index, ())]

    monkeypatch.setattr(Participant, "_challenge", ask)
    assert bonds_paid() == 3


def test_who_cannot_post_itself_any_more_asks_whatever_was_answered() -> None:
    """Then the leaf is all it has against the server."""
    yard = Yard.new(Hides)
    for round_ in (0, 1):
        yard.uploads(round_)
        late = yard.session.terms.window(round_, UPLOAD)[1]
        (asked,) = yard.objections(VICTIM, round_, now=late)
        assert isinstance(asked, do.Challenge)
        yard.apply(asked, WALLETS[VICTIM].address)
        for action in yard.server.answers():
            yard.apply(action)


# -------------------------------------------------------------------- the audit goes on


def test_what_a_server_hides_stops_no_audit() -> None:
    """All post themselves; the audit says what it was not shown, and computes every model."""
    yard = Yard.new(Hides)
    for kind, play in ((UPLOAD, yard.uploads), (EVALUATION, yard.judge)):
        play(0)
        now = yard.now(0, kind)
        for member in yard.members:
            for action in member.objections(0, kind, yard.reading(0, kind), None, now):
                if isinstance(action, do.PostOwn):
                    yard.apply(action)
    found = audit(yard.session, yard.store, recover)
    assert found.own_posts == 2 * MEMBERS
    where = [one.partition(":")[0] for one in found.faults]
    assert where == ["round 0, uploads", "round 0, evaluations"]
    assert found.digests[0] != found.digests[1]


def test_an_elected_update_that_is_not_to_be_had_ends_the_audit() -> None:
    """Whoever has it computes another model."""
    yard = Yard.new()
    yard.uploads()
    yard.judge()
    batch = yard.session.batches[0, UPLOAD]
    yard.session.batches[0, UPLOAD] = replace(batch, document=bytes(32))
    with pytest.raises(AuditError, match="the elected update of member 0 is not to be had"):
        audit(yard.session, yard.store, recover)
