"""The collector's role: samples that are drawn, on chain or by itself, are not foreseen."""

from offchain.data.originals import originals_of
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.policy import Policy
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    SHARD_SIZE,
    SHARDS,
    deal,
    digits,
    honest,
)

NINES = originals_of(digits().subset(range(4900, 4900 + SHARDS * SHARD_SIZE), "other nines"))


def test_a_draw_is_requested_and_completed_for_everybody(tmp_path):
    market = honest(tmp_path)
    market.collector(Policy(draw_on_chain=True))
    session = market.play()
    assert deal(market) == BERT
    assert sum(isinstance(e, ev.SampleRequested) for e in market.chain.events) == 3
    assert all(len(member.sample) == 2 for member in session.members.values())
    assert len(session.members[BERT].opened) == 3


def test_a_draw_is_completed_with_its_secret_once_the_block_is_there(tmp_path):
    """Also by a collector that was killed in between; the provider has nothing to do."""
    market = honest(tmp_path)
    market.collector(Policy(draw_on_chain=True))
    market.act(ANNA)
    request = market.act(COLLECTOR)
    assert market.act(COLLECTOR) is None, "the deciding block is not there yet"
    market.chain.block += 1
    assert market.act(ANNA) is None
    drawn = market.act(COLLECTOR, restart=True)
    party = market.chain.session().party(ANNA)
    assert isinstance(drawn, do.DrawSample)
    assert request == do.RequestDraw(ANNA, party.draw_commitment(drawn.secret))


def test_a_draw_that_nobody_completed_is_requested_again_with_another_secret(tmp_path):
    """The first may be known: an opening that came too late lay in the pool."""
    market = honest(tmp_path)
    market.collector(Policy(draw_on_chain=True))
    market.act(ANNA)
    first = market.act(COLLECTOR)
    requested = market.chain.session().member(ANNA).draw_block
    market.chain.block = requested + 257
    late = market.role(COLLECTOR).next_action(market.chain.clock)
    assert isinstance(late, do.DrawSample)
    market.chain.block = requested + 258
    assert market.act(ANNA) is None
    again = market.act(COLLECTOR)
    assert isinstance(again, do.RequestDraw)
    assert again.commitment != first.commitment


def test_a_sample_is_not_foreseen(tmp_path):
    """Without a seed, eight choices of 3 out of 12 shards are the same once in 10**16 times."""
    market = honest(tmp_path)
    market.collector(Policy())
    market.act(ANNA)
    role, clock = market.role(COLLECTOR), market.chain.clock
    assert len({role.next_action(clock).bitmap for _ in range(8)}) > 1
