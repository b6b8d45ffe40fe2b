"""A buyer in a process of its own, whose seller cheats; and what others may do for who is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ape
import click
import pytest
from eth_account import Account

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hide.sale import events as ev
from offchain.hide.sale.adversaries import with_spoilt_chunk
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.preparing import prepare
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.stock import Conditions, Stock
from offchain.hide.sale.wares import task_for
from offchain.storage import Datastore, Network, open_datastore
from scripts._hide.chain import SALE, SaleChain, was_made
from scripts._hide.keeping import duties
from scripts._market import mechanisms
from scripts._stage.chain import clock
from scripts._stage.deployments import deployed
from scripts._stage.keeping import keep
from scripts._stage.money import balance_of
from scripts._stage.party import PartyTelling, WithdrawOptions
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat, act
from tests.kit.shared_chain import shared_chain
from tests.kit.strangers import awaited, gained, go_to, strangers
from tests.offchain.hide.sale_in_memory import LICENCE, wares_of
from tests.offchain.hide.small import made_up, made_up_family

PRICES = (10**17, 3 * 10**17, 8 * 10**17)
STAKE = 2 * 10**17
WINDOW = 600
QUIET = PartyTelling(as_json=True)


@pytest.fixture
def node(project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the sale on it."""
    with shared_chain(tmp_path, monkeypatch, SALE) as uri:
        yield uri


@pytest.fixture
def store(tmp_path) -> Iterator[Datastore]:
    """The seller's node."""
    network = Network("/ip4/127.0.0.1/tcp/0", ())
    with open_datastore(None, tmp_path / "sellers", network) as found:
        yield found


def listed(folder: Any, store: Datastore, **changes: Any) -> tuple[SaleChain, Seat]:
    """A listing of three levels, and its seller, who listed it."""
    sale = deployed(SALE, folder / "deployments")
    seller = ape.accounts.test_accounts[1]
    family = made_up_family(made_up())
    times = WINDOW, WINDOW
    stock: Stock = prepare(
        wares_of(family),
        task_for(family.masked, LICENCE),
        Conditions(str(seller.address), NATIVE, PRICES, STAKE, STAKE, Settlement.SEALED, *times),
        ape.chain.chain_id,
        str(sale.contract.address),
        store,
        secrets_at(folder / "seller.json"),
        **changes,
    )
    id_ = stock.listing.id(ape.chain.chain_id, str(sale.contract.address))
    closing = clock().now + 7_200
    chain = SaleChain(sale.contract, id_, NATIVE, sale.block, closing)
    seat = Seat("seller", seller, lambda session: Seller(session, stock, closing))
    assert done(chain, seat)
    return chain, seat


def done(chain: SaleChain, seat: Seat) -> bool:
    """Whether the party at a seat had something to do, which is done."""
    return act(chain, seat, lambda step: None, None, False)


def test_a_buyer_alone_proves_a_spoilt_chunk_and_has_the_stake(node, store, tmp_path) -> None:
    """By the same command that bought, without being asked."""
    chain, seller = listed(tmp_path, store, spoil=lambda level, file: with_spoilt_chunk(file))
    with strangers(tmp_path, node, "anna") as (anna,):
        anna.start(
            "buy",
            *(chain.reference, "--level", "2", "--account", "anna", "--yes"),
            *("--peer", store.addresses[0], "--deployments", str(tmp_path / "deployments")),
        )
        awaited("a delivery", lambda: any(isinstance(e, ev.Bought) for e in chain.events()))
        assert done(chain, seller)
        assert "chunk" in anna.told("fault")["reason"]
        over = anna.told("over")
        assert (over["bought"], over["reason"].split()[0]) == (False, "chunk")
        assert anna.ended() == 0
        assert gained(node, anna.address) == STAKE
    assert chain.read().funds == 0


def test_who_is_away_loses_nothing_that_others_may_do_or_that_can_wait(
    node, store, tmp_path, capsys
) -> None:
    """No key comes: a keeper lets the sale lapse, and the buyer's money waits for its command."""
    chain, _ = listed(tmp_path, store)
    account = ape.accounts.test_accounts[2]
    own = str(account.address)

    def make(session: Any) -> Buyer:
        return Buyer(own, session, (0,), store, secrets_at(tmp_path / "buyer.json"))

    sale = deployed(SALE, tmp_path / "deployments")
    assert was_made(sale, chain.reference)
    assert not was_made(sale, "0x" + "12" * 32)
    assert done(chain, Seat("buyer", account, make))
    purse = str(Account.from_key(b"\3" * 32).address)
    options = WithdrawOptions("TEST::2", True, purse, tmp_path / "deployments", True)
    with pytest.raises(click.ClickException, match="the key of level 1 may come until"):
        mechanisms.run_withdraw(chain.reference, options)
    assert list(duties(tmp_path / "deployments")) == []

    go_to(node, chain.read().purchases[own].deadline)
    keeper = ape.accounts.test_accounts[3]
    keep([lambda: duties(tmp_path / "deployments")], keeper, QUIET, once=True)
    assert chain.read().purchases[own].state is SaleState.LAPSED
    assert chain.read().free == STAKE
    mechanisms.run_withdraw(chain.reference, options)
    assert balance_of(NATIVE, purse) == PRICES[0]
    with pytest.raises(click.ClickException, match="owes nothing to"):
        mechanisms.run_withdraw(chain.reference, options)
    told = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert told.count("paid") == 1
