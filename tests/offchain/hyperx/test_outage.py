"""Content that is away for a while: somebody keeps an honest provider's node down.

Who withholds and who is kept away look the same. So nothing is burned for what is only missing;
the collector asks again until late in its window. The twins are collectors that judge at once, or
that keep nothing of what they have scored.
"""

import pytest

from offchain.hyperx import actions as do
from offchain.hyperx import adversaries
from offchain.hyperx.collector import Collector
from offchain.hyperx.provider import Provider
from offchain.storage import ContentMalformed, cid_from_digest
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import BERT, COLLECTOR, honest


class Hasty(Collector):
    """Takes what is missing for rubbish, at once."""

    def review(self, member, patience=None):
        verdict = super().review(member, patience)
        object.__setattr__(verdict, "missing", False)
        return verdict


class Forgetful(MemoryStore):
    """Keeps nothing but what it put itself."""

    def pin(self, cid):
        self.get(cid)


def until_review(folder, kind=Collector, store=MemoryStore, **terms):
    """A market in which Bert, the best, has just opened his review."""
    market = honest(folder, **terms)
    market.stores[COLLECTOR] = store(market.network)
    market.collector(kind=kind)
    market.play(until=market.chain.terms.sampling_end)
    market.chain.now = market.chain.terms.submission_end
    market.act(COLLECTOR)
    market.act(BERT)
    session = market.chain.session()
    assert (session.candidate, session.disclosed) == (BERT, True)
    return market


def features(market):
    return cid_from_digest(market.chain.session().members[BERT].features)


def hidden_shard(market):
    return cid_from_digest(market.chain.session().members[BERT].review_addresses[0])


def wants(market, restart=True):
    return market.role(COLLECTOR, restart=restart).next_action(market.chain.clock)


@pytest.mark.parametrize("restart", [False, True])
def test_features_that_were_scored_are_there_for_the_review(tmp_path, restart):
    market = until_review(tmp_path)
    market.network.pop(features(market))
    assert wants(market, restart) == do.SetOptimal(BERT)


def test_features_that_were_not_kept_are_missed(tmp_path):
    """The twin: with its whole window ahead it would burn, were it hasty."""
    market = until_review(tmp_path, store=Forgetful)
    market.network.pop(features(market))
    assert wants(market) is None
    market.collector(kind=Hasty)
    assert wants(market) == do.DeclareRubbish(BERT)


def test_a_hidden_shard_that_comes_back_in_time_is_judged(tmp_path):
    market = until_review(tmp_path, published_addresses=False)
    cid = hidden_shard(market)
    away = market.network.pop(cid)
    assert wants(market) is None
    market.chain.now = market.chain.session().last_look - 1
    assert wants(market) is None
    market.network[cid] = away
    assert wants(market) == do.SetOptimal(BERT)


def test_a_hidden_shard_that_stays_away_is_refused_late_and_burns_nothing(tmp_path):
    market = until_review(tmp_path, published_addresses=False)
    market.network.pop(hidden_shard(market))
    session, terms = market.chain.session(), market.chain.terms
    market.chain.now = session.last_look
    assert session.deadline - terms.response_time < session.last_look < session.deadline
    assert market.act(COLLECTOR, restart=True) == do.RefuseReview(BERT)
    session = market.chain.session()
    assert session.owed_to(BERT) == terms.deposit + terms.compensation
    assert session.owed_to_collector() == terms.escrow - terms.compensation


def test_a_hasty_collector_burns_for_an_outage(tmp_path):
    """The twin of both: each loses twice the compensation, and the stranger nothing."""
    market = until_review(tmp_path, Hasty, published_addresses=False)
    market.network.pop(hidden_shard(market))
    assert market.act(COLLECTOR) == do.DeclareRubbish(BERT)
    session, terms = market.chain.session(), market.chain.terms
    assert session.owed_to(BERT) == terms.deposit - terms.burn


def test_a_hidden_shard_is_fetched_once(tmp_path):
    """Those that came before the one that is away are kept."""
    market = until_review(tmp_path, published_addresses=False)
    first, *_, last = market.chain.session().members[BERT].review_addresses
    away = market.network.pop(cid_from_digest(last))
    assert wants(market) is None
    market.network[cid_from_digest(last)] = away
    market.network.pop(cid_from_digest(first))
    assert wants(market) == do.SetOptimal(BERT)


FOLDER = cid_from_digest(b"\x0f" * 32)


class FolderNode(MemoryStore):
    """As a node answers where there is a folder: it is no file, whoever asks and when."""

    def get(self, cid, max_bytes=None):
        if cid == FOLDER:
            raise ContentMalformed(f"{cid} is a folder, not a file")
        return super().get(cid, max_bytes)


class FolderShards(Provider):
    """Hides addresses, and all that its review opens is no file."""

    def store_shards(self, ciphertexts):
        return [FOLDER] * len(ciphertexts)


def test_what_is_there_and_is_no_file_is_rubbish_and_earns_nothing(tmp_path):
    market = honest(tmp_path, published_addresses=False, further_reviews=1)
    market.provider(BERT, 9, FolderShards)
    market.stores[COLLECTOR] = FolderNode(market.network)
    session = market.play()
    assert session.members[BERT].paid == market.chain.terms.deposit - market.chain.terms.burn
    assert session.deal.provider != BERT


class FolderManifest(Provider):
    """Registers a folder for its manifest; its deposit comes back."""

    def register(self):
        register = super().register()
        return do.Register(register.key_root, register.address_root, b"\x0f" * 32)


def test_one_registration_stops_no_collector(tmp_path):
    market = honest(tmp_path)
    market.provider(BERT, 9, FolderManifest)
    market.stores[COLLECTOR] = FolderNode(market.network)
    session = market.play()
    assert session.members[BERT].sample is None
    assert session.deal is not None


def test_a_withheld_shard_costs_the_collector_the_compensation(tmp_path):
    """What burning nothing is paid with: where addresses are hidden, silence about shards pays."""
    market = honest(tmp_path, published_addresses=False, further_reviews=1)
    market.provider(BERT, 9, adversaries.ShardMissing)
    session = market.play(restart=True)
    assert (
        session.members[BERT].paid == market.chain.terms.deposit + market.chain.terms.compensation
    )
