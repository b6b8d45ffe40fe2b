"""`ape run list`: a seller's masked pictures and their cleaners, until its funds are back.

The same command goes on with the same listing, wherever it was killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ape
import click

from offchain.hide.sale import events as ev
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Stock, keep, kept_stock
from offchain.report.text import amount
from offchain.storage import Node, cid_from_digest
from scripts._hide.begun import Begun, Kept
from scripts._hide.chain import SALE, SaleChain, was_made
from scripts._hide.party_options import ListOptions
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home, clock, next_block, waits
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, party_account, reachable
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat


def run_list(options: ListOptions) -> None:
    """Lists what is masked, or goes on with it, and plays the seller until its funds are back.

    Nothing is stored, signed or paid before all that is asked was checked and agreed to.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    account = party_account(options.account, options.yes)
    sale = deployed(SALE, options.deployments)
    own = str(account.address)
    to = receiver(options.pay_to, own)
    prices = options.amounts()
    options.conditions(own, prices)
    kept = Kept(home / "listings" / f"{sale.contract.address}-{own}-{options.name}.json")
    begun = kept.read()
    secrets = secrets_at(home / f"seller-{own}.json")
    shelf = home / "stocks" / f"{sale.contract.address}-{own}-{options.name}"
    place = ape.chain.chain_id, str(sale.contract.address)
    ready = None if options.dry_run or begun is None else kept_stock(shelf, secrets, *place)
    offer = None
    if ready is None:
        # Here: what masks and encrypts computes, which a seller that goes on need not.
        from scripts._hide.offering import offered

        offer = offered(options, own, begun, telling)
        if offer is None:
            return
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        if offer is not None:
            begun, stock = offer.made(options, kept, place, store, secrets, telling)
            keep(stock, store, shelf)
        else:
            assert begun is not None
            assert ready is not None
            stock, contents = ready
            store.put_many(contents)
        chain = _chain(stock, sale, begun)
        # What waits is asked first: it may be mined meanwhile, and is read then.
        waiting = waits(account)
        _check_new(chain, sale, begun.closing, waiting, partial(_forget, kept, shelf))
        telling.event(
            "listing",
            id=chain.reference,
            task=cid_from_digest(stock.listing.task),
            catalogue=stock.catalogue,
        )
        closing = begun.closing
        seat = Seat("seller", account, lambda session: Seller(session, stock, closing, pay_to=to))

        def store_again() -> None:
            found = kept_stock(shelf, secrets, *place)
            if found is not None:
                store.put_many(found[1])

        session = _played(chain, seat, telling, store, store_again)
        _tell_end(chain, session, telling)
        sold = any(one.state is SaleState.OWNED for one in session.purchases.values())
        keep_on(store, begun.task if sold else None, chain.reference, telling, store_again)
    _forget(kept, shelf)


def _check_new(
    chain: SaleChain, sale: Deployed, closing: int, waiting: bool, forget: Callable[[], None]
) -> None:
    """Raises ClickException for a listing that can be made no more; the same command may make
    another one then. waiting: whether it may still be mined."""
    if chain.read().listing is not None or waiting:
        return
    if clock().now >= closing:
        forget()
        raise click.ClickException(
            f"listing {chain.reference} was never sent, and its time is over: the same command "
            "lists anew"
        )
    if was_made(sale, chain.reference):
        forget()
        raise click.ClickException(
            f"listing {chain.reference} was made before, of the same pictures under the same "
            "terms, and is made once, since its keys may be known: change a price, the stake, "
            "--window-minutes, or what you say by --content or --contact"
        )


def _forget(kept: Kept, shelf: Path) -> None:
    """Whoever calls again wants another listing."""
    kept.forget()
    shutil.rmtree(shelf, ignore_errors=True)


def _chain(stock: Stock, sale: Deployed, begun: Begun) -> SaleChain:
    contract = sale.contract
    id_ = stock.listing.id(ape.chain.chain_id, str(contract.address))
    return SaleChain(contract, id_, stock.listing.token, begun.block, begun.closing)


def _played(
    chain: SaleChain,
    seat: Seat,
    telling: PartyTelling,
    store: Node,
    store_again: Callable[[], object],
) -> SaleSession:
    """Plays the seller to the end. A listing whose time is over before it is mined is waited for:
    once it is, it is closed, and its funds are taken home."""
    while True:
        # Asked before the chain is read: what is mined meanwhile is read, and played on.
        waiting = waits(seat.account)
        session: SaleSession = play_kept(chain, seat, telling, store, store_again)
        if session.listing is not None or not waiting:
            return session
        next_block()


def _tell_end(chain: SaleChain, session: SaleSession, telling: PartyTelling) -> None:
    """What came of it."""
    coin, decimals = currency(chain.token)
    back = sum(one.amount for one in chain.events() if isinstance(one, ev.Withdrawn))
    owners = sum(one.state is SaleState.OWNED for one in session.purchases.values())
    telling.event("over", buyers=owners, paid=f"{amount(back, decimals)} {coin}")
