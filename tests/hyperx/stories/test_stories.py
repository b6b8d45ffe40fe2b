"""Every story ends justly, with addresses published or hidden, settlement open or sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from scripts._hyperx.stories import STORIES
from tests.hyperx.stories.played import Played
from tests.kit.units import ETHER

CLEAN, MISLABELLED, NOISY = "provider 1", "provider 2", "provider 3"
NOBODY_CLEAN = "mislabel:0.3,mislabel:0.9,noise:0.6"
COMPENSATION = 2 * ETHER // 5


@dataclass(frozen=True)
class Ending:
    """What must come of a story.

    tried: who must be asked for a review. winner: who must be paid. gains: what each party must
    end up with besides gas, in wei; 0 for those it does not name.
    """

    tried: frozenset[str]
    winner: str | None
    gains: dict[str, int]


def _bought(provider: str, *losers: str, **gains: int) -> Ending:
    return Ending(
        frozenset({provider, *losers}), provider, {provider: ETHER, "collector": -ETHER} | gains
    )


HONEST = _bought(CLEAN)
IDLE = Ending(frozenset(), None, {})
ENDINGS = {
    "honest": HONEST,
    "other-features": _bought(
        CLEAN, NOISY, **{NOISY: COMPENSATION, "collector": -ETHER - COMPENSATION}
    ),
    "rubbish": _bought(
        CLEAN, NOISY, **{NOISY: -2 * COMPENSATION, "collector": -ETHER - 2 * COMPENSATION}
    ),
    "silent-candidate": _bought(
        MISLABELLED, CLEAN, **{CLEAN: -4 * ETHER // 10, "collector": -6 * ETHER // 10}
    ),
    "no-claim": Ending(
        frozenset({CLEAN}), None, {CLEAN: -8 * ETHER // 10, "collector": 8 * ETHER // 10}
    ),
    "vanishing-collector": Ending(
        frozenset({CLEAN}), None, {CLEAN: COMPENSATION, "collector": -COMPENSATION}
    ),
    "idle-collector": IDLE,
    "no-providers": IDLE,
    "copied-root": HONEST,
    "missing-shard": _bought(MISLABELLED),
    "wrong-key": _bought(
        MISLABELLED, CLEAN, **{CLEAN: -8 * ETHER // 10, "collector": -2 * ETHER // 10}
    ),
    "wrong-delivery": Ending(
        frozenset({CLEAN}), None, {CLEAN: -8 * ETHER // 10, "collector": 8 * ETHER // 10}
    ),
    "false-dispute": HONEST,
}
HIDDEN_ENDINGS = ENDINGS | {
    # Published shards are fetched before anybody is asked; hidden ones are missed in the review.
    "missing-shard": _bought(
        MISLABELLED, CLEAN, **{CLEAN: COMPENSATION, "collector": -ETHER - COMPENSATION}
    ),
}


@pytest.fixture(
    params=[
        (name, hidden, settlement)
        for settlement in ("open", "sealed")
        for hidden in (False, True)
        for name, told in STORIES.items()
        # Rubbish differs from other features by the collector's answer alone.
        if told.fits(settlement) and (name != "rubbish" or (settlement, hidden) == ("open", False))
    ],
    ids=lambda param: f"{param[0]}-{'hidden' if param[1] else 'published'}-{param[2]}",
)
def story(request, played) -> tuple[Played, Ending]:
    """A story that was played, and what must have come of it."""
    name, hidden, settlement = request.param
    plan = {"plan": NOBODY_CLEAN} if name in ("other-features", "rubbish") else {}
    outcome = played(name, hidden=hidden, settlement=settlement, **plan)
    return outcome, (HIDDEN_ENDINGS if hidden else ENDINGS)[name]


def test_the_story_ends_as_it_must(story) -> None:
    """Who was asked, who won, and what everybody gained: a story is never vacuous."""
    outcome, ending = story
    assert outcome.wrong == []
    assert frozenset(outcome.tried) == ending.tried
    assert outcome.record.winner == ending.winner
    assert {n: g for n, g in outcome.gains.items() if g} == ending.gains


def test_the_books_balance(story) -> None:
    """Gains and losses are equal but for what was burned, and all else is paid out, save what the
    vanished collector left."""
    outcome, _ = story
    left = {one.party: one.claimable for one in outcome.record.money if one.claimable}
    vanished = outcome.record.story == "vanishing-collector"
    assert left == ({"collector": ETHER - COMPENSATION} if vanished else {})
    assert sum(outcome.gains.values()) == -outcome.session.burned
    assert bool(outcome.session.burned) == ("declareRubbish" in _calls(outcome))


def _calls(outcome: Played) -> set[str]:
    return {entry.call for entry in outcome.record.gas}


def test_the_collector_holds_what_it_paid_for(story) -> None:
    """The decrypted dataset is the winner's, sample by sample; without a deal there is none."""
    outcome, ending = story
    record = outcome.record
    assert record.dataset_matches is (True if ending.winner else None)
    assert (record.digest_received is None) == (ending.winner is None)


def test_a_settlement_hands_over_by_its_own_call(story) -> None:
    """Under sealed terms nobody publishes the key, and a delivery is disputed where it must be."""
    outcome, ending = story
    calls = _calls(outcome)
    sealed = outcome.record.settlement == "sealed"
    delivered = ending.winner is not None or outcome.record.story == "wrong-delivery"
    assert ("claimReward" in calls) == (delivered and not sealed)
    assert ("deliverKey" in calls) == (delivered and sealed)
    disputed = outcome.record.story in ("wrong-delivery", "false-dispute")
    assert ("proveWrongDelivery" in calls) == disputed


def test_a_false_dispute_is_tried_and_refused_by_name(played: Callable[..., Played]) -> None:
    """The story is told, and the collector has paid for the gas of it and for nothing else."""
    outcome = played("false-dispute", hidden=False, settlement="sealed")
    (line,) = [line for line in outcome.record.events if "refused" in line]
    assert "proveWrongDelivery" in line
    assert "KeyIsRight" in line
    (sent,) = [entry for entry in outcome.record.gas if entry.call == "proveWrongDelivery"]
    assert sent.party == "collector"


def test_every_story_has_an_ending() -> None:
    """A story that is added without one would go unchecked."""
    assert STORIES.keys() == ENDINGS.keys()


def test_the_least_corrupted_honest_provider_scores_best(
    played: Callable[..., Played],
) -> None:
    """Scores fall with corruption; the table of the report says the same."""
    outcome = played("honest", hidden=False, settlement="open")
    providers = {p.name: p.score for p in outcome.record.providers}
    assert max(providers, key=lambda name: providers[name] or 0) == CLEAN
