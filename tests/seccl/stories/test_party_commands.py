"""What serve, join and withdraw refuse, and what is paid out without a datastore."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import pytest

from offchain.crypto.settlement import NATIVE
from offchain.policy import TermsRefused
from offchain.seccl.adversaries import Stalls
from offchain.seccl.announcement import TO_OPEN, Announcement, publish_announcement
from offchain.seccl.costs import offered
from offchain.seccl.description import voting_times
from offchain.seccl.listed import Catalogues
from offchain.seccl.messages import BoardError, MessageKind, PostKey
from scripts import join, serve
from scripts._seccl.browsing import knows, listed
from scripts._seccl.calls import key_words
from scripts._seccl.chain import FederationChain, twin_of
from scripts._seccl.finding import Contracts, announcement, session_for
from scripts._seccl.keeping import duties
from scripts._seccl.on_chain import SessionOnChain, session_named
from scripts._seccl.party_options import JoinOptions, ServeOptions
from scripts._seccl.withdrawing import Payout
from scripts._stage.chain import go_to, now
from scripts._stage.deployments import Deployed
from scripts._stage.keeping import Duty
from scripts._stage.party import PartyTelling
from tests.kit.memory_store import MemoryStore
from tests.kit.options import options_of
from tests.kit.snapshots import undone
from tests.offchain.seccl.session_in_memory import description
from tests.seccl.stories.small_session import LIE, MEMBERS, STAKE, WINDOW, Play, deployed, parties

NOWHERE = Path("/nowhere")
NOBODY = {"members": (), "winners": 0, "quorum": 0}
"""What an announcement does not say."""


@pytest.fixture
def contracts(project, deployer):
    return deployed(project, deployer)


@pytest.fixture
def known(contracts) -> Contracts:
    board, factory = contracts
    return Contracts(Deployed(board, 0), Deployed(factory, 0))


def paid(known: Contracts, play: Play, account, to: str) -> Payout:
    found = session_named(known, "0x" + play.chain.session.id.hex())
    return Payout(found, known, account, to, PartyTelling())


def test_an_honest_server_takes_its_stake_back_when_accusations_have_ended(
    contracts, known, accounts
) -> None:
    with undone():
        play = Play(contracts, accounts, rounds=1)
        server, members = parties(accounts)
        purse = accounts[9]
        payout = paid(known, play, server, purse.address)
        assert payout.serves
        with pytest.raises(click.ClickException, match="can be taken out from"):
            payout.stake()
        go_to(play.chain.session.terms.accusation_end)
        before = purse.balance
        assert payout.stake() == STAKE
        assert purse.balance - before == STAKE
        # Once.
        assert payout.stake() == 0
        member = paid(known, play, members[0], purse.address)
        assert member.share() + member.bonds() == 0


def test_members_take_their_shares_and_the_convicted_server_nothing(
    contracts, known, accounts
) -> None:
    """The members' list is read from the chain, without the datastore."""
    with undone():
        play = Play(contracts, accounts, server=Stalls)
        for round_ in range(LIE.round + 1):
            play.round(round_)
        server, members = parties(accounts)
        purse = accounts[9]
        with pytest.raises(click.ClickException, match="was convicted: its stake is the members'"):
            paid(known, play, server, purse.address).stake()
        before = purse.balance
        shares = [paid(known, play, one, purse.address).share() for one in members]
        assert shares == [STAKE // MEMBERS] * MEMBERS
        assert purse.balance - before == STAKE
        assert paid(known, play, members[0], purse.address).share() == 0
        # Who is no member has none.
        assert paid(known, play, accounts[0], purse.address).share() == 0


def test_an_announcement_is_listed_once_and_leads_to_the_session(
    contracts, known, accounts, monkeypatch
) -> None:
    monkeypatch.setattr("scripts._seccl.browsing.contracts_there", lambda _: known)
    board, _ = contracts
    server, _ = parties(accounts)
    id_, task = b"\1" * 32, b"\2" * 32
    with undone():
        for _ in range(2):
            board.announce(id_, task, 2**40, sender=server)
        (one,) = [one for one in listed(NOWHERE) if one.address == "0x" + id_.hex()]
        assert (one.author, one.task, one.until, one.token) == (
            server.address,
            task,
            2**40,
            NATIVE,
        )
        assert knows("0x" + id_.hex(), NOWHERE)
        with pytest.raises(click.ClickException, match="opened no session since it announced"):
            session_named(known, "0x" + id_.hex())
        play = Play(contracts, accounts, rounds=1)
        assert session_named(known, "0x" + id_.hex()).id == play.chain.session.id
        assert knows("0x" + play.chain.session.id.hex(), NOWHERE)
        assert not knows("0x" + "77" * 32, NOWHERE)
        assert not knows("nothing", NOWHERE)
        found = SessionOnChain(known, play.chain.session.id)
        assert found.terms == play.chain.session.terms
        assert found.members == play.chain.session.description.members


SERVE = {
    "fewer than few": ({"most_members": 2}, "most-members: 2, must be 3 to 1024"),
    "more receipts than letters": (
        {"most_members": 1_000, "rounds": 5},
        "most-members: 1000, at most 819 in 5 rounds: a receipt",
    ),
    "all elected": ({"winners": 0.9}, "lambda: 0.9 of 3 members elects all of them"),
    "privacy of nobody knows": ({"privacy": 1.0, "least_samples": 5}, "hangs on --least-samples"),
    "no data and no classes": ({"dataset": ""}, "name your own pictures by --dataset, or --class"),
    "stake": ({"stake": "plenty"}, "stake: 'plenty' is no amount"),
}


@pytest.mark.parametrize(("change", "why"), SERVE.values(), ids=SERVE)
def test_a_server_is_told_before_anything_is_paid(project, change, why: str) -> None:
    given = {"licence": "MIT", "account": "sam", "dataset": "digits", "class_name": ()} | change
    options = options_of(serve.cli, ServeOptions, **given)
    with pytest.raises(click.ClickException, match=why):
        options.check()


def test_classes_and_shape_stand_in_for_pictures(project) -> None:
    given = {"licence": "MIT", "account": "sam", "class_name": (), "contact": ()}
    given |= {"classes": ("b", "a"), "shape": "3x32x32"}
    options = options_of(serve.cli, ServeOptions, **given)
    options.check()
    task = options.asked(None, ("/ip4/1.2.3.4/tcp/1/p2p/Qm",))
    assert (task.classes, task.shape) == (("a", "b"), (3, 32, 32))
    wrong = options_of(serve.cli, ServeOptions, **given | {"shape": "32x32"})
    with pytest.raises(click.ClickException, match="shape: '32x32' is not CxHxW"):
        wrong.asked(None, ())


def test_a_member_s_owner_limits_what_it_agrees_to(project) -> None:
    given = {"account": "anna", "least_stake": "1 ether", "most_bond": "1 gwei"}
    options = options_of(join.cli, JoinOptions, **given | {"class_name": (), "accept_token": ()})
    limits = options.policy().limits
    assert limits["share of the stake"].least == 10**18
    assert limits["bond"].most == 10**9
    assert limits["window"].least == 1_800
    assert limits["epochs"].most == 20


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ballot_time": 1}, "window: 3 s, at least 1800 s is accepted"),
        (
            {"ballots": "hidden", "ballot_time": 600, "reveal_time": 1},
            "window: 7 s, at least 1800 s is accepted",
        ),
        ({"epochs": 2**31}, "epochs: 2147483648, at most 20 is accepted"),
    ],
)
def test_who_votes_in_a_second_or_trains_for_years_is_asked_for_too_much(
    project, change, why: str
) -> None:
    """Windows of a day do not hide how little of them is for voting."""
    options = options_of(join.cli, JoinOptions, account="anna", class_name=(), accept_token=())
    offered_by = partial(offer, None, "0x" + "11" * 20, upload_time=86_400, evaluation_time=86_400)
    for times in ("open", "hidden"):
        about = description(**NOBODY, ballots=times, **voting_times(86_399, times))
        options.policy().check(offered(offered_by(about=about), now()))
    about = description(**NOBODY, **change)
    with pytest.raises(TermsRefused, match=why):
        options.policy().check(offered(offered_by(about=about), now()))


