"""What `ape run price` does: a market from empty accounts to the report."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ape
import click

from offchain.mde import adversaries
from offchain.mde.budget import next_best
from offchain.mde.buying import Retrained, compare
from offchain.mde.owner import Owner, Published
from offchain.mde.partition import Lot
from offchain.mde.quoting import Terms
from offchain.mde.seller import Seller
from offchain.storage import Datastore, open_datastore
from scripts._mde.chain import PriceChain
from scripts._mde.options import PriceOptions
from scripts._mde.order import (
    Round,
    Stand,
    asks_again,
    buys_too_late,
    marginal_efficacy,
    shows_another_artefact,
)
from scripts._mde.record import make_record
from scripts._mde.report import write
from scripts._mde.scene import Played, Truth, injustices
from scripts._mde.stories import STORIES, Story
from scripts._mde.telling import PriceTelling
from scripts._stage.accounts import is_local, seat_parties
from scripts._stage.chain import wait_until
from scripts._stage.money import balance_of

Publish = Callable[[Owner], Published]
"""Makes the artefact of an owner's model."""


def play_story(name: str, options: PriceOptions, folder: Path) -> list[str]:
    """Plays, tells and writes to `folder`/`name`; returns what did not end as it should."""
    if not is_local():
        raise click.ClickException(
            f"price plays all parties and lets time pass: on a local chain, not on "
            f"{ape.chain.provider.network.name}"
        )
    began = time.monotonic()
    story, telling = STORIES[name], PriceTelling()
    telling.begin(name, story.title)
    terms = options.terms(story.agreed(options))
    purse, budget, plans = options.purse(), options.units(), options.plans
    if (most := len(ape.accounts.test_accounts) - 2) < len(plans):
        raise click.ClickException(f"{len(plans)} sellers, but only {most} test accounts for them")
    if len(plans) < story.sellers:
        raise click.ClickException(f"the story needs {story.sellers} sellers, not {len(plans)}")
    with telling.doing("loading the data") as progress:
        data = options.market(telling.left_out, progress)
    with telling.doing("training the buyer's model"):
        owner = Owner.of(data, options.trainer())
    largest = max(len(lot.samples) for lot in data.lots)

    def publish(of: Owner) -> Published:
        return Published.of(of, options.oracle, purse, largest)

    with telling.doing("making the pricing artefact"):
        published = publish(owner)
    with (
        tempfile.TemporaryDirectory(prefix="souk-") as home,
        telling.doing("opening the datastore"),
        open_datastore(options.ipfs, Path(home) / "ipfs") as store,
    ):
        table = Table(options, story, terms, budget, store, telling)
        played = table.play(owner, published, publish, data.lots)
    truth = measure(owner, played, options, telling)
    record = make_record(name, options, played, truth, time.monotonic() - began)
    files = write(record, folder / name)
    telling.end(record, played.wrong, files)
    return played.wrong


