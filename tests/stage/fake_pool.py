"""A pool of transactions and a signer in memory, for tests of the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from scripts._stage.index import Block
from scripts._stage.outbox import Look, Outbox, Patience
from scripts._stage.pool import GWEI, Call, Fee, Price, Signed

ME = "0x" + "11" * 20
PATIENCE = Patience(cap=100 * GWEI, confirmations=2, bump_blocks=3, seconds=200, poll_seconds=1)


class Killed(BaseException):
    """The process was killed."""


@dataclass(frozen=True)
class Transaction:
    """What the fake pool makes of raw bytes."""

    call: Call
    nonce: int
    fee: Fee

    @property
    def hash(self) -> str:
        return f"{self.call.data.hex()}/{self.nonce}/{self.fee.most}/{self.fee.tip}"


class FakeSigner:
    """Signs by remembering: raw bytes are the hash."""

    address = ME
    signed: ClassVar[dict[str, Transaction]] = {}

    def sign(self, call: Call, nonce: int, fee: Fee) -> Signed:
        transaction = Transaction(call, nonce, fee)
        self.signed[transaction.hash] = transaction
        return Signed(transaction.hash, transaction.hash.encode())


@dataclass
class FakePool:
    """A chain with a pool: a block is mined whenever somebody waits.

    base: what it says that gas costs, in gwei. least: what it costs.
    deaf: blocks during which nothing gets in.
    """

    base: int = 10
    least: int = 10
    deaf: int = 0
    chain: list[list[Transaction]] = field(default_factory=list)
    pending: dict[int, Transaction] = field(default_factory=dict)
    kill_at: int = -1
    steps: int = 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed

    @property
    def mined(self) -> list[Transaction]:
        return [one for block in self.chain for one in block]

    def nonce(self, sender: str) -> int:
        self._step()
        return len(self.mined)

    def price(self) -> Price:
        self._step()
        return Price(self.base * GWEI, GWEI)

    def height(self) -> int:
        return len(self.chain)

    def block_of(self, hash_: str) -> int | None:
        self._step()
        for number, block in enumerate(self.chain):
            if any(one.hash == hash_ for one in block):
                return number + 1
        return None

    def block(self, number: int) -> Block:
        return Block(number, repr(self.chain[:number]), "")

    def has(self, block: Block) -> bool:
        return self.block(block.number) == block

    def look(self) -> Look:
        """What somebody knows who reads the chain now."""
        return Look(self.block(self.height()))

    def reorganise(self) -> None:
        """Takes back what is in the chain, whose length stays."""
        self.chain[:] = [[] for _ in self.chain]

    def send(self, raw: bytes) -> None:
        self._step()
        one = FakeSigner.signed[raw.decode()]
        before = self.pending.get(one.nonce)
        if one.nonce >= len(self.mined) and (before is None or _replaces(one, before)):
            self.pending[one.nonce] = one
        self._step()

    def wait(self, _: float = 0) -> None:
        """A block is mined."""
        block = []
        while not self.deaf and self.pending:
            one = self.pending.get(len(self.mined) + len(block))
            if one is None or one.fee.most < self.least * GWEI:
                break
            block.append(self.pending.pop(one.nonce))
        self.deaf = max(0, self.deaf - 1)
        self.chain.append(block)


def _replaces(one: Transaction, other: Transaction) -> bool:
    """As pools do it: by a tenth more of both."""
    more = one.fee.most >= 1.1 * other.fee.most
    return one.hash == other.hash or (more and one.fee.tip >= 1.1 * other.fee.tip)


def call_of(name: str) -> Call:
    return Call(ME, 0, name.encode(), 100_000)


def outbox_of(pool: FakePool, path=None, patience: Patience = PATIENCE) -> Outbox:
    return Outbox(path, pool, patience, sleep=pool.wait)


def at_turn(turn: int, then: Callable[[], object], pool: FakePool) -> Callable[[float], None]:
    """A wait during which something else happens, once, before the block."""
    turns = iter(range(1_000_000))

    def wait(_: float) -> None:
        if next(turns) == turn:
            then()
        pool.wait()

    return wait


def taking_its_nonce(pool: FakePool) -> tuple[Callable[[float], None], bytes]:
    """A wait during which another wallet of the account takes nonce 0, and with what."""
    other = FakeSigner().sign(call_of("of another wallet"), 0, Fee(90 * GWEI, 9 * GWEI)).raw
    return at_turn(0, lambda: pool.send(other), pool), other


def killed_while_it_waits(pool: FakePool, path: Path, call: Call) -> None:
    """A process sends a call, and hears no more of it."""

    def kill(_: float) -> None:
        raise Killed

    with suppress(Killed):
        Outbox(path, pool, PATIENCE, sleep=kill).send(FakeSigner(), call)


def done(pool: FakePool) -> Counter[str]:
    return Counter(one.call.data.decode() for one in pool.mined)
