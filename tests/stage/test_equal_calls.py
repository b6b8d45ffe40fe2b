"""Of two equal calls the second means the first until who asks has seen the first done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts._stage.index import NodeRefused
from scripts._stage.outbox import Look, LookAgain, Outbox
from scripts._stage.pool import GWEI, Fee, NodeBusy
from tests.stage.fake_pool import (
    ME,
    PATIENCE,
    FakePool,
    FakeSigner,
    at_turn,
    call_of,
    done,
    killed_while_it_waits,
    outbox_of,
    taking_its_nonce,
)

PAY = call_of("pay")


def pay(pool: FakePool, path, look: Look | None = None) -> str:
    return outbox_of(pool, path).send(FakeSigner(), PAY, look)


def keep(pool: FakePool, path, blocks: int = 20) -> None:
    """The party waits so many blocks for others."""
    for _ in range(blocks):
        outbox_of(pool, path).keep(ME)
        pool.wait()


@pytest.mark.parametrize("how", ["killed", "reorganised", "a node that lags"])
def test_who_saw_it_done_means_another(tmp_path, how):
    """Whatever happened to the first on its way, and whoever waited for it."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    if how == "killed":
        killed_while_it_waits(pool, path, PAY)
    else:
        pay(pool, path)
    if how == "reorganised":
        pool.reorganise()
    elif how == "a node that lags":
        nonce, pool.nonce = pool.nonce, lambda sender: 0
        outbox_of(pool, path).keep(ME)
        pool.nonce = nonce
    keep(pool, path)
    assert done(pool) == {"pay": 1}
    first = pool.mined[0].hash
    assert pay(pool, path, pool.look()) != first
    assert done(pool) == {"pay": 2}


@pytest.mark.parametrize("how", ["killed", "reorganised", "reorganised, and the pool has it yet"])
def test_who_looked_before_it_was_there_means_that_one(tmp_path, how):
    """It comes into the chain between a party's look and what the party does about it."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    if how == "killed":
        killed_while_it_waits(pool, path, PAY)
    else:
        pay(pool, path)
        (one,) = pool.mined
        pool.reorganise()
        pool.pending[0] = one
    look = pool.look()
    if how == "reorganised":
        pool.pending.clear()
        keep(pool, path)
    for _ in range(20):
        pool.wait()
    assert pay(pool, path, look) == pool.mined[0].hash
    assert done(pool) == {"pay": 1}
    pay(pool, path, pool.look())
    assert done(pool) == {"pay": 2}


def test_who_got_the_receipt_means_another_without_a_look(tmp_path):
    """As who approves the same once more within one action."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    look = pool.look()
    assert len({pay(pool, path, look) for _ in range(3)}) == 3
    assert done(pool) == {"pay": 3}


def test_a_look_that_is_behind_ones_own_receipts_decides_nothing(tmp_path):
    """A node that lags shows a party that what it did is not done; its next look will."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    behind = pool.look()
    pay(pool, path)
    with pytest.raises(LookAgain, match=r"done in block 1, beyond the 0 that the node showed"):
        pay(pool, path, behind)
    assert done(pool) == {"pay": 1}
    pay(pool, path, pool.look())
    assert done(pool) == {"pay": 2}


@pytest.mark.parametrize("how", ["killed", "with a receipt"])
@pytest.mark.parametrize("looks", [True, False])
def test_receipts_that_a_machine_does_not_have_yet_hide_nothing(tmp_path, how, looks):
    """Who saw it done means another, though the machine that is asked next is behind."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    if how == "killed":
        killed_while_it_waits(pool, path, PAY)
    else:
        pay(pool, path)
    keep(pool, path)
    shown, late = pool.block_of, iter([True] * 5)
    pool.block_of = lambda hash_: None if next(late, False) else shown(hash_)
    pay(pool, path, pool.look() if looks else None)
    assert done(pool) == {"pay": 2 if looks or how == "with a receipt" else 1}


