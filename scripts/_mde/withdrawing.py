"""`ape run withdraw`: what is free of an order's budget or a dataset's funds, paid out."""

from __future__ import annotations

import click

from offchain.mde.deals import Account
from offchain.mde.session import DealSession
from offchain.report.text import amount
from offchain.roles import Action
from scripts._mde.chain import DealChain, read_deals
from scripts._mde.mail import Mail
from scripts._mde.seats import CONTRACT, known
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock
from scripts._stage.deployments import deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, WithdrawOptions, party_account
from scripts._stage.party_sheets import time_of
from scripts._stage.table import Step


def run_withdraw(reference: str, options: WithdrawOptions) -> None:
    """Pays out. Raises ClickException where nothing is owed, or not yet.

    A sale whose time is over is settled first. An order stands for the datasets that the account
    sold under it, too.
    """
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    sale = deployed(CONTRACT, options.deployments)
    id_, session = known(reference, sale)
    own = str(account.address)
    to = receiver(options.pay_to, own)
    ids = _owned(session, id_, own)
    accounts = [_account(session, one) for one in ids]
    chain = DealChain(sale.contract, _token(session, id_), Mail(), sale.block, 0, 0)
    coin, decimals = currency(chain.token)
    for one in session.sales.values():
        if one.running and clock().now >= one.deadline and {one.order, one.dataset} & {*ids}:
            chain.send(Action("settle", one.args()), account)
            telling.step(Step("withdraw", chain.receipts[-1]))
    session = read_deals(sale.contract, sale.block)
    owed = [session.books[one].free for one in ids]
    if not sum(owed):
        raise click.ClickException(
            f"{reference} owes nothing to {own}{_when(session, ids, decimals, coin)}"
        )
    for owner, free in zip(accounts, owed, strict=True):
        if free:
            action = Action("withdraw", (owner.args(), free, to))
            chain.send(action, account)
            telling.step(Step("withdraw", chain.receipts[-1]))
    telling.event("paid", amount=f"{amount(sum(owed), decimals)} {coin}", to=to)


def _owned(session: DealSession, id_: bytes, own: str) -> list[bytes]:
    """Orders and datasets of an account that a reference stands for."""
    if _account(session, id_).owner == own:
        return [id_]
    sold = [one.dataset for one in session.sales.values() if one.order == id_]
    return [one for one in dict.fromkeys(sold) if _account(session, one).owner == own]


def _account(session: DealSession, id_: bytes) -> Account:
    found = session.orders.get(id_) or session.datasets[id_]
    return found.account


def _token(session: DealSession, id_: bytes) -> str:
    return _account(session, id_).token


def _when(session: DealSession, ids: list[bytes], decimals: int, coin: str) -> str:
    """What sales hold, and until when."""
    held = sum(session.books[one].held for one in ids)
    ends = [
        one.deadline
        for one in session.sales.values()
        if one.running and {one.order, one.dataset} & {*ids}
    ]
    if not held or not ends:
        return ""
    return f": sales hold {amount(held, decimals)} {coin} until {time_of(max(ends))} at the latest"
