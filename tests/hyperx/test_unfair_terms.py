"""Terms that are traps: the factory makes no session of them, a copy without the bound does.

Whoever falls into one loses by rules that it could have read, which is why `Policy` reads them.
"""

from __future__ import annotations

import ape
import pytest

from tests.hyperx.session_driver import open_session
from tests.hyperx.terms import make_terms
from tests.hyperx.weakened import FACTORY, FACTORY_WEAKENINGS
from tests.kit.refusals import refusal
from tests.kit.snapshots import undone
from tests.kit.units import ETHER
from tests.kit.weakened import compile_switched

DAY = 86_400


@pytest.fixture(scope="module")
def weak_factories(deployer):
    """Factories without one of their bounds, by name."""
    copies = compile_switched(FACTORY_WEAKENINGS, FACTORY, large=True)
    return {name: deployer.deploy(container) for name, container in copies.items()}


@pytest.fixture
def against(factory, weak_factories):
    """What a trap does with the factory, or with the copy of that name; nothing stays."""

    def run(trap, name=None):
        with undone():
            return trap(weak_factories[name] if name else factory)

    return run


def opened(factory, collector, now, **terms):
    """A session under these terms, or the name of the error that refuses them."""
    values = make_terms(now, collector.address, **terms)
    escrow = factory.escrowOf(values)
    refusal_ = refusal(factory.createSession, values, 0, sender=collector, value=escrow)
    return refusal_.name if refusal_ else open_session(factory, collector, **terms)


@pytest.fixture
def now():
    """The latest block's time."""
    return ape.chain.blocks.head.timestamp


def test_a_window_that_nobody_can_keep(collector, provider, rival, against, now):
    """A second to answer in: both candidates want to, both lose half of their deposits."""

    def trap(factory):
        driver = opened(factory, collector, now, responseTime=1, penaltyBps=5_000)
        if isinstance(driver, str):
            return driver
        driver.enter(provider, rival)
        late = []
        for candidate in (provider, rival):
            driver.set_candidate(candidate)
            driver.go_to(driver.deadline)
            review = driver.review_args(candidate)
            late.append(refusal(driver.session.submitReview, review, sender=candidate).name)
            driver.settle()
        return late, (driver.session.owedToCollector() - driver.escrow) / driver.terms.deposit

    assert against(trap) == "WindowOutOfRange"
    assert against(trap, "takes any window") == (["TooLate", "TooLate"], pytest.approx(1.0))


def test_deposits_locked_for_ever(collector, provider, against, now):
    """An expiry that nobody lives to see: without the collector's word no deposit comes back."""

    def trap(factory):
        driver = opened(factory, collector, now, expiry=now + 36_500 * DAY)
        if isinstance(driver, str):
            return driver
        driver.enter(provider)
        driver.go_to(now + 36_000 * DAY)
        return refusal(driver.session.claimDeposit, provider, sender=provider).name

    assert against(trap) == "WindowOutOfRange"
    assert against(trap, "takes any window") == "ExpiryTooLate"
    assert against(trap, "takes any expiry") == "NotEnded"


def test_a_reward_of_nothing_against_real_deposits(collector, provider, rival, against, now):
    """For an escrow of four wei: whoever sleeps pays its whole deposit."""

    def trap(factory):
        terms = {"reward": 4, "deposit": ETHER, "penaltyBps": 10_000}
        driver = opened(factory, collector, now, **terms)
        if isinstance(driver, str):
            return driver
        driver.enter(provider, rival)
        for candidate in (provider, rival):
            driver.set_candidate(candidate)
            driver.go_to(driver.deadline)
        driver.close()
        return driver.escrow, driver.session.owedToCollector()

    assert against(trap) == "RewardTooLow"
    assert against(trap, "takes any reward") == (4, 4 + 2 * ETHER)
