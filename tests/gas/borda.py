"""What it costs to choose the best uploads of a round: ballots, closing and whole rounds.

Members rank the others at random, always the same way. Figures are of a session's second round:
opening the first also fills the slots that all rounds share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from ape.api import ReceiptAPI

from offchain.crypto.commitments import path
from offchain.seccl import ballots as b
from offchain.seccl.borda import MAX_MEMBERS
from tests.gas.floors import (
    CHANGED_SLOT,
    CODE_BYTE,
    CREATE,
    NEW_SLOT,
    READ_SLOT,
    calldata_floor,
    intrinsic,
)
from tests.seccl.borda_driver import (
    MESSAGE,
    REVEAL_TIME,
    BordaDriver,
    open_session,
    post_uploads,
    voters_of,
)

MEMBERS = (20, 30, 100)
SHARES = (0.1, 0.2, 0.4)
"""The paper's lambda: the share of members whose uploads win."""
BAR = (30, 0.2)
MANY, MANY_WINNERS, MANY_BATCH = 1_000, 100, 100
ECRECOVER = 3_000
FUNDED = 10
"""Accounts that Anvil gives money to."""
# OpenZeppelin's minimal clone with the terms, three words, behind it; then the members.
CLONE_BYTES = 45 + 3 * 32
ADDRESS_BYTES = 20
SALT = bytes(range(1, 33))


@dataclass(frozen=True)
class Call:
    """Gas of a transaction, or of one ballot's share in it, and what any code must pay."""

    gas: int
    floor: int


Calls = dict[str, Call]


def winners_of(members: int, share: float) -> int:
    """M, rounded up."""
    return ceil(round(members * share, 6))


class Bench:
    """A session, and a ballot for each of its members."""

    def __init__(
        self, factory: Any, accounts: Sequence[Any], members: int, winners: int, **terms: Any
    ) -> None:
        people = voters_of(accounts[:FUNDED], members - FUNDED)
        self.driver: BordaDriver = open_session(
            factory, accounts[0], people, winners=winners, **terms
        )
        self.callers = [i for i, voter in enumerate(people) if voter.account]
        rng = np.random.default_rng([members, winners])
        self.orders = {v: self._order(rng, v) for v in range(members)}
        self.rankings = {v: order[:winners] for v, order in self.orders.items()}

    def _order(self, rng: np.random.Generator, voter: int) -> list[int]:
        others = [i for i in range(self.driver.members) if i != voter]
        return [int(i) for i in rng.permutation(others)]

    def ballot(self, voter: int) -> b.Ballot:
        """The voter's ranking, packed."""
        return self.driver.ranking(self.rankings[voter])

    def scores(self, voter: int) -> b.Ballot:
        """Scores from which the same ranking follows, no two equal.

        How equal ones are put in order hangs on a block's hash, and with it the gas.
        """
        scores = [0.0] * self.driver.members
        for position, name in enumerate(self.orders[voter]):
            scores[name] = 0.99 - position / 2_000
        return b.pack_scores(scores, voter)

    def signed(self, voters: Sequence[int]) -> list[tuple[Any, ...]]:
        """The ballots of these voters, signed."""
        poll = self.driver.poll
        return [self.driver.signed(v, self.ballot(v), poll=poll) for v in voters]

    def end_round(self, step: int = MAX_MEMBERS) -> list[ReceiptAPI]:
        """Goes to the end of the round and closes it."""
        self.driver.end()
        return self.driver.close(step)

    def check(self) -> None:
        """The result is the twin's, else the figures would be of something else."""
        expected = self.driver.election.close(self.rankings)
        assert self.driver.result() == (expected.winners, expected.points)


