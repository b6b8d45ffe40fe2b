"""createSession: which terms make a session, which are refused by name, and what it costs."""

import ape
import pytest

from offchain.crypto.settlement import NATIVE
from tests.hyperx.session_driver import event_in, open_session
from tests.hyperx.terms import FIELDS, make_terms
from tests.kit.refusals import refusal, refused
from tests.kit.units import ETHER

SHORTEST, LONGEST, LONGEST_SESSION = 10 * 60, 30 * 86_400, 90 * 86_400

WRONG_TERMS = {
    "no shard": ({"shardCount": 0}, "ShardCountOutOfRange", (0, 4_000)),
    "a shard too many": (
        {"shardCount": 10_001, "publishedAddresses": True},
        "ShardCountOutOfRange",
        (10_001, 10_000),
    ),
    "a hidden shard too many": ({"shardCount": 4_001}, "ShardCountOutOfRange", (4_001, 4_000)),
    "empty shards": ({"shardSize": 0}, "ShardSizeZero", ()),
    "more than half sampled": ({"sampleBps": 5_001}, "SampleShareOutOfRange", (5_001, 5_000)),
    "nothing sampled": (
        {"shardCount": 9, "sampleBps": 1_111},
        "SampleCountOutOfRange",
        (0, 1_000),
    ),
    "a sample too many": (
        {"shardCount": 10_000, "sampleBps": 2_001, "publishedAddresses": True},
        "SampleCountOutOfRange",
        (2_001, 2_000),
    ),
    "a hidden sample too many": (
        {"shardCount": 2_002, "sampleBps": 5_000},
        "SampleCountOutOfRange",
        (1_001, 1_000),
    ),
    "no penalty": (
        {"deposit": 9_999, "reward": 10_000, "penaltyBps": 0},
        "PenaltyZero",
        (9_999, 0),
    ),
    "penalty that rounds to nothing": (
        {"deposit": 9_999, "reward": 10_000, "penaltyBps": 1},
        "PenaltyZero",
        (9_999, 1),
    ),
    "penalty above the deposit": ({"penaltyBps": 10_001}, "PenaltyOutOfRange", (10_001, 10_000)),
    "no reward": ({"reward": 0}, "CompensationZero", (0, 3_000)),
    "compensation that rounds to nothing": ({"reward": 3}, "CompensationZero", (3, 3_000)),
    "deposit below twice the compensation": (
        {"reward": 1_000, "sampleBps": 3_000, "deposit": 599},
        "DepositTooLow",
        (599, 600),
    ),
    "reward below the deposit": (
        {"reward": 999, "deposit": 1_000, "penaltyBps": 1_000},
        "RewardTooLow",
        (999, 1_000),
    ),
    "reward below two penalties": (
        {"reward": 1_599, "deposit": 1_000, "penaltyBps": 8_000},
        "RewardTooLow",
        (1_599, 1_600),
    ),
    "no time to respond": ({"responseTime": 0}, "WindowOutOfRange", (0, SHORTEST, LONGEST)),
    "a second too little to respond": (
        {"responseTime": SHORTEST - 1},
        "WindowOutOfRange",
        (SHORTEST - 1, SHORTEST, LONGEST),
    ),
    "a second too long to respond": (
        {"responseTime": LONGEST + 1},
        "WindowOutOfRange",
        (LONGEST + 1, SHORTEST, LONGEST),
    ),
    "no task": ({"task": bytes(32)}, "DocumentMissing", ()),
    "no encryption key": ({"encryptionKey": bytes(32)}, "DocumentMissing", ()),
    "token without code": (
        {"token": "0x000000000000000000000000000000000000bEEF"},
        "TokenWithoutCode",
        ("0x000000000000000000000000000000000000bEEF",),
    ),
}

# The extremes that are still allowed.
RIGHT_TERMS = {
    "one shard fewer than the limit": {
        "shardCount": 9_999,
        "sampleBps": 2_000,
        "publishedAddresses": True,
    },
    "most shards and samples": {
        "shardCount": 10_000,
        "sampleBps": 2_000,
        "publishedAddresses": True,
    },
    "most hidden shards and samples": {"shardCount": 4_000, "sampleBps": 2_500},
    "two shards, one sampled": {"shardCount": 2, "sampleBps": 5_000},
    "whole deposit as penalty": {
        "reward": 1_000,
        "deposit": 500,
        "penaltyBps": 10_000,
        "shardCount": 8,
        "sampleBps": 2_500,
    },
    "least penalty": {"reward": 10_000, "deposit": 10_000, "penaltyBps": 1},
    "least compensation": {"reward": 4, "deposit": 4, "penaltyBps": 2_500},
    "deposit of twice the compensation": {"reward": 1_000, "deposit": 600},
    "sealed settlement": {"settlement": 1},
    "most money": {
        "reward": 2**96 - 1,
        "deposit": 2**96 - 1,
        "penaltyBps": 5_000,
        "furtherReviews": 255,
    },
}


def create_refusal(factory, collector, terms, value):
    return refusal(factory.createSession, terms, 0, sender=collector, value=value)


@pytest.mark.parametrize("case", WRONG_TERMS)
def test_wrong_terms_are_refused_by_name(factory, collector, case):
    """Each bound of the terms has an error that names the value and the bound.

    No money is sent, so that terms which the factory takes fail with WrongPayment.
    """
    overrides, name, args = WRONG_TERMS[case]
    terms = make_terms(ape.chain.blocks.head.timestamp, collector.address, **overrides)
    assert create_refusal(factory, collector, terms, 0) == refused(name, *args)


