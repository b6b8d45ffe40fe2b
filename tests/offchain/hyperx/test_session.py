"""A session folded from its events: states and amounts in every branch, worked out by hand."""

from dataclasses import dataclass, replace

import pytest

from offchain.crypto.sealing import Point, point_of
from offchain.crypto.settlement import Settlement
from offchain.hyperx import events as ev
from offchain.hyperx.session import Fault, Session, SessionError, State
from tests.offchain.hyperx.session_in_memory import CHAIN_ID, SESSION, held
from tests.offchain.hyperx.small_market import ANNA, BERT, make_terms

# Reward 1000, deposit 600; a quarter of the shards, a twentieth of the deposit; one further review.
COMPENSATION, PENALTY, ESCROW = 250, 30, 1500
KEY = Point.with_even_y(point_of(5).x)
WORD = bytes(32)


def terms():
    return make_terms(further_reviews=1)


def folded(*events):
    session = Session(CHAIN_ID, SESSION, terms())
    for event in events:
        session.apply(event)
    return session


def joined(*accounts):
    return [ev.Registered(account, WORD, WORD, WORD) for account in accounts]


def submitted(*accounts):
    both = [(ev.Sampled(a, (0b111,)), ev.FeaturesSubmitted(a, WORD)) for a in accounts]
    return [*joined(*accounts), *(event for pair in both for event in pair)]


def asked(account, deadline=2100):
    return [ev.CandidateSet(account, KEY.x, deadline)]


def opened(account, deadline=2200):
    return [*asked(account), ev.ReviewSubmitted(account, 7, (WORD,) * 3, (), deadline)]


def chosen(account, deadline=2300):
    return [*opened(account), ev.OptimalSet(account, deadline)]


def delivered(account, deadline=2400):
    return [*chosen(account), ev.KeyDelivered(account, 9, WORD, (), deadline)]


def refused(account, by_collector=True):
    return [*opened(account), ev.ReviewRefused(account, COMPENSATION, by_collector)]


BOTH = submitted(ANNA, BERT)
CLOSED = [ev.SessionClosed(False)]


@dataclass(frozen=True)
class Branch:
    """Events, and where they lead: the state and what Anna, Bert and the collector are owed."""

    events: list
    state: State
    anna: int
    bert: int
    collector: int


