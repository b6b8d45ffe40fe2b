"""The audit of a session: it passes what is right, and stops at the first thing that is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from offchain.seccl import actions as do
from offchain.seccl.adversaries import Alters, Drops, Lie, LyingServer, Replays
from offchain.seccl.audit import AuditError, audit
from offchain.seccl.documents import Evaluation
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.reading import hidden
from offchain.seccl.session import RoundClosed, RoundOpened
from offchain.seccl.updates import mean_update
from offchain.storage import cid_from_digest, digest_of
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import (
    EVALUATION,
    FIRST,
    LAYOUT,
    MEMBERS,
    SERVER,
    UPLOAD,
    Yard,
    made_updates,
)


def played(rounds: int = 2, **more) -> Yard:
    """A session of some rounds, in which members 0 and 1 win."""
    yard, model = Yard.new(**more), FIRST
    for round_ in range(rounds):
        yard.uploads(round_)
        for member in range(MEMBERS):
            for action in yard.objections(member, round_):
                if type(action).__name__ == "PostOwn":
                    yard.apply(action)
        yard.judge(round_)
        winners = yard.session.closed[round_].winners
        model = model + mean_update([made_updates(round_)[i] for i in winners])
        yard.model = model_digest(LAYOUT, model)
    return yard


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_an_honest_session_passes(batched: bool) -> None:
    """Everything is counted, and the last model is the one that its members made."""
    yard = played(batched=batched)
    seen: list[tuple[int, int]] = []
    found = audit(yard.session, yard.store, recover, lambda *done: seen.append(done))
    assert (found.messages, found.receipts, found.evaluations, found.ballots) == (16, 16, 8, 8)
    assert found.leaves == (16 if batched else 0)
    assert found.own_posts == 0
    assert found.digests[-1] == yard.model
    assert torch.equal(found.models[0], FIRST)
    assert [result.winners for result in found.results] == [
        closed.winners for closed in yard.session.closed.values()
    ]
    assert seen == [(1, 2), (2, 2)]
    assert not found.refused


def test_a_round_that_nobody_opened_elects_nobody() -> None:
    """It changes no model, and takes nothing from the rounds after it."""
    yard = Yard.new()
    yard.uploads(0)
    yard.uploads(1)
    yard.judge(1)
    found = audit(yard.session, yard.store, recover)
    assert [result.winners for result in found.results] == [(), (0, 1)]
    assert found.digests[0] == found.digests[1] != found.digests[2]


@pytest.mark.parametrize("how", [Alters, Drops, Replays])
def test_what_authors_post_themselves_counts(how: type[LyingServer]) -> None:
    """A server's lie changes nothing that was trained."""
    yard = played(server=how, lie=Lie(1, 0, 2))
    found = audit(yard.session, yard.store, recover)
    assert found.own_posts == 1
    assert found.digests[-1] == played().model


def test_an_elected_update_that_cannot_be_used_changes_nothing() -> None:
    """Of another global model here: it is named, and takes nothing from what else was elected."""
    yard = played()
    model, updates = yard.model, made_updates(2)
    strange = yard.members[0].upload(2, updates[0], "0" * 64)
    rest = [yard.members[i].upload(2, updates[i], model) for i in range(1, MEMBERS)]
    yard.exchange(2, UPLOAD, [strange, *rest])
    yard.judge(2)
    found = audit(yard.session, yard.store, recover)
    assert found.results[2].winners == (0, 1)
    assert found.refused[1:] == ["round 2, member 0: it was elected, which changes nothing"]
    assert found.refused[0].startswith("round 2, member 0: ")
    assert torch.equal(found.models[3], found.models[2] + mean_update([updates[1]]))


def test_an_election_of_nobody_who_uploaded_keeps_the_model() -> None:
    """Ballots for members without an upload, which nobody reported."""
    yard = Yard.new()
    yard.judge()
    found = audit(yard.session, yard.store, recover)
    assert found.results[0].winners == (0, 1)
    assert found.digests == [yard.model, yard.model]


def content_of(yard: Yard, kind: MessageKind, author: int, round_: int = 0) -> str:
    """The CID of a message."""
    listed = yard.server.hand(0, round_, kind)
    assert listed is not None
    return cid_from_digest(listed.entries[author].content)


def lose_upload(yard: Yard) -> None:
    yard.store.remove(content_of(yard, UPLOAD, 1))


def change_root(yard: Yard) -> None:
    batch = yard.session.batches[0, UPLOAD]
    yard.session.batches[0, UPLOAD] = replace(batch, root=b"\1" * 32)


def change_result(yard: Yard) -> None:
    closed = yard.session.closed[0]
    yard.session.closed[0] = replace(closed, winners=closed.winners[::-1])


def change_points(yard: Yard) -> None:
    closed = yard.session.closed[1]
    yard.session.closed[1] = replace(closed, points=tuple(p + 1 for p in closed.points))


def skip_round(yard: Yard) -> None:
    del yard.session.closed[0]


def shift_round(yard: Yard) -> None:
    opened = yard.session.opened[1]
    ends = {"ballot_end": 1_003_500, "reveal_end": 1_003_500}
    yard.session.opened[1] = replace(opened, **ends)


def other_first_model(yard: Yard) -> None:
    yard.session.description = replace(yard.session.description, seed=6)


