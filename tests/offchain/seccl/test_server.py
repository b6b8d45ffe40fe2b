"""A server without a chain: what it takes, what it promises, and what it knows after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offchain.seccl import actions as do
from offchain.seccl import session as ev
from offchain.seccl.documents import Catalogue, SignedReceipt
from offchain.seccl.journal import Journal, JournalError
from offchain.seccl.participant import Message, ReceiptRefused
from offchain.seccl.server import MessageRefused, Server, TooLate
from offchain.storage import cid_from_digest
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.seccl.session_in_memory import (
    MEMBERS,
    SERVER,
    UPLOAD,
    WALLETS,
    WINDOW,
    MemoryJournal,
    Yard,
    made_updates,
    new_session,
)

POSTS = pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where the server's journal is."""
    return tmp_path / "server"


def yard_with(folder: Path, batched: bool = True) -> Yard:
    """A yard whose server keeps a journal on disk."""
    return Yard.new(batched=batched, journal=Journal(folder, new_session(batched).id))


def restarted(yard: Yard, folder: Path) -> Server:
    """The server built again from chain, datastore and disk."""
    journal = Journal(folder, yard.session.id)
    yard.server = Server(yard.session, SERVER, recover, yard.store, journal)
    return yard.server


def messages(yard: Yard, round_: int = 0, seed: int = 0) -> list[Message]:
    """What members send; the same again for the same seed."""
    updates = zip(yard.members, made_updates(seed), strict=True)
    return [member.upload(round_, update, yard.model) for member, update in updates]


def take(yard: Yard, sent: list[Message]) -> None:
    """The server takes them at the first second of their window."""
    for message in sent:
        now = yard.now(message.key.round, message.key.kind)
        signed = yard.server.receive(message.key, message.content, message.authored, now)
        yard.members[message.key.author].keep(signed)


def test_a_server_takes_one_message_a_place_in_time_and_of_its_size() -> None:
    yard = Yard.new()
    sent = yard.members[0].upload(0, made_updates(0)[0], yard.model)
    now = yard.now(0, UPLOAD)
    # A post sent in the newest block's last moments lies in the next one.
    latest = now + WINDOW // 2 - yard.session.terms.margin(UPLOAD)
    refused = (
        (sent.key, sent.content, latest, f"messages are taken until {latest}, it is {latest}"),
        (replace(sent.key, session=bytes(32)), sent.content, now, "no place of this session"),
        (replace(sent.key, author=MEMBERS), sent.content, now, "no place of this session"),
    )
    for key, content, when, why in refused:
        with pytest.raises(MessageRefused, match=why):
            yard.server.receive(key, content, sent.authored, when)
    long = yard.members[0].send(0, UPLOAD, sent.content + bytes(5_000))
    with pytest.raises(MessageRefused, match="at most"):
        yard.server.receive(long.key, long.content, long.authored, now)
    stranger = yard.members[1].send(0, UPLOAD, sent.content).authored
    with pytest.raises(MessageRefused, match="member 0 did not sign its upload"):
        yard.server.receive(sent.key, sent.content, stranger, now)
    yard.server.receive(sent.key, sent.content, sent.authored, latest - 1)
    other = yard.members[0].upload(0, made_updates(1)[0], yard.model)
    with pytest.raises(MessageRefused, match="round 0: another upload of member 0 was taken"):
        yard.server.receive(other.key, other.content, other.authored, now)


@POSTS
def test_what_comes_after_the_post_gets_no_receipt(batched: bool) -> None:
    """A promise to post it could no more be kept; what was taken gets its receipt again."""
    yard = Yard.new(batched=batched)
    *taken, late = messages(yard)
    take(yard, taken)
    posts = yard.server.post(0, UPLOAD)
    now = yard.now(0, UPLOAD)
    for told in (False, True):
        with pytest.raises(TooLate, match="round 0: the uploads taken are posted"):
            yard.server.receive(late.key, late.content, late.authored, now)
        again = yard.server.receive(taken[0].key, taken[0].content, taken[0].authored, now + WINDOW)
        assert again == yard.members[0].receipts[taken[0].key]
        if not told:
            for action in posts:
                yard.apply(action)
    assert yard.server.post(0, UPLOAD) == [], "nothing is posted twice"


def test_content_and_promise_are_kept_before_anything_is_signed(folder: Path) -> None:
    """Whoever looks over its shoulder while it signs finds both."""
    yard = yard_with(folder)
    seen = []

    class Watched:
        address = SERVER.address

        def sign(self, typed):
            promises = Journal(folder, yard.session.id).at(0, UPLOAD).promises.values()
            assert all(cid_from_digest(made.content) in yard.store.pinned for made in promises)
            seen.append({made.receipt.message for made in promises})
            return SERVER.sign(typed)

    yard.server = Server(yard.session, Watched(), recover, yard.store, yard.server.journal)
    sent = messages(yard)
    take(yard, sent)
    assert seen == [{one.message for one in sent[: i + 1]} for i in range(MEMBERS)]


@POSTS
def test_a_restarted_server_keeps_its_word(folder: Path, batched: bool) -> None:
    """It refuses a second message of the same place, gives the same receipt for the same one, takes
    those that are missing, and posts what it would have posted."""
    undisturbed = yard_with(folder.with_name("undisturbed"), batched)
    take(undisturbed, messages(undisturbed))
    yard = yard_with(folder, batched)
    first, second, *rest = messages(yard)
    take(yard, [first, second])
    before = dict(yard.members[1].receipts)

    server = restarted(yard, folder)
    other = yard.members[0].upload(0, made_updates(1)[0], yard.model)
    with pytest.raises(MessageRefused, match="another upload of member 0 was taken before"):
        server.receive(other.key, other.content, other.authored, yard.now(0, UPLOAD))
    take(yard, [second, *rest])
    assert before.items() <= yard.members[1].receipts.items()
    assert restarted(yard, folder).post(0, UPLOAD) == undisturbed.server.post(0, UPLOAD)


