"""A call is done once, whatever the pool forgets and whenever the process is killed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

import pytest

from scripts._stage.index import NodeRefused
from scripts._stage.outbox import FeeAboveCap, Outbox, Patience, StillPending
from scripts._stage.pool import GWEI, NodeBusy
from tests.stage.fake_pool import (
    ME,
    PATIENCE,
    FakePool,
    FakeSigner,
    Killed,
    at_turn,
    call_of,
    done,
    killed_while_it_waits,
    outbox_of,
    taking_its_nonce,
)


def do_all(pool: FakePool, path) -> None:
    """What a role does: the next thing that the chain does not show yet."""
    for name in ("register", "submit", "claim"):
        if name not in done(pool):
            outbox_of(pool, path).send(FakeSigner(), call_of(name))


def test_a_call_is_mined_and_confirmed():
    pool = FakePool()
    hash_ = outbox_of(pool).send(FakeSigner(), call_of("register"))
    assert [one.hash for one in pool.mined] == [hash_]
    assert pool.height() - pool.block_of(hash_) == PATIENCE.confirmations


def test_calls_follow_one_another():
    """The same one, too, once it is done: nobody means the old one."""
    pool = FakePool()
    outbox = outbox_of(pool)
    for name in ("approve", "register", "approve"):
        outbox.send(FakeSigner(), call_of(name))
    assert [one.call.data for one in pool.mined] == [b"approve", b"register", b"approve"]


@pytest.mark.parametrize("seed", range(2))
def test_a_process_that_is_killed_at_any_step_does_nothing_twice(tmp_path, seed):
    """The next one finds the call as long as it may be mined; nobody asks for what is done."""
    random = Random(seed)
    for step in range(1, 40):
        pool = FakePool(deaf=random.randrange(4), kill_at=step)
        path = tmp_path / f"{step}.sqlite"
        with suppress(Killed):
            do_all(pool, path)
        pool.kill_at = -1
        for _ in range(random.randrange(3)):
            pool.wait()
        do_all(pool, path)
        for _ in range(10):
            pool.wait()
        assert done(pool) == {"register": 1, "submit": 1, "claim": 1}, step


def test_what_is_stuck_pays_more():
    """By at least what pools want for a replacement, and no more than it must."""
    pool = FakePool(least=30)
    outbox_of(pool).send(FakeSigner(), call_of("claim"))
    (one,) = pool.mined
    assert 30 <= one.fee.most / GWEI <= 30 * 9 / 8 + 1


def test_no_transaction_pays_more_than_the_cap():
    """It waits, and is told of; when the price falls it is mined, though another asks for it."""
    pool = FakePool(least=150)
    outbox = outbox_of(pool)
    with pytest.raises(StillPending, match=r"waits for 200 s with nonce 0 and .* gwei"):
        outbox.send(FakeSigner(), call_of("claim"))
    assert max(one.fee.most for one in pool.pending.values()) <= PATIENCE.cap
    pool.least = 50
    outbox.send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_what_waits_before_it_is_not_left_behind():
    """A later call pays for an earlier one as well, which alone keeps it from the chain."""
    pool = FakePool(least=150)
    outbox = outbox_of(pool)
    with pytest.raises(StillPending):
        outbox.send(FakeSigner(), call_of("register"))
    pool.least = 80
    outbox.send(FakeSigner(), call_of("submit"))
    assert done(pool) == {"register": 1, "submit": 1}


def test_what_a_pool_forgot_is_offered_again():
    pool = FakePool(deaf=5)
    wait = at_turn(3, pool.pending.clear, pool)
    Outbox(None, pool, PATIENCE, sleep=wait).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_a_reorganisation_takes_it_back_and_it_is_mined_again():
    """Before it was confirmed: what counts is the chain at the end."""
    pool = FakePool()
    waits = iter(range(1_000))

    def reorganise(_: float) -> None:
        pool.wait()
        if next(waits) == 1:
            pool.chain[-2:] = [[], []]

    patience = Patience(cap=PATIENCE.cap, confirmations=3, bump_blocks=2, poll_seconds=1)
    Outbox(None, pool, patience, sleep=reorganise).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_another_wallet_of_the_account_takes_the_nonce():
    """Then the call goes with the next one."""
    pool = FakePool(deaf=2)
    take, _ = taking_its_nonce(pool)
    Outbox(None, pool, PATIENCE, sleep=take).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"of another wallet": 1, "claim": 1}


def test_a_call_is_not_even_signed_above_the_cap():
    """Nor does it stand in the way of what comes later."""
    pool = FakePool(base=101)
    outbox = outbox_of(pool)
    with pytest.raises(FeeAboveCap, match=r"costs 101.0 gwei, more than the 100.0 gwei allowed"):
        outbox.send(FakeSigner(), call_of("claim"))
    assert outbox.waiting(ME) == []


def test_a_call_whose_price_is_the_cap_is_sent_and_offered_again():
    """The cap is what one pays at most, and not what one never pays."""
    pool = FakePool(base=100, least=100, deaf=5)
    wait = at_turn(2, pool.pending.clear, pool)
    Outbox(None, pool, PATIENCE, sleep=wait).send(FakeSigner(), call_of("claim"))
    assert [one.fee.most for one in pool.mined] == [PATIENCE.cap]


# ------------------------------------------------------------------ several processes, lost answers


@pytest.mark.parametrize("other", ["submit", "claim"])
def test_two_processes_of_one_account(tmp_path, other):
    """Neither takes the other's transaction for a stranger's; one call of both is done once."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"

    def second() -> None:
        outbox_of(pool, path).send(FakeSigner(), call_of(other))

    patience = replace(PATIENCE, confirmations=4)
    for turn in range(4):
        wait = at_turn(turn, second, pool)
        Outbox(path, pool, patience, sleep=wait).send(FakeSigner(), call_of("claim"))
    assert done(pool)["claim"] in ({4} if other == "submit" else {4, 5, 6, 7, 8})
    assert other == "claim" or done(pool)[other] == 4


