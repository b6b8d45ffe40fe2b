"""SUM's part of `ape run withdraw`: rewards and credits of a shared model, paid out."""

from __future__ import annotations

import click

from offchain.report.text import amount
from offchain.roles import Action
from scripts._stage.accounts import receiver
from scripts._stage.deployments import deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, WithdrawOptions, party_account
from scripts._stage.table import Step
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY


def run_withdraw(address: str, options: WithdrawOptions) -> None:
    """Pays out. Raises ClickException where nothing is owed; deposits come back by `teach`."""
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    model = ModelOnChain.resume(deployed(FACTORY, options.deployments), address)
    own = str(account.address)
    owed = model.owed(own)
    if not owed:
        raise click.ClickException(
            f"model {model.address} owes nothing to {own}: deposits come back by ape run teach"
        )
    coin, decimals = currency(model.terms.token)
    to = receiver(options.pay_to, own)
    telling.step(Step("withdraw", model.send(Action("claimRewards", (to,)), account)))
    telling.event("paid", amount=f"{amount(owed, decimals)} {coin}", to=to)
