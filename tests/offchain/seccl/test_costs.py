"""What a party is told of its costs is no less than what was measured, and little more."""

from __future__ import annotations

import re
from pathlib import Path

from offchain.seccl.costs import (
    member_gas,
    member_outcomes,
    offered,
    server_gas,
    server_outcomes,
)
from tests.offchain.seccl.session_in_memory import BOARD
from tests.offchain.seccl.test_announcement import ADDRESSES, announced

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SLACK = 1.2


def measured(page: str, *cells: str) -> int:
    """The figure of the row that begins with these cells."""
    row = re.compile(r"\| " + r" \| ".join(map(re.escape, cells)) + r" \| ([\d,]+) \|")
    (found,) = row.findall((BENCHMARKS / page).read_text())
    return int(found.replace(",", ""))


def test_gas_is_bounded_from_above_by_little() -> None:
    members, winners = 30, 6
    offer = announced(rounds=1, most=members, elected=winners / members)
    board, borda = "gas_board.md", ("gas_borda.md", str(members), str(winners))
    told = server_gas(offer, members)
    posts = 2 * measured(board, "postBatch", str(members))
    for call, gas in {
        "announce": measured(board, "announce"),
        "createSession, board": measured(board, "createSession"),
        "createSession, consensus": measured(*borda, "create"),
        "2 posts": posts,
        "1 rounds opened": measured(*borda, "open the first round"),
        "30 ballots carried": members * measured(*borda, "in a batch"),
        "1 rounds closed": measured(*borda, "close"),
        "withdrawStake": measured(board, "withdrawStake"),
    }.items():
        assert gas <= told[call] <= 1.5 * gas, call
    told = member_gas(offer, members)
    for call, gas in {
        "2 times postOwn": 2 * measured(board, "postOwn", str(members)),
        "1 ballots": measured(*borda, "vote"),
        "challenge": measured(board, "challenge", str(members)),
        "settle": measured(board, "settle"),
        "claimShare": measured(board, "claimShare", str(members)),
        "withdrawBonds": measured(board, "withdrawBonds"),
    }.items():
        assert gas <= told[call] <= SLACK * gas, call


def test_the_worst_is_told() -> None:
    offer = announced()
    assert min(one.gain for one in member_outcomes(offer)) == -offer.bond
    assert min(one.gain for one in server_outcomes(offer)) == -offer.stake * offer.most


def test_it_is_over_for_a_member_when_accusations_have_ended() -> None:
    """What limits bound is the time for which the member may be needed."""
    offer = announced()
    (terms, _), now = offer.agreed(BOARD, ADDRESSES), offer.until - 100
    assert offered(offer, now)["time until it is over"] == terms.accusation_end - now
