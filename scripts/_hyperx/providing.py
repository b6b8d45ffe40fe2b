"""`ape run provide`: a provider's own data in somebody's session, until its deposit is back."""

from __future__ import annotations

import click

from offchain.hyperx.policy import check_token, offered
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.report.text import amount
from offchain.task import ClassNames, fetch_task
from offchain.task.checks import DAY, check_retention
from scripts._hyperx.chain import ChainSession, deployed_factory
from scripts._hyperx.options import ProvideOptions
from scripts._hyperx.seats import provider_seat
from scripts._hyperx.terms import accepted_tokens, provider_policy
from scripts._hyperx.terms_sheets import costs_sheet, terms_sheet, worst_sheet
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home, clock
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import kept_told, task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept


def run_provide(address: str, options: ProvideOptions) -> None:
    """Joins the session at `address`, or goes on in it, and plays until the deposit is back.

    Nothing is stored, signed or paid before terms, task and data were checked and agreed to.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    account = party_account(options.account, options.yes)
    to = receiver(options.pay_to, str(account.address))
    factory = deployed_factory(options.deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    with telling.doing("loading the data") as progress:
        data = options.load_originals(telling.left_out, progress)
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        with telling.doing("fetching the task"):
            store.connect(fetch_task(store, chain.terms.task).peers)
        seat = provider_seat(
            "provider",
            account,
            data,
            store,
            home / f"provider-{account.address}.json",
            options.device,
            policy=provider_policy(options),
            extractors=options.accept_extractor,
            tokens=accepted_tokens(options),
            names=options.names,
            columns=ClassNames.parse(options.column_name, "column name").as_task,
            note=telling.left_out,
            licences=options.licence,
            progress=telling.far("shards encrypted and stored"),
            pay_to=to,
        )
        session = chain.read()
        seat.role = role = seat.make(session)
        assert isinstance(role, Provider)
        joined = seat.address in session.members
        asked = options.dry_run or not joined
        if asked and not _agreed(chain, session, role, options, telling):
            return
        offered_ = chain.terms.shard_count * chain.terms.shard_size
        telling.event("session", address=chain.address, joined=joined)
        telling.event("offered", samples=offered_, of=len(data))
        session = play_kept(chain, seat, telling, store, role.store_again)
        _tell_end(chain, session, seat.address, telling)
        sold = session.deal is not None and session.deal.provider == seat.address
        about = f"session {chain.address}"
        keep_on(store, role.task if sold else None, about, telling, role.store_again)


def _agreed(
    chain: ChainSession,
    session: Session,
    role: Provider,
    options: ProvideOptions,
    telling: PartyTelling,
) -> bool:
    """Checks and shows what is to be agreed to; whether it is.

    Raises ClickException where registration is over, TermsRefused and TaskError.
    """
    now = clock().now
    if now >= chain.terms.registration_end:
        raise click.ClickException(
            f"registration ended {now - chain.terms.registration_end} seconds ago"
        )
    role.policy.check(offered(chain.terms, now))
    check_token(chain.terms, role.tokens)
    role.check_task()
    check_retention(role.task, round(options.most_retention * DAY))
    kept = kept_told(role.stored_bytes, chain.terms.expiry + role.task.retention - now)
    telling.sheets(
        (
            task_sheet(role.task),
            terms_sheet(chain.terms, now, kept),
            costs_sheet(chain.terms, gas_price(options.gas_price)),
            worst_sheet(chain.terms),
        )
    )
    if options.dry_run:
        telling.event("dry_run", address=chain.address, accepted=True)
        return False
    if not options.yes:
        coin, decimals = currency(chain.terms.token)
        click.confirm(
            f"Lock {amount(chain.terms.deposit, decimals)} {coin} and offer {role.own.name} under "
            "these terms?",
            abort=True,
        )
    return True


def _tell_end(chain: ChainSession, session: Session, account: str, telling: PartyTelling) -> None:
    member = session.members.get(account)
    coin, decimals = currency(chain.terms.token)
    paid = 0 if member is None else member.paid or 0
    telling.event(
        "over",
        sold=session.deal is not None and session.deal.provider == account,
        paid=f"{amount(paid, decimals)} {coin}",
    )
