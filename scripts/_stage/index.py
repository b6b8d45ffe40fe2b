"""The chain's logs: read in pages that the node allows, kept on disk by block hash."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from offchain.database import Database
from offchain.errors import SoukError

MOST_BLOCKS = 8_192
"""Of one page. Nodes that allow less say so, and are asked for less."""
CALM_PAGES = 8
"""Pages read in a row before a larger one is tried again."""
LAG_SECONDS = 30
"""How long a node may be behind what another of the same address has shown."""
MOST_TRIES = 16
"""Readings of a chain that is reorganised during each of them."""
MOST_REFUSALS = 20
"""Of one page; that of a single block is believed after so many."""

_LAG_POLL_SECONDS = 1.0
_FIRST_REST_SECONDS = 0.05
_NO_SUCH_METHOD = -32_601
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    query TEXT, first INTEGER, last INTEGER, hash TEXT, PRIMARY KEY (query, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    query TEXT, block INTEGER, position INTEGER, log TEXT, PRIMARY KEY (query, block, position)
) WITHOUT ROWID;
"""


class NodeRefused(SoukError):
    """A node answered a request with an error.

    Attributes:
        code: JSON-RPC's, or HTTP's where there was none.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _TipRefused(Exception):
    """A node does not know, or not yet, the block whose hash it was asked for."""

    def __init__(self, refusal: NodeRefused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class ChainUnsettled(SoukError):
    """The chain was reorganised during every reading of it."""


@dataclass(frozen=True)
class Block:
    """A block by its height and its hash, 0x and 64 hex digits. parent: the hash of the one before,
    which the hash vouches for."""

    number: int
    hash: str
    parent: str = field(compare=False)


class Node(Protocol):
    """What an index asks of a node."""

    def block(self, number: int | None) -> Block | None:
        """The block of that height, the newest for None; None where there is none."""

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Logs in the order of the chain, by `eth_getLogs`. Raises NodeRefused."""


@dataclass(frozen=True)
class _Known:
    """A run of blocks, both ends included. hash: of the last."""

    first: int
    last: int
    hash: str


@dataclass(frozen=True)
class _Page:
    """A run of blocks to `last`, and what was logged in them. parent: hash of the block before."""

    first: int
    parent: str
    last: Block
    logs: list[dict[str, Any]]


@dataclass(frozen=True)
class Query:
    """Which logs: of this address and with these topics, None for any."""

    address: str | None
    topics: tuple[str | None, ...]

    @property
    def key(self) -> str:
        """What tells it from others on disk."""
        return json.dumps([self.address, self.topics])

    def over(self, blocks: dict[str, str]) -> dict[str, Any]:
        """As `eth_getLogs` wants it."""
        query: dict[str, Any] = dict(blocks)
        if self.address:
            query["address"] = self.address
        if self.topics:
            query["topics"] = list(self.topics)
        return query


