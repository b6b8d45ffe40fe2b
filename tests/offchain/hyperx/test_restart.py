"""Roles are killed at any moment and the chain takes blocks back; the session ends the same."""

import pytest
import torch

from offchain.crypto.settlement import Settlement
from offchain.hyperx import actions as do
from offchain.hyperx import adversaries
from offchain.hyperx import events as ev
from offchain.hyperx.collector import Collector
from offchain.hyperx.policy import Policy
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import State
from offchain.storage import digest_of
from tests.offchain.hyperx.small_market import ANNA, BERT, CARL, COLLECTOR, SmallMarket, honest

ENDS = {
    "honest": {},
    "hidden addresses": {"published_addresses": False},
    "a wrong key": {"kind": adversaries.WrongKey},
    "a silent candidate": {"kind": adversaries.SilentCandidate},
    "no claim": {"kind": adversaries.NeverClaims},
    "a copied root": {"kind": adversaries.RootCopier},
    "a missing shard": {"kind": adversaries.ShardMissing},
    "a hidden missing shard": {
        "kind": adversaries.ShardMissing,
        "published_addresses": False,
        "further_reviews": 1,
    },
    "sealed": {"settlement": Settlement.SEALED},
    "sealed, hidden addresses": {"settlement": Settlement.SEALED, "published_addresses": False},
    "sealed, a wrong delivery": {
        "settlement": Settlement.SEALED,
        "kind": adversaries.WrongDelivery,
    },
    "sealed, no delivery": {"settlement": Settlement.SEALED, "kind": adversaries.NeverClaims},
    "a collector that vanishes": {"collector": adversaries.VanishingCollector},
    "a collector that never evaluates": {"collector": adversaries.IdleCollector},
}


