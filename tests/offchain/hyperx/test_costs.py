"""What a provider is told before it signs: gas from above, and every loss that terms allow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.crypto.settlement import Settlement
from offchain.hyperx.costs import outcomes, provider_gas
from tests.offchain.hyperx.small_market import make_terms

MEASURED = json.loads((Path(__file__).parents[2] / "gas" / "snapshot.json").read_text())
SESSIONS = [
    *(("published", True, n) for n in (10, 100, 1_000, 10_000)),
    *(("hidden", False, n) for n in (10, 100, 1_000, 4_000)),
]


@pytest.mark.parametrize("settlement", Settlement)
@pytest.mark.parametrize(("kind", "published", "shards"), SESSIONS)
def test_what_is_told_bounds_what_is_measured_by_little(settlement, kind, published, shards):
    terms = make_terms(
        published_addresses=published,
        shard_count=shards,
        sample_bps=1_000,
        settlement=settlement,
    )
    sealed = settlement is Settlement.SEALED
    for call, told in provider_gas(terms).items():
        own = call == "deliverKey" or (sealed and call == "claimDeposit")
        name = f"{call}, winner" if own and call == "claimDeposit" else call
        measured = MEASURED[f"{'sealed ' if own else ''}{kind}/{shards}/{name}"]
        assert measured <= told <= 1.2 * measured, call


@pytest.mark.parametrize("settlement", Settlement)
def test_no_outcome_is_worse_than_the_last_and_the_deposit_bounds_all(settlement):
    terms = make_terms(settlement=settlement)
    gains = [one.gain for one in outcomes(terms)]
    assert gains == sorted(gains, reverse=True)
    assert gains[0] == terms.reward
    assert gains[-1] == -terms.deposit
    assert {-terms.burn, -terms.penalty, terms.compensation, 0} <= set(gains)
