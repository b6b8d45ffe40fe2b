"""Every way a server can lie: an honest member notices, convicts it on chain, training goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.crypto import commitments as cm
from offchain.seccl import actions as do
from offchain.seccl.adversaries import (
    Alters,
    Drops,
    Equivocates,
    LyingServer,
    Replays,
    Stalls,
    Withholds,
)
from offchain.seccl.audit import AuditError, audit
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from offchain.seccl.session import PostedAt
from offchain.seccl.updates import UpdateHeader, encode_update
from offchain.storage import digest_of
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import CREATED, FederationChain, twin_of
from scripts._stage.chain import ActionRefused, topic
from scripts._stage.wallet import AccountWallet, recover
from tests.kit.mock_contracts import deploy_token
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, made_updates
from tests.seccl.stories.small_session import (
    LIE,
    MEMBERS,
    ROUNDS,
    STAKE,
    Play,
    deployed,
    held,
    parties,
)

EQUIVOCATED, ALTERED, UNPOSTED, UNANSWERED = range(4)

CONVICTED = {
    (Alters, "batch"): (ALTERED, "proveAlteredInBatch", "member 2"),
    (Drops, "batch"): (ALTERED, "proveAlteredInBatch", "member 2"),
    (Replays, "batch"): (ALTERED, "proveAlteredInBatch", "member 2"),
    (Equivocates, "batch"): (EQUIVOCATED, "proveEquivocation", "member 3"),
    (Withholds, "batch"): (UNANSWERED, "settle", "member 0"),
    (Stalls, "batch"): (UNPOSTED, "proveUnposted", "member 0"),
    (Alters, "single"): (ALTERED, "proveAltered", "member 2"),
    (Drops, "single"): (UNPOSTED, "proveUnposted", "member 2"),
    (Replays, "single"): (ALTERED, "proveAltered", "member 2"),
    (Equivocates, "single"): (EQUIVOCATED, "proveEquivocation", "member 3"),
    (Stalls, "single"): (UNPOSTED, "proveUnposted", "member 0"),
}
"""Fault, the call that proves it, and who makes that call."""


@pytest.fixture(scope="module")
def contracts(project, deployer):
    """A board and a factory of consensus, for all sessions here."""
    return deployed(project, deployer)


@pytest.fixture(scope="module")
def honest_model(contracts, accounts) -> str:
    """What training comes to without a lie."""
    return Play(contracts, accounts).whole().digests[-1]


@pytest.mark.parametrize(("how", "posts"), CONVICTED)
def test_a_lie_is_convicted_and_changes_nothing(
    contracts, accounts, honest_model, how, posts
) -> None:
    """One conviction, by whoever saw it, in the lie's own round; the stake goes to all members in
    equal shares; every round is played to its end and the model is that of honest servers."""
    fault, call, accuser = CONVICTED[how, posts]
    before = held(contracts[0])
    play = Play(contracts, accounts, how, posts == "batch")
    found = play.whole()
    session = play.chain.session
    assert session.fault is not None
    assert (session.fault.fault, session.fault.key.round) == (fault, LIE.round)
    assert session.fault.key.kind == MessageKind.UPLOAD
    proofs = [(who, receipt.call) for who, receipt in play.sent if receipt.call == call]
    assert proofs[0] == (accuser, call)
    # Who asked settles its own question besides, for its bond; all ask whom nobody is shown a leaf.
    assert len(proofs) == (MEMBERS if how is Withholds else 1)
    assert session.shares == dict.fromkeys(range(MEMBERS), STAKE // MEMBERS)
    assert held(contracts[0]) == before, "stake and bonds are paid out"
    assert len(found.results) == ROUNDS
    assert found.digests[-1] == honest_model
    # Without a server: its rounds opened, messages posted and ballots cast by members.
    last = ROUNDS - 1
    for kind in MessageKind:
        assert len(session.posted(last, kind, own=True)) == MEMBERS
    assert session.opened[last].opener != session.terms.server
    assert play.calls.count("vote") >= MEMBERS


@pytest.mark.parametrize("posts", ["batch", "single"])
def test_an_honest_server_keeps_its_stake(contracts, accounts, honest_model, posts) -> None:
    """It alone posts, and is paid out at the end."""
    before = held(contracts[0])
    play = Play(contracts, accounts, batched=posts == "batch")
    found = play.whole()
    session = play.chain.session
    assert session.fault is None
    assert session.withdrawn
    assert held(contracts[0]) == before
    assert {who for who, _ in play.sent} == {"server"}
    assert play.calls.count("post") == (0 if posts == "batch" else 2 * MEMBERS * ROUNDS)
    assert found.digests[-1] == honest_model == model_digest(LAYOUT, play.model)


class Hides(LyingServer):
    """Shows nobody a catalogue, in any round, and answers every question."""

    def post(self, round_: int, kind: MessageKind) -> list[do.Action]:
        return [replace(one, document=bytes(32)) for one in super().post(round_, kind)]  # type: ignore[type-var, misc]


def test_what_nobody_is_shown_its_authors_post_and_all_read(
    contracts, accounts, honest_model
) -> None:
    """Each leaf that is asked for is opened on chain and right, so that nothing convicts; each
    member asks once in all, and training and audit go on as ever."""
    play = Play(contracts, accounts, Hides)
    found = play.whole()
    session = play.chain.session
    assert (session.fault, session.withdrawn) == (None, True)
    assert play.calls.count("challenge") == MEMBERS == len(session.answers)
    assert all(
        len(session.posted(r, kind, own=True)) == MEMBERS
        for r in range(ROUNDS)
        for kind in MessageKind
    )
    assert len(found.faults) == 2 * ROUNDS
    assert found.digests[-1] == honest_model


def test_a_server_answers_for_what_its_new_key_signs(contracts, accounts) -> None:
    """And for the old key's receipts, which stay good for the rounds before."""
    play = Play(contracts, accounts, Equivocates)
    play.round(0)
    play.conductor.replace_key(AccountWallet(accounts[19]))
    play.round(1)
    session = play.chain.session
    assert session.signers == {1: accounts[19].address}
    assert session.fault is not None
    assert (session.fault.fault, session.fault.key.round) == (EQUIVOCATED, 1)
    assert audit_session(play.chain, play.store).receipts == 3 * MEMBERS


