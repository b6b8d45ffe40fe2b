"""A party pays three times, each time once it saw the last one done, whatever comes in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from scripts._stage.index import Block
from scripts._stage.outbox import Look, LookAgain, Outbox, StillPending
from tests.stage.fake_pool import ME, PATIENCE, FakePool, FakeSigner, Killed, call_of, done

PAY, TIMES = call_of("pay"), 3


class FicklePool(FakePool):
    """A chain that is reorganised, behind several machines of which some are behind; whoever asks
    is killed now and then."""

    def __init__(self, seed: int, *, behind: int, kills: float, reorganisations: float) -> None:
        super().__init__()
        self.random = Random(seed)
        self.behind, self.kills, self.reorganisations = behind, kills, reorganisations

    def seen(self) -> list[list]:
        """The chain of the machine that is asked."""
        return self.chain[: max(0, len(self.chain) - self.random.randint(0, self.behind))]

    def _step(self) -> None:
        if self.random.random() < self.kills:
            raise Killed

    def nonce(self, sender: str) -> int:
        self._step()
        return sum(map(len, self.seen()))

    def height(self) -> int:
        return len(self.seen())

    def has(self, block: Block) -> bool:
        seen = self.seen()
        return block.number <= len(seen) and self.block(block.number) == block

    def block_of(self, hash_: str) -> int | None:
        self._step()
        found = super().block_of(hash_)
        return found if found is not None and found <= len(self.seen()) else None

    def wait(self, _: float = 0) -> None:
        draw = self.random.random
        if draw() < self.reorganisations and self.chain:
            depth = self.random.randint(1, min(4, len(self.chain)))
            taken = [one for block in self.chain[-depth:] for one in block]
            # Some forks are shorter for a moment; some pools have what was taken back.
            self.chain[-depth:] = [[]] * (depth - self.random.randint(0, 1))
            self.pending |= {one.nonce: one for one in taken if draw() < 0.5}
        if draw() < 0.1:
            self.pending.clear()
        if draw() < 0.2:
            self.deaf = self.random.randrange(3)
        super().wait()


@pytest.mark.parametrize(
    "trouble",
    [
        {"behind": 2, "kills": 0, "reorganisations": 0},
        {"behind": 0, "kills": 0.05, "reorganisations": 0.1},
        {"behind": 3, "kills": 0.05, "reorganisations": 0.1},
    ],
    ids=["behind", "killed and reorganised", "all"],
)
def test_neither_twice_nor_never(trouble):
    for seed in range(40):
        pool = FicklePool(seed, **trouble)
        patience = replace(PATIENCE, confirmations=1, seconds=60, lag_seconds=15)
        # Nothing of it but its file is used by the next process.
        outbox = Outbox(None, pool, patience, sleep=pool.wait)
        for turn in range(60):
            seen = pool.seen()
            if sum(one.call == PAY for block in seen for one in block) < TIMES:
                with suppress(Killed, LookAgain, StillPending):
                    outbox.send(FakeSigner(), PAY, Look(pool.block(len(seen))))
            else:
                with suppress(Killed):
                    outbox.keep(ME)
            pool.wait()
            pool.reorganisations *= turn < 30
        assert done(pool)["pay"] == TIMES, seed
