"""The small task of this room, and the model that was fitted to it; a file may have its own."""

from __future__ import annotations

import pytest

from tests.offchain.mde.small import fitted, linear, small_task


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def model(task):
    return linear(fitted(task))
