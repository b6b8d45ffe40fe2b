"""What a seller is about to list: pictures that are masked, agreed to and encrypted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import ape
import click

from offchain.crypto.secrets_file import SecretsFile
from offchain.data.datasets import DATASETS
from offchain.data.fingerprint import fingerprint
from offchain.hide.sale.costs import seller_gas, seller_outcomes
from offchain.hide.sale.preparing import prepare
from offchain.hide.sale.stock import Conditions, Stock
from offchain.report.outcomes import outcomes_sheet
from offchain.report.text import amount, percent
from offchain.storage import Node
from offchain.storage.places import told as told_places
from scripts._hide.begun import Begun, Kept
from scripts._hide.mask import hide
from scripts._hide.masked_folder import MaskedFolder, load_masked
from scripts._hide.party_options import ListOptions
from scripts._hide.terms_sheets import levels_sheet, offer_sheet
from scripts._stage.chain import chain_home, clock
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, gas_price
from scripts._stage.party_sheets import gas_sheet, task_sheet


@dataclass(frozen=True, eq=False)
class Offer:
    """What its owner agreed to sell, under which conditions. begun: before, if it was."""

    found: MaskedFolder
    folder: Path
    conditions: Conditions
    begun: Begun | None

    def made(
        self,
        options: ListOptions,
        kept: Kept,
        place: tuple[int, str],
        store: Node,
        secrets: SecretsFile,
        telling: PartyTelling,
    ) -> tuple[Begun, Stock]:
        """Its stock, in the datastore. place: chain id and contract."""
        begun, wares = self.begun, self.found.wares
        if begun is None:
            contact = (*options.contact, *told_places(store.addresses))
            task = options.task(wares.masked, contact)
            closing = clock().now + round(options.hours * 3600)
            begun = Begun(task, closing, ape.chain.blocks.height, str(self.folder))
            kept.write(begun)
        with telling.doing("encrypting the cleaners") as progress:
            asked = wares, begun.task, self.conditions
            return begun, prepare(*asked, *place, store, secrets, progress=progress)


def offered(
    options: ListOptions, own: str, begun: Begun | None, telling: PartyTelling
) -> Offer | None:
    """What is to be listed; None where its owner does not agree, or only looks."""
    folder = Path(begun.folder) if begun else _folder(options, own)
    found = _masked(options, folder, telling)
    conditions = options.conditions(own, found.of_reached(options.amounts()))
    asked = options.dry_run or begun is None
    if asked and not _agreed(found, conditions, options, telling):
        return None
    return Offer(found, folder, conditions, begun)


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
