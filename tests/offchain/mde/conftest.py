"""The small task of this room, the model fitted to it, and artefacts; a file may have its own."""

from __future__ import annotations

import pytest

from offchain.mde.artefact import artefact_bytes
from offchain.mde.owner import Owner
from offchain.mde.training import Trainer
from tests.offchain.mde.market_in_memory import PRICE, SETTINGS
from tests.offchain.mde.small import fitted, linear, small_task


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def model(task):
    return linear(fitted(task))


@pytest.fixture(scope="module")
def files():
    """Artefacts of one model: an extracted tree, which a contract can check, and influence."""
    task = small_task()
    owner = Owner(task, task.validation, Trainer(), linear(fitted(task)))
    return {kind: artefact_bytes(owner.oracle(one), PRICE) for kind, one in SETTINGS.items()}