def test_what_is_overdue_anybody_does(contracts, known, accounts, monkeypatch) -> None:
    """The server is gone after its first posts: a keeper opens the round, and closes it."""
    monkeypatch.setattr("scripts._seccl.keeping.contracts_there", lambda _: known)
    with undone():
        play = Play(contracts, accounts, rounds=1)
        name = "0x" + play.chain.session.id.hex()
        terms = play.chain.session.terms

        def due() -> list[tuple[str, tuple]]:
            mine = [one for one in duties(NOWHERE) if one.reference == name]
            return [(str(one.method).partition("(")[0], one.arguments) for one in mine]

        go_to(terms.window(0, MessageKind.EVALUATION)[0])
        assert due() == []
        go_to(terms.window(0, MessageKind.EVALUATION)[0] + terms.margin(MessageKind.EVALUATION))
        assert due() == [("openRound", (0,))]
        (duty,) = [one for one in duties(NOWHERE) if one.reference == name]
        duty.method(*duty.arguments, sender=accounts[0])
        assert due() == []
        go_to(play.chain.refresh().opened[0].reveal_end)
        assert due() == [("close", (0, 256))]
        (duty,) = [one for one in duties(NOWHERE) if one.reference == name]
        duty.method(*duty.arguments, sender=accounts[0])
        assert due() == []