BRANCHES = {
    "nobody comes": Branch([], State.PENDING, 0, 0, ESCROW),
    "registered": Branch(joined(ANNA, BERT), State.PENDING, 600, 600, ESCROW),
    "draw requested": Branch(
        [*joined(ANNA, BERT), ev.SampleRequested(ANNA, bytes(32), 9)],
        State.PENDING,
        600,
        600,
        ESCROW,
    ),
    "submitted": Branch(BOTH, State.PENDING, 600, 600, ESCROW),
    "closed early": Branch([*BOTH, *CLOSED], State.CLOSED, 600, 600, ESCROW),
    "asked": Branch([*BOTH, *asked(ANNA)], State.REVIEWING, 600, 600, ESCROW),
    "opened": Branch([*BOTH, *opened(ANNA)], State.REVIEWING, 600, 600, ESCROW),
    "chosen": Branch([*BOTH, *chosen(ANNA)], State.REVIEWED, 600, 600, ESCROW),
    "deal": Branch(
        [*BOTH, *chosen(ANNA), ev.RewardClaimed(ANNA, WORD, (), 1600), ev.SessionClosed(True)],
        State.CLOSED,
        0,
        600,
        ESCROW - 1000,
    ),
    "refused": Branch(
        [*BOTH, *refused(ANNA)], State.PENDING, 600 + COMPENSATION, 600, ESCROW - COMPENSATION
    ),
    "refused twice": Branch(
        [*BOTH, *refused(ANNA), *refused(BERT, False), *CLOSED],
        State.CLOSED,
        600 + COMPENSATION,
        600 + COMPENSATION,
        ESCROW - 2 * COMPENSATION,
    ),
    "refused, then a deal": Branch(
        [
            *BOTH,
            *refused(ANNA),
            *chosen(BERT),
            ev.RewardClaimed(BERT, WORD, (), 1600),
            ev.SessionClosed(True),
        ],
        State.CLOSED,
        600 + COMPENSATION,
        0,
        COMPENSATION,
    ),
    "declared rubbish": Branch(
        [*BOTH, *opened(ANNA), ev.RubbishDeclared(ANNA, 500)],
        State.PENDING,
        100,
        600,
        ESCROW - 500,
    ),
    "a claim that could not be paid": Branch(
        [
            *BOTH,
            *chosen(ANNA),
            ev.RewardClaimed(ANNA, WORD, (), 1600),
            ev.SessionClosed(True),
            ev.RewardCredited(ANNA, 1600),
        ],
        State.CLOSED,
        1600,
        600,
        ESCROW - 1000,
    ),
    "silent candidate": Branch(
        [*BOTH, *asked(ANNA), ev.CandidateSilent(ANNA, PENALTY)],
        State.PENDING,
        600 - PENALTY,
        600,
        ESCROW + PENALTY,
    ),
    "wrong key": Branch(
        [*BOTH, *opened(ANNA), ev.WrongKeyProved(ANNA, 0, 600)], State.PENDING, 0, 600, ESCROW + 600
    ),
    "delivered": Branch([*BOTH, *delivered(ANNA)], State.DELIVERED, 600, 600, ESCROW),
    "delivered, undisputed": Branch(
        [*BOTH, *delivered(ANNA), ev.DeliveryUndisputed(ANNA, 1000), ev.SessionClosed(True)],
        State.CLOSED,
        1600,
        600,
        ESCROW - 1000,
    ),
    "wrong delivery": Branch(
        [*BOTH, *delivered(ANNA), ev.WrongDeliveryProved(ANNA, 0, 600), *CLOSED],
        State.CLOSED,
        0,
        600,
        ESCROW + 600,
    ),
    "chosen and silent": Branch(
        [*BOTH, *chosen(ANNA), ev.OptimalSilent(ANNA, 600), *CLOSED],
        State.CLOSED,
        0,
        600,
        ESCROW + 600,
    ),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_every_branch_leads_to_its_state_and_its_amounts(name):
    branch = BRANCHES[name]
    session = folded(*branch.events)
    assert session.state == branch.state
    owed = session.owed_to(ANNA), session.owed_to(BERT), session.owed_to_collector()
    assert owed == (branch.anna, branch.bert, branch.collector)


@pytest.mark.parametrize("name", BRANCHES)
def test_what_is_owed_is_what_is_held_after_every_event(name):
    """Nobody's claim rests on money that is not there, and none is left over, at every prefix and
    while each party takes out what it is owed."""
    branch = BRANCHES[name]
    end = folded(*branch.events)
    payouts = [ev.DepositClaimed(a, end.owed_to(a)) for a in (ANNA, BERT) if end.owed_to(a)]
    story = [*branch.events, *payouts, ev.EscrowReclaimed(end.owed_to_collector())]
    for length in range(len(story) + 1):
        session = folded(*story[:length])
        owed = sum(session.owed_to(account) for account in session.members)
        assert owed + session.owed_to_collector() == held(terms(), story[:length])
    assert held(terms(), story) == 0


@pytest.mark.parametrize("name", BRANCHES)
def test_folding_in_two_parts_is_folding_at_once(name):
    """A role that reads on stands where one stands that reads all again."""
    events = BRANCHES[name].events
    for cut in range(len(events) + 1):
        session = folded(*events[:cut])
        for event in events[cut:]:
            session.apply(event)
        assert session == folded(*events)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("silent candidate", Fault.NO_REVIEW),
        ("wrong key", Fault.WRONG_KEY),
        ("wrong delivery", Fault.WRONG_DELIVERY),
        ("chosen and silent", Fault.NO_CLAIM),
        ("refused twice", None),
        ("deal", None),
    ],
)
@pytest.mark.parametrize("penalty_bps", [1_000, 10_000])
def test_the_cause_of_a_loss_is_kept_however_much_was_lost(name, fault, penalty_bps):
    """A penalty of the whole deposit is no other fault than one of a tenth."""
    rules = replace(terms(), penalty_bps=penalty_bps)
    session = Session(CHAIN_ID, SESSION, rules)
    for event in BRANCHES[name].events:
        if isinstance(event, ev.CandidateSilent):
            event = replace(event, forfeited=rules.penalty)
        session.apply(event)
    assert session.member(ANNA).fault is fault
    assert session.member(BERT).fault is None


def test_who_is_silent_when_chosen_delivered_no_key_where_keys_are_sealed():
    session = Session(CHAIN_ID, SESSION, replace(terms(), settlement=Settlement.SEALED))
    for event in BRANCHES["chosen and silent"].events:
        session.apply(event)
    assert session.member(ANNA).fault is Fault.NO_DELIVERY


