"""Every phase a session can be in, and how to get there: for tests that ask the same of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.hyperx.session_driver import OPEN, SEALED, SessionDriver


@dataclass(frozen=True)
class Cast:
    """Who takes part. ``provider`` is the one that becomes candidate.

    Attributes:
        collector: buys.
        provider: has submitted features and becomes candidate.
        rival: has submitted features.
        waiting: has only registered.
        drawing: has registered; a random sample was requested.
        half: was sampled, has not submitted features.
        newcomer: does not take part.
    """

    collector: Any
    provider: Any
    rival: Any
    waiting: Any
    drawing: Any
    half: Any
    newcomer: Any

    @property
    def providers(self) -> tuple[Any, ...]:
        """All that have registered."""
        return (self.provider, self.rival, self.waiting, self.drawing, self.half)


def registering(driver: SessionDriver, cast: Cast) -> None:
    """All providers are in, each at its step; others may still register."""
    driver.enter(cast.provider, cast.rival)
    for account in (cast.waiting, cast.drawing, cast.half):
        driver.register(account)
    driver.request_draw(cast.drawing)
    driver.sample(cast.half)
    driver.go_to(driver.terms.registrationEnd - 1)


def submitting(driver: SessionDriver, cast: Cast) -> None:
    """Nobody registers any more."""
    registering(driver, cast)
    driver.go_to(driver.terms.submissionEnd - 1)


def selecting(driver: SessionDriver, cast: Cast) -> None:
    """The collector may pick."""
    registering(driver, cast)
    driver.go_to(driver.terms.submissionEnd)


def reviewing(driver: SessionDriver, cast: Cast) -> None:
    """The candidate may open its review."""
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    driver.go_to(driver.deadline - 1)


def unopened(driver: SessionDriver, cast: Cast) -> None:
    """The candidate kept silent; nobody has settled that yet."""
    reviewing(driver, cast)
    driver.go_to(driver.deadline)


def deciding(driver: SessionDriver, cast: Cast) -> None:
    """The collector may decide on the opened review."""
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    driver.submit_review(cast.provider)
    driver.go_to(driver.deadline - 1)


def undecided(driver: SessionDriver, cast: Cast) -> None:
    """The collector kept silent; nobody has settled that yet."""
    deciding(driver, cast)
    driver.go_to(driver.deadline)


def _choose(driver: SessionDriver, cast: Cast) -> None:
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    driver.submit_review(cast.provider)
    driver.set_optimal(cast.provider)


def claiming(driver: SessionDriver, cast: Cast) -> None:
    """The chosen provider may claim, or deliver."""
    _choose(driver, cast)
    driver.go_to(driver.deadline - 1)


def unclaimed(driver: SessionDriver, cast: Cast) -> None:
    """The chosen provider kept silent; nobody has settled that yet."""
    claiming(driver, cast)
    driver.go_to(driver.deadline)


def dealt(driver: SessionDriver, cast: Cast) -> None:
    """Closed with a deal."""
    _choose(driver, cast)
    driver.strike_deal(cast.provider)


def delivered(driver: SessionDriver, cast: Cast) -> None:
    """The session key is delivered sealed; the collector may dispute it."""
    _choose(driver, cast)
    driver.deliver_key(cast.provider)
    driver.go_to(driver.deadline - 1)


def undisputed(driver: SessionDriver, cast: Cast) -> None:
    """The collector kept silent on the delivery; nobody has settled that yet."""
    delivered(driver, cast)
    driver.go_to(driver.deadline)


def sold(driver: SessionDriver, cast: Cast) -> None:
    """Closed with a deal, of which the provider has yet to be paid."""
    undisputed(driver, cast)
    driver.settle(cast.newcomer)


def convicted(driver: SessionDriver, cast: Cast) -> None:
    """The provider delivered garbage and the collector proved it."""
    _choose(driver, cast)
    driver.seal_session_key(cast.provider, b"\x07" * 32)
    driver.deliver_key(cast.provider)
    driver.prove_wrong_delivery(cast.provider, 0)


def closed(driver: SessionDriver, cast: Cast) -> None:
    """Closed by the collector, without a deal."""
    registering(driver, cast)
    driver.close()


def refused(driver: SessionDriver, cast: Cast) -> None:
    """The collector refused the review; no other may follow."""
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    driver.submit_review(cast.provider)
    driver.refuse(cast.provider)


def spoilt(driver: SessionDriver, cast: Cast) -> None:
    """The collector declared the review rubbish; no other may follow."""
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    driver.submit_review(cast.provider)
    driver.declare_rubbish(cast.provider)


def exposed(driver: SessionDriver, cast: Cast) -> None:
    """The candidate sealed garbage and the collector proved it; another may be picked."""
    registering(driver, cast)
    driver.set_candidate(cast.provider)
    shards = driver.opened(cast.provider)
    driver.seal(cast.provider, dict.fromkeys(shards, b"\x07" * 32))
    driver.submit_review(cast.provider)
    driver.prove_wrong_key(cast.provider, shards[0])


def late(driver: SessionDriver, cast: Cast) -> None:
    """Too late to pick anybody, too early to have expired."""
    registering(driver, cast)
    driver.go_to(driver.selection_end)


def expired(driver: SessionDriver, cast: Cast) -> None:
    """Nobody was ever picked."""
    registering(driver, cast)
    driver.go_to(driver.terms.expiry)


_BUILDERS: tuple[Callable[[SessionDriver, Cast], None], ...] = (
    registering,
    submitting,
    selecting,
    reviewing,
    unopened,
    deciding,
    undecided,
    claiming,
    unclaimed,
    dealt,
    closed,
    refused,
    spoilt,
    exposed,
    late,
    expired,
)
# Phases that sealed settlement alone knows.
_SEALED_BUILDERS = (delivered, undisputed, sold, convicted)

PHASES = {
    OPEN: {build.__name__: build for build in _BUILDERS},
    SEALED: {build.__name__: build for build in (*_BUILDERS, *_SEALED_BUILDERS)},
}
"""By settlement and name."""

STAGES = [(settlement, phase) for settlement, phases in PHASES.items() for phase in phases]
"""Every phase under every settlement that knows it."""
