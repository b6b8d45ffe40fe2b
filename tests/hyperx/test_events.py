"""The events alone rebuild the state, in every phase: what a bot that was killed relies on."""

from __future__ import annotations

from dataclasses import dataclass, field

import ape
import pytest

from offchain.crypto import bitmap as bitmaps
from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from tests.hyperx.phases import PHASES, STAGES
from tests.hyperx.session_driver import event_in, open_session
from tests.hyperx.terms import FIELDS
from tests.kit.mock_contracts import deploy_token

REGISTERED, SAMPLED, SUBMITTED, TRIED, COMPENSATED, PENALISED, SLASHED, SOLD = (
    1 << k for k in range(8)
)
PENDING, REVIEWING, REVIEWED, DELIVERED, CLOSED = range(5)


@dataclass
class Record:
    """One provider as the events tell of it."""

    flags: int = REGISTERED
    draw_block: int = 0
    commitment: bytes = b""
    roots: bytes = b""
    sample: bytes = b""
    shards: tuple[int, ...] = ()
    owed: int = 0


@dataclass
class Replay:
    """A session rebuilt from its terms and events, in the words of the views."""

    session: str
    terms: dict
    compensation: int
    status: tuple = (PENDING, False, 0, NATIVE)
    one_time_key: int = 0
    escrow: int = 0
    claimed: Record | None = None
    records: dict[str, Record] = field(default_factory=dict)

    def apply(self, name: str, e: dict) -> None:
        """One event, in the order of the log."""
        getattr(self, f"on_{name}")(self.records.get(e.get("provider", "")), e)

    def on_Registered(self, _, e):
        commitment = cm.roots_hash(e["keyRoot"], e["addressRoot"])
        deposit = self.terms["deposit"]
        self.records[e["provider"]] = Record(commitment=commitment, roots=commitment, owed=deposit)

    def on_SampleRequested(self, record, e):
        record.draw_block = e["requestBlock"]

    def on_Sampled(self, record, e):
        record.flags |= SAMPLED
        record.draw_block = 0
        record.commitment = cm.fold(record.commitment, bitmaps.bitmap_hash(e["bitmap"]))
        record.sample = record.commitment
        record.shards = tuple(bitmaps.from_bitmap(e["bitmap"]))

    def on_FeaturesSubmitted(self, record, _):
        record.flags |= SUBMITTED

    def on_CandidateSet(self, record, e):
        record.flags |= TRIED
        self.one_time_key = e["oneTimeKey"]
        record.commitment = cm.fold(record.sample, cm.word(self.one_time_key))
        self.status = (REVIEWING, False, e["deadline"], e["provider"])

    def on_ReviewSubmitted(self, record, e):
        pledge = cm.review_hash(self.one_time_key, e["ephemeralX"], e["sealedKeys"])
        opened = cm.fold(record.roots, bitmaps.bitmap_hash(self._opened(record, e["provider"])))
        record.commitment = cm.fold(opened, pledge)
        self.status = (REVIEWING, True, e["deadline"], e["provider"])

    def on_ReviewRefused(self, record, e):
        record.flags |= COMPENSATED
        record.owed += e["compensation"]
        self.escrow -= e["compensation"]
        self._reopen()

    def on_RubbishDeclared(self, record, e):
        record.flags |= COMPENSATED | PENALISED
        record.owed -= e["burned"]
        self.escrow -= e["burned"]
        self._reopen()

    def on_WrongKeyProved(self, record, e):
        self._forfeit(record, SLASHED, e)

    def on_CandidateSilent(self, record, e):
        self._forfeit(record, PENALISED, e)

    def on_OptimalSet(self, _, e):
        self.status = (REVIEWED, True, e["deadline"], e["provider"])

    def on_OptimalSilent(self, record, e):
        self._forfeit(record, SLASHED, e)

    def on_RewardClaimed(self, record, e):
        self.escrow -= self.terms["reward"]
        self.claimed = record
        self.records[e["provider"]] = Record(flags=0, commitment=bytes(26))
        self.status = (CLOSED, False, 0, e["provider"])

    def on_RewardCredited(self, _, e):
        self.claimed.flags |= SOLD
        self.claimed.owed = e["owed"]
        self.records[e["provider"]] = self.claimed

    def on_KeyDelivered(self, record, e):
        pledge = cm.delivery_hash(e["ephemeralX"], e["sealedKey"])
        record.commitment = cm.fold(record.commitment, pledge)
        self.status = (DELIVERED, True, e["deadline"], e["provider"])

    def on_WrongDeliveryProved(self, record, e):
        self._forfeit(record, SLASHED, e)

    def on_DeliveryUndisputed(self, record, e):
        record.flags |= SOLD
        record.owed += e["reward"]
        self.escrow -= e["reward"]
        self.status = (CLOSED, False, 0, e["provider"])

    def on_SessionClosed(self, _, e):
        if not e["deal"]:
            self.status = (CLOSED, False, 0, NATIVE)

    def on_DepositClaimed(self, _, e):
        self.records[e["provider"]] = Record(flags=0, commitment=bytes(26))

    def on_EscrowReclaimed(self, _, e):
        self.escrow -= e["paid"]

    def _opened(self, record, provider):
        """The sample, and what the one-time key draws of the other shards."""
        party = cm.Party(ape.chain.chain_id, self.session, provider)
        count, shards = self.terms["shardCount"], record.shards
        further = bitmaps.sample_limit(count, self.terms["sampleBps"]) - len(shards)
        return bitmaps.draw_further(party.further_seed(self.one_time_key), shards, count, further)

    def _forfeit(self, record, flag, e):
        record.flags |= flag
        record.owed -= e["forfeited"]
        self.escrow += e["forfeited"]
        self._reopen()

    def _reopen(self):
        self.status = (PENDING, False, 0, NATIVE)


