"""Members and server of collaborative training, without a chain: what they take, refuse, and do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from offchain.crypto import commitments as cm
from offchain.seccl import actions as do
from offchain.seccl import session as ev
from offchain.seccl.adversaries import (
    Alters,
    Drops,
    Equivocates,
    Lie,
    LyingServer,
    Replays,
    Stalls,
    Withholds,
)
from offchain.seccl.ballots import unpack_ranking
from offchain.seccl.documents import Evaluation, SignedReceipt
from offchain.seccl.messages import BoardError, MessageKind
from offchain.seccl.participant import Participant, ReceiptRefused
from offchain.seccl.server import Server
from offchain.seccl.updates import SparseUpdate, UpdateHeader, decode_update, encode_update
from offchain.storage import cid_from_digest, digest_of
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.seccl.session_in_memory import (
    CONSENSUS,
    MEMBERS,
    RESPONSE,
    SERVER,
    UPLOAD,
    WALLETS,
    WINDOW,
    Yard,
    made_updates,
    new_session,
)

VICTIM, WITNESS, OTHER = 1, 2, 3


def lying(how: type[LyingServer], batched: bool = True, round_: int = 0) -> Yard:
    """A yard whose server lies about the victim's upload."""
    return Yard.new(how, batched, lie=Lie(round_, VICTIM, WITNESS))


# -------------------------------------------------------------------- joining


def test_a_session_is_what_its_id_says() -> None:
    """Other members than the board's root has are noticed before anybody joins."""
    session = new_session()
    stranger = replace(
        session.description, members=(*session.description.members[:-1], SERVER.address)
    )
    with pytest.raises(BoardError, match="listed members are not those"):
        ev.Session(session.board, session.id, session.terms, stranger)
    with pytest.raises(BoardError, match="the terms are not those of session"):
        ev.Session(session.board, session.id, replace(session.terms, bond=2), session.description)


def test_a_member_plays_with_its_own_key() -> None:
    yard = Yard.new()
    with pytest.raises(ValueError, match="is not member 0"):
        Participant(yard.session, 0, WALLETS[1], recover, yard.store)


# -------------------------------------------------------------------- receipts


def test_a_receipt_is_kept_when_it_is_worth_something() -> None:
    """For the member's own message, with time left to post it, by the server's key."""
    yard = Yard.new()
    member = yard.members[0]
    sent = member.upload(0, made_updates(0)[0], yard.model)
    good = yard.server.receive(sent.key, sent.content, sent.authored, yard.now(0, UPLOAD))
    word = good.receipt

    def signed(receipt, wallet=SERVER) -> SignedReceipt:
        return SignedReceipt(receipt, wallet.sign(yard.session.board.typed_data(receipt)))

    latest = yard.session.terms.window(0, UPLOAD)[1] - yard.session.terms.margin(UPLOAD)
    for bad, why in (
        (signed(replace(word, message=b"\1" * 32)), "did not send"),
        (signed(replace(word, key=replace(word.key, author=2))), "did not send"),
        (signed(replace(word, deadline=latest + 1)), f"must be {latest} or before"),
        (signed(word, KeyWallet("a stranger")), "did not sign"),
        (replace(good, signature=bytes(65)), "did not sign"),
    ):
        with pytest.raises(ReceiptRefused, match=why):
            member.keep(bad)
    assert not member.receipts
    member.keep(good)
    assert member.receipts == {sent.key: good}


# -------------------------------------------------------------------- reading


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_nobody_objects_to_an_honest_server(batched: bool) -> None:
    """All read what was sent, and there is nothing to do, now or when the window ends."""
    yard = Yard.new(batched=batched)
    reading = yard.uploads()
    updates, refused = yard.members[0].updates(0, reading, yard.model)
    assert not refused
    for got, sent in zip(updates.values(), made_updates(0), strict=True):
        assert torch.equal(got.dense(), sent.dense())
    for now in (None, yard.now(0, UPLOAD) + WINDOW - 1, yard.now(0, UPLOAD) + 9 * WINDOW):
        assert not any(yard.objections(i, now=now) for i in range(MEMBERS))


