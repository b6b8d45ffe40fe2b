"""Parties that break the rules, each in one point, and a buyer whose model moves on.

They are the honest roles with one step replaced. What they try in vain leaves no event, so their
secrets file says that they tried it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.buyer import Buyer
from offchain.mde.deals import DealState
from offchain.mde.errors import MdeError
from offchain.mde.letters import Invitation, Message, Tell
from offchain.mde.quoting import Pricing
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.session import Sale
from offchain.mde.stock import Stock
from offchain.mde.verifiable.quotes import verifiable_quote
from offchain.mde.verifiable.scores import ScoreLeaves
from offchain.roles import Action, Clock


class SwappedStock(Stock):
    """Leaves of the good data, and other data in their place."""

    def encrypted(self, samples: Samples) -> EncryptedFile:
        """Black pictures, or zeros."""
        quoted = super().encrypted(samples)
        sold = super().encrypted(Samples(samples.inputs * 0, samples.labels))
        return replace(sold, plain_leaves=quoted.plain_leaves)


class SwapsData(Seller):
    """Commits to the good data that it quotes, and encrypts other data in its place."""

    def stock_of(self, samples: Samples, token: str, secrets_file: SecretsFile) -> Stock:
        """With other data inside."""
        return SwappedStock(self.account, self.session.place, samples, token, secrets_file)


class ExchangedStock(Stock):
    """Leaves of the true originals, and others in their place."""

    def encrypted(self, samples: Samples) -> EncryptedFile:
        """Files of zeros, as long."""
        quoted, true = super().encrypted(samples), self.originals
        self.originals = [bytes(len(one)) for one in true]
        sold, self.originals = super().encrypted(samples), true
        priced = len(samples) * self.encoding.chunk_bytes
        ciphertext = quoted.ciphertext[:priced] + sold.ciphertext[priced:]
        return replace(quoted, ciphertext=ciphertext)


class ExchangesOriginals(Seller):
    """Commits to its originals, and encrypts other files in their place."""

    def stock_of(self, samples: Samples, token: str, secrets_file: SecretsFile) -> Stock:
        """With other originals inside."""
        place = self.session.place
        return ExchangedStock(self.account, place, samples, token, secrets_file, self.originals)


class FalseScore(Seller):
    """Reports the score of one sample higher than the tree gives it, and so a higher price."""

    def _quoted(self, pricing: Pricing, order: bytes) -> tuple[int, ScoreLeaves | None]:
        if pricing.verifiable is None:
            raise MdeError("only scores that a contract can check can be misreported to it")
        true = verifiable_quote(pricing.verifiable, self.samples, order, self.stock.key)
        middle = len(true.totals) // 2
        more = max(pricing.price.useful, abs(true.totals[-1]))
        totals = [total + more * (i >= middle) for i, total in enumerate(true.totals)]
        leaves = ScoreLeaves.of(order, self.stock.key, totals)
        return pricing.price.price(totals[-1]), leaves


class FalsePrice(Seller):
    """Reports all scores as they are, and asks more than the rule gives for them."""

    def _quoted(self, pricing: Pricing, order: bytes) -> tuple[int, ScoreLeaves | None]:
        price, leaves = super()._quoted(pricing, order)
        return (price + pricing.price.most) // 2, leaves


class WrongKey(Seller):
    """Delivers another key than it committed to; under open settlement it can deliver none."""

    def delivered_key(self) -> bytes:
        """One bit off."""
        return bytes([self.stock.key[0] ^ 1]) + self.stock.key[1:]


class NeverDelivers(Seller):
    """Sends no key."""

    def deliver(self, sale: Sale) -> Action | None:
        """Nothing."""
        return None


class AsksTwice(Seller):
    """Wants a second quote of a pair recorded, at a better price."""

    def record(self, clock: Clock) -> Action | None:
        """The second one once the first is recorded, with the signatures of the first."""
        for sale in self.session.sales_from(self.id):
            if sale.state is DealState.QUOTED and first_time(
                self.secrets_file, f"asked twice for {self.id.hex()}"
            ):
                quote = sale.deal.quote
                better = replace(quote, price=quote.price + 1, expiry=quote.expiry + 1)
                deal = replace(sale.deal, quote=better)
                signature = self.wallet.sign(deal.typed_data(self.session.place))
                return Action("quote", (deal.args(), signature, signature))
        return super().record(clock)


class LateBuyer(Buyer):
    """Has its quotes, buys nothing, and wants to buy once they have expired."""

    def spend(self, order: bytes, clock: Clock) -> Action | Tell | None:
        """One purchase that comes too late, then its budget back."""
        quoted = list(self.session.sales_under(order).values())
        if any(clock.now < sale.deadline for sale in quoted):
            return None
        if quoted and first_time(self.vault.secrets_file, f"bought late under {order.hex()}"):
            return self.purchase(quoted[0])
        return self.withdraw(order)


class MovesOn(Buyer):
    """Trains anew after its first purchase: closes its order, and posts another artefact.

    Before it does it tries what must not work: to buy by an old quote, and to show sellers the new
    artefact under the old order.
    """

    def spend(self, order: bytes, clock: Clock) -> Action | Tell | None:
        """As any buyer, but for what follows the first purchase."""
        first = self.vault.orders()[0]
        if order != first or not self.session.bought(order):
            return super().spend(order, clock)
        if self.session.is_open(order):
            return Action("close", (self.session.orders[order].account.args(),))
        offered = self.session.sales_under(order).values()
        left = [sale for sale in offered if sale.state is DealState.QUOTED]
        if left and first_time(self.vault.secrets_file, f"bought late under {order.hex()}"):
            return self.purchase(left[0])
        shown = self._write(self._strange_invitations(order))
        budget = self.session.books[order].withdrawn
        return shown or self.withdraw(order) or self.post(1, budget)

    def _strange_invitations(self, order: bytes) -> Iterator[Message]:
        for id_ in self.session.sales_under(order):
            if len(self._about(order, id_).by_buyer(Invitation)) == 1:
                yield self.invitation(order, id_, self.vault.artefact(1))


def first_time(secrets: SecretsFile, what: str) -> bool:
    """Whether this is asked for the first time, of all processes that use the file."""
    first = what not in secrets
    secrets.remember(what, lambda: b"tried")
    return first