@pytest.mark.parametrize("kind", ["PlainToken", "PermitToken"])
def test_stake_and_bonds_may_be_in_a_token(contracts, accounts, mocks, deployer, kind) -> None:
    """A server that withholds is challenged and convicted; members are paid in the token, and
    approve nothing where it knows signed allowances."""
    server, members = parties(accounts)
    token = deploy_token(mocks[kind], deployer, [server, *members])
    before = [token.balanceOf(member) for member in members]
    play = Play(contracts, accounts, Withholds, token=token.address)
    play.whole()
    calls = {r.call for r in play.chain.receipts}
    assert {"challenge", "settle", "claimShare"} <= calls
    assert ("approve" in calls) == (kind == "PlainToken")
    after = [token.balanceOf(member) for member in members]
    assert [b - a for a, b in zip(before, after, strict=True)] == [STAKE // MEMBERS] * MEMBERS
    assert token.balanceOf(contracts[0]) == 0


def test_a_convicted_server_posts_no_more(contracts, accounts) -> None:
    play = Play(contracts, accounts, Alters)
    for number in (0, 1):
        play.round(number)
    post = do.PostBatch(play.chain.session.id, 2, MessageKind.UPLOAD, b"\1" * 32, bytes(32))
    with pytest.raises(ActionRefused, match="SessionFaulty"):
        play.chain.send(post, accounts[10])


def test_a_session_is_found_by_its_id_and_tells_the_same(contracts, accounts) -> None:
    """A stranger needs the id, the chain and the datastore."""
    play = Play(contracts, accounts, Withholds)
    found = play.whole()
    other = FederationChain.find("0x" + play.chain.session.id.hex(), play.store)
    assert other.session == play.chain.session
    assert audit_session(other, play.store).digests == found.digests
    assert audit(other.session, play.store, recover).digests == found.digests


def test_what_another_contract_tells_of_its_id_hides_no_session(
    contracts, accounts, mocks, deployer, monkeypatch
) -> None:
    """Nonsense and the very terms, by a stranger, before the board tells of them."""
    forger, create = deployer.deploy(mocks["Forger"]), FederationChain.create

    def told_before(board, factory, server, terms, *rest):
        words = b"".join(map(cm.word, (*terms.words(), terms.document)))
        id_ = twin_of(board).session_id(terms)
        for data in (b"", words):
            forger.tell(topic(CREATED), id_, cm.word(terms.server), data, sender=deployer)
        return create(board, factory, server, terms, *rest)

    monkeypatch.setattr(FederationChain, "create", told_before)
    play = Play(contracts, accounts)
    found = FederationChain.find("0x" + play.chain.session.id.hex(), play.store)
    assert (found.board, found.session) == (contracts[0], play.chain.session)


def test_the_audit_asks_the_contracts_and_not_events_alone(contracts, accounts) -> None:
    """An event that a node makes up, with content behind it, is not what the board says."""
    play = Play(contracts, accounts)
    play.round(0)
    session, loser = play.chain.session, MEMBERS - 1
    key = session.key(0, MessageKind.UPLOAD, loser)
    header = UpdateHeader(0, str(loser), model_digest(LAYOUT, FIRST))
    content = encode_update(made_updates(9)[0], header)
    document = digest_of(play.store.put(content))
    session.apply(PostedAt(key, session.board.message_hash(key, content), True, document))
    audit(session, play.store, recover)
    with pytest.raises(AuditError, match="round 0, uploads, member 3: the board does not say"):
        audit_session(play.chain, play.store)
