"""`ape run withdraw`: a server's stake, or a member's share of it and its bonds, paid out."""

from __future__ import annotations

from typing import Any

import click
from ape.api import AccountAPI

from offchain.report.text import amount
from scripts._seccl.calls import key_words
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import SessionOnChain, session_named
from scripts._stage.accounts import receiver
from scripts._stage.chain import clock, entry_of, transact
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, WithdrawOptions, party_account
from scripts._stage.party_sheets import time_of
from scripts._stage.table import Step


def run_withdraw(reference: str, options: WithdrawOptions) -> None:
    """Pays out. Raises ClickException where nothing is owed, or not yet."""
    telling = PartyTelling(as_json=options.as_json)
    account = party_account(options.account, options.yes)
    to = receiver(options.pay_to, str(account.address))
    contracts = Contracts.on(options.deployments)
    payout = Payout(session_named(contracts, reference), contracts, account, to, telling)
    paid = payout.stake() if payout.serves else payout.share() + payout.bonds()
    session = payout.session
    if not paid:
        raise click.ClickException(
            f"session 0x{session.id.hex()} owes nothing to {account.address}"
        )
    coin, decimals = currency(session.terms.token)
    telling.event("paid", amount=f"{amount(paid, decimals)} {coin}", to=to)


class Payout:
    """What one account has out of a session, each in the smallest unit."""

    def __init__(
        self,
        session: SessionOnChain,
        contracts: Contracts,
        account: AccountAPI,
        to: str,
        telling: PartyTelling,
    ) -> None:
        self.session, self._board = session, contracts.board.contract
        self._account, self._to, self._telling = account, to, telling
        self.serves = session.terms.server.lower() == str(account.address).lower()

    def stake(self) -> int:
        """The server's, and the bonds of what it answered. Raises ClickException."""
        session, terms = self.session, self.session.terms
        stands = session.read()
        if stands.fault is not None:
            raise click.ClickException(
                f"the server of session 0x{session.id.hex()} was convicted: its stake is the "
                "members'"
            )
        if stands.withdrawn or not terms.stake:
            return 0
        if clock().now < terms.accusation_end:
            raise click.ClickException(
                f"the stake can be taken out from {time_of(terms.accusation_end)} on, once "
                "accusations have ended"
            )
        receipt = self._call("withdrawStake", session.id, self._to)
        (log,) = self._board.StakeWithdrawn.from_receipt(receipt)
        return int(log.amount)

    def share(self) -> int:
        """A member's of a convicted server's stake."""
        session, own = self.session, str(self._account.address)
        stands = session.read()
        if stands.fault is None or own not in session.members or not stands.fault.share:
            return 0
        index = session.members.index(own)
        if index in stands.shares:
            return 0
        self._call("claimShare", session.id, index, session.member_path(index), self._to)
        return stands.fault.share

    def bonds(self) -> int:
        """What the account is owed in the session's currency, of other sessions, too."""
        own, token = str(self._account.address), self.session.terms.token
        stands = self.session.read()
        for asked in self.session.asked_by(own):
            answered = self._board.challengeOf(key_words(asked.key), skip_trace=True)[2]
            if stands.fault is not None or (not answered and clock().now >= asked.deadline):
                self._call("settle", key_words(asked.key))
        owed = int(self._board.owed(token, own))
        if owed:
            self._call("withdrawBonds", token, self._to)
        return owed

    def _call(self, name: str, *arguments: Any) -> Any:
        receipt = transact(getattr(self._board, name), arguments, self._account)
        self._telling.step(Step("withdraw", entry_of(name, receipt)))
        return receipt