def test_what_a_silent_server_is_asked_a_keeper_answers_from_the_datastore(
    contracts, known, accounts, monkeypatch
) -> None:
    """In the second half of the time, where it has the catalogue; else the server is convicted."""
    monkeypatch.setattr("scripts._seccl.keeping.contracts_there", lambda _: known)
    with undone():
        play = Play(contracts, accounts, rounds=2)
        play.round(0)
        chain = play.chain
        name, board = "0x" + chain.session.id.hex(), known.board.contract
        key, asker = PostKey(chain.session.id, 0, MessageKind.UPLOAD, 1), parties(accounts)[1][3]
        path = chain.session.member_path(3)
        asked = key_words(key), 3, list(path)
        board.challenge(*asked, sender=asker, value=chain.session.terms.bond)

        def due(store: MemoryStore | None) -> list[Duty]:
            catalogues = None if store is None else Catalogues(store)
            found = [one for one in duties(NOWHERE, catalogues) if one.reference == name]
            return [one for one in found if "'s place" in one.what]

        deadline = board.challengeOf(key_words(key)).deadline
        half = deadline - chain.session.terms.response_time // 2
        go_to(half - 1)
        assert due(play.store) == []
        go_to(half)
        assert due(None) == due(MemoryStore({})) == []
        (duty,) = due(play.store)
        with undone():  # the twin: nobody answers
            other = PostKey(chain.session.id, 0, MessageKind.UPLOAD, 2)
            board.challenge(
                key_words(other),
                2,
                list(chain.session.member_path(2)),
                sender=parties(accounts)[1][2],
                value=chain.session.terms.bond,
            )
            later = board.challengeOf(key_words(other)).deadline
            go_to(later - chain.session.terms.response_time // 2)
            answering, settling = sorted(due(play.store), key=lambda one: one.what)
            assert (answering.method, answering.arguments[0]) == (board.answer, key_words(other))
            settling.method(*settling.arguments, sender=accounts[0])
            assert SessionOnChain(known, chain.session.id).read().fault is not None
            assert due(play.store) == []  # of a server that is convicted nothing is asked
        duty.method(*duty.arguments, sender=accounts[0])
        assert board.challengeOf(key_words(key)).answered
        assert due(play.store) == []
        assert SessionOnChain(known, chain.session.id).read().fault is None


def offer(contracts, server: str, **changes) -> Announcement:
    """What a server announces, of the small session's model."""
    if contracts is not None:
        consensus = str(contracts[1].address)
        changes["about"] = description(
            **NOBODY, consensus=consensus, **voting_times(WINDOW, "open")
        )
    until = now() + 100
    fields = {
        "server": server,
        "least": 3,
        "most": 6,
        "until": until,
        "start": until + TO_OPEN,
        "rounds": 2,
        "upload_time": WINDOW,
        "evaluation_time": WINDOW,
        "response_time": WINDOW // 8,
        "batched": True,
        "stake": 1_000,
        "bond": 10,
        "token": NATIVE,
        "elected": 0.5,
    }
    return Announcement(**fields | changes)


def test_an_announcement_is_its_server_s_own_and_as_its_event_says(
    contracts, known, accounts
) -> None:
    """Another's name, another task and another time are refused, each in one line."""
    board, _ = contracts
    server, members = parties(accounts)
    store = MemoryStore({})
    with undone():
        offered = offer(contracts, str(server.address))
        id_ = publish_announcement(store, offered)
        reference = "0x" + id_.hex()
        with pytest.raises(click.ClickException, match="nobody announced 0x"):
            announcement(known.board, reference, store)
        true = id_, offered.task, offered.until
        for by, words in (
            (members[0], true),
            (server, (id_, bytes(32), offered.until)),
            (server, (id_, offered.task, offered.until + 1)),
        ):
            board.announce(*words, sender=by)
            with pytest.raises(click.ClickException, match="is not what its event says"):
                announcement(known.board, reference, store)
        # The false ones take nothing from the true one.
        board.announce(*true, sender=server)
        found, told = announcement(known.board, reference, store)
        assert (found, told.server) == (offered, server.address)


@pytest.mark.parametrize("honest", [True, False])
def test_nobody_takes_part_in_another_session_than_was_announced(
    contracts, known, accounts, monkeypatch, honest: bool
) -> None:
    """A server that opens one with a smaller stake is refused."""
    board, factory = contracts
    server, members = parties(accounts)
    store = MemoryStore({})
    with undone():
        offered = offer(contracts, str(server.address))
        id_ = publish_announcement(store, offered)
        board.announce(id_, offered.task, offered.until, sender=server)
        _, told = announcement(known.board, "0x" + id_.hex(), store)
        assert session_for(known, offered, told, store) is None
        opened = offered if honest else replace(offered, stake=10)
        terms, about = opened.agreed(twin_of(board), [str(one.address) for one in members])
        chain = FederationChain.create(board, factory, server, terms, about, store)
        if honest:
            found = session_for(known, offered, told, store)
            assert found is not None
            assert found.session.id == chain.session.id
        else:
            with pytest.raises(BoardError, match="has other terms than 0x"):
                session_for(known, offered, told, store)
            # The twin: who does not compare takes part for a hundredth of the stake.
            monkeypatch.setattr(Announcement, "check", lambda *_: None)
            found = session_for(known, offered, told, store)
            assert found is not None
            assert found.session.terms.stake == 10 * MEMBERS < offered.stake * MEMBERS


def test_two_federations_that_start_at_once_hide_neither(contracts, known, accounts) -> None:
    """Each one's members find their own, whichever was opened first."""
    board, factory = contracts
    server, members = parties(accounts)
    store = MemoryStore({})
    with undone():
        first = offer(contracts, str(server.address))
        both, found = (first, replace(first, stake=2_000)), []
        for one in both:
            id_ = publish_announcement(store, one)
            board.announce(id_, one.task, one.until, sender=server)
            found.append(announcement(known.board, "0x" + id_.hex(), store)[1])
        for one in both:
            terms, about = one.agreed(twin_of(board), [str(each.address) for each in members])
            FederationChain.create(board, factory, server, terms, about, store)
        for one, told in zip(both, found, strict=True):
            chain = session_for(known, one, told, store)
            assert chain is not None
            assert chain.session.terms.stake == one.stake * MEMBERS
