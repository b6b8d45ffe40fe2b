"""Parties that break the rules, each in one point: for stories and tests."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.settlement import Settlement
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.session import Purchase
from offchain.hide.sale.stock import KEY_BYTES
from offchain.roles import Action, Clock


class Cheat(Seller):
    """Serves all but `victims`, accounts, as it should."""

    def __init__(self, *args: Any, victims: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.victims = victims


class NeverDelivers(Cheat):
    """Sends its victims no key, and keeps their money until they take it back."""

    def deliver(self, purchase: Purchase) -> Action | None:
        return None if purchase.buyer in self.victims else super().deliver(purchase)


class WrongKey(Cheat):
    """Seals its victims keys of its own making; sealed settlement alone."""

    def key_for(self, purchase: Purchase) -> bytes:
        if purchase.buyer in self.victims:
            return secrets.token_bytes(KEY_BYTES)
        return super().key_for(purchase)


def with_spoilt_chunk(file: EncryptedFile) -> EncryptedFile:
    """The file with one bit of its middle chunk flipped, before the seller commits to it."""
    data = bytearray(file.ciphertext)
    data[file.shape.count // 2 * file.shape.chunk_bytes] ^= 1
    return replace(file, ciphertext=bytes(data))


class FalseAccuser(Buyer):
    """Disputes a delivery that is right, once, and keeps what it bought."""

    accused = False

    def judge(self, me: Purchase) -> Action | None:
        """Evidence of a right key, or of a right chunk where keys are published."""
        if self.accused:
            return super().judge(me)
        self.accused = True
        if self.session.listed.settlement is Settlement.SEALED:
            return self.prove_wrong_key(me)
        return self.prove_spoilt_chunk(me, 0)


class LateBuyer(Buyer):
    """Pays once the listing is closed."""

    tried = False

    def next_action(self, clock: Clock) -> Action | None:
        """Buys once the listing is closed, one time only."""
        if not self.session.closed or self.tried:
            return None
        self.tried = True
        return self.pay(self.wants[0], self.session.purchases.get(self.account))
