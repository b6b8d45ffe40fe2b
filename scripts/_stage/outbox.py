"""What is sent is on disk first, is sent once, and pays more when it is stuck, up to a cap."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from offchain.errors import SoukError
from scripts._stage.index import NodeRefused

GWEI = 10**9
LOOKS = 5
"""In a row at a nonce that is used and at no transaction of ours, until another's is believed."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY, sender TEXT, nonce INTEGER,
    target TEXT, value TEXT, data BLOB, gas INTEGER, most TEXT, tip TEXT, hash TEXT, raw BLOB
);
"""


class StillPending(SoukError):
    """A transaction waits in the pool for longer than one waits for it; it stays in the outbox."""


class FeeAboveCap(SoukError):
    """The next block asks for more than the user pays at most; nothing was sent."""


@dataclass(frozen=True)
class Price:
    """Wei for a unit of gas that the next block burns, and what its builder usually gets."""

    base: int
    tip: int

    def fee(self, cap: int) -> Fee:
        """One with which `base` may double meanwhile, within `cap`."""
        return Fee(min(2 * self.base + self.tip, cap), min(self.tip, cap))


@dataclass(frozen=True)
class Fee:
    """Wei for a unit of gas: the most, and what of it goes to the builder."""

    most: int
    tip: int

    def raised(self) -> Fee:
        """The least that pools take in place of it: more by an eighth."""
        return Fee(self.most * 9 // 8 + 1, self.tip * 9 // 8 + 1)


@dataclass(frozen=True)
class Patience:
    """How a transaction is waited for.

    Attributes:
        cap: most wei for a unit of gas.
        confirmations: blocks that must follow on its own.
        bump_blocks: blocks after which it is stuck, and pays more.
        seconds: after which one gives up waiting. poll_seconds: between two looks.
    """

    cap: int = 200 * GWEI
    confirmations: int = 1
    bump_blocks: int = 4
    seconds: float = 1_800
    poll_seconds: float = 3


@dataclass(frozen=True)
class Signed:
    """A signed transaction, and its hash, 0x and 64 hex digits."""

    hash: str
    raw: bytes


@dataclass(frozen=True)
class Call:
    """What one wants done, whatever nonce and fee it goes with.

    Attributes:
        to: 0x address. value: wei. gas: its limit, by which alone no two calls differ.
    """

    to: str
    value: int
    data: bytes
    gas: int = field(compare=False)


class Signer(Protocol):
    """An account that signs calls.

    Attributes:
        address: 0x.
    """

    address: str

    def sign(self, call: Call, nonce: int, fee: Fee) -> Signed:
        """The transaction."""


class Pool(Protocol):
    """What an outbox asks of a node."""

    def nonce(self, sender: str) -> int:
        """How many transactions of an account are in the chain."""

    def price(self) -> Price:
        """What gets a transaction into the next block."""

    def height(self) -> int:
        """Of the newest block."""

    def block_of(self, hash_: str) -> int | None:
        """The block that a transaction is in."""

    def send(self, raw: bytes) -> None:
        """Offers a transaction; one that the node has, or that is too late, does nothing.

        Raises NodeRefused.
        """


@dataclass(frozen=True)
class _Attempt:
    """A signed transaction as it is on disk."""

    nonce: int
    call: Call
    fee: Fee
    signed: Signed


class Outbox:
    """Transactions of any accounts, in one SQLite file.

    What is signed is written before it is sent. Whoever is killed in between finds it, sends the
    same bytes again, and never signs the same call with another nonce while it may still be mined.
    """

    def __init__(
        self,
        path: Path | None,
        pool: Pool,
        patience: Patience,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """path: of the file, None for memory."""
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(path or ":memory:", timeout=60, isolation_level=None)
        self._rows.executescript(_SCHEMA)
        self._pool = pool
        self._patience = patience
        self._sleep = sleep

    def send(self, signer: Signer, call: Call) -> str:
        """The hash under which a call was mined and confirmed; it waits for that.

        A call that waits already is not sent again, but waited for. Raises StillPending,
        FeeAboveCap, NodeRefused.
        """
        sender = signer.address
        nonce = self._nonce_for(signer, call)
        waited, taken, looked_at = 0.0, 0, self._pool.height()
        while True:
            height = self._pool.height()
            mined = self._mined(sender, nonce)
            if mined and height - mined[1] >= self._patience.confirmations:
                self._forget(sender, nonce)
                return mined[0]
            taken = 0 if mined or self._pool.nonce(sender) <= nonce else taken + 1
            if taken > LOOKS:
                # Another wallet of this account took the nonce.
                self._forget(sender, nonce)
                nonce, taken = self._nonce_for(signer, call), 0
            if waited >= self._patience.seconds:
                last = self._attempts(sender, nonce)[-1]
                raise StillPending(
                    f"{last.signed.hash} waits for {waited:,.0f} s with nonce {nonce} and "
                    f"{last.fee.most / GWEI:,.1f} gwei; it stays in the outbox"
                )
            if not mined and height - looked_at >= self._patience.bump_blocks:
                self._pay_more(signer)
                looked_at = height
            self._sleep(self._patience.poll_seconds)
            waited += self._patience.poll_seconds

    def waiting(self, sender: str) -> list[int]:
        """Nonces of an account that wait, ascending, after what the chain has is forgotten."""
        used = self._pool.nonce(sender)
        for nonce in self._nonces(sender):
            if nonce < used:
                self._forget(sender, nonce)
        return self._nonces(sender)

    # ------------------------------------------------------------------ one transaction

    def _nonce_for(self, signer: Signer, call: Call) -> int:
        """Of the attempt that waits for this very call, else of one that is signed and sent."""
        sender = signer.address
        with self._at_once():
            waiting = self.waiting(sender)
            again = [self._attempts(sender, nonce)[-1] for nonce in waiting]
            new = None
            same = [attempt.nonce for attempt in again if attempt.call == call]
            if same:
                nonce = same[0]
            else:
                nonce = max([self._pool.nonce(sender), *(one + 1 for one in waiting)])
                price = self._pool.price()
                if price.base > self._patience.cap:
                    raise FeeAboveCap(
                        f"a unit of gas costs {price.base / GWEI:,.1f} gwei, more than the "
                        f"{self._patience.cap / GWEI:,.1f} gwei allowed"
                    )
                new = self._write(signer, nonce, call, price.fee(self._patience.cap))
        for attempt in again:
            self._send_again(attempt)
        if new:
            try:
                self._pool.send(new.signed.raw)
            except NodeRefused:
                self._forget(sender, nonce)
                raise
        return nonce

    def _send_again(self, attempt: _Attempt) -> None:
        """Offers what a node may have forgotten; what it says to that is no news."""
        with suppress(NodeRefused):
            self._pool.send(attempt.signed.raw)

    def _pay_more(self, signer: Signer) -> None:
        """Sends all that waits again, for more where the cap allows it: one is stuck with all."""
        now = self._pool.price().fee(self._patience.cap)
        for nonce in self._nonces(signer.address):
            last = self._attempts(signer.address, nonce)[-1]
            raised = last.fee.raised()
            if raised.most <= self._patience.cap and self._mined(signer.address, nonce) is None:
                fee = Fee(max(raised.most, now.most), max(raised.tip, now.tip))
                with self._at_once():
                    last = self._write(signer, nonce, last.call, fee)
            self._send_again(last)

    def _mined(self, sender: str, nonce: int) -> tuple[str, int] | None:
        """Hash and block of the attempt that was mined."""
        for attempt in reversed(self._attempts(sender, nonce)):
            block = self._pool.block_of(attempt.signed.hash)
            if block is not None:
                return attempt.signed.hash, block
        return None

    # ------------------------------------------------------------------ on disk

    def _write(self, signer: Signer, nonce: int, call: Call, fee: Fee) -> _Attempt:
        signed = signer.sign(call, nonce, fee)
        values = (
            *(signer.address, nonce, call.to, str(call.value), call.data, call.gas),
            *(str(fee.most), str(fee.tip), signed.hash, signed.raw),
        )
        marks = ", ".join("?" * len(values))
        self._rows.execute(
            f"INSERT INTO attempts (sender, nonce, target, value, data, gas, most, tip, hash, raw)"
            f" VALUES ({marks})",
            values,
        )
        return _Attempt(nonce, call, fee, signed)

    def _nonces(self, sender: str) -> list[int]:
        rows = self._rows.execute(
            "SELECT DISTINCT nonce FROM attempts WHERE sender = ? ORDER BY nonce", (sender,)
        )
        return [nonce for (nonce,) in rows]

    def _attempts(self, sender: str, nonce: int) -> list[_Attempt]:
        """Of one nonce, in the order in which they were signed."""
        rows = self._rows.execute(
            "SELECT target, value, data, gas, most, tip, hash, raw FROM attempts"
            " WHERE sender = ? AND nonce = ? ORDER BY number",
            (sender, nonce),
        )
        return [
            _Attempt(
                nonce,
                Call(target, int(value), data, gas),
                Fee(int(most), int(tip)),
                Signed(hash_, raw),
            )
            for target, value, data, gas, most, tip, hash_, raw in rows
        ]

    def _forget(self, sender: str, nonce: int) -> None:
        self._rows.execute("DELETE FROM attempts WHERE sender = ? AND nonce = ?", (sender, nonce))

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """One transaction of the file, in which no other process picks a nonce."""
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise
        self._rows.execute("COMMIT")
