"""A crowd of buyers: no purchase keeps a seller from settling others, and no call is too long."""

from __future__ import annotations

from eth_abi import encode

from offchain.crypto.sealing import new_secret, point_of
from offchain.hide.sale import events as ev
from offchain.hide.sale.listings import SETTLED
from offchain.hide.sale.seller import Seller
from tests.offchain.hide.sale_in_memory import DISPUTE_TIME, STAKE, SaleInMemory

MOST_CALLDATA = 128 << 10
SETTLE = [
    "((address,address,uint96,uint8,uint32,uint32),bytes32)",
    "(address,(uint96,uint96,bytes32,uint256,bytes32))[]",
]


class AllAtOnce(Seller):
    """Settles once nothing runs any more, whatever is due in one call."""

    def due(self, clock):
        running = any(self.session.running(clock.now))
        return [] if running else self.session.due(clock.now)


def bought(shop: SaleInMemory, number: int, delivered: bool) -> None:
    """A purchase of the cheapest level by a buyer of this number, and its delivery at once."""
    buyer, key = f"0x{number:040x}", point_of(new_secret()).x
    shop.events.append((ev.Bought(shop.id, buyer, 0, key), shop.now))
    if delivered:
        until = shop.now + DISPUTE_TIME
        shop.events.append((ev.KeySealed(shop.id, buyer, 1, b"k" * 32, until), shop.now))


def held_by_turns(folder, role: type[Seller]) -> list[int]:
    """Stakes held after each turn of a stranger that always has one purchase running."""
    shop = SaleInMemory(folder)
    shop.all(shop.seller(role))
    for number in range(1, 6):
        bought(shop, number, delivered=True)
    held = []
    for turn in range(20):
        bought(shop, 1_000 + turn, delivered=False)
        shop.all(shop.seller(role))
        shop.now += DISPUTE_TIME // 2
        held.append(shop.session().held // STAKE)
    return held


def test_a_purchase_that_always_runs_keeps_no_stake_longer_than_a_dispute(tmp_path):
    """The twin, which waits until nothing runs, holds one stake more each turn."""
    assert max(held_by_turns(tmp_path / "mended", Seller)) <= 5 + 5
    assert held_by_turns(tmp_path / "twin", AllAtOnce)[-1] == 5 + 20


def crowded(folder, role: type[Seller]) -> SaleInMemory:
    """A shop with 800 deliveries that are all due."""
    shop = SaleInMemory(folder, funds=10**9)
    shop.all(shop.seller())
    for number in range(800):
        bought(shop, number + 1, delivered=True)
    shop.now += 10 * DISPUTE_TIME
    assert shop.all(shop.seller(role))[-1] == "settle"
    return shop


def lengths(shop: SaleInMemory) -> list[int]:
    """Bytes of each call that settled."""
    calls = [action for action in shop.sent if action.call == "settle"]
    return [4 + len(encode(SETTLE, action.arguments)) for action in calls]


def test_what_is_due_at_once_is_settled_in_calls_that_fit_into_transactions(tmp_path):
    """Three calls; the twin's one call is longer than a transaction may be."""
    shop = crowded(tmp_path / "mended", Seller)
    assert lengths(shop)[0] == 57_892
    assert [len(one.arguments[1]) for one in shop.sent[1:]] == [SETTLED, SETTLED, 200]
    assert shop.session().held == 0
    (twin,) = lengths(crowded(tmp_path / "twin", AllAtOnce))
    assert twin > MOST_CALLDATA > 2 * max(lengths(shop))