class Table:
    """Where one market is played."""

    def __init__(
        self,
        options: PriceOptions,
        story: Story,
        terms: Terms,
        budget: int,
        store: Datastore,
        telling: PriceTelling,
    ) -> None:
        self.options, self.story, self.terms = options, story, terms
        self.budget, self.store, self.telling = budget, store, telling

    def play(
        self, owner: Owner, published: Published, publish: Publish, lots: Sequence[Lot]
    ) -> Played:
        """Everything that happens on chain."""
        # A node that does not answer shows before anything is deployed.
        self.store.put(b"")
        parties = seat_parties(len(lots), None, (), sign_unasked=False)
        everybody = [parties.collector, *parties.providers]
        started = {str(a.address): balance_of(self.terms.token, str(a.address)) for a in everybody}
        chain = PriceChain(parties.deployer, self.terms.token)
        stands = []
        for number, (account, lot) in enumerate(zip(parties.providers, lots, strict=True), 1):
            guilty = self.story.culprit if number == 1 else None
            role = getattr(adversaries, guilty) if guilty else Seller
            seller = role(str(account.address), chain.place, lot.samples, self.store)
            stands.append(Stand(f"seller {number}", lot.kind, account, seller))
        first = Round(chain, parties.collector, owner, published, self.terms, self.store)
        played = Played(self.story, chain, [first], stands, self.budget, (), started)
        first.post(self.budget)
        for stand in stands:
            stand.offer = stand.role.offer(self.terms.token, first.pricing.encoding)
            chain.register(stand.offer.dataset, self.terms.stake, stand.account)
        self._quotes(first, stands)
        if self.story.twice:
            asks_again(first, stands[0])
        if self.story.stale:
            later = publish(owner.with_bought([stands[0].role.samples]))
            if not shows_another_artefact(first, stands[0], later):
                played.wrong.append("a seller took another artefact than the order names")
        if self.story.pays:
            self._purchases(played, publish)
        else:
            wait_until(stands[0].quoted.deal.quote.expiry)
            buys_too_late(first, stands[0])
        self._withdrawals(played)
        played.wrong += injustices(played)
        return played

    def _quotes(self, round_: Round, stands: list[Stand]) -> None:
        with self.telling.doing("quoting") as progress:
            for number, stand in enumerate(stands):
                if round_.ask(stand, self.options.quote_seconds, None, self.telling.note):
                    self.telling.quoted(stand, self.terms.token)
                progress(number + 1, len(stands))

    def _purchases(self, played: Played, publish: Publish) -> None:
        stands, round_ = played.stands, played.rounds[-1]
        marginal = marginal_efficacy(round_, stands, publish)
        while True:
            prices = [one.price for one in stands]
            out = frozenset(i for i, one in enumerate(stands) if not one.open)
            with self.telling.doing("asking what each would add"):
                found = next_best(prices, round_.left, marginal, played.chosen, out)
            if found is None:
                return
            stand = stands[found]
            round_.buy(stand, silent=self.story.silent and found == 0)
            self.telling.bought(stand)
            if stand.bought is None:
                continue
            played.chosen += (found,)
            if self.story.stale and len(played.rounds) == 1:
                round_ = self._moves_on(played, publish)
                marginal = marginal_efficacy(round_, stands, publish)

    def _moves_on(self, played: Played, publish: Publish) -> Round:
        """The buyer closes its order and posts another, under the artefact of its new model."""
        old, chain = played.rounds[-1], played.chain
        chain.close(old.order.account, old.account)
        left = [one for one in played.stands if one.open and one.said]
        buys_too_late(old, left[0])
        budget = old.left
        chain.withdraw(old.order.account, old.account)
        bought = [one.bought for one in played.stands if one.bought is not None]
        owner = old.owner.with_bought(bought)
        new = Round(chain, old.account, owner, publish(owner), self.terms, self.store)
        new.post(budget)
        played.rounds.append(new)
        self.telling.note("buyer", "trained anew; posts a new artefact, the old quotes are void")
        self._quotes(new, left)
        return new

    def _withdrawals(self, played: Played) -> None:
        with self.telling.doing("withdrawing"):
            for round_ in played.rounds:
                played.chain.withdraw(round_.order.account, round_.account)
            for stand in played.stands:
                if stand.offer is not None:
                    played.chain.withdraw(stand.offer.dataset.account, stand.account)


def measure(owner: Owner, played: Played, options: PriceOptions, telling: PriceTelling) -> Truth:
    """Trains on each lot, on what was bought, and on what other purchases would have been."""
    sets = [stand.role.samples for stand in played.stands]
    retrained = Retrained(owner, sets)
    with telling.doing("training on each set") as progress:
        gains = []
        for number in range(len(sets)):
            gains.append(retrained.gain((number,)))
            progress(number + 1, len(sets))
    after = retrained.owner(played.chosen).standing()
    ways = None
    if played.story is STORIES["honest"]:
        prices = [stand.price for stand in played.stands]
        with telling.doing("spending the budget in all ways") as progress:
            ways = compare(
                owner,
                sets,
                prices,
                played.budget,
                options.oracle,
                orders=options.orders,
                exhaustive=sum(price > 0 for price in prices) <= 10,
                seed=options.seed,
                progress=progress,
            )
    return Truth(gains, owner.standing(), after, ways)
