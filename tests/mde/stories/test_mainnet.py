"""MDE's longest story under mainnet's limits (tests/kit/mainnet.py)."""

from __future__ import annotations

from tests.kit.mainnet import mainnet
from tests.mde.stories.played import play


def test_price_with_a_seller_whose_score_is_proved_wrong(project, tmp_path):
    """The buyer quotes, pays under sealed terms, walks the tree on chain and gets the stake."""
    with mainnet() as proxy:
        outcome = play("false-score", tmp_path, settlement="sealed")
    assert outcome.wrong == []
    calls = {call["name"]: call["count"] for call in outcome.record["calls"]}
    assert {*calls} >= {"quote", "purchase", "proveWrongScore"}
    assert len(proxy.sizes) > sum(calls.values())
