"""The bars that the project set itself for gas, and the guard against creeping growth."""

from __future__ import annotations

import json

import pytest

from tests.gas import measure as m
from tests.gas.conftest import REPORT, SNAPSHOT
from tests.gas.floors import DEEDS, floor, raised_floor

CALL_CAP = 15_000_000
# EIP-7825.
TRANSACTION_GAS = 2**24
POOL_BYTES = 131_072
# Of a transaction of 128 KiB, calldata: the rest is for the fields of the transaction, of which
# the signature, at most 250 bytes, and for the wrapping of whatever wallet sends it.
CALLDATA_BYTES = 129_024
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


@pytest.mark.parametrize(("few", "many"), [(100, 1_000), (1_000, 4_000)])
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
    sizes = measured.sealed_hidden.keys() & measured.sealed_published.keys()
    for name in ("proveWrongDelivery", "settle", m.WINNER_IS_PAID):
        for shards in sizes:
            session = measured.sealed_hidden[shards]
            published = measured.sealed_published[shards][name]
            assert abs(session[name].gas - published.gas) <= ZERO_BYTES_GAS, name


@pytest.mark.parametrize(("few", "many"), [(100, 1_000), (1_000, 4_000)])
def test_a_hidden_delivery_grows_by_at_most_1_330_a_shard(measured, few, many):
    sessions = measured.sealed_hidden
    grown = sessions[many]["deliverKey"].gas - sessions[few]["deliverKey"].gas
    assert grown / (many - few) <= 1_330


def test_no_allowed_size_makes_a_call_exceed_15_million(measured):
    ours = {name: gas for name, gas in measured.flat().items() if not name.startswith("plain/")}
    ours["longest draw"] = measured.draw.gas
    dearest = max(ours, key=ours.__getitem__)
    assert ours[dearest] < CALL_CAP, dearest


def test_the_largest_session_fits_into_any_public_pool(measured):
    """Every call that grows, in bytes, and in gas even if calldata rises to 64 gas a byte."""
    for name, call in measured.largest.items():
        assert len(call.calldata) <= CALLDATA_BYTES, name
        assert call.signed_bytes <= POOL_BYTES, name
        assert max(call.gas, raised_floor(call.calldata)) <= TRANSACTION_GAS, name


def test_the_longest_review_is_that_of_the_largest_session():
    """Its words at every size that is allowed where addresses are hidden, by an exact bound."""
    most_shards, most_sampled = m.LARGEST["hidden"]
    longest = max(
        (_review_words(shards, min(shards // 2, most_sampled)), shards)
        for shards in range(2, most_shards + 1)
    )
    assert longest == (_review_words(most_shards, most_sampled), most_shards)
    assert 4 + 32 * longest[0] <= CALLDATA_BYTES


def test_without_the_bound_of_hidden_addresses_no_pool_would_take_review_or_claim():
    """What the bounds of published addresses would allow, were they those of hidden ones."""
    shards, sampled = m.LARGEST["published"]
    assert 32 * _review_words(shards, sampled) > POOL_BYTES
    assert 32 * shards > POOL_BYTES


def _review_words(shards: int, sampled: int) -> int:
    """Words of a review's arguments at most.

    Seen from the root, sampled leaves span a tree in which one node fewer than there are leaves has
    two children; every other node above the leaves needs a sibling. A level has as many nodes as it
    is wide, and as there are leaves, at most.
    """
    width, inner = shards, 0
    while width > 1:
        width = (width + 1) // 2
        inner += min(width, sampled)
    proof = inner - (sampled - 1)
    # The struct's place and eight words, and four arrays with their lengths.
    return 1 + 8 + 4 + -(-shards // 256) + 2 * sampled + proof


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
