"""What members may agree on besides, with real contracts: kinds of ballots, and the screen."""

from __future__ import annotations

import click
import pytest

from offchain.seccl.adversaries import Alters, Drops, Stalls
from offchain.seccl.ballots import Form
from offchain.seccl.likeness import Likeness
from offchain.seccl.messages import MessageKind
from offchain.seccl.parameters import model_digest
from scripts._seccl import chain as adapter
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain, consensus_terms
from scripts._stage.chain import go_to
from tests.kit.memory_store import MemoryStore
from tests.offchain.seccl.session_in_memory import LAYOUT, made_updates
from tests.seccl.stories.small_session import LIE, MEMBERS, ROUNDS, SCORES, Play, deployed


@pytest.fixture(scope="module")
def contracts(project, deployer):
    """A board and a factory of consensus, for all sessions here."""
    return deployed(project, deployer)


@pytest.mark.parametrize("how", [None, Alters, Stalls], ids=["honest", "alters", "stalls"])
@pytest.mark.parametrize("ballots", ["hidden", "scores"])
def test_every_kind_of_ballot_is_counted_with_and_without_a_server(
    contracts, accounts, ballots, how
) -> None:
    """All vote in every round; who is convicted carries nothing more, and members vote alone."""
    play = Play(contracts, accounts, how, ballots=ballots)
    found = play.whole()
    session = play.chain.session
    assert found.ballots == MEMBERS * ROUNDS
    assert (session.fault is None) == (how is None)
    forms = {one.form for cast in session.ballots.values() for one in cast.values()}
    assert forms == {Form.SCORES if ballots == "scores" else Form.RANKING}
    committed = sum(map(len, session.committed.values()))
    assert committed == (MEMBERS * ROUNDS if ballots == "hidden" else 0)
    alone = {"commit", "reveal"} if ballots == "hidden" else {"vote"}
    assert alone <= {*play.calls} if how else not alone & {*play.calls}


def test_nobody_sees_an_evaluation_before_all_have_committed(contracts, accounts) -> None:
    """Else whoever votes last would know the other ballots, for they follow from evaluations."""
    play = Play(contracts, accounts, ballots="hidden")
    play.round(0)
    assert play.calls == ["postBatch", "openRound", "batch", "batch", "postBatch", "close"]


def test_who_uploads_nothing_is_reported_before_anybody_votes(
    contracts, accounts, monkeypatch
) -> None:
    """By the first member, in one transaction; the others elect among those who uploaded."""
    play = Play(contracts, accounts)
    real = play.conductor._exchange

    def exchange(round_, kind, messages, order):
        silent = [0] if kind == MessageKind.UPLOAD else []
        return real(round_, kind, messages, [i for i in order if i not in silent])

    monkeypatch.setattr(play.conductor, "_exchange", exchange)
    assert play.round(0) == (1, 2)
    assert play.calls == ["postBatch", "openRound", "batch", "postBatch", "batch", "close"]
    assert play.chain.session.absent == {0: {0}}
    assert audit_session(play.chain, play.store).results[0].winners == (1, 2)


