"""The bars that the project set itself for gas, and the guard against creeping growth."""

from __future__ import annotations

import json

import pytest

from tests.gas import measure as m
from tests.gas.conftest import REPORT, SNAPSHOT
from tests.gas.floors import DEEDS, floor

CALL_CAP = 15_000_000
ZERO_BYTES_GAS = 300
DRIFT = 0.01


@pytest.fixture(scope="module", params=["hidden", "published"])
def ours(request, measured):
    """Our sessions by number of shards, for hidden and for published addresses."""
    return getattr(measured, request.param)


def sealed(measured):
    """What sealed settlement adds, for hidden and for published addresses, at every size."""
    return [*measured.sealed_hidden.values(), *measured.sealed_published.values()]


def test_creating_a_session_costs_at_most_200_000(ours):
    assert max(session["createSession"].gas for session in ours.values()) <= 200_000


def test_losing_costs_a_provider_at_most_150_000_at_any_size(ours):
    assert max(m.total(session, m.LOSER) for session in ours.values()) <= 150_000


def test_winning_costs_a_provider_at_most_360_000_at_100_shards(ours):
    assert m.total(ours[100], m.WINNER) <= 360_000


def test_one_provider_and_one_deal_cost_the_collector_at_most_135_000(ours):
    assert m.total(ours[100], m.COLLECTOR) <= 135_000


@pytest.mark.parametrize("name", ["register", "submitFeatures", "setCandidate"])
def test_calls_that_carry_no_shards_cost_the_same_at_any_size(ours, name):
    """To the unit, but for the zero bytes that hashes in calldata happen to have."""
    assert len({session[name].work for session in ours.values()}) == 1
    gas = [session[name].gas for session in ours.values()]
    assert max(gas) - min(gas) <= ZERO_BYTES_GAS


@pytest.mark.parametrize(("few", "many"), [(100, 1_000), (1_000, 10_000)])
def test_a_hidden_claim_grows_by_at_most_1_330_a_shard(measured, few, many):
    grown = measured.hidden[many]["claimReward"].gas - measured.hidden[few]["claimReward"].gas
    assert grown / (many - few) <= 1_330


def test_a_published_claim_costs_at_most_115_000_at_100_shards(measured):
    assert measured.published[100]["claimReward"].gas <= 115_000


def test_sealed_settlement_stays_within_its_bars_at_any_size(measured):
    """A delivery that carries no addresses, a dispute, what settles it, what pays it."""
    bars = {"deliverKey": 65_000, "proveWrongDelivery": 100_000, "settle": 50_000}
    for name, bar in (bars | {m.WINNER_IS_PAID: 65_000}).items():
        assert max(session[name].gas for session in measured.sealed_published.values()) <= bar, name
    for name in ("proveWrongDelivery", "settle", m.WINNER_IS_PAID):
        for shards, session in measured.sealed_hidden.items():
            published = measured.sealed_published[shards][name]
            assert abs(session[name].gas - published.gas) <= ZERO_BYTES_GAS, name


@pytest.mark.parametrize(("few", "many"), [(100, 1_000), (1_000, 10_000)])
def test_a_hidden_delivery_grows_by_at_most_1_330_a_shard(measured, few, many):
    sessions = measured.sealed_hidden
    grown = sessions[many]["deliverKey"].gas - sessions[few]["deliverKey"].gas
    assert grown / (many - few) <= 1_330


def test_no_allowed_size_makes_a_call_exceed_15_million(measured):
    ours = {name: gas for name, gas in measured.flat().items() if not name.startswith("plain/")}
    ours["longest draw"] = measured.draw.gas
    dearest = max(ours, key=ours.__getitem__)
    assert ours[dearest] < CALL_CAP, dearest


def test_no_call_undercuts_its_floor(ours, measured):
    """A floor above the measurement would be no floor, and its ratio in the report a lie."""
    for session in (*ours.values(), *sealed(measured)):
        for name, call in session.items():
            assert floor(call.calldata, DEEDS[name]) <= call.gas, name


def test_every_role_pays_less_than_in_the_plain_contract(measured):
    for shards, plain in measured.plain.items():
        for session in (measured.hidden[shards], measured.published[shards]):
            assert m.total(session, m.LOSER) < m.total(plain, m.LOSER)
            assert m.total(session, m.WINNER) < m.total(plain, m.PLAIN_WINNER)
            assert m.total(session, m.COLLECTOR) < m.total(plain, m.COLLECTOR)


def test_no_call_drifts_from_the_committed_figures_unnoticed(measured):
    """Either way: a saving that is not written down could be lost again without notice."""
    kept = json.loads(SNAPSHOT.read_text())
    gas = measured.flat()
    assert gas.keys() == kept.keys(), "calls were added or dropped; run make gas UPDATE=1"
    drifted = {n: (kept[n], gas[n]) for n in gas if abs(gas[n] - kept[n]) > DRIFT * kept[n]}
    assert not drifted, "(kept, measured) differ by more than 1 %; run make gas UPDATE=1"


def test_the_committed_report_shows_the_committed_figures():
    """Both files come from one run, so that nobody updates one and forgets the other."""
    report = REPORT.read_text()
    missing = [
        name
        for name, gas in json.loads(SNAPSHOT.read_text()).items()
        if name.startswith(("hidden/100/", "plain/100/", "published/100/", "sealed", "largest/"))
        and f"{gas:,}" not in report
    ]
    assert not missing
