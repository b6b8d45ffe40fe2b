"""The collector's role: it buys the best dataset there is, and pays for nothing else."""

from dataclasses import replace
from functools import cached_property

import pytest
import torch

from offchain.crypto.bitmap import choose
from offchain.data.originals import originals_of
from offchain.data.shards import PackedShards
from offchain.hyperx import actions as do
from offchain.hyperx import adversaries
from offchain.hyperx.collector import Collector
from offchain.hyperx.features import LabelledFeatures
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import State
from offchain.storage import digest_of
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SEEDED,
    SHARD_SIZE,
    SHARDS,
    DigitScorer,
    SmallMarket,
    candidates,
    deal,
    digits,
    evaluation,
    honest,
    of_collector,
    of_digit,
    sold,
)

NINES = originals_of(digits().subset(range(4900, 4900 + SHARDS * SHARD_SIZE), "other nines"))


class MadeUp(list):
    """Shards that no folder gave."""

    @property
    def lengths(self):
        return tuple(map(len, self))


class Repeats(Provider):
    """Sells one shard twelve times."""

    @cached_property
    def shards(self):
        return MadeUp([super().shards[0]] * SHARDS)


class RubbishElsewhere(Provider):
    """Knows what will be sampled; all other shards are of ones that it calls nines."""

    @cached_property
    def shards(self):
        terms = self.session.terms
        lie = replace(self.data, files=of_digit(1, len(self.data)).files)
        rubbish = PackedShards(lie, terms.shard_count, terms.shard_size)
        sampled = choose(SHARDS, terms.first_sample, SEEDED.sample_seed)
        return MadeUp(
            good if i in sampled else bad
            for i, (good, bad) in enumerate(zip(super().shards, rubbish, strict=True))
        )


class WrongLabels(Provider):
    """Submits honest features under labels of a better digit."""

    def submit_features(self, me):
        features, labels = self.sampled_features(me)
        sealed = super()._seal(LabelledFeatures(features, torch.full_like(labels, 9)))
        return do.SubmitFeatures(digest_of(self.store.put(sealed)))


# ---------------------------------------------------------------------- the best is bought


@pytest.mark.parametrize("published", [True, False])
def test_the_best_is_asked_first_and_its_dataset_is_what_is_bought(tmp_path, published):
    market = honest(tmp_path, published_addresses=published)
    session = market.play()
    assert session.state == State.CLOSED
    assert candidates(market) == [BERT]
    assert session.members[BERT].paid == 1600
    assert market.role(COLLECTOR).dataset().digest() == sold(9)


def test_equals_are_asked_in_the_order_of_registration(tmp_path):
    market = SmallMarket(tmp_path)
    for account in (CARL, ANNA, BERT):
        market.provider(account, 7)
    market.collector()
    market.play()
    assert candidates(market) == [CARL]


def test_scores_are_computed_once_for_one_set_of_submissions(tmp_path):
    market = honest(tmp_path)
    scorer = DigitScorer()
    market.collector(how=replace(evaluation(), scorer=scorer))
    market.provider(BERT, 9, adversaries.SilentCandidate)
    market.play()
    assert candidates(market) == [BERT, CARL]
    assert scorer.calls == 1
    assert {a: s.accuracy for a, s in market.role(COLLECTOR).scored.items()} == {
        ANNA: 0.4,
        BERT: 0.9,
        CARL: 0.6,
    }


def test_without_a_deal_there_is_no_dataset_to_read(tmp_path):
    market = honest(tmp_path)
    with pytest.raises(ValueError, match="closed without a deal"):
        market.role(COLLECTOR).dataset()


# ---------------------------------------------------------------------- the next one after it

# What one provider does instead of Bert; what the collector does about it; what it is paid out;
# what the collector says. Deposit 600, penalty 30, twice the compensation 500.
FAULTS = {
    "features of another digit": (
        {"digit": 1, "kind": adversaries.OtherFeatures, "better": of_digit(9)},
        [do.SetCandidate, do.DeclareRubbish],
        100,
        "6 labels differ",
    ),
    "features of other images of the digit": (
        {"digit": 9, "kind": adversaries.OtherFeatures, "better": NINES},
        [do.SetCandidate, do.DeclareRubbish],
        100,
        "features disagree: worst difference",
    ),
    "labels that are better than the data": (
        {"digit": 1, "kind": WrongLabels},
        [do.SetCandidate, do.DeclareRubbish],
        100,
        "6 labels differ",
    ),
    "one shard sold twelve times": (
        {"digit": 9, "kind": Repeats},
        [do.SetCandidate, do.DeclareRubbish],
        100,
        "is a copy of shard",
    ),
    "a wrong key": (
        {"digit": 9, "kind": adversaries.WrongKey},
        [do.SetCandidate, do.ProveWrongKey],
        None,
        "is not the committed one",
    ),
    "silence when asked": (
        {"digit": 9, "kind": adversaries.SilentCandidate},
        [do.SetCandidate],
        570,
        None,
    ),
}


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_candidate_is_dealt_with_and_the_next_best_buys(tmp_path, name, published):
    seat, reaction, paid, reason = FAULTS[name]
    market = honest(tmp_path, further_reviews=1, published_addresses=published)
    market.provider(BERT, **seat)
    session = market.play()
    sequel = [do.SetCandidate, do.SetOptimal]
    assert of_collector(market)[3:7][: len(reaction) + 2] == [*reaction, *sequel]
    assert candidates(market) == [BERT, CARL]
    assert deal(market) == CARL
    assert session.members[BERT].paid == paid
    said = market.role(COLLECTOR).objections.get(BERT)
    assert said is None if reason is None else reason in said


