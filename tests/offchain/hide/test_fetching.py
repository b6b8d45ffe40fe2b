"""What a buyer of cleaners lets itself be sent before it knows what it is."""

from __future__ import annotations

from offchain.hide.sale.buyer import MOST_BYTES
from offchain.policy import Limit, Policy
from offchain.task import MAX_TASK_BYTES
from tests.offchain.hide.sale_in_memory import SaleInMemory


def fetched(shop: SaleInMemory, policy: Policy) -> tuple[list[int], list[str]]:
    """The bound of each fetch before the purchase, and what the buyer objects to."""
    buyer, bounds = shop.buyer(0, policy=policy), []
    get = buyer.store.get

    def watched(cid, max_bytes=None):
        bounds.append(max_bytes or 0)  # a pin has none: it is of what was checked
        return get(cid, max_bytes)

    buyer.store.get = watched
    buyer.next_action(shop.clock)
    return bounds, list(buyer.objections.values())


def test_no_file_is_larger_than_the_owner_allows(tmp_path):
    """A gigabyte where it says nothing; what is larger is told in one line, and nothing is paid."""
    shop = SaleInMemory(tmp_path)
    shop.all(shop.seller())
    bounds, objections = fetched(shop, Policy())
    assert max(bounds) == MOST_BYTES == 1 << 30
    assert not objections
    bounds, objections = fetched(shop, Policy({"bytes": Limit(most=100, unit="bytes")}))
    assert bounds[:3] == [MAX_TASK_BYTES, 0, 100]
    (why,) = objections
    assert "more than the 100 bytes allowed" in why
