"""Sessions of boards that are not this version's, and posts that no account of a key makes."""

from __future__ import annotations

import click
import pytest

from offchain.crypto import commitments as cm
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.reading import read
from offchain.seccl.updates import UpdateHeader, encode_update
from offchain.storage import digest_of
from scripts._seccl.calls import key_words
from scripts._seccl.chain import CREATED, Contracts, FederationChain, twin_of
from scripts._stage.chain import go_to, topic
from scripts._stage.wallet import recover
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, made_updates
from tests.seccl.stories import small_session
from tests.seccl.stories.small_session import Play, deployed

UPLOAD = MessageKind.UPLOAD


def found(play: Play, contracts: Contracts | None = None) -> FederationChain:
    """The session as a stranger finds it."""
    return FederationChain.find("0x" + play.chain.session.id.hex(), play.store, None, contracts)


def test_a_session_is_of_the_board_that_everybody_has(project, deployer, accounts) -> None:
    """Another board's code may be another, whatever it tells; who knows it names it."""
    board = deployer.deploy(project.BulletinBoard)
    factory = deployer.deploy(project.BordaConsensusFactory, board)
    play = Play((board, factory), accounts)
    wanted = f"session's board is at {board.address}, this version's is at .*: name it by --board"
    with pytest.raises(click.ClickException, match=wanted):
        found(play)
    with pytest.raises(click.ClickException, match=f"session's consensus is at {factory.address}"):
        found(play, Contracts.known(board=board.address))
    named = Contracts(board.address.lower(), factory.address)
    assert found(play, named).session == play.chain.session
    assert found(Play(deployed(project, deployer), accounts)).board.address == (
        Contracts.known().board
    )


def test_a_contract_that_tells_of_its_own_session_is_no_board(
    project, deployer, accounts, mocks
) -> None:
    """Its id binds its address, so that nothing but the address says whose code stands there."""
    forger = deployer.deploy(mocks["Forger"])
    terms = Play(deployed(project, deployer), accounts).chain.session.terms
    words = b"".join(map(cm.word, (*terms.words(), terms.document)))
    id_ = twin_of(forger).session_id(terms)
    forger.tell(topic(CREATED), id_, cm.word(terms.server), words, sender=deployer)
    with pytest.raises(click.ClickException, match=f"session's board is at {forger.address}"):
        FederationChain.find("0x" + id_.hex(), None)  # type: ignore[arg-type]


def test_what_a_contract_posts_itself_is_read(
    project, deployer, accounts, mocks, monkeypatch
) -> None:
    """A member without a key, in a call of somebody else's; and several posts in one call."""
    puppet, parties = deployer.deploy(mocks["Puppet"]), small_session.parties

    def with_puppet(accounts):
        server, members = parties(accounts)
        return server, sorted([puppet, *members[1:]], key=lambda one: int(one.address, 16))

    monkeypatch.setattr(small_session, "parties", with_puppet)
    play = Play(deployed(project, deployer), accounts)
    session, board = play.chain.session, play.chain.board
    _, members = with_puppet(accounts)
    mute = members.index(puppet)
    calls = {}
    for author in range(len(members)):
        header = UpdateHeader(0, str(author), model_digest(LAYOUT, FIRST))
        content = encode_update(made_updates(0)[author], header)
        key = session.key(0, UPLOAD, author)
        words = session.board.message_hash(key, content), digest_of(play.store.put(content))
        args = key_words(key), *words, list(session.member_path(author))
        calls[author] = board.postOwn.encode_input(*args)
    go_to(session.terms.start)
    puppet.act(board, calls[mute], 0, sender=deployer)
    talker = next(i for i in range(len(members)) if i != mute)
    board.multicall([calls[talker]], sender=members[talker])
    reading = read(play.chain.refresh(), 0, UPLOAD, play.store, recover)
    assert reading.contents.keys() == {mute, talker}
    assert not reading.missing
