"""Hide-and-Seek's longest story under mainnet's limits (tests/kit/mainnet.py)."""

from __future__ import annotations

from tests.hide.stories.sold import play
from tests.kit.mainnet import mainnet


def test_sell_with_an_upgrade_and_two_disputes(project, tmp_path):
    """Buyers of the level with a spoilt chunk prove it, one level is bought on top of another."""
    with mainnet() as proxy:
        outcome = play("spoilt-chunk", tmp_path)
    assert outcome.wrong == []
    calls = {call.name: call.count for call in outcome.record.calls}
    assert {*calls} == {
        *("list", "buy", "sealKey", "accept", "settle", "proveSpoiltChunk"),
        *("refund", "close", "withdraw"),
    }
    assert len(proxy.sizes) > sum(calls.values())