@POSTS
def test_a_restarted_server_posts_what_it_promised_though_nobody_speaks(
    folder: Path, batched: bool
) -> None:
    """In the window, and once; then nobody has anything to object."""
    yard = yard_with(folder, batched)
    take(yard, messages(yard))
    start, end = yard.session.terms.window(0, UPLOAD)
    server = restarted(yard, folder)
    assert not server.overdue(start - 1)
    assert not server.overdue(end)
    for action in server.overdue(start):
        yard.apply(action)
    assert server.overdue(start) == []
    for now in (start, end - 1, end):
        assert not any(yard.objections(member, now=now) for member in range(MEMBERS))


def test_a_server_killed_between_its_posts_posts_the_others(folder: Path) -> None:
    yard = yard_with(folder, batched=False)
    take(yard, messages(yard))
    first, *others = yard.server.post(0, UPLOAD)
    yard.apply(first)
    assert restarted(yard, folder).overdue(yard.now(0, UPLOAD)) == others


def test_a_restarted_server_shows_what_is_in_its_batch(folder: Path) -> None:
    """To whoever asks, as on the chain: a challenge is answered."""
    yard = yard_with(folder)
    yard.uploads()
    listed = yard.server.hand(0, 0, UPLOAD)
    server = restarted(yard, folder)
    assert isinstance(listed, Catalogue)
    assert server.hand(0, 0, UPLOAD) == listed
    key = yard.session.key(0, UPLOAD, 2)
    yard.session.apply(ev.Challenged(key, WALLETS[2].address, 0))
    (answer,) = server.answers()
    assert isinstance(answer, do.Answer)
    assert answer.message == listed.entries[2].message


def test_a_server_that_forgets_signs_twice(folder: Path) -> None:
    """What the journal is for: without it the same restart makes the proof that convicts."""
    yard = Yard.new()
    (sent, *_) = messages(yard)
    take(yard, [sent])
    kept = yard.members[0].receipts[sent.key]
    yard.server = Server(yard.session, SERVER, recover, yard.store, MemoryJournal(yard.session.id))
    other = messages(yard, seed=1)
    yard.exchange(0, UPLOAD, other)
    yard.members[0].receipts[sent.key] = kept
    (proof, *_) = yard.objections(0)
    assert proof == do.ProveAlteredInBatch(kept, other[0].message, proof.path)


def test_promises_are_for_the_server_alone_and_belong_to_its_session(folder: Path) -> None:
    yard = yard_with(folder)
    take(yard, messages(yard))
    (page,) = folder.iterdir()
    assert page.name == "0-upload.json"
    assert page.stat().st_mode & 0o777 == 0o600
    with pytest.raises(JournalError, match="it is of another session, round or kind"):
        Journal(folder, bytes(32))
    page.rename(folder / "1-upload.json")
    with pytest.raises(JournalError, match="it is of another session, round or kind"):
        Journal(folder, yard.session.id)


@pytest.mark.parametrize("change", [b"", b"{}", None], ids=["empty", "fields", "promise"])
def test_a_broken_journal_is_refused_in_one_line(folder: Path, change: bytes | None) -> None:
    """A server that went on without it would forget."""
    yard = yard_with(folder)
    take(yard, messages(yard))
    (page,) = folder.iterdir()
    whole = page.read_bytes()
    page.write_bytes(whole.replace(b'[[0,"', b'[["0","x', 1) if change is None else change)
    with pytest.raises(JournalError, match=r"upload\.json is no page of a journal") as error:
        Journal(folder, yard.session.id)
    assert "\n" not in str(error.value)
    page.rename(folder / "notes.json")
    with pytest.raises(JournalError, match=r"notes\.json is no page of a journal"):
        Journal(folder, yard.session.id)


def test_each_rounds_receipts_are_signed_by_its_signer() -> None:
    """A member takes no other; and a server without that key takes no message."""
    yard, new = Yard.new(), KeyWallet("new")
    (action,) = yard.server.replace_key(new)
    assert action == do.ReplaceSigner(yard.session.id, new.address)
    old, later = messages(yard, 0)[0], messages(yard, 1)[0]
    yard.session.apply(ev.SignerReplaced(1, new.address))
    signed = {}
    for sent in (old, later):
        now = yard.now(sent.key.round, UPLOAD)
        signed[sent] = yard.server.receive(sent.key, sent.content, sent.authored, now)
        yard.members[0].keep(signed[sent])
    for sent, wallet in ((old, new), (later, SERVER)):
        receipt = signed[sent].receipt
        forged = SignedReceipt(receipt, wallet.sign(yard.session.board.typed_data(receipt)))
        with pytest.raises(ReceiptRefused, match="did not sign"):
            yard.members[0].keep(forged)
    yard.session.apply(ev.SignerReplaced(2, WALLETS[0].address))
    last = messages(yard, 2)[0]
    with pytest.raises(MessageRefused, match=r"round 2: .* signs receipts, whose key is not here"):
        yard.server.receive(last.key, last.content, last.authored, yard.now(2, UPLOAD))
