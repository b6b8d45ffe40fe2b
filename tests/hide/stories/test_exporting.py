"""What a buyer exports is what it bought, whatever others bought and a seller hides."""

from __future__ import annotations

import click
import pytest

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.hide.sale import events as ev
from offchain.hide.sale.catalogue import Catalogue
from scripts._hide import exporting
from tests.kit.memory_store import MemoryStore
from tests.offchain.hide.sale_in_memory import ANNA, SaleInMemory

BOB = "0x" + "b0" * 20


@pytest.fixture
def shop(tmp_path, monkeypatch) -> SaleInMemory:
    """Anna bought the first level, and Bob the third; both keys are published."""
    monkeypatch.setattr(exporting, "secrets_at", SecretsFile)
    shop = SaleInMemory(tmp_path, settlement=Settlement.OPEN)
    shop.do(shop.seller())
    shop.do(shop.buyer(0))
    assert shop.do(shop.seller()) == "publishKey"
    shop.events.append((ev.Bought(shop.id, BOB, 2, 0), shop.now))
    seller = shop.seller()
    seller.session = shop.session()
    key = seller.next_action(shop.clock).arguments[4]
    shop.events.append((ev.KeyPublished(shop.id, BOB, key, shop.now + 60), shop.now))
    return shop


def best(shop: SaleInMemory, home) -> tuple[str, int]:
    """Whose level is exported, from 0."""
    role, delivery, _ = exporting._best(shop.session(), MemoryStore(shop.network), home)
    return role.account, delivery.level


def test_ones_own_comes_before_what_others_bought(shop, tmp_path):
    SecretsFile(tmp_path / f"buyer-{ANNA}.json").remember("a key", lambda: bytes(32))
    assert best(shop, tmp_path) == (ANNA, 0)
    assert best(shop, tmp_path / "elsewhere") == (BOB, 2)


def test_a_level_that_is_nowhere_hides_no_other(shop, tmp_path):
    files = Catalogue.from_bytes(shop.network[shop.stock.catalogue]).files
    del shop.network[files[2]]
    assert best(shop, tmp_path / "elsewhere") == (ANNA, 0)
    del shop.network[files[0]]
    with pytest.raises(click.ClickException, match="opens anything: that of level 1: "):
        best(shop, tmp_path / "elsewhere")


def test_what_was_proved_wrong_since_is_no_purchase_any_more(shop, tmp_path):
    """A folder that was exported while a dispute could follow is checked by how it ended."""
    home = tmp_path / "elsewhere"
    assert exporting._fault(shop.session().purchases[BOB], 2) == ""
    shop.events.append((ev.SpoiltChunkProved(shop.id, BOB, 3), shop.now))
    assert exporting._fault(shop.session().purchases[BOB], 2)
    assert best(shop, home) == (ANNA, 0)
    shop.events.append((ev.Refunded(shop.id, BOB, 1), shop.now))
    assert exporting._fault(shop.session().purchases[BOB], 2)
    assert best(shop, home) == (ANNA, 0)
