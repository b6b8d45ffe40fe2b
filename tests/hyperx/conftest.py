"""Sessions at the steps that tests start from."""

from __future__ import annotations

import pytest

from tests.hyperx.phases import Cast
from tests.hyperx.session_driver import SessionDriver, open_session
from tests.hyperx.weakened import SESSION, WEAKENINGS, weakened
from tests.kit.snapshots import undone
from tests.kit.weakened import compile_switched


@pytest.fixture(params=[False, True], ids=["hidden", "published"])
def published(request) -> bool:
    """Whether manifests show the shards' addresses from the start."""
    return request.param


@pytest.fixture
def session(factory, collector) -> SessionDriver:
    """A fresh session with the default terms."""
    return open_session(factory, collector)


@pytest.fixture
def candidate(session, provider, rival) -> SessionDriver:
    """Two providers took part; the first one is the candidate."""
    session.enter(provider, rival)
    session.set_candidate(provider)
    return session


@pytest.fixture
def disclosed(candidate, provider) -> SessionDriver:
    """The candidate has opened its review."""
    candidate.submit_review(provider)
    return candidate


@pytest.fixture
def chosen(disclosed, provider) -> SessionDriver:
    """The collector has accepted the review."""
    disclosed.set_optimal(provider)
    return disclosed


@pytest.fixture(scope="session")
def cast(accounts, collector, provider, rival, newcomer) -> Cast:
    """All roles of the phases."""
    return Cast(collector, provider, rival, *accounts[6:9], newcomer)


@pytest.fixture(scope="session")
def weak_copies():
    """The weakened sessions, by name."""
    return compile_switched(WEAKENINGS, SESSION, large=True)


@pytest.fixture
def against(factory, weak_copies):
    """Runs an attack against the session, or against the copy of that name; nothing stays."""

    def run(attack, name=None):
        if name is None:
            with undone():
                return attack()
        with weakened(factory, weak_copies[name]):
            return attack()

    return run
