"""HyperX's longest story under mainnet's limits (tests/kit/mainnet.py)."""

from __future__ import annotations

from tests.hyperx.stories.played import play_for_good
from tests.kit.mainnet import mainnet

SMALL = {
    "plan": "clean,mislabel:0.9,mislabel:0.9",
    "shards": 10,
    "shard_size": 4,
    "sample": 50.0,
    "validation": 60,
    "reward": "1.5 ether",
    "deposit": "1.5 ether",
}


def test_trade_sealed_and_hidden_with_samples_drawn_on_chain(project, tmp_path) -> None:
    """A candidate that sealed a wrong key is convicted, and the next best delivers."""
    # Which samples are drawn nobody knows before: whichever they are, the clean ones are the best,
    # and the next best may look bad.
    terms = {"hidden": True, "settlement": "sealed", "draw": True, "least_accuracy": 0.0}
    with mainnet() as proxy:
        played = play_for_good("wrong-key", tmp_path, **SMALL, **terms)
    assert played.wrong == []
    assert played.record.chain_id == 1
    calls = [entry.call for entry in played.record.gas]
    assert {
        *("createSession", "register", "requestDraw", "drawSample", "submitFeatures"),
        *("setCandidate", "submitReview", "proveWrongKey", "setOptimal", "deliverKey"),
        *("claimDeposit", "reclaimEscrow"),
    } == {*calls}
    assert len(proxy.sizes) > len(calls)