@pytest.mark.parametrize("killed", ["committed", "revealed"])
def test_a_run_killed_between_commitments_and_result_goes_on(contracts, accounts, killed) -> None:
    """New roles over the same secret open what the old ones committed to."""
    play = Play(contracts, accounts, ballots="hidden")
    conductor, session, everybody = play.conductor, play.chain.session, range(MEMBERS)
    model = model_digest(LAYOUT, play.model)
    conductor._enter(0, MessageKind.UPLOAD)
    sent = [
        member.role.upload(0, update, model)
        for member, update in zip(conductor.members, made_updates(0), strict=True)
    ]
    conductor._exchange(0, MessageKind.UPLOAD, sent, everybody)
    conductor._enter(0, MessageKind.EVALUATION)
    conductor._open_round(0)
    for member, row in zip(conductor.members, SCORES, strict=True):
        member.role.evaluation(0, row.tolist(), ())
    conductor._cast(0)
    if killed == "revealed":
        go_to(session.opened[0].ballot_end)
        conductor._cast(0)

    again = play.reborn(accounts)
    again.round(0)
    found = audit_session(again.chain, again.store)
    assert found.ballots == MEMBERS
    assert again.calls.count("batch") == (1 if killed == "committed" else 0)


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_a_copy_is_evaluated_at_0_and_the_audit_says_so(contracts, accounts, batched) -> None:
    """By whoever posts last, also when the server has been convicted."""
    play = Play(contracts, accounts, Drops, batched, screen=Likeness())
    for number in range(ROUNDS):
        updates = made_updates(number)
        updates[0] = updates[3]
        copied = []

        def evaluate(found, copied=copied):
            copied += [(copy.author, copy.of) for copy in found]
            scores = SCORES.clone()
            scores[:, [copy.author for copy in found]] = 0
            return scores

        digest = model_digest(LAYOUT, play.model)
        winners = play.conductor.play(number, updates, [3, 1, 2, 0], digest, evaluate)
        assert copied == [(0, 3)], number
        assert winners == (1, 2)
        assert play.conductor.last.change is not None
        play.model = play.model + play.conductor.last.change
    found = audit_session(play.chain, play.store)
    assert play.chain.session.fault is not None
    assert play.chain.session.fault.key.round == LIE.round
    assert [[copy.author for copy in copies] for copies in found.copied] == [[0]] * ROUNDS
    assert found.lenient == []
    assert found.digests[-1] == model_digest(LAYOUT, play.model)


def test_who_lets_a_copy_pass_is_named_and_the_rest_stands(contracts, accounts) -> None:
    """Evaluations are a member's own: the screen is a rule for honest ones."""
    play = Play(contracts, accounts, screen=Likeness())
    updates = made_updates(0)
    updates[0] = updates[3]
    digest = model_digest(LAYOUT, play.model)
    scores = SCORES.clone()
    scores[2:, 0] = 0
    play.conductor.play(0, updates, [3, 1, 2, 0], digest, lambda _: scores)
    found = audit_session(play.chain, play.store)
    assert found.lenient == ["round 0: member 1 evaluated the copy of member 0 above 0"]


def test_a_session_killed_before_its_consensus_gets_it_when_it_is_resumed(
    contracts, accounts, monkeypatch
) -> None:
    """Only from the server that has begun it; then it is as any other."""
    begun: list[bytes] = []
    store = MemoryStore({})

    def dies(factory, server, session):
        begun.append(session.id)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("scripts._seccl.chain._make_consensus", dies)
        with pytest.raises(KeyboardInterrupt):
            Play(contracts, accounts, store=store)
    name = "0x" + begun[0].hex()
    with pytest.raises(click.ClickException, match=f"session {name} has no consensus"):
        FederationChain.find(name, store)
    chain = FederationChain.find(name, store, accounts[10])
    assert [receipt.call for receipt in chain.receipts] == ["createSession, consensus"]
    again = FederationChain.find(name, store, accounts[10])
    assert again.receipts == []
    assert again.consensus.address == chain.consensus.address
    assert audit_session(again, store).results == []


QUORUM, REVEAL_TIME = 3, 7
"""Where they stand in a consensus's terms."""


@pytest.mark.parametrize(
    ("place", "value"), [(QUORUM, 2), (REVEAL_TIME, 600)], ids=["quorum", "hidden"]
)
def test_a_consensus_with_other_terms_is_refused(
    contracts, accounts, monkeypatch, place, value
) -> None:
    """What members agreed on is in the description; a server may make another consensus, which
    decides with few ballots, or takes hidden ones."""

    def terms(session):
        agreed = list(consensus_terms(session))
        agreed[place] = value
        return tuple(agreed)

    with monkeypatch.context() as patch:
        patch.setattr(adapter, "consensus_terms", terms)
        play = Play(contracts, accounts)
    name = "0x" + play.chain.session.id.hex()
    with pytest.raises(click.ClickException, match="has other rules, times or members than"):
        FederationChain.find(name, play.store)