class Reorganised(SmallMarket):
    """Each block that holds an action vanishes once, and the role acts again."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.undone = set()

    def act(self, account, *, restart=False):
        height = len(self.chain.blocks)
        action = super().act(account, restart=restart)
        if action is not None and height not in self.undone:
            self.undone.add(height)
            self.chain.reorganise()
            self.steps.pop()
        return action


def seated(market, kind=Provider, collector=Collector):
    for account, digit, role in ((ANNA, 4, Provider), (BERT, 9, kind), (CARL, 6, Provider)):
        market.provider(account, digit, role)
    market.collector(kind=collector)
    return market


def played(folder, name, *, market=SmallMarket, restart=False):
    seats = {k: v for k, v in ENDS[name].items() if k in ("kind", "collector")}
    terms = {k: v for k, v in ENDS[name].items() if k not in seats}
    market = seated(market(folder, **terms), **seats)
    market.play(restart=restart)
    return market


def told(market):
    """The story: who did what, and to whom."""
    return [
        (step.account, type(step.action).__name__, getattr(step.action, "provider", None))
        for step in market.steps
    ]


def outcome(market):
    """Who has what in the end, and what the collector knows of whom."""
    session = market.chain.session()
    paid = {account: member.paid for account, member in session.members.items()}
    samples = {account: member.sample for account, member in session.members.items()}
    winner = session.deal.provider if session.deal else None
    return session.state, winner, paid, session.reclaimed, samples, market.chain.held


@pytest.mark.parametrize("name", ENDS)
def test_killed_before_and_after_every_decision_the_session_ends_the_same(tmp_path, name):
    """Every role is built anew from the chain and its secrets file before each step, decides, is
    killed before its transaction is sent, and decides once more."""
    calm = played(tmp_path / "calm", name)
    wild = played(tmp_path / "wild", name, restart=True)
    assert told(wild) == told(calm)
    assert outcome(wild) == outcome(calm)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "honest",
        "hidden addresses",
        "a wrong key",
        "a missing shard",
        "sealed",
        "sealed, a wrong delivery",
    ],
)
def test_when_every_block_vanishes_once_the_session_ends_the_same(tmp_path, name, restart):
    calm = played(tmp_path / "calm", name)
    wild = played(tmp_path / "wild", name, market=Reorganised, restart=restart)
    assert len(wild.undone) == len(wild.steps)
    state, winner, paid, *_ = outcome(wild)
    assert (state, winner, paid) == outcome(calm)[:3]
    assert wild.chain.held == 0


def test_a_claim_after_a_restart_opens_what_was_registered_before_it(tmp_path):
    """The session key comes from disk; everything else is computed again."""
    market = played(tmp_path, "hidden addresses", restart=True)
    deal = market.chain.session().deal
    assert deal.session_key == market.role(BERT, restart=True).session_key
    assert market.role(COLLECTOR, restart=True).dataset().digest()


def test_a_collector_that_lost_its_memory_ranks_as_before_and_gives_the_same_reasons(tmp_path):
    market = honest(tmp_path)
    market.provider(ANNA, 4, adversaries.RootCopier)
    market.seats = {account: market.seats[account] for account in (BERT, CARL, ANNA, COLLECTOR)}
    market.play(until=1000)
    market.chain.now = 2000
    first = market.role(COLLECTOR)
    ranking, reasons = list(first.ranking()), dict(first.objections)
    again = market.role(COLLECTOR, restart=True)
    assert list(again.ranking()) == ranking == [BERT, CARL]
    assert again.objections == reasons
    assert set(reasons) == {ANNA}


def test_after_a_reorganisation_what_is_registered_is_looked_at_again(tmp_path):
    """Anna registers in order, the block vanishes, and she registers rubbish instead."""
    market = honest(tmp_path)
    good = market.act(ANNA)
    assert isinstance(market.role(COLLECTOR).next_action(market.chain.clock), do.SampleData)
    market.chain.reorganise()
    market.chain.send(do.Register(good.key_root, good.address_root, bytes(32)), ANNA)
    assert market.act(COLLECTOR) is None
    assert market.role(COLLECTOR).objections[ANNA].startswith("manifest: ")
    market.chain.reorganise()
    market.chain.send(good, ANNA)
    assert market.act(COLLECTOR).provider == ANNA


def test_after_a_reorganisation_the_scores_are_those_of_what_was_submitted_last(tmp_path):
    """Bert's features vanish with the last block before the end of submissions, and come back:
    neither his absence nor his return is decided on what was known before."""
    market = honest(tmp_path)
    market.seats = {a: market.seats[a] for a in (ANNA, CARL, BERT, COLLECTOR)}
    market.play(until=1000)
    assert isinstance(market.steps[-1].action, do.SubmitFeatures)
    assert market.steps[-1].account == BERT
    last = market.chain.blocks.pop()
    market.chain.now = 2000
    role = market.role(COLLECTOR)
    assert role.next_action(market.chain.clock).provider == CARL
    assert role.objections == {BERT: "submitted no features in time"}
    market.chain.blocks.append(last)
    assert market.role(COLLECTOR).next_action(market.chain.clock).provider == BERT
    assert role.objections == {}


def test_features_that_vanish_are_made_again_from_the_new_sample(tmp_path):
    """The sample itself was taken back and another one drawn."""
    market = honest(tmp_path)
    market.act(ANNA)
    market.act(COLLECTOR)
    market.act(ANNA)
    market.chain.reorganise()
    market.chain.reorganise()
    market.chain.send(do.SampleData(ANNA, (0b11 << 7,)), COLLECTOR)
    submitted = market.act(ANNA)
    party = market.chain.session().party(ANNA)
    how = market.role(COLLECTOR).evaluation
    opened = how.open(market.store(COLLECTOR), party, submitted.features, 6)
    features = market.role(ANNA).sampled_features(market.chain.session().member(ANNA))
    assert torch.equal(opened.labels, features.labels)
    raw = market.role(ANNA)._seal(features)
    digest = digest_of(market.store(ANNA).put(raw))
    assert torch.equal(
        how.open(market.store(COLLECTOR), party, digest, 6).features, opened.features
    )


def test_a_one_time_key_that_was_set_before_a_crash_still_opens_the_review(tmp_path):
    market = honest(tmp_path)
    market.play(until=1000)
    market.chain.now = 2000
    asked = market.act(COLLECTOR)
    again = market.role(COLLECTOR, restart=True)
    assert again.select(market.chain.clock).provider == CARL, "who was asked is not asked again"
    market.act(BERT, restart=True)
    assert market.act(COLLECTOR, restart=True) == do.SetOptimal(BERT)
    assert asked.one_time_key == market.chain.session().one_time_key.x


def test_each_candidate_gets_a_one_time_key_of_its_own(tmp_path):
    """Evidence against one discloses its key; the others' reviews stay closed."""
    market = played(tmp_path, "a wrong key")
    keys = [
        step.action.one_time_key
        for step in market.steps
        if isinstance(step.action, do.SetCandidate)
    ]
    assert len(keys) == len(set(keys)) == 2