LAPSES = {
    "undisclosed": (
        [*BOTH, *asked(ANNA)],
        2100,
        [ev.CandidateSilent(ANNA, PENALTY)],
    ),
    "undecided": (
        [*BOTH, *opened(ANNA)],
        2200,
        [ev.ReviewRefused(ANNA, COMPENSATION, False)],
    ),
    "undecided, the last review": (
        [*BOTH, *refused(BERT), *opened(ANNA)],
        2200,
        [ev.ReviewRefused(ANNA, COMPENSATION, False), *CLOSED],
    ),
    "unclaimed": (
        [*BOTH, *chosen(ANNA)],
        2300,
        [ev.OptimalSilent(ANNA, 600), *CLOSED],
    ),
    "undisputed": (
        [*BOTH, *delivered(ANNA)],
        2400,
        [ev.DeliveryUndisputed(ANNA, 1000), ev.SessionClosed(True)],
    ),
}


@pytest.mark.parametrize("name", LAPSES)
def test_a_lapsed_window_has_its_consequence_from_its_last_second_on(name):
    """`settled` is what the contract does first: the same as the events of `settle`."""
    events, deadline, consequence = LAPSES[name]
    session = folded(*events)
    assert session.settled(deadline - 1) is session
    for now in (deadline, deadline + 10_000):
        assert session.settled(now) == folded(*events, *consequence)
        assert session.settled(now).settled(now) == session.settled(now)
    assert session == folded(*events), "looking ahead changes nothing"


@pytest.mark.parametrize(
    "name", [n for n in BRANCHES if n not in ("asked", "opened", "chosen", "delivered")]
)
def test_without_a_running_window_nothing_lapses(name):
    session = folded(*BRANCHES[name].events)
    assert session.settled(10**9) is session


def test_a_session_is_over_when_closed_expired_or_about_to_be_closed_by_a_lapse():
    expiry = terms().expiry
    assert not folded(*BOTH).is_over(expiry - 1)
    assert folded(*BOTH).is_over(expiry)
    assert folded(*BOTH, *CLOSED).is_over(0)
    assert not folded(*BOTH, *chosen(ANNA)).is_over(2299)
    assert folded(*BOTH, *chosen(ANNA)).is_over(2300)
    assert not folded(*BOTH, *delivered(ANNA)).is_over(2399)
    assert folded(*BOTH, *delivered(ANNA)).is_over(2400)
    assert not folded(*BOTH, *asked(ANNA)).is_over(2100), "another candidate may follow"


@pytest.mark.parametrize(
    ("block", "is_open", "is_pending"),
    [(9, False, True), (10, False, True), (11, True, True), (266, True, True), (267, False, False)],
)
def test_a_draw_of_block_9_can_be_completed_from_block_11_to_266(block, is_open, is_pending):
    """The hash of block 10 decides; block 266 is the last whose 256 predecessors hold it."""
    member = folded(*joined(ANNA), ev.SampleRequested(ANNA, bytes(32), 9)).member(ANNA)
    assert (member.draw_open(block), member.draw_pending(block)) == (is_open, is_pending)


def test_a_completed_draw_is_open_no_more():
    member = folded(
        *joined(ANNA), ev.SampleRequested(ANNA, bytes(32), 9), ev.Sampled(ANNA, (0b101,))
    ).member(ANNA)
    assert member.sample == (0, 2)
    assert not member.draw_open(12)
    assert not member.draw_pending(12)


def test_members_keep_the_order_of_registration_and_what_they_opened():
    session = folded(*submitted(BERT, ANNA), *opened(ANNA))
    assert list(session.members) == [BERT, ANNA]
    anna = session.member(ANNA)
    assert anna.tried
    assert (anna.review.ephemeral_x, len(anna.review.sealed)) == (7, 3)
    assert session.one_time_key == KEY
    assert not session.member(BERT).tried


@pytest.mark.parametrize("event", [ev.Sampled(ANNA, (1,)), ev.DepositClaimed(ANNA, 5)])
def test_events_of_a_stranger_are_refused(event):
    with pytest.raises(SessionError, match=f"{ANNA} is no provider of session {SESSION}"):
        folded(event)


def test_a_stranger_is_owed_nothing_and_nobody_is_paid_twice():
    assert folded().owed_to(ANNA) == 0
    paid = folded(*BOTH, *CLOSED, ev.DepositClaimed(ANNA, 600), ev.EscrowReclaimed(ESCROW))
    assert (paid.owed_to(ANNA), paid.owed_to_collector()) == (0, 0)


def test_the_amounts_of_the_terms_are_rounded_down_as_the_contract_does():
    odd = replace(terms(), reward=999, deposit=333, sample_bps=3333, penalty_bps=1, shard_count=10)
    assert (odd.compensation, odd.penalty, odd.sample_limit) == (332, 0, 3)
    assert odd.escrow == 999 + 2 * 332
    assert odd.burn == 664
    assert odd.selection_end == 2700
    assert replace(odd, settlement=Settlement.SEALED).selection_end == 2600