def test_a_call_that_is_mined_before_its_process_is_back(tmp_path):
    """It was sent, and killed; the chain did not show it when the role looked."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    killed_while_it_waits(pool, path, call_of("claim"))
    pool.wait()
    outbox_of(pool, path).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_a_reorganisation_deeper_than_the_confirmations_leaves_no_hole(tmp_path):
    """What is done is offered again; the next call does not wait behind a nonce that is free."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    outbox_of(pool, path).send(FakeSigner(), call_of("register"))
    wait = at_turn(0, pool.reorganise, pool)
    Outbox(path, pool, PATIENCE, sleep=wait).send(FakeSigner(), call_of("submit"))
    assert done(pool) == {"register": 1, "submit": 1}


def test_who_sends_nothing_more_keeps_what_was_taken_back(tmp_path):
    """Whoever opened a session and waits for others: nobody else has what it sent."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    outbox_of(pool, path).send(FakeSigner(), call_of("open"))
    pool.reorganise()
    assert done(pool) == {}
    for _ in range(3):
        outbox_of(pool, path).keep(FakeSigner.address)
        pool.wait()
    assert done(pool) == {"open": 1}


def test_what_was_sent_is_shallow_until_as_many_blocks_lie_on_it(tmp_path):
    """Also what was taken back, until it is there again; of what nobody got a receipt no party
    takes leave."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    outbox = outbox_of(pool, path)
    killed_while_it_waits(pool, path, call_of("open"))
    assert not outbox.is_shallow(FakeSigner.address, 4)
    outbox.send(FakeSigner(), call_of("open"))
    pool.wait()
    assert outbox.is_shallow(FakeSigner.address, 4)
    pool.wait()
    assert not outbox.is_shallow(FakeSigner.address, 4)
    pool.reorganise()
    assert outbox.is_shallow(FakeSigner.address, 4)
    outbox.keep(FakeSigner.address)
    for shallow in (True, True, True, True, False):
        pool.wait()
        assert outbox.is_shallow(FakeSigner.address, 4) == shallow