def test_content_of_another_hash_than_the_boards_is_refused() -> None:
    """A catalogue may name any content; what counts is the board's hash."""
    yard = Yard.new()
    yard.uploads()
    batch = yard.session.batches[0, UPLOAD]
    listed = yard.server.hand(0, 0, UPLOAD)
    assert listed is not None
    swapped = [replace(one, content=listed.entries[0].content) for one in listed.entries]
    document = digest_of(yard.store.put(replace(listed, entries=tuple(swapped)).to_bytes()))
    yard.session.batches[0, UPLOAD] = replace(batch, document=document)
    reading = yard.reading()
    assert set(reading.contents) == {0}
    _, refused = yard.members[0].updates(0, reading, yard.model)
    assert refused == dict.fromkeys(
        range(1, MEMBERS), "its content has another hash than the board"
    )


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_what_the_board_does_not_keep_of_a_hash_decides_nothing(batched: bool) -> None:
    """Events tell 32 bytes as the server sent them, the board keeps 28: with other last bytes all
    is read as it was sent, also an author's own post, and nobody brings a proof that is none."""

    def flipped(hash_: bytes) -> bytes:
        return hash_[:-1] + bytes([hash_[-1] ^ 1])

    class Tails(Server):
        def post(self, round_, kind):
            return [
                replace(one, root=flipped(one.root))
                if isinstance(one, do.PostBatch)
                else replace(one, message=flipped(one.message))
                for one in super().post(round_, kind)
            ]

    yard = Yard.new(Tails, batched)
    yard.uploads()
    key = yard.session.key(0, UPLOAD, OTHER)
    sent = yard.members[OTHER]._sent[key]
    own = do.PostOwn(key, flipped(sent.message), yard.session.member_path(OTHER), bytes(32))
    yard.apply(replace(own, document=digest_of(yard.store.put(sent.content))))
    updates, refused = yard.members[0].updates(0, yard.reading(), yard.model)
    assert (set(updates), refused) == (set(range(MEMBERS)), {})
    for now in (None, yard.now(0, UPLOAD) + 9 * WINDOW):
        assert not any(yard.objections(i, now=now) for i in range(MEMBERS))


def bad_messages(yard: Yard) -> dict[str, tuple[bytes, str]]:
    """Uploads that must not be used, and why."""
    good = made_updates(0)[VICTIM]
    header = UpdateHeader(0, str(VICTIM), yard.model)
    fewer = SparseUpdate(torch.arange(2, dtype=torch.int32), good.values[:2], 50)
    broken = encode_update(good, header).replace(
        good.values[:1].numpy().tobytes(),
        b"\0\0\xc0\x7f",
        1,  # NaN, little-endian
    )
    return {
        "shape": (encode_update(fewer, header), "the update says total 50"),
        "NaN": (broken, "1 of .* values are NaN or infinite"),
        "round": (encode_update(good, replace(header, round=1)), "says round 1, expected 0"),
        "author": (encode_update(good, replace(header, author="2")), "says author '2'"),
        "model": (encode_update(good, replace(header, model="0" * 64)), "says model '000"),
        "no update": (b"hello", "an update has 8 bytes or more"),
    }


@pytest.mark.parametrize("what", ["shape", "NaN", "round", "author", "model", "no update"])
def test_an_update_that_cannot_be_used_is_not_evaluated(what: str) -> None:
    """It is refused with its reason and gets 0 from every honest member; the others count."""
    yard = Yard.new()
    content, why = bad_messages(yard)[what]
    sent = [m.upload(0, u, yard.model) for m, u in zip(yard.members, made_updates(0), strict=True)]
    sent[VICTIM] = yard.members[VICTIM].send(0, UPLOAD, content)
    yard.exchange(0, UPLOAD, sent)
    updates, refused = yard.members[0].updates(0, yard.reading(), yard.model)
    assert set(updates) == {0, 2, 3}
    assert re.search(why, refused[VICTIM])
    said = Evaluation.of(0, 0, [0.9] * MEMBERS, refused)
    assert said.scores[VICTIM] == 0 == said.scores[0]
    assert said.scores[2] > 0


def test_an_oversized_message_is_never_read_to_its_end() -> None:
    """The author posts it itself, past the server; members refuse it unread."""
    yard = Yard.new()
    yard.uploads()
    key = yard.session.key(0, UPLOAD, VICTIM)
    huge = bytes(1_000_000)
    document = digest_of(yard.store.put(huge))
    message = yard.session.board.message_hash(key, huge)
    yard.apply(do.PostOwn(key, message, yard.session.member_path(VICTIM), document))
    updates, refused = yard.members[0].updates(0, yard.reading(), yard.model)
    assert VICTIM not in updates
    assert "bytes allowed" in refused[VICTIM]


# -------------------------------------------------------------------- voting