def test_two_processes_that_wait_for_one_call_both_get_its_receipt(tmp_path):
    """Also the second, of whom the first's receipt is not."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    killed_while_it_waits(pool, path, PAY)
    look, meanwhile = pool.look(), at_turn(1, lambda: pay(pool, path), pool)
    Outbox(path, pool, PATIENCE, sleep=meanwhile).send(FakeSigner(), PAY, look)
    assert done(pool) == {"pay": 1}


def test_a_look_at_another_fork_decides_nothing(tmp_path):
    """What a killed process sent may be in a block that one saw otherwise."""
    pool, path = FakePool(deaf=1), tmp_path / "outbox.sqlite"
    killed_while_it_waits(pool, path, PAY)
    pool.wait()
    pool.wait()
    pool.wait()
    assert done(pool) == {"pay": 1}
    look = Look(replace(pool.block(3), hash="of the other fork"))
    with pytest.raises(LookAgain, match="reorganised"):
        pay(pool, path, look)
    assert done(pool) == {"pay": 1}


def test_what_was_read_on_a_machine_that_is_behind_is_all_that_is_known():
    pool = FakePool()
    for _ in range(3):
        pool.wait()
    look = pool.look()
    look.behind(pool.block(2))
    look.behind(pool.block(3))
    assert look.newest == pool.block(2)


def test_two_processes_that_want_it_at_once_sign_it_once(tmp_path):
    """The one signs while the other finds out that nothing stands for it."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    one = outbox_of(pool, path)
    standing = one._standing

    def slow(*asked):
        one._standing = standing
        found = standing(*asked)
        outbox_of(pool, path)._nonce_for(FakeSigner(), PAY, None)
        return found

    one._standing = slow
    one.send(FakeSigner(), PAY)
    assert done(pool) == {"pay": 1}


# ------------------------------------------------------------------ nonces that are lost or refused


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_a_call_that_lost_its_nonce_is_done_once(tmp_path, comes_back, asked):
    """Another wallet took the nonce, the call went with the next one, and a reorganisation takes
    both back. The wallet's transaction comes back, or leaves a nonce that keeps the call out; then
    who asks for the call fills it."""
    pool, path = FakePool(deaf=2), tmp_path / "outbox.sqlite"
    take, other = taking_its_nonce(pool)
    Outbox(path, pool, PATIENCE, sleep=take).send(FakeSigner(), PAY)
    assert done(pool) == {"of another wallet": 1, "pay": 1}
    pool.reorganise()
    if comes_back:
        pool.send(other)
    if asked:
        pay(pool, path, pool.look())
    keep(pool, path)
    assert done(pool)["pay"] == (asked or comes_back)
    assert done(pool).total() == 2 * (asked or comes_back)


def test_what_was_refused_pays_no_more_over_another_calls_nonce(tmp_path):
    """One process forgets what a node refused and signs another call with its nonce, while a second
    process pays more for what waits."""
    pool, path = FakePool(deaf=10), tmp_path / "outbox.sqlite"
    one, two = outbox_of(pool, path), outbox_of(pool, path)
    refusals, take, at_once = [NodeRefused(-32_000, "full"), NodeBusy("HTTP 503")], pool.send, None

    def send(raw: bytes) -> None:
        if refusals and FakeSigner.signed[raw.decode()].call == call_of("first"):
            raise refusals.pop()
        take(raw)

    def late():
        two._file.at_once = at_once
        with pytest.raises(NodeRefused):
            one._offer(first)
        one._nonce_for(FakeSigner(), call_of("second"), None)
        return at_once()

    pool.send = send
    first = one._write(FakeSigner(), 0, call_of("first"), Fee(20 * GWEI, GWEI))
    at_once, two._file.at_once = two._file.at_once, late
    two._pay_more(FakeSigner())
    pool.deaf = 0
    one.send(FakeSigner(), call_of("second"))
    assert done(pool) == {"second": 1}
