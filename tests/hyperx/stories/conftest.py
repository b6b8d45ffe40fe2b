"""Stories, each played once however many tests look at what it left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hyperx.stories.played import Played, play_story


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
