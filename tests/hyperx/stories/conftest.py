"""Stories, each played once however many tests look at what it left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hyperx.stories.played import Played, play_story
from tests.kit.mock_contracts import deploy_token


@pytest.fixture
def token(mocks, deployer, accounts):
    """A plain ERC-20 of this test's own: what a whole run deploys late is lost with a chain."""
    return deploy_token(mocks["PlainToken"], deployer, accounts[:10])


@pytest.fixture(scope="session")
def played(project, tmp_path_factory) -> Callable[..., Played]:
    """Plays a story, or says again what came of it."""
    done: dict[tuple[Any, ...], Played] = {}

    def play(name: str, **changes: Any) -> Played:
        key = (name, *sorted(changes.items()))
        if key not in done:
            done[key] = play_story(name, tmp_path_factory.mktemp(name), **changes)
        return done[key]

    return play
