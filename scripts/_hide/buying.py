"""`ape run buy`: a level of somebody's masked pictures, until it is owned or paid back."""

from __future__ import annotations

import click

from offchain.data.imageset import ImageSet, Progress
from offchain.hide.errors import HideError
from offchain.hide.networks import factory
from offchain.hide.sale.buyer import Buyer, Opened
from offchain.hide.sale.costs import buyer_gas, buyer_outcomes
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.session import Delivery, Purchase, SaleSession
from offchain.hide.training import TrainingSettings, train
from offchain.models.device import pick_device
from offchain.report.outcomes import outcomes_sheet
from offchain.report.text import amount
from offchain.task.checks import told
from scripts._hide.chain import SALE, SaleChain
from scripts._hide.party_options import BuyOptions
from scripts._hide.terms_sheets import catalogue_note, levels_sheet, terms_sheet
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home
from scripts._stage.deployments import deployed
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import gas_sheet, task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat


class TellingBuyer(Buyer):
    """A buyer that says what was delivered as soon as it is opened."""

    telling: PartyTelling

    def open(self, delivery: Delivery) -> Opened:
        known = delivery in self._opened
        opened = super().open(delivery)
        if not known and opened.dataset is not None:
            self.telling.event(
                "delivered", level=delivery.level + 1, sha256=opened.dataset.digest()
            )
        elif not known:
            self.telling.event("fault", level=delivery.level + 1, reason=opened.objection)
        return opened


def run_buy(reference: str, options: BuyOptions) -> None:
    """Buys a level, or goes on with it, and plays the buyer until nothing is left to do.

    Nothing is signed or paid before task, terms and goods were checked and agreed to.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    account = party_account(options.account, options.yes)
    sale = deployed(SALE, options.deployments)
    own = str(account.address)
    policy, to = options.policy(), receiver(options.pay_to, own)
    tokens = options.tokens()
    chain = SaleChain.resume(sale, reference, buyer=own)
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        level = options.level - 1

        def make(session: SaleSession) -> TellingBuyer:
            role = TellingBuyer(
                own,
                session,
                (level,),
                store,
                secrets_at(home / f"buyer-{own}.json"),
                policy,
                telling.progress,
                options.licence,
                to,
                tokens,
            )
            role.telling = telling
            return role

        session = chain.read()
        role = make(session)
        with telling.doing("fetching the task") as progress:
            store.connect(role.task.peers)
            test = options.own_test(role.task, telling.left_out, progress)
        me = session.purchases.get(own)
        bought = me is not None and max(me.owned, _under_way(me)) >= options.level
        asked = options.dry_run or not bought
        if asked and not _agreed(role, me, test, options, telling):
            return
        telling.event("listing", id=chain.reference, level=options.level, bought=bought)
        seat = Seat("buyer", account, make, role)
        session = play_kept(chain, seat, telling, store)
        _tell_end(session, seat.role, test, options, telling)
        keep_on(store, None, chain.reference, telling)


def _agreed(
    role: Buyer,
    me: Purchase | None,
    test: ImageSet | None,
    options: BuyOptions,
    telling: PartyTelling,
) -> bool:
    """Checks and shows what is to be agreed to; whether it is.

    Raises ClickException where the seller failed before, and what `Buyer.check` raises.
    """
    session, listing, level = role.session, role.session.listed, options.level - 1
    if me is not None and me.failed:
        number, why = me.failed[-1]
        raise click.ClickException(f"level {number + 1} was paid back: {why}; nothing more is paid")
    credit = me.credit if me else 0
    if me is not None and me.state is SaleState.DELIVERED:
        # It is accepted first, and then what was paid counts.
        credit = me.sale.price
    with telling.doing("fetching what is sold"):
        role.check(level, credit)
        _check_test(role.masked(), test)
    coin, decimals = currency(listing.token)
    paid = listing.levels[level].price - credit
    claimed = [one.accuracy_bps / 10_000 for one in listing.levels]
    telling.sheets(
        (
            task_sheet(role.task),
            levels_sheet(
                claimed,
                [one.price for one in listing.levels],
                listing.token,
                catalogue_note(role.told()),
            ),
            terms_sheet(session, level, paid),
            gas_sheet(
                buyer_gas(role.file(level).shape),
                gas_price(options.gas_price),
                "all, if you are cheated",
                "Who is served pays for the first.",
            ),
            outcomes_sheet(
                buyer_outcomes(listing, paid),
                coin,
                decimals,
                "Besides gas. What the level teaches nobody can prove; its file is what was "
                "committed to.",
            ),
        )
    )
    if options.dry_run:
        telling.event("dry_run", level=options.level, accepted=True)
        return False
    if not options.yes:
        click.confirm(
            f"Pay {amount(paid, decimals)} {coin} for level {options.level} under these terms?",
            abort=True,
            err=telling.as_json,
        )
    return True


def _under_way(me: Purchase) -> int:
    """The level, from 1, that is paid and neither owned nor paid back; 0 for none."""
    return me.level + 1 if me.state not in (SaleState.NONE, SaleState.OWNED) else 0


def _check_test(masked: ImageSet, test: ImageSet | None) -> None:
    """Raises HideError unless what is bought can be tried on the buyer's pictures."""
    if test is not None and test.shape != masked.shape:
        raise HideError(f"test: {test.name} is {told(test.shape)}, sold are {told(masked.shape)}")


def _tell_end(
    session: SaleSession,
    role: object,
    test: ImageSet | None,
    options: BuyOptions,
    telling: PartyTelling,
) -> None:
    """What came of it, and what it teaches on the buyer's own pictures."""
    assert isinstance(role, Buyer)
    me, level = session.purchases.get(role.account), options.level - 1
    bought = role.datasets()
    if me is None or level not in bought:
        why = dict(me.failed).get(level) if me else None
        telling.event("over", bought=False, reason=why or role.objections.get(level, "unpaid"))
        return
    data = bought[level]
    reached = None
    if test is not None:
        with telling.doing("training on what was bought") as progress:
            reached = _taught(data, test, options, progress)
    claim = session.listed.levels[level].accuracy_bps / 10_000
    more = {} if reached is None else {"reached": reached}
    telling.event(
        "over",
        bought=True,
        level=options.level,
        images=len(data),
        sha256=data.digest(),
        claimed=claim,
        **more,
    )


def _taught(data: ImageSet, test: ImageSet, options: BuyOptions, progress: Progress) -> float:
    """The accuracy on `test` of a fresh network that is trained on `data`."""
    trained = train(
        factory(options.model, len(data.classes), data.shape),
        data,
        TrainingSettings(options.epochs),
        options.seed,
        device=pick_device(options.device),
        progress=progress,
    )
    return trained.accuracy(test)