def test_draws_on_chain_survive_restarts(tmp_path):
    market = honest(tmp_path)
    market.collector(Policy(draw_on_chain=True))
    assert market.play(restart=True).state == State.CLOSED
    assert outcome(market)[1] == BERT


# ------------------------------------------------ what was shown before a reorganisation


def drawn(market):
    """Anna's draw is requested and completed; the action that completed it."""
    market.collector(Policy(draw_on_chain=True))
    market.act(ANNA)
    market.act(COLLECTOR)
    market.chain.block += 2
    action = market.act(COLLECTOR)
    assert isinstance(action, do.DrawSample)
    return action


@pytest.mark.parametrize("restart", [False, True])
def test_a_draws_secret_that_was_shown_is_not_committed_to_again(tmp_path, restart):
    """Request and completion vanish; what was in the pool is known."""
    market = honest(tmp_path)
    known = drawn(market)
    market.chain.reorganise()
    market.chain.reorganise()
    again = market.role(COLLECTOR, restart=restart).next_action(market.chain.clock)
    assert isinstance(again, do.RequestDraw)
    party = market.chain.session().party(ANNA)
    assert again.commitment != party.draw_commitment(known.secret)
    # The twin: a file in which it was not noted that the secret was shown.
    (market.folder / COLLECTOR / "secrets.json").unlink()
    chain = market.chain
    name = f"secret of draw 0 for {ANNA} in {chain.address} on chain {chain.chain_id}"
    market.secrets(COLLECTOR).remember(name, lambda: known.secret)
    same = market.role(COLLECTOR, restart=True).next_action(market.chain.clock)
    assert same.commitment == party.draw_commitment(known.secret)


def test_a_request_that_stayed_is_completed_with_the_secret_that_was_shown(tmp_path):
    """Only the completion vanished: the request's secret is the only one that fits."""
    market = honest(tmp_path)
    known = drawn(market)
    market.chain.reorganise()
    assert market.role(COLLECTOR, restart=True).next_action(market.chain.clock) == known


def test_other_features_get_another_one_time_key(tmp_path):
    """What a review opens follows from the key: whoever saw it must not choose features anew."""
    market = honest(tmp_path)
    market.play(until=1000)
    market.chain.now = 2000
    first = market.act(COLLECTOR)
    assert isinstance(first, do.SetCandidate)
    market.chain.reorganise()
    assert market.role(COLLECTOR, restart=True).next_action(market.chain.clock) == first
    block = next(
        one
        for one in market.chain.blocks
        if any(isinstance(e, ev.FeaturesSubmitted) and e.provider == BERT for e in one.events)
    )
    market.chain.now, kept = 1300, market.chain.blocks
    market.chain.blocks = [one for one in kept if one is not block]
    assert isinstance(market.act(BERT), do.SubmitFeatures)
    market.chain.now = 2000
    second = market.role(COLLECTOR, restart=True).next_action(market.chain.clock)
    assert second.provider == first.provider == BERT
    assert second != first
