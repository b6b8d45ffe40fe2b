"""Contracts whose address follows from their code are made once, whoever makes them."""

from __future__ import annotations

import pytest

from scripts._stage.chain import ActionRefused
from scripts._stage.created import create, created_at, creation, lives


def test_what_another_process_made_meanwhile_is_there_and_no_error(project, deployer, stranger):
    """As one that was killed after it sent it. What cannot be made is refused all the same."""
    code = creation("TradingSessionFactory")
    address = created_at(code)
    assert not lives(address)
    assert create(deployer, code) is not None
    assert lives(address)
    assert create(stranger, code) is None
    with pytest.raises(ActionRefused):
        create(deployer, b"\xfe")
