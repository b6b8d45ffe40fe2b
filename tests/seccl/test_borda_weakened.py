"""Attacks that the consensus withstands, and that succeed where the defence is taken out.

Without the second half a test of the first would prove nothing.
"""

from __future__ import annotations

import ape
import pytest

from tests.kit.weakened import Weakenings, check_attack, compile_copies
from tests.seccl.borda_driver import PERIOD, open_session, voters_of

FACTORY = "contracts/seccl/BordaConsensusFactory.sol"
CONSENSUS = "contracts/seccl/BordaConsensus.sol"
_OPENING = (CONSENSUS, "        _from(t.opening(round));\n", "")
WEAKENINGS: Weakenings = {
    "rounds open when somebody opens them": _OPENING,
    "rounds open and end when somebody wants": (
        _OPENING,
        (CONSENSUS, "if (ballots < t.memberCount()) _from(t.revealEnd(round));", ""),
    ),
    "one ballot is enough": (CONSENSUS, "if (ballots < t.quorum())", "if (ballots < 1)"),
}
ROUNDS = 10


@pytest.fixture(scope="module")
def weak(deployer):
    """Weakened factories by name."""
    copies = compile_copies(WEAKENINGS, FACTORY)
    return {name: deployer.deploy(code) for name, code in copies.items()}


@pytest.fixture(scope="module")
def ten(accounts):
    """Ten members, of whom the first attacks."""
    return voters_of(list(accounts)[10:20])


def burns_rounds(factory, owner, people):
    """Whoever made the session opens the last round at once: those before it are gone."""
    driver = open_session(factory, owner, people, winners=1)
    ape.chain.mine()
    return driver.goes("openRound", ROUNDS - 1)


def decides_every_round(factory, owner, people):
    """A member opens each round while the others still upload, votes alone, and closes: its friend
    takes ten of ten seats. One ballot decides by these terms, so that the times alone stand against
    it."""
    driver = open_session(factory, owner, people, winners=1, quorum=1)
    attacker = people[0].account
    for number in range(ROUNDS):
        ape.chain.mine()
        driver.go_to(driver.opening(number) - PERIOD // 2)
        if not driver.goes("openRound", number, sender=attacker):
            return False
        driver.contract.openRound(number, sender=attacker)
        driver.vote(0, driver.ranking([1]))
        driver.close(sender=attacker)
    return all(driver.result(number)[0] == (1,) for number in range(ROUNDS))


def decides_alone(factory, owner, people):
    """A member's ballot is the only one in a round, and a majority was agreed on."""
    driver = open_session(factory, owner, people, winners=1, quorum=6)
    driver.open()
    driver.vote(0, driver.ranking([1]))
    driver.end()
    driver.close()
    return driver.result()[0] == (1,)


ATTACKS = {
    "rounds open when somebody opens them": burns_rounds,
    "rounds open and end when somebody wants": decides_every_round,
    "one ballot is enough": decides_alone,
}


def test_every_weakening_has_its_attack():
    assert ATTACKS.keys() == WEAKENINGS.keys()


@pytest.mark.parametrize("name", ATTACKS)
def test_the_attack_needs_the_weakness(bordas, weak, deployer, ten, name):
    check_attack(ATTACKS[name], bordas, weak[name], deployer, ten)
