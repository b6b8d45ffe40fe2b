"""Who uploaded nothing in a round cannot be elected in it; the board's record is the proof."""

from __future__ import annotations

import pytest

from offchain.crypto import commitments as cm
from tests.kit.refusals import refused
from tests.seccl.borda_driver import (
    MESSAGE,
    open_session,
    post_uploads,
    upload,
)

CAST = {0: [3, 1], 1: [3, 2], 2: [3, 0]}
"""Everybody's first is a member that uploads nothing."""


@pytest.fixture
def partly(bordas, deployer, voters):
    """A round that takes ballots, in which members 0 to 2 have uploaded."""
    driver = open_session(bordas, deployer, voters)
    upload(bordas, driver, range(3))
    driver.open()
    return driver


def test_who_is_reported_is_not_elected_in_that_round(partly, stranger):
    """Whoever has points comes in its place; in the next round it may be elected again."""
    for voter, names in CAST.items():
        partly.vote(voter, partly.ranking(names))
    for member in (3, 4):
        receipt = partly.contract.reportAbsent(0, member, [], sender=stranger)
        (log,) = partly.contract.ReportedAbsent.from_receipt(receipt)
        assert (log.round, log.member) == (0, member)
    partly.end()
    expected = partly.election.close(CAST, absent=[3, 4])
    partly.close(step=2)
    assert partly.result() == (expected.winners, expected.points)
    assert 3 not in expected.winners

    partly.open()
    for voter, names in CAST.items():
        partly.vote(voter, partly.ranking(names))
    partly.end()
    partly.close()
    expected = partly.election.close(CAST)
    assert partly.result() == (expected.winners, expected.points)
    assert 3 in expected.winners


def test_a_report_is_made_once_in_time_and_of_who_is_absent(partly, bordas, deployer, stranger):
    """Each refusal by its own name."""

    def report(round_, member, path=()):
        return partly.refusal("reportAbsent", round_, member, list(path), sender=stranger)

    assert report(0, 5) == refused("UnknownMember", 5, 5)
    assert report(1, 3) == refused("WrongRound", 1, 1)
    assert report(0, 2) == refused("NotAbsent", 0, 2)
    partly.contract.reportAbsent(0, 3, [], sender=stranger)
    assert report(0, 3) == refused("AlreadyAbsent", 0, 3)
    partly.vote(0, partly.ranking([1, 2]))
    partly.end()
    partly.contract.close(0, 1, sender=stranger)
    assert report(0, 4) == refused("RoundNotOpen", 0)
    partly.close()
    assert report(0, 4) == refused("RoundNotOpen", 0)


def test_an_empty_leaf_of_the_batch_is_the_proof(bordas, deployer, voters, stranger):
    """At the member's own index; and not where the member has posted itself."""
    driver = open_session(bordas, deployer, voters, batched=True)
    upload(bordas, driver, [4])
    leaves = post_uploads(bordas, driver, 0, [MESSAGE, MESSAGE, MESSAGE, None, None])
    driver.open()
    for member, path, expected in [
        (1, cm.path(leaves, 1), refused("NotAbsent", 0, 1)),
        (1, cm.path(leaves, 3), refused("NotAbsent", 0, 1)),
        (3, cm.path(leaves, 3)[:-1], refused("ProofLength", 2, 3)),
        (4, cm.path(leaves, 4), refused("NotAbsent", 0, 4)),
        (3, cm.path(leaves, 3), None),
    ]:
        assert driver.refusal("reportAbsent", 0, member, path, sender=stranger) == expected