BROKEN: dict[str, tuple[Callable[[Yard], None], str]] = {
    "upload gone": (lose_upload, "round 0: the elected update of member 1 .* is not there"),
    "root": (change_root, "what it lists is not what was posted"),
    "result": (change_result, "round 0: counted again the result is"),
    "points": (change_points, "round 1: counted again the result is"),
    "round": (skip_round, "round 0 is not closed, and one after it is"),
    "times": (
        shift_round,
        "round 1: ballots and openings ended at 1003500 and 1003500, by the sch",
    ),
    "first model": (other_first_model, "the description says"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_not_right_is_named(what: str) -> None:
    """What leaves a result or a model in doubt: one line; nothing after it is looked at."""
    yard = played()
    spoil, why = BROKEN[what]
    spoil(yard)
    with pytest.raises(AuditError, match=why) as error:
        audit(yard.session, yard.store, recover)
    assert "\n" not in str(error.value)


# -------------------------------------------------------------------- against the rules


def lose_evaluations(yard: Yard) -> None:
    yard.store.remove(cid_from_digest(yard.session.batches[0, EVALUATION].document))


def forge_receipt(yard: Yard) -> None:
    listed = yard.server.hand(0, 0, UPLOAD)
    assert listed is not None
    entries = (replace(listed.entries[0], signature=b"\1" * 65), *listed.entries[1:])
    document = digest_of(yard.store.put(replace(listed, entries=entries).to_bytes()))
    yard.session.batches[0, UPLOAD] = replace(yard.session.batches[0, UPLOAD], document=document)


def post_nothing(yard: Yard) -> None:
    """Member 3, elected by nobody, posts a hash itself, and no content."""
    key = yard.session.key(0, UPLOAD, 3)
    yard.apply(do.PostOwn(key, b"\1" * 32, yard.session.member_path(3), b"\2" * 32))


FAULTS: dict[str, tuple[Callable[[Yard], None], list[str]]] = {
    "evaluations withheld": (
        lose_evaluations,
        [
            "round 0, evaluations: the catalogue",
            *(f"round 0: the ballot of member {i} rests on no evaluation" for i in range(MEMBERS)),
        ],
    ),
    "receipt": (forge_receipt, ["round 0, uploads, member 0: its receipt is not the server's"]),
    "upload withheld": (post_nothing, ["round 0, uploads, member 3: .* is not there"]),
}


@pytest.mark.parametrize("what", FAULTS)
def test_what_changes_no_result_is_named_and_stops_no_audit(what: str) -> None:
    """Else any member, or the server, could keep everybody from checking a session."""
    yard = played()
    spoil, faults = FAULTS[what]
    spoil(yard)
    found = audit(yard.session, yard.store, recover)
    assert found.digests[-1] == yard.model
    for line, why in zip(found.faults, faults, strict=True):
        assert re.match(why, line)


def test_a_withheld_post_is_its_authors_alone() -> None:
    """Where posts are single, who posted nothing is not taken for somebody whose post is withheld:
    its election changes nothing."""
    yard = Yard.new(batched=False)
    yard.upload(silent=0)
    (place,) = [i for i, post in enumerate(yard.session.posts) if post.key.author == 3]
    yard.session.posts[place] = replace(yard.session.posts[place], document=bytes(32))
    yard.judge(0, refused=(0,))
    closed = yard.session.closed[0]
    assert 3 not in closed.winners
    found = audit(yard.session, yard.store, recover)
    (fault,) = found.faults
    assert fault.startswith("round 0, uploads, member 3: the catalogue of a post cannot be used")
    uploads = yard.reading()
    assert not hidden(yard.session, uploads, 0)
    assert hidden(yard.session, uploads, 3) == fault.partition("member 3: ")[2]


def test_a_ballot_that_is_not_its_evaluations_is_named() -> None:
    """And so is an evaluation that is none; what was counted counts."""
    yard = Yard.new()
    yard.uploads()
    yard.apply(do.OpenRound(0))
    said = [member.evaluation(0, [0.9, 0.8, 0.7, 0.6], ()) for member in yard.members]
    yard.members[2].voter.decide(Evaluation.of(0, 2, [0.1, 0.8, 0.0, 0.9], ()))
    said[3] = yard.members[3].send(0, EVALUATION, b"hello")
    yard.carry(0, yard.now(0, EVALUATION))
    yard.exchange(0, EVALUATION, said)
    yard.apply(do.Close(0, 256))
    found = audit(yard.session, yard.store, recover)
    assert found.results[0].winners == yard.session.closed[0].winners
    assert found.faults[0].startswith("round 0, member 3: ")
    assert found.faults[1:] == [
        "round 0: the ballot of member 2 is not what its evaluation says",
        "round 0: the ballot of member 3 rests on no evaluation",
    ]


def test_a_round_after_the_boards_last_stops_no_audit() -> None:
    """No contract opens one; whatever a node tells of it, nobody could have uploaded in it."""
    yard = played(3)
    beyond = yard.session.terms.rounds
    assert beyond == 3
    yard.session.apply(RoundOpened(beyond, SERVER.address, bytes(16), 0, 0))
    yard.session.apply(RoundClosed(beyond, 0, (), ()))
    assert len(audit(yard.session, yard.store, recover).results) == beyond