def measure_round(factory: Any, accounts: Sequence[Any], members: int, winners: int) -> Calls:
    """The calls of one round with open ballots."""
    bench = Bench(factory, accounts, members, winners)
    driver, contract = bench.driver, bench.driver.contract
    first = driver.open()
    bench.end_round()
    opened = driver.open()
    # Whoever votes by itself has money; whose ballot is carried needs none.
    caller = bench.callers[0]
    carried, by_scores, *rest = [v for v in range(members) if v != caller]
    direct = driver.vote(caller, bench.ballot(caller))
    single = contract.voteSigned(*bench.signed([carried]), sender=driver.owner)
    scored = driver.signed(by_scores, bench.scores(by_scores))
    scores = contract.voteSigned(scored, sender=driver.owner)
    batch = driver.carry(bench.signed(rest))
    (closed,) = driver.close()
    bench.check()

    ecrecovers = len(rest) * ECRECOVER
    share = _call(batch, CHANGED_SLOT + ecrecovers)
    points_words = ceil(members * ((members - 1) * winners).bit_length() / 256)
    code_bytes = CLONE_BYTES + ADDRESS_BYTES * members
    calls = {
        "create": _call(driver.created, CREATE + code_bytes * CODE_BYTE),
        "open the first round": _call(first, NEW_SLOT),
        "open": _call(opened, CHANGED_SLOT),
        # That the member voted; the points may be counted elsewhere.
        "vote": _call(direct, CHANGED_SLOT),
        "voteSigned": _call(single, CHANGED_SLOT + ECRECOVER),
        "voteSigned, scores": _call(scores, CHANGED_SLOT + ECRECOVER),
        "in a batch": Call(share.gas // len(rest), share.floor // len(rest)),
        # The state, the winners, and the points.
        "close": _call(closed, CHANGED_SLOT + NEW_SLOT + points_words * READ_SLOT),
    }
    ends = ("open", "close")
    for name, ballot in [("round, each by itself", "vote"), ("round, batch", "in a batch")]:
        gas = sum(calls[end].gas for end in ends) + members * calls[ballot].gas
        floor = sum(calls[end].floor for end in ends) + members * calls[ballot].floor
        calls[name] = Call(gas, floor)
    return calls


def measure_hidden(factory: Any, accounts: Sequence[Any], members: int, winners: int) -> Calls:
    """The calls of a hidden ballot."""
    bench = Bench(factory, accounts, members, winners, revealTime=REVEAL_TIME)
    driver, contract = bench.driver, bench.driver.contract
    voters = bench.callers[:2]
    for _ in range(2):
        driver.open()
        hidden = [driver.hide(v, bench.ballot(v), SALT) for v in voters]
        sender = driver.voters[voters[0]].account
        direct = contract.commit(driver.round, voters[0], hidden[0], sender=sender)
        signed = driver.signed_commitment(voters[1], hidden[1])
        single = contract.commitSigned(*signed, sender=driver.owner)
        driver.end_ballots()
        shown = [
            contract.reveal(*driver.vote_args(v, bench.ballot(v)), SALT, sender=driver.owner)
            for v in voters
        ]
        bench.end_round()
    return {
        "commit": _call(direct, CHANGED_SLOT),
        "commitSigned": _call(single, CHANGED_SLOT + ECRECOVER),
        "reveal": _call(shown[1], CHANGED_SLOT + READ_SLOT),
    }


def measure_absent(factory: Any, accounts: Sequence[Any], members: int, winners: int) -> Calls:
    """The calls of a round in which two members' leaves in the batch are empty."""
    bench = Bench(factory, accounts, members, winners, batched=True)
    driver, contract = bench.driver, bench.driver.contract
    absent = (0, 1)
    messages = [None if i in absent else MESSAGE for i in range(members)]
    for round_ in range(2):
        leaves = post_uploads(factory, driver, round_, messages)
        driver.open()
        reports = [
            contract.reportAbsent(round_, i, path(leaves, i), sender=driver.owner) for i in absent
        ]
        driver.carry(bench.signed(range(members)))
        (closed,) = driver.close()
    expected = driver.election.close(bench.rankings, absent=absent)
    assert driver.result() == (expected.winners, expected.points)
    # The mark; the author's own post and the root of the batch.
    deed = CHANGED_SLOT + 2 * READ_SLOT
    return {
        "reportAbsent": _call(reports[0], deed),
        "reportAbsent, the next": _call(reports[1], deed),
        "close, two absent": _call(closed, CHANGED_SLOT + NEW_SLOT),
    }


def measure_many(factory: Any, accounts: Sequence[Any]) -> Calls:
    """A first round of 1,000 members: every call, the dearest of each kind."""
    bench = Bench(factory, accounts, MANY, MANY_WINNERS)
    driver = bench.driver
    opened = driver.open()
    caller = bench.callers[0]
    rest = [v for v in range(MANY) if v != caller]
    direct = driver.vote(caller, bench.ballot(caller))
    scored = driver.signed(rest[0], bench.scores(rest[0]))
    scores = driver.contract.voteSigned(scored, sender=driver.owner)
    single = driver.contract.voteSigned(*bench.signed(rest[1:2]), sender=driver.owner)
    left = rest[2:]
    batches = [
        driver.carry(bench.signed(left[i : i + MANY_BATCH]))
        for i in range(0, len(left), MANY_BATCH)
    ]
    steps = driver.close()
    assert len(steps) == ceil(MANY / 256)
    bench.check()
    batch = max(receipt.gas_used for receipt in batches)
    measured = {
        "create": driver.created.gas_used,
        "open the first round": opened.gas_used,
        "vote": direct.gas_used,
        "voteSigned": single.gas_used,
        "voteSigned, scores": scores.gas_used,
        f"batch of {MANY_BATCH} ballots": batch,
        "in a batch": batch // MANY_BATCH,
        "close, each step": max(receipt.gas_used for receipt in steps),
        "close, all steps": sum(receipt.gas_used for receipt in steps),
    }
    return {name: Call(gas, 0) for name, gas in measured.items()}


def _call(receipt: ReceiptAPI, deed: int) -> Call:
    calldata = bytes(receipt.data)
    return Call(receipt.gas_used, max(intrinsic(calldata) + deed, calldata_floor(calldata)))