@pytest.mark.parametrize("case", RIGHT_TERMS)
def test_extreme_terms_are_allowed(factory, collector, case):
    """The bounds themselves are legal, and the terms read back as they were given."""
    overrides = RIGHT_TERMS[case]
    terms = make_terms(ape.chain.blocks.head.timestamp, collector.address, **overrides)
    escrow = factory.escrowOf(terms)
    ape.chain.provider.set_balance(collector.address, escrow + ETHER)
    driver = open_session(factory, collector, **overrides)
    assert {name: driver.terms[name] for name in overrides} == overrides
    assert driver.session.balance == escrow == driver.escrow


@pytest.mark.parametrize(("settlement", "windows"), [(0, 3), (1, 4)], ids=["open", "sealed"])
def test_every_window_is_ten_minutes_to_thirty_days(factory, collector, settlement, windows):
    """Registration, submission, each response and selection, to the second; times out of order
    are windows of no length. No session lasts longer than 90 days."""
    now = ape.chain.blocks.head.timestamp

    def attempt(registration, submission, selection, response):
        registration_end = now + registration
        submission_end = registration_end + submission
        expiry = submission_end + selection + windows * response
        terms = make_terms(
            now,
            collector.address,
            settlement=settlement,
            registrationEnd=registration_end,
            submissionEnd=submission_end,
            expiry=expiry,
            responseTime=response,
        )
        return create_refusal(factory, collector, terms, factory.escrowOf(terms)), expiry

    shortest = [SHORTEST] * 4
    assert attempt(*shortest)[0] is None
    for place in range(4):
        for length in (SHORTEST - 1, LONGEST + 1):
            lengths = [*shortest[:place], length, *shortest[place + 1 :]]
            bounds = (length, SHORTEST, LONGEST)
            assert attempt(*lengths)[0] == refused("WindowOutOfRange", *bounds), lengths
    for place in range(3):
        lengths = [*shortest[:place], LONGEST, *shortest[place + 1 :]]
        assert attempt(*lengths)[0] is None, lengths
    none = refused("WindowOutOfRange", 0, SHORTEST, LONGEST)
    for place, back in ((0, 0), (0, -1), (1, -1), (2, -1)):
        assert attempt(*shortest[:place], back, *shortest[place + 1 :])[0] == none

    rest = LONGEST_SESSION - 2 * LONGEST - windows * SHORTEST
    assert attempt(LONGEST, LONGEST, rest, SHORTEST)[0] is None
    outcome, expiry = attempt(LONGEST, LONGEST, rest + 1, SHORTEST)
    assert outcome == refused("ExpiryTooLate", expiry, now + LONGEST_SESSION)


@pytest.mark.parametrize("extra", [-1, 1])
def test_escrow_is_paid_to_the_wei(factory, collector, extra):
    """A wei too little or too much is refused, not kept."""
    terms = make_terms(ape.chain.blocks.head.timestamp, collector.address, furtherReviews=2)
    due = factory.escrowOf(terms)
    outcome = create_refusal(factory, collector, terms, due + extra)
    assert outcome == refused("WrongPayment", due + extra, due)


def test_escrow_is_the_reward_and_twice_every_further_compensation(factory, collector):
    """Rounded down once per review, as it will be paid."""
    driver = open_session(factory, collector, reward=10_001, deposit=9_999, furtherReviews=3)
    assert driver.compensation == 3_000
    assert driver.session.balance == 10_001 + 3 * 2 * 3_000
    assert driver.session.owedToCollector() == driver.session.balance


def test_terms_read_back_and_the_creator_is_the_collector(factory, collector, stranger):
    """All 18 fields survive packing; whoever creates a session buys in it."""
    now = ape.chain.blocks.head.timestamp
    values = {
        "collector": stranger.address,
        "token": NATIVE,
        "reward": 0x7777_8888_9999,
        "deposit": 0x4444_5555_6666,
        "sampleBps": 1_234,
        "penaltyBps": 5_678,
        "shardCount": 4_321,
        "shardSize": 0xFEDC_BA98,
        "furtherReviews": 201,
        "publishedAddresses": True,
        "settlement": 1,
        "responseTime": 86_399,
        "registrationEnd": now + 1_001,
        "submissionEnd": now + 90_003,
        "expiry": now + 90_003 + 4 * 86_399 + 2**20,
        "task": b"\x02" * 32,
        "encryptionKey": b"\x03" * 32,
    }
    driver = open_session(factory, collector, nonce=5, **values)
    expected = values | {"collector": collector.address}
    assert {name: driver.terms[name] for name in FIELDS} == expected
    event = event_in(driver.created, factory.SessionCreated)
    told = dict(zip(FIELDS, event.pop("terms"), strict=True))
    assert event == {"session": driver.session.address, "collector": collector.address, "nonce": 5}
    assert told | {"collector": told["collector"].lower()} == expected | {
        "collector": collector.address.lower()
    }
    assert tuple(driver.session.status()) == (0, False, 0, NATIVE)


def test_factory_and_session_tell_their_version(factory, collector):
    """Who reads another version's events or signs for it notices."""
    assert factory.version() == open_session(factory, collector).session.version() == 4


def test_implementation_holds_no_session(factory, collector, provider):
    """The shared code has no terms of its own, so nobody can register, close or be paid there."""
    implementation = ape.project.TradingSession.at(factory.implementation())
    assert refusal(implementation.register, b"\1" * 32, b"\2" * 32, b"\3" * 32, sender=provider)
    assert refusal(implementation.close, sender=collector)
    assert refusal(implementation.reclaimEscrow, collector, sender=collector)
