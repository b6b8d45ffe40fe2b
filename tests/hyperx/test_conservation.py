"""From every phase: time passes, all act for themselves, and the contract is left with nothing."""

import pytest

from tests.hyperx.phases import PHASES, STAGES
from tests.hyperx.session_driver import open_session


@pytest.mark.parametrize(
    ("coin", "further_reviews"), [("native", 0), ("token", 2)], ids=["native", "token-2-further"]
)
@pytest.mark.parametrize(("settlement", "phase"), STAGES)
def test_nothing_is_left_behind(
    factory, collector, cast, token, settlement, phase, coin, further_reviews
):
    """What is owed adds up to what is held at once, and to nothing once all have called; only what
    was burned stays."""
    terms = {"furtherReviews": further_reviews, "settlement": settlement}
    driver = open_session(
        factory, collector, **terms, **({"token": token} if coin == "token" else {})
    )
    PHASES[settlement][phase](driver, cast)
    burned = 2 * driver.burn if phase == "spoilt" else 0
    owed = [driver.session.owedTo(p) for p in cast.providers]
    left = sum(owed) + driver.session.owedToCollector() + burned
    assert left == driver.balance(driver.session)

    driver.go_to(driver.terms.expiry)
    driver.settle(cast.newcomer)
    owed = [driver.session.owedTo(p) for p in cast.providers]
    left = sum(owed) + driver.session.owedToCollector() + burned
    assert left == driver.balance(driver.session)
    # The collector in the middle: nobody has to wait for anybody.
    for account, amount in list(zip(cast.providers, owed, strict=True))[:2]:
        if amount:
            driver.claim_deposit(account)
    if driver.session.owedToCollector():
        driver.reclaim_escrow()
    for account, amount in list(zip(cast.providers, owed, strict=True))[2:]:
        if amount:
            driver.claim_deposit(account)
    assert driver.balance(driver.session) == burned
