"""`ape run list`: a seller's masked pictures and their cleaners, until its funds are back.

The same command goes on with the same listing, wherever it was killed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ape
import click

from offchain.data.datasets import DATASETS
from offchain.data.fingerprint import fingerprint
from offchain.hide.sale import events as ev
from offchain.hide.sale.costs import seller_gas, seller_outcomes
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Conditions, Stock, prepare
from offchain.report.outcomes import outcomes_sheet
from offchain.report.text import amount, percent
from offchain.storage import Node, cid_from_digest
from offchain.storage.places import told as told_places
from scripts._hide.begun import Begun, Kept
from scripts._hide.chain import SALE, SaleChain, was_made
from scripts._hide.mask import hide
from scripts._hide.masked_folder import MaskedFolder, load_masked
from scripts._hide.party_options import ListOptions
from scripts._hide.terms_sheets import levels_sheet, offer_sheet
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home, clock, next_block, waits
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import gas_sheet, task_sheet
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
    folder = Path(begun.folder) if begun else _folder(options, own)
    found = _masked(options, folder, telling)
    conditions = options.conditions(own, found.of_reached(prices))
    asked = options.dry_run or begun is None
    if asked and not _agreed(found, conditions, options, telling):
        return
    secrets = secrets_at(home / f"seller-{own}.json")
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        if begun is None:
            contact = (*options.contact, *told_places(store.addresses))
            task = options.task(found.wares.masked, contact)
            closing = clock().now + round(options.hours * 3600)
            begun = Begun(task, closing, ape.chain.blocks.height, str(folder))
            kept.write(begun)
        prepared = partial(
            prepare,
            found.wares,
            begun.task,
            conditions,
            ape.chain.chain_id,
            str(sale.contract.address),
            store,
            secrets,
        )
        with telling.doing("encrypting the cleaners") as progress:
            stock = prepared(progress=progress)
        chain = _chain(stock, sale, begun)
        # What waits is asked first: it may be mined meanwhile, and is read then.
        waiting = waits(account)
        _check_new(chain, sale, begun.closing, waiting, kept)
        telling.event(
            "listing",
            id=chain.reference,
            task=cid_from_digest(stock.listing.task),
            catalogue=stock.catalogue,
        )
        closing = begun.closing
        seat = Seat("seller", account, lambda session: Seller(session, stock, closing, pay_to=to))
        session = _played(chain, seat, telling, store, prepared)
        _tell_end(chain, session, telling)
        sold = any(one.state is SaleState.OWNED for one in session.purchases.values())
        keep_on(store, begun.task if sold else None, chain.reference, telling, prepared)
    kept.forget()


def _check_new(chain: SaleChain, sale: Deployed, closing: int, waiting: bool, kept: Kept) -> None:
    """Raises ClickException for a listing that can be made no more; the same command may make
    another one then. waiting: whether it may still be mined."""
    if chain.read().listing is not None or waiting:
        return
    if clock().now >= closing:
        kept.forget()
        raise click.ClickException(
            f"listing {chain.reference} was never sent, and its time is over: the same command "
            "lists anew"
        )
    if was_made(sale, chain.reference):
        kept.forget()
        raise click.ClickException(
            f"listing {chain.reference} was made before, of the same pictures under the same "
            "terms, and is made once, since its keys may be known: change a price, the stake, "
            "--window-minutes, or what you say by --content or --contact"
        )


def _folder(options: ListOptions, own: str) -> Path:
    """Where what is sold lies: masked before, or to be masked and kept under what it is made of, so
    that pictures that were changed or withdrawn since are not sold as they were."""
    if options.masked is not None:
        return options.masked
    source = Path(str(options.dataset))
    content = "" if options.dataset in DATASETS else fingerprint(source)
    name = hashlib.sha256(f"{options.mask_name} {own} {content}".encode()).hexdigest()[:16]
    return chain_home().parent / "masked" / name


def _masked(options: ListOptions, folder: Path, telling: PartyTelling) -> MaskedFolder:
    """What is sold: a folder that was masked before, or the dataset, masked now and kept there."""
    if options.masked is None:
        assert options.masking is not None
        # It is written last.
        if not (folder / "published").exists():
            hide(options.masking, folder, telling)
        telling.event("masked", folder=str(folder))
    with telling.doing("reading what was masked"):
        return load_masked(folder)


def _agreed(
    found: MaskedFolder, conditions: Conditions, options: ListOptions, telling: PartyTelling
) -> bool:
    """Checks and shows what is to be agreed to; whether it is. Raises TaskError."""
    wares, now = found.wares, clock().now
    task = options.task(wares.masked, options.contact)
    coin, decimals = currency(conditions.token)
    note = f"{wares.free.name} regains {percent(wares.free.accuracy)} for nothing."
    telling.sheets(
        (
            task_sheet(task),
            levels_sheet(wares.claimed, conditions.prices, conditions.token, note),
            offer_sheet(conditions, now + round(options.hours * 3600)),
            gas_sheet(
                seller_gas(len(conditions.prices), conditions.settlement),
                gas_price(options.gas_price),
                "all, with one sale",
                "Each further sale costs a delivery, and a share of a settle.",
            ),
            outcomes_sheet(
                seller_outcomes(conditions.prices, conditions.stake),
                coin,
                decimals,
                "By one sale, besides gas. What a buyer has it can pass on.",
            ),
        )
    )
    if options.dry_run:
        telling.event("dry_run", levels=len(conditions.prices), accepted=True)
        return False
    if not options.yes:
        click.confirm(
            f"Put up {amount(conditions.funds, decimals)} {coin} and sell cleaners of "
            f"{wares.masked.name} under these terms?",
            abort=True,
            err=telling.as_json,
        )
    return True


def _chain(stock: Stock, sale: Deployed, begun: Begun) -> SaleChain:
    contract = sale.contract
    id_ = stock.listing.id(ape.chain.chain_id, str(contract.address))
    return SaleChain(contract, id_, stock.listing.token, begun.block, begun.closing)


def _played(
    chain: SaleChain,
    seat: Seat,
    telling: PartyTelling,
    store: Node,
    prepared: Callable[[], object],
) -> SaleSession:
    """Plays the seller to the end. A listing whose time is over before it is mined is waited for:
    once it is, it is closed, and its funds are taken home."""
    while True:
        # Asked before the chain is read: what is mined meanwhile is read, and played on.
        waiting = waits(seat.account)
        session: SaleSession = play_kept(chain, seat, telling, store, prepared)
        if session.listing is not None or not waiting:
            return session
        next_block()


def _tell_end(chain: SaleChain, session: SaleSession, telling: PartyTelling) -> None:
    """What came of it."""
    coin, decimals = currency(chain.token)
    back = sum(one.amount for one in chain.events() if isinstance(one, ev.Withdrawn))
    owners = sum(one.state is SaleState.OWNED for one in session.purchases.values())
    telling.event("over", buyers=owners, paid=f"{amount(back, decimals)} {coin}")
