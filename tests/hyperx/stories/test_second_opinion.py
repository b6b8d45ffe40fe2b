"""`ape run trade --second-opinion`: an efficacy price beside each quality score."""

from __future__ import annotations

from tests.hyperx.stories.played import play_story


def test_the_report_prices_what_each_provider_submitted(project, tmp_path) -> None:
    """The reward at most, and less where labels are wrong."""
    played = play_story("honest", tmp_path, second_opinion=True)
    assert played.wrong == []
    record = played.record
    prices = {one.corruption: record.efficacy[one.name] for one in record.providers}
    assert 0 <= min(prices.values()) <= max(prices.values()) <= record.reward
    assert prices["clean"] > prices["mislabel:0.5"]
    assert "Efficacy price" in played.printed.replace("\n", " ")
    assert "Efficacy price (ETH)" in (played.folder / "report.html").read_text()
