"""The events alone rebuild the state, in every phase: what a bot that was killed relies on."""

from __future__ import annotations

from dataclasses import dataclass, field

import ape
import pytest

from offchain.crypto import bitmap as bitmaps
from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.settlement import NATIVE
from tests.hyperx.phases import PHASES, STAGES
from tests.hyperx.session_driver import open_session

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
    sample: bytes = b""
    owed: int = 0


@dataclass
class Replay:
    """A session rebuilt from its terms and events, in the words of the views."""

    terms: dict
    compensation: int
    status: tuple = (PENDING, False, 0, NATIVE)
    one_time_key: bytes = b""
    escrow: int = 0
    records: dict[str, Record] = field(default_factory=dict)

    def apply(self, name: str, e: dict) -> None:
        """One event, in the order of the log."""
        getattr(self, f"on_{name}")(self.records.get(e.get("provider", "")), e)

    def on_Registered(self, _, e):
        commitment = cm.roots_hash(e["keyRoot"], e["addressRoot"])
        deposit = self.terms["deposit"]
        self.records[e["provider"]] = Record(commitment=commitment, owed=deposit)

    def on_SampleRequested(self, record, e):
        record.draw_block = e["requestBlock"]

    def on_Sampled(self, record, e):
        record.flags |= SAMPLED
        record.draw_block = 0
        record.commitment = cm.fold(record.commitment, bitmaps.bitmap_hash(e["bitmap"]))
        record.sample = record.commitment

    def on_FeaturesSubmitted(self, record, _):
        record.flags |= SUBMITTED

    def on_CandidateSet(self, record, e):
        record.flags |= TRIED
        self.one_time_key = sealing.Point(e["keyX"], e["keyY"]).pledge
        record.commitment = cm.fold(record.sample, self.one_time_key)
        self.status = (REVIEWING, False, e["deadline"], e["provider"])

    def on_ReviewSubmitted(self, record, e):
        pledge = cm.review_hash(self.one_time_key, e["ephemeralX"], e["sealedKeys"])
        record.commitment = cm.fold(record.sample, pledge)
        self.status = (REVIEWING, True, e["deadline"], e["provider"])

    def on_ReviewRefused(self, record, e):
        record.flags |= COMPENSATED
        record.owed += e["compensation"]
        self.escrow -= e["compensation"]
        self._reopen()

    def on_WrongKeyProved(self, record, e):
        self._forfeit(record, SLASHED, e)

    def on_CandidateSilent(self, record, e):
        self._forfeit(record, PENALISED, e)

    def on_OptimalSet(self, _, e):
        self.status = (REVIEWED, True, e["deadline"], e["provider"])

    def on_OptimalSilent(self, record, e):
        self._forfeit(record, SLASHED, e)

    def on_RewardClaimed(self, _, e):
        self.escrow -= self.terms["reward"]
        self.records[e["provider"]] = Record(flags=0, commitment=bytes(26))
        self.status = (CLOSED, False, 0, e["provider"])

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

    def _forfeit(self, record, flag, e):
        record.flags |= flag
        record.owed -= e["forfeited"]
        self.escrow += e["forfeited"]
        self._reopen()

    def _reopen(self):
        self.status = (PENDING, False, 0, NATIVE)


def replay(driver) -> Replay:
    """All logs of the session, applied in order."""
    state = Replay(dict(driver.terms.items()), driver.compensation, escrow=driver.escrow)
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
    assert_same(driver, replay(driver))
    driver.go_to(driver.terms.expiry)
    driver.settle(cast.newcomer)
    assert_same(driver, replay(driver))
    for account in cast.providers:
        if driver.session.owedTo(account):
            driver.claim_deposit(account)
    if driver.session.owedToCollector():
        driver.reclaim_escrow()
    assert_same(driver, replay(driver))