def test_a_ballot_follows_from_the_evaluation_and_is_cast_once() -> None:
    """The server carries it; where it does not, and only there, the member votes itself."""
    yard = Yard.new()
    yard.uploads()
    yard.apply(do.OpenRound(0))
    member = yard.members[0]
    member.evaluation(0, [0.9, 0.2, 0.8, 0.4], ())
    now = yard.now(0, MessageKind.EVALUATION)
    (ballot,) = member.voter.handed(0, CONSENSUS, now)
    assert isinstance(ballot, do.SignedBallot)
    assert unpack_ranking(ballot.ballot.content, MEMBERS) == [2, 3]
    (direct,) = member.voter.cast(0, CONSENSUS, now)
    assert direct == do.Vote(0, 0, ballot.ballot)
    for action in yard.server.relay([ballot]):
        yard.apply(action)
    assert member.voter.cast(0, CONSENSUS, now) == []
    assert member.voter.handed(0, CONSENSUS, now) == []


# -------------------------------------------------------------------- lies


def own_posts(actions) -> list[do.PostOwn]:
    return [action for action in actions if isinstance(action, do.PostOwn)]


@pytest.mark.parametrize("how", [Alters, Drops, Replays])
def test_another_message_in_the_batch_is_proved_from_receipt_and_leaf(
    how: type[LyingServer],
) -> None:
    """The author alone objects, posts its message itself, and then everybody reads that."""
    yard = lying(how, round_=1)
    yard.uploads(0)
    yard.uploads(1)
    proof, own = yard.objections(VICTIM, 1)
    kept = yard.members[VICTIM].receipts[yard.session.key(1, UPLOAD, VICTIM)]
    assert isinstance(proof, do.ProveAlteredInBatch)
    assert proof.receipt == kept
    assert (proof.posted == bytes(32)) == (how is Drops)
    leaves = yard.reading(1).leaves
    assert leaves is not None
    assert proof.path == tuple(cm.path(leaves, VICTIM))
    assert proof.posted != kept.receipt.message
    assert not yard.objections(OTHER, 1)
    yard.apply(own)
    assert yard.reading(1).hashes[VICTIM] == kept.receipt.message
    assert not own_posts(yard.objections(VICTIM, 1))


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_two_signed_words_for_one_place_convict(batched: bool) -> None:
    """The witness alone is told something else; it proves it by both receipts."""
    yard = lying(Equivocates, batched)
    reading = yard.uploads()
    (proof,) = yard.objections(WITNESS)
    assert isinstance(proof, do.ProveEquivocation)
    assert proof.one == reading.receipts[VICTIM]
    assert proof.one.receipt.key == proof.other.receipt.key
    assert proof.one.receipt.message != proof.other.receipt.message
    told = yard.server.hand(WITNESS, 0, UPLOAD)
    assert told is not None
    content = yard.store.get(cid_from_digest(told.entries[VICTIM].content))
    header = UpdateHeader(0, str(VICTIM), yard.model)
    about = yard.session.description
    false = decode_update(content, header, about.parameters, about.share)
    assert torch.equal(false.dense(), -made_updates(0)[VICTIM].dense()), "a lie one could believe"
    signer = recover(yard.session.board.typed_data(proof.other.receipt), proof.other.signature)
    assert signer == SERVER.address
    assert not yard.objections(VICTIM) + yard.objections(OTHER)


def test_what_the_server_did_not_sign_convicts_nobody() -> None:
    """A catalogue with a forged signature is no proof, so it is not brought."""
    yard = lying(Equivocates)
    reading = yard.uploads()
    told = yard.server.hand(WITNESS, 0, UPLOAD)
    assert told is not None
    forged = replace(told, entries=tuple(replace(e, signature=bytes(65)) for e in told.entries))
    member = yard.members[WITNESS]
    assert member.objections(0, UPLOAD, reading, forged, yard.now(0, UPLOAD)) == []


def test_a_batch_that_nobody_is_shown_is_challenged_and_then_settled() -> None:
    """All post themselves at once; each asks for its own leaf once, and anybody settles when nobody
    answered."""
    yard = lying(Withholds)
    assert yard.uploads().trouble
    asked, own = yard.objections(0)
    assert isinstance(asked, do.Challenge)
    assert isinstance(own, do.PostOwn)
    yard.apply(asked, WALLETS[0].address)
    assert [type(action) for action in yard.objections(0)] == [do.PostOwn]
    other, _ = yard.objections(1)
    assert (asked.key.author, other.key.author) == (0, 1)
    later = yard.now(0, UPLOAD) + RESPONSE
    assert do.Settle(asked.key) in yard.objections(1, now=later)
    assert do.Settle(asked.key) not in yard.objections(1, now=later - 1)


