"""What is sent is on disk first, is sent once, and pays more when it is stuck, up to a cap."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from offchain.database import Database
from offchain.errors import SoukError
from scripts._stage.index import Block, NodeRefused
from scripts._stage.pool import GWEI, Call, Fee, NodeBusy, Pool, Signed, Signer

KEPT_NONCES = 256
"""Of an account that are kept though they are done, since a reorganisation may take them back."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY, sender TEXT, nonce INTEGER,
    target TEXT, value TEXT, data BLOB, gas INTEGER, most TEXT, tip TEXT, hash TEXT, raw BLOB,
    taken INTEGER DEFAULT 0, done INTEGER DEFAULT 0
);
"""


class StillPending(SoukError):
    """A transaction waits in the pool for longer than one waits for it; it stays in the outbox."""


class FeeAboveCap(SoukError):
    """The next block asks for more than the user pays at most; nothing was sent."""


class LookAgain(SoukError):
    """What one knew of the chain does not tell whether one means a call that is there by now."""


@dataclass(frozen=True)
class Patience:
    """How a transaction is waited for.

    Attributes:
        cap: most wei for a unit of gas.
        confirmations: blocks that must follow on its own.
        bump_blocks: blocks after which it is stuck, and pays more.
        lag_seconds: how long a nonce may be used by no transaction of ours that a node shows, until
            one believes that another wallet used it.
        seconds: after which one gives up waiting. poll_seconds: between two looks.
    """

    cap: int = 200 * GWEI
    confirmations: int = 1
    bump_blocks: int = 4
    lag_seconds: float = 60
    seconds: float = 1_800
    poll_seconds: float = 3


@dataclass
class Look:
    """What who asks for a call knew of the chain.

    Attributes:
        newest: the last block of which it knew what is in it.
        told: hashes of what it got receipts of since.
    """

    newest: Block
    told: set[str] = field(default_factory=set)

    def behind(self, block: Block) -> None:
        """Something was read on a machine that has no more than this block."""
        if block.number < self.newest.number:
            self.newest = block


@dataclass(frozen=True)
class _Attempt:
    """A signed transaction as it is on disk.

    done: the block in which it was as its caller got its receipt; 0: no caller did.
    """

    number: int
    nonce: int
    call: Call
    fee: Fee
    signed: Signed
    done: int


class Outbox:
    """Transactions of any accounts, in one SQLite file, which several processes may share.

    What is signed is written before it is sent. Whoever is killed in between finds it, sends the
    same bytes again, and never signs the same call with another nonce while it may still be mined.
    What was mined is kept for a while: it is offered again if a reorganisation takes it back.

    Of two calls that are equal the second means the first as long as who asks has not seen the
    first done: got its receipt, or looked at the chain with it. Then it means another one.
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
        self._file = Database(path, _SCHEMA)
        self._rows = self._file.rows
        self._pool = pool
        self._patience = patience
        self._sleep = sleep

    def send(self, signer: Signer, call: Call, look: Look | None = None) -> str:
        """The hash under which a call was mined and confirmed; it waits for that.

        An equal call that is not yet done as far as the caller knows is not sent again, but waited
        for. look: what the caller knew of the chain as it wanted the call, None for no more than
        what receipts were given, to whomever. Raises LookAgain, StillPending, FeeAboveCap,
        NodeRefused, NodeBusy, DatabaseBusy.
        """
        sender, poll = signer.address, self._patience.poll_seconds
        nonce, given = self._nonce_for(signer, call, look)
        waited, lost, looked_at = 0.0, 0.0, self._pool.height()
        while True:
            height = self._pool.height()
            mined = self._mined(sender, nonce)
            if mined and height - mined[1] >= self._patience.confirmations:
                if given is None or not _is_seen(given, mined, look, self._pool):
                    self._receipt_given(sender, nonce, mined[1])
                    if look:
                        look.told.add(mined[0])
                    return mined[0]
                # It was there all along, and a machine of the node's was behind.
                nonce, given = self._nonce_for(signer, call, look)
            lost = 0.0 if mined or self._pool.nonce(sender) <= nonce else lost + poll
            if lost > self._patience.lag_seconds:
                # Another wallet of this account took the nonce. Were it free again, the call would
                # be done with it and with the next one.
                self._forget(sender, nonce)
            if not self._attempts(sender, nonce):
                # Or a node refused what it was at first too busy to answer to.
                (nonce, given), lost = self._nonce_for(signer, call, look), 0.0
            if waited >= self._patience.seconds:
                last = self._attempts(sender, nonce)[-1]
                raise StillPending(
                    f"{last.signed.hash} waits for {waited:,.0f} s with nonce {nonce} and "
                    f"{last.fee.most / GWEI:,.1f} gwei; it stays in the outbox"
                )
            if not mined and height - looked_at >= self._patience.bump_blocks:
                self._pay_more(signer)
                looked_at = height
            self._sleep(poll)
            waited += poll

    def waiting(self, sender: str) -> list[int]:
        """Nonces of an account that are signed and not in the chain, ascending."""
        used = self._pool.nonce(sender)
        return [nonce for nonce in self._nonces(sender) if nonce >= used]

    def keep(self, sender: str) -> None:
        """Offers again what a reorganisation took back, for an account that sends nothing more.

        Raises NodeBusy, NodeRefused.
        """
        nonces = self._nonces(sender)
        if nonces and nonces[-1] >= (used := self._pool.nonce(sender)):
            self._offer_all(sender, used)

    def is_shallow(self, sender: str, depth: int) -> bool:
        """Whether a reorganisation of so many blocks could take back what somebody got a receipt
        of, or did so. Raises NodeBusy, NodeRefused."""
        newest = reversed(self._nonces(sender))  # they come in order: none is less deep
        given = next((one for one in newest if self._attempts(sender, one)[-1].done), None)
        if given is None:
            return False
        mined = self._mined(sender, given)
        return mined is None or self._pool.height() - mined[1] < depth

    # ------------------------------------------------------------------ one transaction

    def _nonce_for(self, signer: Signer, call: Call, look: Look | None) -> tuple[int, int | None]:
        """Of the attempt that stands for this very call, and its `done`; else of one that is signed
        and sent, and None."""
        sender = signer.address
        used, price = self._pool.nonce(sender), self._pool.price()
        self._offer_all(sender, used)
        while True:
            newest = self._newest()
            standing = self._standing(sender, call, look)
            if standing is not None:
                return standing
            if price.base > self._patience.cap:
                raise FeeAboveCap(
                    f"a unit of gas costs {price.base / GWEI:,.1f} gwei, more than the "
                    f"{self._patience.cap / GWEI:,.1f} gwei allowed"
                )
            with self._file.at_once():
                if self._newest() != newest:
                    continue  # another process signed something, perhaps this very call
                self._prune(sender, used)
                # A nonce that nobody fills would keep all later ones from the chain.
                taken = set(self._nonces(sender))
                nonce = next(free for free in count(used) if free not in taken)
                new = self._write(signer, nonce, call, price.fee(self._patience.cap))
            self._offer(new)
            return nonce, None

    def _standing(self, sender: str, call: Call, look: Look | None) -> tuple[int, int] | None:
        """Nonce and `done` of an equal call that who asks has not seen done. Raises LookAgain.

        The newest is asked for first: one that was seen done was so with all before it.
        """
        for nonce in reversed(self._nonces(sender)):
            attempts = self._attempts(sender, nonce)
            if attempts[-1].call != call:
                continue
            if look and any(one.signed.hash in look.told for one in attempts):
                continue
            mined, given = self._mined(sender, nonce), attempts[-1].done
            seen = mined and _is_seen(given, mined, look, self._pool)
            return None if seen else (nonce, given)
        return None

    def _offer(self, attempt: _Attempt) -> None:
        """Offers a transaction. What no node ever took and one refuses is forgotten.

        Raises NodeRefused then. Where it is not known whether it was taken, it is offered again
        later.
        """
        try:
            self._pool.send(attempt.signed.raw)
        except NodeBusy:
            return
        except NodeRefused:
            # Another process may have had it taken meanwhile.
            if not self._rows.execute(
                "DELETE FROM attempts WHERE number = ? AND taken = 0", (attempt.number,)
            ).rowcount:
                return
            raise
        self._rows.execute("UPDATE attempts SET taken = 1 WHERE number = ?", (attempt.number,))

    def _offer_all(self, sender: str, used: int) -> None:
        """Offers again what a node may have forgotten, and a reorganisation may have taken back.

        The cheapest first: whether the account can pay the dearer ones is not known.
        """
        for nonce in self._nonces(sender):
            for attempt in self._attempts(sender, nonce):
                if nonce >= used and attempt.fee.most <= self._patience.cap:
                    with suppress(NodeRefused):
                        self._offer(attempt)

    def _pay_more(self, signer: Signer) -> None:
        """Sends all that waits again, for more where the cap allows it: one is stuck with all.

        A nonce between them that nobody fills any more is filled by a transfer of nothing.
        """
        sender = signer.address
        used, now = self._pool.nonce(sender), self._pool.price().fee(self._patience.cap)
        self._offer_all(sender, used)
        nonces = [nonce for nonce in self._nonces(sender) if nonce >= used]
        for nonce in range(used, max(nonces, default=used - 1) + 1):
            with self._file.at_once():
                # Read in here: another process may have forgotten one, and signed another call.
                attempts = self._attempts(sender, nonce)
                if attempts:
                    call, raised = attempts[-1].call, attempts[-1].fee.raised()
                    fee = Fee(max(raised.most, now.most), max(raised.tip, now.tip))
                else:
                    call, fee = self._nothing(sender, nonce), now
                if fee.most > self._patience.cap:
                    continue
                more = self._write(signer, nonce, call, fee)
            with suppress(NodeRefused):
                self._offer(more)

    def _nothing(self, sender: str, nonce: int) -> Call:
        """A transfer of nothing to oneself, with as much gas as a call that waits behind it."""
        (gas,) = self._rows.execute(
            "SELECT max(gas) FROM attempts WHERE sender = ? AND nonce > ?", (sender, nonce)
        ).fetchone()
        return Call(sender, 0, b"", gas)

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
        number = self._rows.execute(
            f"INSERT INTO attempts (sender, nonce, target, value, data, gas, most, tip, hash, raw)"
            f" VALUES ({marks})",
            values,
        ).lastrowid
        assert number is not None
        return _Attempt(number, nonce, call, fee, signed, 0)

    def _nonces(self, sender: str) -> list[int]:
        rows = self._rows.execute(
            "SELECT DISTINCT nonce FROM attempts WHERE sender = ? ORDER BY nonce", (sender,)
        )
        return [nonce for (nonce,) in rows]

    def _attempts(self, sender: str, nonce: int) -> list[_Attempt]:
        """Of one nonce, in the order in which they were signed."""
        rows = self._rows.execute(
            "SELECT number, target, value, data, gas, most, tip, hash, raw, done"
            " FROM attempts WHERE sender = ? AND nonce = ? ORDER BY number",
            (sender, nonce),
        )
        return [
            _Attempt(
                number,
                nonce,
                Call(target, int(value), data, gas),
                Fee(int(most), int(tip)),
                Signed(hash_, raw),
                done,
            )
            for number, target, value, data, gas, most, tip, hash_, raw, done in rows
        ]

    def _newest(self) -> str | None:
        """The hash of what was signed last, by whichever process."""
        row = self._rows.execute(
            "SELECT hash FROM attempts ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return row and str(row[0])

    def _receipt_given(self, sender: str, nonce: int, block: int) -> None:
        self._rows.execute(
            "UPDATE attempts SET done = ? WHERE sender = ? AND nonce = ?", (block, sender, nonce)
        )

    def _forget(self, sender: str, nonce: int) -> None:
        self._rows.execute("DELETE FROM attempts WHERE sender = ? AND nonce = ?", (sender, nonce))

    def _prune(self, sender: str, used: int) -> None:
        """Forgets what no reorganisation will take back any more."""
        self._rows.execute(
            "DELETE FROM attempts WHERE sender = ? AND nonce < ?", (sender, used - KEPT_NONCES)
        )


def _is_seen(given: int, mined: tuple[str, int], look: Look | None, pool: Pool) -> bool:
    """Whether who asks saw done what is mined. Raises LookAgain where that cannot be told.

    mined: hash and block. given: as an attempt's `done`, before who asks got anything.
    """
    hash_, block = mined
    if look is None:
        return given == block
    if block > look.newest.number:
        if given != block:
            return False
        why = f"was done in block {block}, beyond the {look.newest.number} that the node showed"
    elif given == block or pool.has(look.newest):
        return True
    else:
        why = f"is in block {block}, but the chain was reorganised meanwhile"
    raise LookAgain(f"an equal call, {hash_}, {why}: try again")
