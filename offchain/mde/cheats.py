"""Sellers that cheat, each in one way, as the stories of `ape run price` need them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from offchain.crypto.disputable import EncryptedFile, encrypt_chunks
from offchain.data.imageset import Progress
from offchain.mde.quoting import Pricing, Valued
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.verifiable.samples import Encoding


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

    def _valued(self, pricing: Pricing, progress: Progress | None) -> Valued:
        valued = super()._valued(pricing, progress)
        if valued.totals is None:
            return valued
        middle = len(valued.totals) // 2
        more = max(abs(pricing.price.useful), abs(valued.score))
        raised = np.arange(len(valued.totals)) >= middle
        totals = tuple(
            total + more if up else total for total, up in zip(valued.totals, raised, strict=True)
        )
        return Valued(totals[-1], pricing.price.price(totals[-1]), totals)


class FalsePrice(Seller):
    """Reports all scores as they are, and asks more than the rule gives for them."""

    def _valued(self, pricing: Pricing, progress: Progress | None) -> Valued:
        valued = super()._valued(pricing, progress)
        return replace(valued, price=(valued.price + pricing.price.most) // 2)


class WrongKey(Seller):
    """Delivers another key than it committed to; under open settlement it can deliver none."""

    def delivered_key(self) -> bytes:
        """One bit off."""
        return bytes([self._key[0] ^ 1]) + self._key[1:]