def test_a_friends_question_does_not_silence_who_was_dropped() -> None:
    """The server shows the friend's leaf, and nobody the batch: the victim asks for its own, when
    it has no other question open, and that convicts."""

    class DropsAndHides(Drops):
        def post(self, round_, kind):
            return [replace(one, document=bytes(32)) for one in super().post(round_, kind)]

        def hand(self, reader, round_, kind):
            return None

    yard = lying(DropsAndHides)
    yard.uploads()
    end = yard.session.terms.window(0, UPLOAD)[1]
    friends, open_ = yard.session.key(0, UPLOAD, OTHER), yard.session.key(0, UPLOAD, WITNESS)
    yard.apply(do.Challenge(friends, OTHER, ()), WALLETS[OTHER].address)
    yard.apply(*yard.server.answers())
    yard.apply(do.Challenge(open_, VICTIM, ()), WALLETS[VICTIM].address)
    assert [type(action) for action in yard.objections(VICTIM)] == [do.PostOwn]
    yard.apply(*yard.server.answers())
    (asked,) = yard.objections(VICTIM, now=end)
    assert asked == do.Challenge(
        yard.session.key(0, UPLOAD, VICTIM), VICTIM, yard.session.member_path(VICTIM)
    )
    yard.apply(asked, WALLETS[VICTIM].address)
    yard.apply(*yard.server.answers())
    (proof,) = yard.objections(VICTIM, now=end)
    kept = yard.members[VICTIM].receipts[asked.key]
    assert isinstance(proof, do.ProveAlteredInBatch)
    assert (proof.receipt, proof.posted) == (kept, bytes(32))


def test_an_honest_server_answers_a_challenge_and_is_left_alone() -> None:
    yard = Yard.new()
    yard.uploads()
    key = yard.session.key(0, UPLOAD, 0)
    yard.apply(do.Challenge(key, 0, yard.session.member_path(0)))
    (answer,) = yard.server.answers()
    yard.apply(answer)
    assert not yard.server.answers()
    assert not yard.objections(0, now=yard.now(0, UPLOAD) + 2 * RESPONSE)


def test_an_answer_that_speaks_against_the_server_convicts_it() -> None:
    """Who shows a leaf that it did not sign for is convicted by it."""
    yard = lying(Drops)
    yard.uploads()
    key = yard.session.key(0, UPLOAD, VICTIM)
    yard.apply(do.Challenge(key, 0, yard.session.member_path(0)))
    yard.apply(*yard.server.answers())
    kept = yard.members[VICTIM].receipts[key]
    proofs = yard.members[VICTIM]._about_challenges(yard.now(0, UPLOAD))
    assert proofs == [do.ProveAlteredInBatch(kept, bytes(32), yard.session.answers[key].path)]


@pytest.mark.parametrize(("how", "batched"), [(Stalls, True), (Stalls, False), (Drops, False)])
def test_silence_is_waited_for_until_the_receipts_deadline(
    how: type[LyingServer], batched: bool
) -> None:
    """Before it nothing is done; from it on the server is accused, and the message posted."""
    yard = lying(how, batched)
    yard.uploads()
    kept = yard.members[VICTIM].receipts[yard.session.key(0, UPLOAD, VICTIM)]
    deadline = kept.receipt.deadline
    assert not yard.objections(VICTIM, now=deadline - 1)
    proof, own = yard.objections(VICTIM, now=deadline)
    assert proof == do.ProveUnposted(kept)
    assert isinstance(own, do.PostOwn)
    assert deadline < yard.session.terms.window(0, UPLOAD)[1], "there is time left to post"


@pytest.mark.parametrize("how", [Alters, Replays])
def test_another_message_in_a_single_post_is_proved_by_the_receipt(
    how: type[LyingServer],
) -> None:
    yard = lying(how, batched=False, round_=1)
    yard.uploads(0)
    yard.uploads(1)
    kept = yard.members[VICTIM].receipts[yard.session.key(1, UPLOAD, VICTIM)]
    proof, own = yard.objections(VICTIM, 1)
    assert proof == do.ProveAltered(kept)
    assert isinstance(own, do.PostOwn)
    assert not yard.objections(OTHER, 1)


PAID = "0x" + "fa" * 20


def test_without_a_server_members_post_themselves_and_take_their_share() -> None:
    """After a conviction nobody waits, accuses again or is paid twice."""
    yard = Yard.new()
    member = yard.members[0]
    key = yard.session.key(0, UPLOAD, 0)
    assert member.share(PAID) == []
    yard.session.apply(ev.ServerFaulty(SERVER.address, 0, key, bytes(32), bytes(32), 4))
    sent = member.upload(0, made_updates(0)[0], yard.model)
    (own,) = yard.objections(0)
    assert (own.key, own.message) == (sent.key, sent.message)
    (claim,) = member.share(PAID)
    assert (claim.member, claim.to) == (0, PAID)
    yard.session.apply(ev.ShareClaimed(0, 4))
    assert member.share(PAID) == []