class Index:
    """Logs of one chain, each block asked for once as long as the chain has it.

    A page is a run of blocks with the hash of its last, which stands for all before it. A page
    whose hash is no longer the chain's is forgotten and read again, from the newest backwards, so
    that a reading after a reorganisation tells what the chain tells. Several processes may share a
    file.

    Where `tip` is not 0 the newest blocks are asked for one by one and by their hash: behind one
    address of a hosted node stand several machines, and one that does not have a block yet gives an
    empty range for it, and an error for its hash.

    Attributes:
        end: the last block of the last reading.
    """

    def __init__(
        self,
        path: Path | None,
        node: Node,
        *,
        tip: int = 16,
        lag_seconds: float = LAG_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """path: of the file, None for memory. tip: blocks that are asked for by their hash: as many
        as come while a machine of the node's may be behind."""
        self._file = Database(path, _SCHEMA)
        self._rows = self._file.rows
        self._node = node
        self._tip = tip
        self._lag_seconds = lag_seconds
        self._sleep = sleep
        self._size = MOST_BLOCKS
        self._calm = 0
        self.end: Block | None = None

    def logs(
        self,
        address: str | None,
        first: int,
        topics: list[str | None],
        last: int | None = None,
    ) -> list[dict[str, Any]]:
        """Logs from block `first` to block `last`, the newest for None, in the chain's order.

        Raises NodeRefused where a single block is refused, ChainUnsettled where no reading came to
        an end before the chain was another.
        """
        query = Query(address and address.lower(), tuple(topics))
        refusal: NodeRefused | None = None
        for tried in range(MOST_TRIES):
            if tried:
                self._sleep(_LAG_POLL_SECONDS)
            end = self._end(query, last)
            if end is None:
                continue
            if end.number < first:
                return []
            try:
                read = self._read(query, first, end)
            except _TipRefused as error:
                refusal, read = error.refusal, False
            if read:
                kept = self._kept(query, first, end)
                if kept is not None:
                    self.end = end
                    return kept
        if refusal:
            raise refusal
        raise ChainUnsettled(f"the chain was reorganised during each of {MOST_TRIES} readings")

    # ------------------------------------------------------------------ from the node

    def _end(self, query: Query, last: int | None) -> Block | None:
        """The block to read to; None where the node has it not. Waits for a node that is behind
        what was read before."""
        waited = 0.0
        while True:
            newest = self._node.block(None)
            if newest is None:
                raise NodeRefused(0, "the node has no block at all")
            known = self._known(query)
            if known is None or newest.number >= known.last or waited >= self._lag_seconds:
                break
            self._sleep(_LAG_POLL_SECONDS)
            waited += _LAG_POLL_SECONDS
        return newest if last is None or last >= newest.number else self._node.block(last)

    def _read(self, query: Query, first: int, end: Block) -> bool:
        """Reads what is missing; whether the chain stayed what it was meanwhile."""
        self._forget_what_is_gone(query)
        known = self._known(query)
        if known and first < known.first:
            self._forget(query, known.first)
            known = None
        low = known.last + 1 if known else first
        while low <= end.number:
            page = self._ask(query, low, end.number)
            if page is None or not self._keep(query, page):
                return False
            low = page.last.number + 1
        return self._node.block(end.number) == end

    def _ask(self, query: Query, low: int, high: int) -> _Page | None:
        """As many blocks from `low` on as the node allows; None where it has them no more."""
        refusals = 0
        while True:
            by_hash = low > high - self._tip
            number = low if by_hash else min(low + self._size - 1, high - self._tip)
            last = self._node.block(number)
            begin = last if number == low else self._node.block(low)
            if last is None or begin is None:
                return None
            blocks = (
                {"blockHash": last.hash}
                if by_hash
                else {"fromBlock": hex(low), "toBlock": hex(number)}
            )
            try:
                logs = self._node.logs(query.over(blocks))
            except NodeRefused as error:
                if by_hash:
                    # Another machine than the one that told the hash, perhaps.
                    raise _TipRefused(error) from error
                if error.code == _NO_SUCH_METHOD or (low == number and refusals >= MOST_REFUSALS):
                    raise
                # It may be the rate that is too much for the node, and not the range.
                self._sleep(min(_FIRST_REST_SECONDS * 2**refusals, _LAG_POLL_SECONDS))
                refusals += 1
                self._size, self._calm = max(1, (number - low + 1) // 2), 0
                continue
            if logs and not self._is_of_the_chain(logs[-1]):
                return None
            self._calm += 1
            if self._calm > CALM_PAGES:
                self._size, self._calm = min(2 * self._size, MOST_BLOCKS), 0
            return _Page(low, begin.parent, last, logs)

    def _is_of_the_chain(self, log: dict[str, Any]) -> bool:
        """Whether the machine that gave a log is on the fork of the one that tells of blocks."""
        block = self._node.block(int(log["blockNumber"], 16))
        return block is not None and block.hash == log["blockHash"]

    # ------------------------------------------------------------------ on disk

    def _known(self, query: Query) -> _Known | None:
        """The run of blocks that was read."""
        # Of one with `max` SQLite takes the other columns from the row that has it.
        last, hash_ = self._rows.execute(
            "SELECT max(last), hash FROM pages WHERE query = ?", (query.key,)
        ).fetchone()
        (first,) = self._rows.execute(
            "SELECT min(first) FROM pages WHERE query = ?", (query.key,)
        ).fetchone()
        return None if first is None else _Known(first, last, hash_)

    def _keep(self, query: Query, page: _Page) -> bool:
        """Writes a page; whether it still follows what is kept, and not another chain's blocks,
        for which its hash would stand from now on."""
        number = page.last.number
        with self._file.at_once():
            known = self._known(query)
            if known and (known.last, known.hash) != (page.first - 1, page.parent):
                return False
            self._rows.execute(
                "INSERT INTO pages VALUES (?, ?, ?, ?)",
                (query.key, page.first, number, page.last.hash),
            )
            self._rows.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?)",
                (
                    (query.key, int(log["blockNumber"], 16), position, json.dumps(log))
                    for position, log in enumerate(page.logs)
                ),
            )
        return True

    def _forget_what_is_gone(self, query: Query) -> None:
        """Forgets pages from the newest backwards, to one whose hash the chain has."""
        pages = self._rows.execute(
            "SELECT first, last, hash FROM pages WHERE query = ? ORDER BY last DESC", (query.key,)
        ).fetchall()
        gone = None
        for first, last, hash_ in pages:
            found = self._node.block(last)
            if found and found.hash == hash_:
                break
            gone = first
        if gone is not None:
            self._forget(query, gone)

    def _forget(self, query: Query, first: int) -> None:
        """Forgets the pages from block `first` on."""
        with self._file.at_once():
            for table, block in (("pages", "first"), ("logs", "block")):
                self._rows.execute(
                    f"DELETE FROM {table} WHERE query = ? AND {block} >= ?", (query.key, first)
                )

    def _kept(self, query: Query, first: int, end: Block) -> list[dict[str, Any]] | None:
        """What is kept of these blocks; None where another process has just forgotten some."""
        with self._file.at_once():
            known = self._known(query)
            if known is None or known.first > first or known.last < end.number:
                return None
            rows = self._rows.execute(
                "SELECT log FROM logs WHERE query = ? AND block BETWEEN ? AND ?"
                " ORDER BY block, position",
                (query.key, first, end.number),
            )
            return [json.loads(log) for (log,) in rows]
