"""`ape run withdraw`: what a session owes to one account, paid out."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from offchain.hyperx import actions as do
from offchain.report.text import amount
from scripts._hyperx.chain import ChainSession, deployed_factory
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, WithdrawOptions, party_account
from scripts._stage.table import Step


def run_withdraw(address: str, options: WithdrawOptions) -> None:
    """Pays out. Raises ClickException where nothing is owed, or not yet."""
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    factory = deployed_factory(options.deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    own, now = str(account.address), clock().now
    session = chain.read().settled(now)
    buyer = own == chain.terms.collector
    owed = session.owed_to_collector() if buyer else session.owed_to(own)
    coin, decimals = currency(chain.terms.token)
    if not owed:
        raise click.ClickException(f"session {chain.address} owes nothing to {own}")
    if not session.is_over(now):
        ends = datetime.fromtimestamp(chain.terms.expiry, UTC)
        raise click.ClickException(
            f"session {chain.address} is not over: {amount(owed, decimals)} {coin} can be taken "
            f"out once it closes, by {ends:%d %B %H:%M} UTC at the latest"
        )
    to = receiver(options.pay_to, own)
    action = do.ReclaimEscrow(to) if buyer else do.ClaimDeposit(to)
    telling.step(Step("withdraw", chain.send(action, account)))
    telling.event("paid", amount=f"{amount(owed, decimals)} {coin}", to=to)
