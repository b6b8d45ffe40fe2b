"""An index tells what the chain tells, whatever the node and the chain do, and asks for little."""

from __future__ import annotations

import hashlib
import multiprocessing
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from scripts._stage.index import Block, Index, NodeRefused

MINE = "0x" + "11" * 20
OTHERS = "0x" + "22" * 20


@dataclass
class FakeNode:
    """A chain in memory, and a node that allows so many blocks, and so many logs, at once.

    asked: ranges of blocks and hashes, in order.
    """

    most_blocks: int = 1_000
    most_logs: int = 10_000
    said: tuple[int, str] = -32_602, "range exceeds {} blocks"
    chain: list[tuple[Block, list[dict[str, Any]]]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    behind: int = 0
    made: int = 0
    before_logs: Any = None

    def grow(self, blocks: int, random: Random) -> None:
        for _ in range(blocks):
            self.made += 1
            number = len(self.chain)
            hash_ = "0x" + hashlib.sha256(f"{number} {self.made}".encode()).hexdigest()
            logs = [
                {
                    "address": who,
                    "blockNumber": hex(number),
                    "blockHash": hash_,
                    "data": hex(self.made),
                    "logIndex": i,
                }
                for i, who in enumerate(random.choices([MINE, OTHERS], k=random.randrange(3)))
            ]
            parent = self.chain[-1][0].hash if self.chain else "0x" + "00" * 32
            self.chain.append((Block(number, hash_, parent), logs))

    def reorganise(self, depth: int, random: Random) -> None:
        del self.chain[-depth:]
        self.grow(random.randrange(1, depth + 2), random)

    def truth(self, first: int, last: int | None = None) -> list[dict[str, Any]]:
        blocks = self.chain[first : None if last is None else last + 1]
        return [log for _, logs in blocks for log in logs if log["address"] == MINE]

    @property
    def _seen(self) -> list[tuple[Block, list[dict[str, Any]]]]:
        return self.chain[: len(self.chain) - self.behind]

    def block(self, number: int | None) -> Block | None:
        seen = self._seen
        if number is None:
            return seen[-1][0] if seen else None
        return seen[number][0] if number < len(seen) else None

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if self.before_logs:
            self.before_logs()
        if "blockHash" in query:
            self.asked.append(query["blockHash"])
            found = [logs for block, logs in self._seen if block.hash == query["blockHash"]]
            if not found:
                raise NodeRefused(-32_000, "unknown block")
            blocks = found
        else:
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            self.asked.append((first, last))
            if last - first + 1 > self.most_blocks:
                code, message = self.said
                raise NodeRefused(code, message.format(self.most_blocks))
            blocks = [logs for _, logs in self._seen[first : last + 1]]
        logs = [log for page in blocks for log in page if log["address"] == query["address"]]
        if len(logs) > self.most_logs:
            raise NodeRefused(-32_005, f"query returned more than {self.most_logs} results")
        return logs


@dataclass
class TurningNode(FakeNode):
    """One whose chain is another as soon as it was asked for a block.

    turns_after: its height; None for a chain that stays.
    """

    turns_after: int | None = None

    def block(self, number: int | None) -> Block | None:
        found = super().block(number)
        if number is not None and number == self.turns_after:
            self.turns_after = None
            self.reorganise(6, Random(1))
            self.grow(12, Random(2))
        return found


def chain_of(blocks: int, **limits: Any) -> FakeNode:
    node = FakeNode(**limits)
    node.grow(blocks, Random(0))
    return node


def impatient(*_: float) -> None:
    """Takes no time."""


OTHERWISE = {"most_blocks": 10, "said": (-32_600, "up to a {} block range")}


@pytest.mark.parametrize(
    "limits", [{"most_blocks": 1}, {"most_blocks": 7}, {"most_logs": 2}, OTHERWISE, {}]
)
def test_a_node_that_allows_little_is_asked_for_less(limits):
    """By blocks or by results, whatever it calls that; and all logs come, once and in order."""
    node = chain_of(500, **limits)
    index = Index(None, node, sleep=impatient)
    assert index.logs(MINE, 3, []) == node.truth(3)


def test_a_refusal_costs_few_questions():
    """A node that allows 1,000 blocks is asked at most 1.5 times as often as one must ask it."""
    node = chain_of(20_000, most_blocks=1_000)
    Index(None, node, sleep=impatient).logs(MINE, 0, [])
    assert len(node.asked) <= 1.5 * (20_000 / 512) + 16


def test_what_was_read_is_not_asked_for_again(tmp_path):
    """Nor by the next process."""
    node = chain_of(300)
    path = tmp_path / "new" / "logs.sqlite"
    Index(path, node).logs(MINE, 0, [])
    node.asked.clear()
    node.grow(2, Random(0))
    assert Index(path, node).logs(MINE, 0, []) == node.truth(0)
    assert node.asked == [block.hash for block, _ in node.chain[-2:]]
    node.asked.clear()
    assert Index(path, node).logs(MINE, 100, [], 200) == node.truth(100, 200)
    assert node.asked == []


@pytest.mark.parametrize("tip", [0, 4])
@pytest.mark.parametrize("seed", range(4))
def test_after_every_reorganisation_the_index_tells_the_chain(seed, tip):
    """Of any depth up to twelve, and of a chain that ends lower than before."""
    random = Random(seed)
    node = chain_of(40, most_blocks=random.choice([3, 10, 1_000]))
    index = Index(None, node, tip=tip, sleep=impatient)
    for _ in range(60):
        random.choice([node.grow, node.reorganise])(random.randrange(1, 13), random)
        last = random.choice([None, random.randrange(len(node.chain))])
        assert index.logs(MINE, 5, [], last) == node.truth(5, last)


def test_a_reorganisation_during_the_reading():
    """Between the pages: what comes is the new chain, whole, not the old one's beginning."""
    random = Random(7)
    node = chain_of(60, most_blocks=10)
    turns = iter([False] * 4 + [True] + [False] * 1_000)
    node.before_logs = lambda: next(turns) and node.reorganise(40, random)
    assert Index(None, node, sleep=impatient).logs(MINE, 0, []) == node.truth(0)


def test_a_node_that_lags_is_waited_for():
    """What another machine behind the same address has shown does not vanish."""
    node = chain_of(50)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        node.behind = max(0, node.behind - 1)

    index = Index(None, node, sleep=wait)
    index.logs(MINE, 0, [])
    node.behind = 3
    assert index.logs(MINE, 0, []) == node.truth(0)
    assert len(waits) == 3


def test_a_node_that_stays_behind_is_believed_in_the_end():
    """A chain may end lower than before."""
    node = chain_of(50)
    index = Index(None, node, lag_seconds=5, sleep=impatient)
    index.logs(MINE, 0, [])
    node.behind = 3
    assert index.logs(MINE, 0, []) == node.truth(0, 46)


def test_a_block_that_the_node_does_not_have_yet_is_not_read_as_empty():
    """A machine that lags answers a range with nothing; by its hash it has to say so."""
    node = chain_of(50)
    index = Index(None, node, sleep=impatient)
    turns = iter([0, 2, 2] + [0] * 1_000)

    def lag() -> None:
        node.behind = next(turns)

    node.before_logs = lag
    assert index.logs(MINE, 0, []) == node.truth(0)


def test_an_earlier_beginning_is_read_as_well():
    node = chain_of(100)
    index = Index(None, node, sleep=impatient)
    assert index.logs(MINE, 60, []) == node.truth(60)
    assert index.logs(MINE, 10, []) == node.truth(10)
    assert index.logs(MINE, 200, []) == []


def test_a_refusal_of_a_single_block_is_told():
    node = chain_of(30, most_blocks=0)
    with pytest.raises(NodeRefused, match="exceeds 0"):
        Index(None, node, sleep=impatient).logs(MINE, 0, [])


def test_one_file_serves_several_processes(tmp_path):
    """They read and roll back at once, and each of them tells the chain."""
    path = tmp_path / "logs.sqlite"
    # Not forked from here, where other threads may hold a lock.
    with multiprocessing.get_context("forkserver").Pool(3) as pool:
        each = pool.starmap_async(_read_and_compare, [(path, seed) for seed in range(6)])
        assert all(each.get(timeout=300))


def _read_and_compare(path: Any, seed: int) -> bool:
    """All processes see the same chains, at different times."""
    for blocks in range(20 + seed, 60, 5):
        node = chain_of(blocks, most_blocks=4)
        if Index(path, node, sleep=impatient).logs(MINE, 0, []) != node.truth(0):
            return False
    return True


# ------------------------------------------------------------------ several machines at one address


def machines(node: FakeNode, behind_blocks, behind_logs) -> FakeNode:
    """Of each question another machine may answer, so many blocks behind."""
    block, logs = node.block, node.logs

    def asked_block(number: int | None) -> Block | None:
        node.behind = behind_blocks()
        return block(number)

    def asked_logs(query: dict[str, Any]) -> list[dict[str, Any]]:
        node.behind = behind_logs()
        return logs(query)

    node.block, node.logs = asked_block, asked_logs
    return node


@pytest.mark.parametrize("seed", range(6))
def test_machines_a_block_apart(seed):
    """What one of them does not know yet is asked for again."""
    random, node = Random(seed), chain_of(50)
    machines(node, lambda: random.randrange(2), lambda: random.randrange(2))
    assert Index(None, node, sleep=impatient).logs(MINE, 0, []) in (
        node.truth(0, 48),
        node.truth(0, 49),
    )


def test_a_machine_far_behind_answers_for_a_range():
    """It gives nothing for blocks that it has not: so the newest are asked for by their hash."""
    node, lags = chain_of(50), iter([12])
    machines(node, lambda: 0, lambda: next(lags, 0))
    assert Index(None, node, sleep=impatient).logs(MINE, 0, []) == node.truth(0)


def test_a_machine_on_another_fork_answers_for_a_range():
    """What it gives is of blocks that the chain has not."""
    random, node = Random(5), chain_of(60)
    old = list(node.chain)
    node.reorganise(20, random)
    node.grow(40, random)
    forks, logs = iter([True]), node.logs

    def of_a_fork(query: dict[str, Any]) -> list[dict[str, Any]]:
        kept = node.chain
        node.chain = old if next(forks, False) else kept
        try:
            return logs(query)
        finally:
            node.chain = kept

    node.logs = of_a_fork
    index = Index(None, node, sleep=impatient)
    assert index.logs(MINE, 0, []) == node.truth(0)


def test_nothing_comes_from_beyond_the_last_block():
    """Where a machine does not have that one yet."""
    node, missing = chain_of(50), iter([None])
    block = node.block
    node.block = lambda number: next(missing, block(45)) if number == 45 else block(number)
    assert Index(None, node, sleep=impatient).logs(MINE, 0, [], 45) == node.truth(0, 45)


def test_what_a_chain_took_back_is_forgotten_though_it_was_read_on_above(tmp_path):
    """The chain turns between the look at what is kept and the blocks that follow: those stand on
    others than are kept, and would vouch for them."""
    node = TurningNode()
    node.grow(40, Random(0))
    path = tmp_path / "logs.sqlite"
    assert Index(path, node, sleep=impatient).logs(MINE, 0, []) == node.truth(0)
    node.grow(1, Random(3))
    node.turns_after = 39
    index = Index(path, node, sleep=impatient)
    assert index.logs(MINE, 0, []) == node.truth(0)
    assert node.turns_after is None
    assert Index(path, node, sleep=impatient).logs(MINE, 0, []) == node.truth(0)
