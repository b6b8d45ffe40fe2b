"""What taking part costs: gas of each party's calls, from above, and what it can lose by whom.

The figures bound what `make gas` measures (benchmarks/gas_board.md, gas_borda.md) by little; a test
compares them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from offchain.seccl.announcement import Announcement

POST, OPEN_FIRST, OPEN, CLOSE, CLOSE_WINNER = 53_500, 97_000, 35_000, 72_000, 6_000
ANNOUNCE, CREATE, STAKE_BACK = 25_500, 104_000, 42_500
CONSENSUS, CONSENSUS_MEMBER = 120_000, 7_000
CARRIED, CARRIED_SCORES = 24_000, 3_000
OWN, QUESTION, SHARE, LEVEL = 58_000, 89_000, 48_500, 700
VOTE, VOTE_SCORES = 48_000, 3_000
SETTLE, BONDS = 69_000, 32_500


def server_gas(announced: Announcement, members: int) -> dict[str, int]:
    """Gas of a server's calls with so many members, at most, by the call's name."""
    rounds, winners = announced.rounds, announced.winners(members)
    posts = 2 * rounds * (1 if announced.batched else members)
    carried = CARRIED + (CARRIED_SCORES * members if announced.about.ballots == "scores" else 0)
    times = 2 if announced.about.hidden else 1
    return {
        "announce": ANNOUNCE,
        "createSession, board": CREATE,
        "createSession, consensus": CONSENSUS + CONSENSUS_MEMBER * members,
        f"{posts:,} posts": posts * POST,
        f"{rounds:,} rounds opened": OPEN_FIRST + (rounds - 1) * OPEN,
        f"{rounds * members * times:,} ballots carried": rounds
        * (21_000 + times * members * carried),
        f"{rounds:,} rounds closed": rounds * (CLOSE + CLOSE_WINNER * winners),
        "withdrawStake": STAKE_BACK,
    }


def member_gas(announced: Announcement, members: int) -> dict[str, int]:
    """Gas of a member's calls where the server does nothing at all for it, at most."""
    rounds, levels = announced.rounds, math.ceil(math.log2(members))
    vote = VOTE + (VOTE_SCORES * members if announced.about.ballots == "scores" else 0)
    votes = rounds * (2 if announced.about.hidden else 1)
    return {
        f"{2 * rounds:,} times postOwn": 2 * rounds * (OWN + LEVEL * levels),
        f"{votes:,} ballots": votes * vote,
        f"{rounds:,} rounds opened": OPEN_FIRST + (rounds - 1) * OPEN,
        f"{rounds:,} rounds closed": rounds * (CLOSE + CLOSE_WINNER * announced.winners(members)),
        "challenge": QUESTION + LEVEL * levels,
        "settle": SETTLE,
        "claimShare": SHARE + LEVEL * levels,
        "withdrawBonds": BONDS,
    }


@dataclass(frozen=True)
class Outcome:
    """What may happen: a few words, by whom, and what it gains, gas aside, negative for a loss."""

    what: str
    by: str
    gain: int


def server_outcomes(announced: Announcement) -> list[Outcome]:
    """All that may happen to a server's stake, best first; with as many members as there may be."""
    stake = announced.stake * announced.most
    return [
        Outcome("you post what you signed, and answer questions", "you", 0),
        Outcome("too few apply: nothing is staked", "others", 0),
        Outcome("you are convicted", "your lie, or silence", -stake),
    ]


def member_outcomes(announced: Announcement) -> list[Outcome]:
    """All that may happen to a member's money, best first."""
    return [
        Outcome("the server is convicted", "its lie, or silence", announced.stake),
        Outcome("the model is trained", "all", 0),
        Outcome("you are not taken: nothing is paid", "the server", 0),
        Outcome("you ask for your leaf, and are shown it", "the server", -announced.bond),
    ]


def offered(announced: Announcement, now: int) -> dict[str, float]:
    """What terms give a member at `now`, by the names that limits use."""
    end = announced.start + announced.rounds * (announced.upload_time + announced.evaluation_time)
    about = announced.about
    # The longest window of which such times are the half, or the quarters, that voting takes.
    voting = 2 * about.ballot_time + 1
    if about.hidden:
        voting = 4 * min(about.ballot_time, about.reveal_time) + 3
    return {
        "share of the stake": announced.stake,
        "bond": announced.bond,
        "window": min(announced.upload_time, announced.evaluation_time, voting),
        "epochs": about.epochs,
        "time until it is over": end + 3 * announced.response_time - now,
    }
