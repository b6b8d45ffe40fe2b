"""An honest server that is stopped at any moment and comes back keeps its stake."""

from __future__ import annotations

import pytest

from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.participant import Message
from offchain.seccl.reading import read
from offchain.seccl.server import MessageRefused
from offchain.seccl.session import FAULTS
from scripts._seccl.audit import audit_session
from scripts._stage.chain import go_to, now
from scripts._stage.wallet import recover
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, MemoryJournal, made_updates
from tests.seccl.stories.small_session import MEMBERS, Play, deployed

UPLOAD = MessageKind.UPLOAD


@pytest.fixture(scope="module")
def contracts(project, deployer):
    """A board and a factory of consensus, for all sessions here."""
    return deployed(project, deployer)


def test_a_run_that_was_killed_goes_on_from_the_chain(contracts, accounts) -> None:
    """New roles over the same chain and datastore, in the middle of a round: nothing is posted
    twice, nobody is accused, and the end is the same."""
    play = Play(contracts, accounts)
    play.round(0)
    model = model_digest(LAYOUT, play.model)
    conductor = play.conductor
    conductor._enter(1, MessageKind.UPLOAD)
    sent = [
        member.role.upload(1, update, model)
        for member, update in zip(conductor.members, made_updates(1), strict=True)
    ]
    conductor._exchange(1, MessageKind.UPLOAD, sent, range(MEMBERS))

    again = play.reborn(accounts)
    again.round(1)
    again.round(2)
    assert again.chain.session.fault is None
    assert again.calls.count("postBatch") == 3, "of the rounds 1 and 2 three were left"
    found = audit_session(again.chain, again.store)
    assert found.digests[-1] == model_digest(LAYOUT, again.model)
    assert FIRST is not again.model


def promised(play: Play) -> list[Message]:
    """Round 0 until the server has signed for all uploads, and posted nothing."""
    conductor, model = play.conductor, model_digest(LAYOUT, FIRST)
    conductor._enter(0, UPLOAD)
    sent = [
        member.role.upload(0, update, model)
        for member, update in zip(conductor.members, made_updates(0), strict=True)
    ]
    for member, message in zip(conductor.members, sent, strict=True):
        member.role.keep(
            conductor.server.receive(message.key, message.content, message.authored, now())
        )
    return sent


def objected(play: Play) -> str:
    """What members that were there all the time convict the server of; "" for nothing."""
    session = play.chain.refresh()
    readings = [read(session, 0, UPLOAD, play.store, recover)] * MEMBERS
    play.conductor._object(0, UPLOAD, readings, range(MEMBERS))
    return "" if session.fault is None else FAULTS[session.fault.fault]


@pytest.mark.parametrize("forgets", [False, True], ids=["honest", "forgetful"])
def test_a_second_message_after_a_restart_is_refused(contracts, accounts, forgets) -> None:
    """A server without a journal signs both, and the member that kept the first receipt convicts
    it: an honest server would lose its stake by a restart."""
    play = Play(contracts, accounts)
    first = promised(play)
    again = play.reborn(accounts, MemoryJournal(play.chain.session.id) if forgets else None)
    server, member = again.conductor.server, again.conductor.members[2].role
    other = member.upload(0, made_updates(1)[2], model_digest(LAYOUT, FIRST))
    if forgets:
        server.receive(other.key, other.content, other.authored, now())
        for action in server.post(0, UPLOAD):
            again.conductor._send("server", action, again.conductor.account)
        assert objected(play) == "altered a message"
        return
    assert again.calls == ["postBatch"]
    with pytest.raises(MessageRefused, match="another upload of member 2 was taken before"):
        server.receive(other.key, other.content, other.authored, now())
    assert objected(play) == ""
    reading = read(again.chain.session, 0, UPLOAD, again.store, recover)
    assert [reading.hashes[i] for i in range(MEMBERS)] == [one.message for one in first]


@pytest.mark.parametrize("posts", ["batch", "single"])
@pytest.mark.parametrize("forgets", [False, True], ids=["honest", "forgetful"])
def test_what_was_promised_is_posted_after_a_restart(contracts, accounts, forgets, posts) -> None:
    """Though no member says anything more; without a journal the promise is broken."""
    play = Play(contracts, accounts, batched=posts == "batch")
    promised(play)
    play.reborn(accounts, MemoryJournal(play.chain.session.id) if forgets else None)
    start, end = play.chain.session.terms.window(0, UPLOAD)
    go_to((start + end) // 2)
    assert objected(play) == ("posted nothing in time" if forgets else "")
