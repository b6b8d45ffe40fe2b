"""Board and members; sessions of BordaConsensus: tests of the board have one of their own."""

from __future__ import annotations

import pytest

from tests.seccl.board_driver import MEMBERS
from tests.seccl.borda_driver import REVEAL_TIME, open_session, voters_of


@pytest.fixture(scope="module")
def board(project, deployer):
    """A board without sessions."""
    return project.BulletinBoard.deploy(sender=deployer)


@pytest.fixture(scope="module")
def members(accounts):
    """Whose messages the board's sessions are for."""
    return accounts[11 : 11 + MEMBERS]


@pytest.fixture(scope="module")
def bordas(project, deployer):
    """The factory of sessions of a board."""
    board = project.BulletinBoard.deploy(sender=deployer)
    return project.BordaConsensusFactory.deploy(board, sender=deployer)


@pytest.fixture(scope="module")
def voters(accounts):
    """Five members who call by themselves."""
    return voters_of(list(accounts)[10:15])


@pytest.fixture
def session(bordas, deployer, voters):
    """Open ballots, two winners, a round that takes ballots."""
    driver = open_session(bordas, deployer, voters)
    driver.open()
    return driver


@pytest.fixture
def hidden(bordas, deployer, voters):
    """Hidden ballots, two winners, a round that takes commitments."""
    driver = open_session(bordas, deployer, voters, revealTime=REVEAL_TIME)
    driver.open()
    return driver