def test_what_was_offered_again_is_not_signed_anew_by_who_saw_it_gone(tmp_path):
    """It comes back between a party's look and what it does about it."""
    pool, path = FakePool(), tmp_path / "outbox.sqlite"
    first = outbox_of(pool, path).send(FakeSigner(), call_of("list"))
    pool.reorganise()
    outbox_of(pool, path).keep(FakeSigner.address)
    pool.wait()
    assert outbox_of(pool, path).send(FakeSigner(), call_of("list")) == first
    assert done(pool) == {"list": 1}


@dataclass
class RefusingPool(FakePool):
    """Does not want a call, ever. first: what happens at the first offer of any."""

    unwanted: str = "claim"
    first: BaseException | None = None
    takes_first: bool = False

    def send(self, raw: bytes) -> None:
        first, self.first = self.first, None
        if first and self.takes_first:
            super().send(raw)
        if first:
            raise first
        if FakeSigner.signed[raw.decode()].call.data.decode() == self.unwanted:
            raise NodeRefused(-32_000, "insufficient funds for gas * price + value")
        super().send(raw)


def test_what_a_node_refuses_does_not_stand_in_the_way(tmp_path):
    """Nor where the process was killed before it could hear so."""
    pool, path = RefusingPool(first=Killed()), tmp_path / "outbox.sqlite"
    with suppress(Killed):
        outbox_of(pool, path).send(FakeSigner(), call_of("claim"))
    with pytest.raises(NodeRefused, match="insufficient funds"):
        outbox_of(pool, path).send(FakeSigner(), call_of("claim"))
    outbox_of(pool, path).send(FakeSigner(), call_of("submit"))
    assert done(pool) == {"submit": 1}


def test_an_answer_that_is_lost_is_no_refusal(tmp_path):
    """The node took it and timed out: it is looked for, and not signed anew."""
    lost = NodeBusy("HTTP 504")
    pool = RefusingPool(unwanted="", first=lost, takes_first=True)
    outbox_of(pool, tmp_path / "outbox.sqlite").send(FakeSigner(), call_of("register"))
    assert done(pool) == {"register": 1}


def test_a_raise_that_the_account_cannot_pay_does_not_hide_the_first_offer():
    """The pool forgot it; the dearer one is refused; the cheaper one is offered again."""

    class Poor(FakePool):
        def send(self, raw: bytes) -> None:
            if FakeSigner.signed[raw.decode()].fee.most > 22 * GWEI:
                raise NodeRefused(-32_000, "insufficient funds")
            super().send(raw)

    pool = Poor(deaf=5)
    wait = at_turn(5, pool.pending.clear, pool)
    Outbox(None, pool, PATIENCE, sleep=wait).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_receipts_that_come_late_are_waited_for():
    """A nonce that is used, by no transaction that the node shows: that may be ours."""
    pool = FakePool()
    shown, late = pool.block_of, iter([True] * 20)
    pool.block_of = lambda hash_: None if next(late, False) else shown(hash_)
    outbox_of(pool).send(FakeSigner(), call_of("claim"))
    assert done(pool) == {"claim": 1}


def test_what_a_busy_node_refuses_later_is_told(tmp_path):
    """It did not say whether it took the call, and then it did not want it."""
    pool = RefusingPool(first=NodeBusy("HTTP 503"))
    with pytest.raises(NodeRefused, match="insufficient funds"):
        outbox_of(pool, tmp_path / "outbox.sqlite").send(FakeSigner(), call_of("claim"))
    assert len(pool.chain) <= PATIENCE.bump_blocks + 1


def test_what_was_signed_under_a_higher_cap_is_not_offered_under_a_lower_one(tmp_path):
    """The pool forgot it, and the user has become more careful."""
    pool, path = FakePool(deaf=10_000), tmp_path / "outbox.sqlite"
    with pytest.raises(StillPending):
        outbox_of(pool, path).send(FakeSigner(), call_of("claim"))
    pool.pending.clear()
    careful = replace(PATIENCE, cap=15 * GWEI)
    with pytest.raises(StillPending):
        outbox_of(pool, path, careful).send(FakeSigner(), call_of("claim"))
    assert pool.pending == {}