def replay(driver, factory) -> Replay:
    """All logs of the factory and the session, applied in order; nothing is asked of a view."""
    created = event_in(driver.created, factory.SessionCreated)
    terms = dict(zip(FIELDS, created["terms"], strict=True))
    compensation = terms["reward"] * terms["sampleBps"] // bitmaps.BPS
    escrow = terms["reward"] + terms["furtherReviews"] * 2 * compensation
    state = Replay(driver.session.address, terms, compensation, escrow=escrow)
    for log in session_logs(driver):
        state.apply(*log)
    return state


def session_logs(driver):
    """Name and arguments of every event of the session, in order."""
    web3 = ape.chain.provider.web3
    raw = web3.eth.get_logs({"address": driver.session.address, "fromBlock": 0})
    ecosystem = ape.networks.provider.network.ecosystem
    abis = driver.session.contract_type.events
    for log in ecosystem.decode_logs([dict(entry) for entry in raw], *abis):
        yield log.event_name, dict(log.event_arguments)


def assert_same(driver, state):
    """Every view says what the replay says."""
    assert tuple(driver.session.status()) == state.status
    assert driver.session.owedToCollector() == state.escrow
    for address, record in state.records.items():
        profile = tuple(driver.session.profileOf(address))
        assert profile == (record.flags, record.draw_block, record.commitment)
        assert driver.session.owedTo(address) == record.owed


@pytest.mark.parametrize(("settlement", "phase"), STAGES)
def test_events_rebuild_every_view(factory, collector, cast, settlement, phase):
    """In the phase, after it was settled, and after all that is owed was paid."""
    driver = open_session(factory, collector, settlement=settlement)
    PHASES[settlement][phase](driver, cast)
    assert_same(driver, replay(driver, factory))
    driver.go_to(driver.terms.expiry)
    driver.settle(cast.newcomer)
    assert_same(driver, replay(driver, factory))
    for account in cast.providers:
        if driver.session.owedTo(account):
            driver.claim_deposit(account)
    if driver.session.owedToCollector():
        driver.reclaim_escrow()
    assert_same(driver, replay(driver, factory))


def test_events_tell_of_a_claim_that_could_not_be_paid(
    factory, collector, provider, deployer, mocks
):
    """The paused token's claim is owed, and once paid it is not."""
    token = deploy_token(mocks["PausingToken"], deployer, (collector, provider))
    driver = open_session(factory, collector, token=token)
    driver.enter(provider)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    token.setPaused(True, sender=deployer)
    receipt = driver.claim_reward(provider)
    owed = driver.terms.reward + driver.terms.deposit
    credited = event_in(receipt, driver.session.RewardCredited)
    assert credited == {"provider": provider.address, "owed": owed}
    assert_same(driver, replay(driver, factory))
    token.setPaused(False, sender=deployer)
    driver.claim_deposit(provider)
    assert_same(driver, replay(driver, factory))
