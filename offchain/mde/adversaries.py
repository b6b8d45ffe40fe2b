"""Sellers that cheat, each in one way, as the stories of `ape run price` need them."""

from __future__ import annotations

from dataclasses import replace

from offchain.crypto.disputable import EncryptedFile, encrypt_chunks
from offchain.data.imageset import Progress
from offchain.mde.errors import MdeError
from offchain.mde.quoting import Pricing
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.verifiable.encoding import Encoding
from offchain.mde.verifiable.quotes import verifiable_quote
from offchain.mde.verifiable.scores import ScoreLeaves


class SwapsData(Seller):
    """Commits to the good data that it quotes, and encrypts other data in its place."""

    def _encrypted(self, encoding: Encoding) -> EncryptedFile:
        quoted = super()._encrypted(encoding)
        blank = Samples(self.samples.inputs * 0, self.samples.labels)
        packed = encoding.pack(blank)
        sold = encrypt_chunks(self.domain, self._key, packed, encoding.chunk_bytes)
        return replace(sold, plain_leaves=quoted.plain_leaves)


class FalseScore(Seller):
    """Reports the score of one sample higher than the tree gives it, and so a higher price."""

    def _quoted(
        self, pricing: Pricing, order: bytes, progress: Progress | None
    ) -> tuple[int, ScoreLeaves | None]:
        if pricing.verifiable is None:
            raise MdeError("only scores that a contract can check can be misreported to it")
        true = verifiable_quote(pricing.verifiable, self.samples, order, self._key, progress)
        middle = len(true.totals) // 2
        more = max(pricing.price.useful, abs(true.totals[-1]))
        totals = [total + more * (i >= middle) for i, total in enumerate(true.totals)]
        leaves = ScoreLeaves.of(order, self._key, totals)
        return pricing.price.price(totals[-1]), leaves


class FalsePrice(Seller):
    """Reports all scores as they are, and asks more than the rule gives for them."""

    def _quoted(
        self, pricing: Pricing, order: bytes, progress: Progress | None
    ) -> tuple[int, ScoreLeaves | None]:
        price, leaves = super()._quoted(pricing, order, progress)
        return (price + pricing.price.most) // 2, leaves


class WrongKey(Seller):
    """Delivers another key than it committed to; under open settlement it can deliver none."""

    def delivered_key(self) -> bytes:
        """One bit off."""
        return bytes([self._key[0] ^ 1]) + self._key[1:]