def test_a_hidden_shard_that_cannot_be_fetched_is_refused_not_burned(tmp_path):
    market = honest(tmp_path, further_reviews=1, published_addresses=False)
    market.provider(BERT, 9, adversaries.ShardMissing)
    session = market.play()
    first = session.members[BERT].sample[0]
    assert market.role(COLLECTOR).objections[BERT].startswith(f"shard {first}: ")
    assert of_collector(market)[3:5] == [do.SetCandidate, do.RefuseReview]
    assert (session.members[BERT].paid, deal(market)) == (850, CARL)


@pytest.mark.parametrize("clean", [True, False], ids=["an honest dataset", "rubbish elsewhere"])
def test_rubbish_that_was_not_sampled_shows_in_the_further_shards(tmp_path, clean):
    """The sample is the same, and its features are right; the review opens one shard more."""
    size = 20
    market = SmallMarket(tmp_path, shard_size=size)
    kind, nines = Provider if clean else RubbishElsewhere, of_digit(9, SHARDS * size)
    market.provider(BERT, nines, kind)
    market.collector(how=replace(evaluation(), validation=digits().subset(range(0, 5000, 10))))
    session = market.play()
    member = session.members[BERT]
    (further,) = set(member.opened) - set(member.sample)
    if clean:
        assert deal(market) == BERT
    else:
        assert do.DeclareRubbish in of_collector(market)
        assert market.role(COLLECTOR).objections[BERT].startswith(f"shard {further}: ")


def test_a_collector_may_refuse_what_it_could_declare_rubbish(tmp_path):
    """For half the price; the candidate is compensated then."""
    market = honest(tmp_path, further_reviews=1)
    market.provider(BERT, digit=1, kind=adversaries.OtherFeatures, better=of_digit(9))
    market.collector(replace(SEEDED, burn_for_rubbish=False))
    session = market.play()
    assert of_collector(market)[3:5] == [do.SetCandidate, do.RefuseReview]
    assert (session.members[BERT].paid, deal(market)) == (850, CARL)


def test_a_published_shard_that_cannot_be_fetched_costs_the_collector_nothing(tmp_path):
    """It looks before it asks, so nobody needs to be compensated."""
    market = honest(tmp_path)
    market.provider(BERT, 9, adversaries.ShardMissing)
    session = market.play()
    assert market.role(COLLECTOR).objections[BERT].startswith("shards: ")
    assert (candidates(market), session.members[BERT].paid) == ([CARL], 600)


def test_what_was_published_is_kept_before_the_provider_is_asked(tmp_path):
    """A chosen provider that empties the datastore before it claims takes nothing away."""
    market = honest(tmp_path)
    market.play(until=2000)
    assert deal(market) == BERT
    market.network.clear()
    market.stores[BERT].pinned.clear()
    assert market.role(COLLECTOR, restart=True).dataset().digest() == sold(9)


def test_a_candidate_cannot_take_the_evidence_against_it_away(tmp_path):
    """Bert seals a wrong key and removes manifest and leaves, so that nobody could show what he
    had committed to; a collector that only refused would pay him the compensation."""
    market = honest(tmp_path)
    market.provider(BERT, 9, adversaries.WrongKey)
    market.chain.now = 0
    while BERT not in candidates(market):
        for account in market.seats:
            if market.act(account):
                break
        else:
            market.advance()
    kept = {cid: data for cid, data in market.network.items() if cid in market.stores[BERT].pinned}
    for cid in kept:
        market.stores[BERT].remove(cid)
    market.act(BERT)
    action = market.act(COLLECTOR, restart=True)
    assert isinstance(action, do.ProveWrongKey)


def test_after_a_silent_chosen_provider_the_escrow_and_its_deposit_come_back(tmp_path):
    market = honest(tmp_path)
    market.provider(BERT, 9, adversaries.NeverClaims)
    session = market.play()
    assert (session.reclaimed, session.members[BERT].paid, deal(market)) == (1600, None, None)


# ---------------------------------------------------------------------- when nobody is left


def test_it_closes_at_once_when_nobody_came(tmp_path):
    market = SmallMarket(tmp_path)
    market.collector()
    session = market.play(until=2000)
    assert of_collector(market) == [do.Close, do.ReclaimEscrow]
    assert session.reclaimed == 1000


def test_what_is_left_of_the_escrow_goes_to_whom_it_names(tmp_path):
    purse = "0x" + "77" * 20

    class PaysAnother(Collector):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments, pay_to=purse)

    market = SmallMarket(tmp_path)
    market.collector(kind=PaysAnother)
    market.play(until=2000)
    assert [step.action.to for step in market.steps[1:]] == [purse]


def test_it_closes_when_nobody_is_good_enough(tmp_path):
    market = honest(tmp_path)
    market.collector(replace(SEEDED, least_accuracy=0.91))
    session = market.play(until=2000)
    assert (session.state, session.reclaimed) == (State.CLOSED, 1000)
    assert market.role(COLLECTOR).objections[BERT] == "accuracy 0.900 below 0.910"
    assert all(member.paid == 600 for member in session.members.values())


def test_exactly_good_enough_is_good_enough(tmp_path):
    market = honest(tmp_path)
    market.collector(replace(SEEDED, least_accuracy=0.9))
    market.play()
    assert deal(market) == BERT


def test_it_closes_when_it_is_too_late_to_ask_anybody(tmp_path):
    """The collector was away; a candidate set now could not finish before the expiry."""
    market = honest(tmp_path)
    market.play(until=1000)
    market.chain.now = market.chain.terms.selection_end
    assert isinstance(market.act(COLLECTOR), do.Close)


def test_it_still_asks_in_the_last_second(tmp_path):
    market = honest(tmp_path)
    market.play(until=1000)
    market.chain.now = market.chain.terms.selection_end - 1
    assert isinstance(market.act(COLLECTOR), do.SetCandidate)
