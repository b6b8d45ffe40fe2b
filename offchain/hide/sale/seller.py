"""The seller's role: lists, delivers keys, settles, closes, and takes its money.

It holds no connection. `next_action` says what to do next given what the chain has told its
session; the keys are on disk before anything rests on them.
"""

from __future__ import annotations

from offchain.crypto.sealing import Point, seal_keys
from offchain.crypto.settlement import Settlement, delivery_margin
from offchain.hide.sale.listings import SETTLED, SaleState, due
from offchain.hide.sale.session import Purchase, SaleSession
from offchain.hide.sale.stock import Stock
from offchain.policy import Policy
from offchain.roles import Action, Clock, Dropping
from offchain.storage import digest_of


class Seller(Dropping):
    """Sells `stock` in `session` until `closing`, in Unix seconds, if `policy` accepts its terms.

    Limits are on the quantities of `Listing.asked`. pay_to: 0x address that is paid in its place.
    """

    may_drop = frozenset({"publishKey", "sealKey"})

    def __init__(
        self,
        session: SaleSession,
        stock: Stock,
        closing: int,
        policy: Policy | None = None,
        pay_to: str | None = None,
    ) -> None:
        self.session = session
        self.stock = stock
        self.closing = closing
        self.policy = policy or Policy()
        self.pay_to = pay_to or stock.listing.seller

    def next_action(self, clock: Clock) -> Action | None:
        """What to do now, or None while it is others' turn.

        Raises TermsRefused where it would have to list under terms that its owner does not accept.
        """
        session, listing = self.session, self.stock.listing
        if session.listing is None:
            if clock.now >= self.closing:
                return None  # nobody could buy
            self.policy.check(listing.asked)
            levels = [level.args() for level in listing.levels]
            catalogue = digest_of(self.stock.catalogue)
            words = (listing.terms(), listing.task, catalogue, levels, self.stock.funds)
            return Action("list", words, self.stock.funds)
        if clock.now >= self.closing and not session.closed:
            return Action("close", (listing.args(),))
        running = list(session.running(clock.now))
        late = delivery_margin(listing.delivery_time)
        for purchase in running:
            if purchase.state is SaleState.PAID and clock.now < purchase.deadline - late:
                delivery = self.still(self.deliver(purchase))
                if delivery is not None:
                    return delivery
        if sales := self.due(clock):
            settled = due([(p.buyer, p.sale) for p in sales])
            return Action("settle", (listing.args(), settled))
        if session.is_over(clock.now) and session.free:
            return Action("withdraw", (listing.args(), session.free, self.pay_to))
        return None

    def due(self, clock: Clock) -> list[Purchase]:
        """The sales to settle now, in one call: many in one cost less than each in its own.

        So it waits for those that still run, but one dispute time at most: somebody could always
        have one run, and the others would hold their stakes.
        """
        sales = self.session.due(clock.now)
        waits = any(self.session.running(clock.now)) and len(sales) < SETTLED
        if waits and all(clock.now < p.deadline + self.stock.listing.dispute_time for p in sales):
            return []
        return sales[:SETTLED]

    def deliver(self, purchase: Purchase) -> Action | None:
        """The key of a paid level; None for none."""
        listing, sale, level = self.stock.listing, purchase.sale, purchase.level
        words = (listing.args(), purchase.buyer, sale.args())
        if listing.settlement is Settlement.OPEN:
            key = self.stock.keys[level]
            return Action("publishKey", (*words, listing.goods(level), key))
        sealed = seal_keys(Point.with_even_y(sale.one_time_key), {level: self.key_for(purchase)})
        return Action("sealKey", (*words, sealed.ephemeral_x, sealed.sealed[0]), about=len(words))

    def key_for(self, purchase: Purchase) -> bytes:
        """The 32-byte key that is sealed to a purchase's one-time key."""
        return self.stock.keys[purchase.level]
