"""Attacks at the one instant in which a window ends."""

from tests.hyperx.session_driver import SEALED, open_session
from tests.kit.refusals import refusal
from tests.kit.snapshots import undone


def test_disputing_and_being_paid_at_one_instant(factory, collector, provider, stranger, against):
    """At the deadline the collector may still dispute, or the provider is paid: never both."""

    def attack():
        driver = open_session(factory, collector, settlement=SEALED)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        driver.seal_session_key(provider, b"\7" * 32)
        driver.deliver_key(provider)
        driver.go_to(driver.deadline)
        evidence = driver.dispute_args(provider, 0)
        late = refusal(driver.session.proveWrongDelivery, evidence, sender=collector)
        with undone():
            driver.settle(stranger)
            paid = driver.session.owedTo(provider) > driver.terms.deposit
        return late is None, paid

    assert against(attack) == (False, True)
    assert against(attack, "windows overlap") == (True, True)


def test_two_may_act_at_one_instant(factory, collector, provider, stranger, against):
    """At the deadline the candidate may still open, or others may punish it: never both."""

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.go_to(driver.deadline)
        late = refusal(driver.session.submitReview, driver.review_args(provider), sender=provider)
        with undone():
            punished = len(list(driver.settle(stranger).events)) == 1
        return late is None, punished

    assert against(attack) == (False, True)
    assert against(attack, "windows overlap") == (True, True)
