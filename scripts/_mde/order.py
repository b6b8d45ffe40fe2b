"""One order of the buyer's: quotes for it, purchases under it, and what is delivered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import ape
import click
from ape.api import AccountAPI

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.errors import FileError
from offchain.crypto.settlement import Settlement
from offchain.data.imageset import Progress
from offchain.mde.artefact import artefact_digest
from offchain.mde.buyer import Buyer, Fault
from offchain.mde.deals import Order, Purchase
from offchain.mde.errors import ArtefactMismatch, MdeError
from offchain.mde.owner import Owner, Published
from offchain.mde.quoting import Pricing, Terms
from offchain.mde.samples import Samples
from offchain.mde.seller import Offer, Said, Seller
from offchain.storage import ContentError, Datastore
from scripts._mde.chain import PriceChain
from scripts._stage.chain import ActionRefused, wait_until
from scripts._stage.wallet import AccountWallet

Tell = Callable[[str, str], None]
"""Who did what, as two texts."""


@dataclass
class Stand:
    """One seller at the market: its account, its role, and what became of it.

    Attributes:
        name, kind: for people. offer: once it registered.
        file: of its data, as the buyer fetched it. said: its recorded quote.
        bought: its samples as the buyer received them. proved: the fault it was convicted of.
        lapsed: whether it delivered nothing. paid: what it was paid.
        remarks: what was refused it, or by it.
    """

    name: str
    kind: str
    account: AccountAPI
    role: Seller
    offer: Offer | None = None
    file: EncryptedFile | None = None
    said: Said | None = None
    bought: Samples | None = None
    proved: Fault | None = None
    lapsed: bool = False
    paid: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def price(self) -> int:
        """What was quoted; 0 without a quote."""
        return self.said.deal.quote.price if self.said else 0

    @property
    def quoted(self) -> Said:
        """The quote, which there must be."""
        if self.said is None:
            raise click.ClickException(f"{self.name} has no quote: {'; '.join(self.remarks)}")
        return self.said

    @property
    def open(self) -> bool:
        """Whether it can still be bought from."""
        return self.bought is None and self.proved is None and not self.lapsed


class Round:
    """An order under one artefact. owner: whose model the artefact is of."""

    def __init__(
        self,
        chain: PriceChain,
        account: AccountAPI,
        owner: Owner,
        published: Published,
        terms: Terms,
        store: Datastore,
    ) -> None:
        self.chain, self.account, self.owner, self.terms = chain, account, owner, terms
        digest = artefact_digest(published.file)
        self.pricing = Pricing.read(published.file, digest)
        self.buyer = Buyer(chain.place, published.file, self.pricing, store)
        self.order: Order = self.pricing.order(str(account.address), terms)

    def post(self, budget: int) -> None:
        """Escrows the budget."""
        self.chain.post(self.order, budget, self.account)

    @property
    def left(self) -> int:
        """What of the budget is free."""
        return self.chain.free(self.order.account)

    def ask(
        self, stand: Stand, seconds: int, progress: Progress | None = None, tell: Tell | None = None
    ) -> bool:
        """Has a seller quote and both sign; says whether the quote was recorded.

        A party that does not like what it is shown refuses, and nothing is lost.
        """
        assert stand.offer is not None
        now = int(ape.chain.pending_timestamp)
        try:
            if stand.file is None:
                stand.file = self.buyer.examine(stand.offer)
            pricing = stand.role.read(self.order, self.buyer.invite(stand.offer))
            said = stand.role.quote(
                self.order, stand.offer.dataset, pricing, now + seconds, progress
            )
            self.buyer.require_sound(said, self.order, stand.offer, now)
        except (MdeError, FileError, ContentError) as error:
            stand.remarks.append(str(error))
            if tell:
                tell(stand.name, f"no quote: {error}")
            return False
        self.chain.quote(said.deal, self.signatures(said, stand), stand.account)
        stand.said = said
        return True

    def signatures(self, said: Said, stand: Stand) -> tuple[bytes, bytes]:
        """The buyer's and the seller's of a quote."""
        typed = said.deal.typed_data(self.chain.place)
        return AccountWallet(self.account).sign(typed), AccountWallet(stand.account).sign(typed)

    def buy(self, stand: Stand, *, silent: bool = False) -> None:
        """Buys, has the key delivered, checks all, and accepts or proves the fault.

        silent: the seller delivers nothing, and the purchase lapses.
        """
        said, file = stand.quoted, stand.file
        assert file is not None  # who quoted was examined
        deal, sealed = said.deal, self.terms.settlement is Settlement.SEALED
        purchase = Purchase(self.buyer.one_time_key(deal) if sealed else 0)
        self.chain.purchase(deal, purchase.one_time_key, self.account)
        if silent:
            wait_until(self.chain.deadline(deal))
            self.chain.settle(deal, purchase, self.account)
            stand.lapsed = True
            return
        if sealed:
            words = stand.role.sealed_key(purchase)
            delivery = self.chain.seal_key(deal, purchase, words, stand.account)
            purchase = purchase.delivered(*words)
        else:
            key = stand.role.delivered_key()
            delivery = self.chain.publish_key(deal, purchase, key, stand.account)
        received = self.buyer.receive(said, file, purchase, delivery)
        if received.fault is not None:
            self.chain.prove(deal, purchase, received.fault, self.account)
            stand.proved = received.fault
            return
        self.chain.accept(deal, purchase, self.account)
        stand.bought, stand.paid = received.samples, deal.quote.price


def marginal_efficacy(
    round_: Round, stands: Sequence[Stand], publish: Callable[[Owner], Published]
) -> Callable[[tuple[int, ...], int], float]:
    """What each seller says its data would add to the model as it is after what was bought.

    The first time that is what it quoted; after each purchase the buyer shows all sellers another
    artefact, of the model trained anew. Prices stay what was quoted, so that a lie moves no money.
    """
    said: dict[tuple[int, ...], Pricing] = {(): round_.pricing}

    def ask(chosen: tuple[int, ...], candidate: int) -> float:
        if chosen not in said:
            bought = [stands[i].bought for i in chosen]
            after = round_.owner.with_bought([one for one in bought if one is not None])
            file = publish(after).file
            said[chosen] = Pricing.read(file, artefact_digest(file))
        return stands[candidate].role.efficacy(said[chosen])

    return ask


def asks_again(round_: Round, stand: Stand) -> None:
    """A seller has a second quote of the same pair, at a better price, signed by both."""
    deal = stand.quoted.deal
    better = replace(deal.quote, price=deal.quote.price + 1, expiry=deal.quote.expiry + 1)
    again = Said(replace(deal, quote=better), stand.quoted.leaves)
    _in_vain(
        stand,
        lambda: round_.chain.quote(again.deal, round_.signatures(again, stand), stand.account),
    )


def buys_too_late(round_: Round, stand: Stand) -> None:
    """The buyer tries to buy what it may no longer have."""
    deal = stand.quoted.deal
    sealed = round_.terms.settlement is Settlement.SEALED
    key = round_.buyer.one_time_key(deal) if sealed else 0
    _in_vain(stand, lambda: round_.chain.purchase(deal, key, round_.account))


def shows_another_artefact(round_: Round, stand: Stand, published: Published) -> bool:
    """The buyer shows a seller another artefact than its order names; says whether it refused."""
    assert stand.offer is not None
    other = replace(round_.buyer, artefact=published.file)
    try:
        stand.role.read(round_.order, other.invite(stand.offer))
    except ArtefactMismatch as error:
        stand.remarks.append(str(error))
        return True
    return False


def _in_vain(stand: Stand, act: Callable[[], object]) -> None:
    try:
        act()
    except ActionRefused as error:
        stand.remarks.append(error.message)
