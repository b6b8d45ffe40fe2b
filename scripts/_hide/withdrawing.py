"""`ape run withdraw`: what a listing owes to one account, free funds or a price, paid out."""

from __future__ import annotations

import click

from offchain.hide.sale.listings import SETTLED, SaleState, due
from offchain.hide.sale.session import Purchase, SaleSession
from offchain.report.text import amount
from offchain.roles import Action
from scripts._hide.chain import SALE, SaleChain
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock
from scripts._stage.deployments import deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, WithdrawOptions, party_account
from scripts._stage.party_sheets import time_of
from scripts._stage.table import Step


def run_withdraw(reference: str, options: WithdrawOptions) -> None:
    """Pays out. Raises ClickException where nothing is owed, or not yet.

    What of the seller's sales is due is settled first; a listing that is open stays so.
    """
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    chain = SaleChain.resume(deployed(SALE, options.deployments), reference)
    own, now = str(account.address), clock().now
    to = receiver(options.pay_to, own)
    session = chain.read()
    if own == session.listed.seller:
        while sales := session.due(now)[:SETTLED]:
            words = due([(one.buyer, one.sale) for one in sales])
            settle = Action("settle", (session.listed.args(), words))
            telling.step(Step("withdraw", chain.send(settle, account)))
            session = chain.read()
        owed = session.free
        action = Action("withdraw", (session.listed.args(), owed, to))
    else:
        me = session.purchases.get(own)
        owed = 0 if me is None else _owed(session, me, now)
        action = Action("refund", (session.listed.args(), me.sale.args() if me else (), to))
    coin, decimals = currency(chain.token)
    if not owed:
        raise click.ClickException(f"listing {chain.reference} owes nothing to {own}")
    telling.step(Step("withdraw", chain.send(action, account)))
    telling.event("paid", amount=f"{amount(owed, decimals)} {coin}", to=to)


def _owed(session: SaleSession, me: Purchase, now: int) -> int:
    """What a buyer can take back. Raises ClickException where a key may still come."""
    if me.state is SaleState.PAID and now < me.deadline:
        raise click.ClickException(
            f"the key of level {me.level + 1} may come until {time_of(me.deadline)}; then the "
            "price can be taken back"
        )
    if me.state is SaleState.CHEATED:
        return me.sale.paid + session.listed.stake
    return me.sale.paid if me.state in (SaleState.PAID, SaleState.LAPSED) else 0
