"""What tests of both sales share: a seller, money in either currency, keys, and evidence of faults.

CleanerSale and DatasetSale hand over the key of an encrypted file in the same two ways, and punish
the same two faults: a key that is not the committed one, and a chunk that does not decrypt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ape.api import ReceiptAPI
from ape.contracts import ContractInstance

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.errors import SealError
from offchain.crypto.evidence import key_evidence
from offchain.crypto.sealing import Point, new_secret, open_keys, point_of, seal_keys
from offchain.crypto.settlement import Settlement
from tests.kit.driver import Driver, balance_of

OPEN, SEALED = Settlement.OPEN, Settlement.SEALED
STAKE = 400
DELIVERY_TIME, DISPUTE_TIME = 1_200, 900
PLENTY = 10**6
SOME_KEY, NO_KEY = 1, 5
"""The x of a point that serves as a one-time key, and one that lies on no point."""


def spoil(file: EncryptedFile, chunk: int) -> EncryptedFile:
    """The file with one bit of an encrypted chunk flipped, before the seller commits to it."""
    data = bytearray(file.ciphertext)
    data[chunk * file.shape.chunk_bytes] ^= 1
    return replace(file, ciphertext=bytes(data))


def seal(one_time_key: int, index: int, key: bytes) -> tuple[int, bytes]:
    """The two words that deliver a key to the owner of a one-time key, given by its x."""
    sealed = seal_keys(Point.with_even_y(one_time_key), {index: key})
    return sealed.ephemeral_x, sealed.sealed[0]


def key_words(x: int) -> tuple[int, int]:
    """A one-time key as a purchase brings it: x, and a y of it where there is one."""
    try:
        return x, Point.with_even_y(x).y
    except SealError:
        return x, 0


class SaleDriver(Driver):
    """A contract of sales, and what its parties pay with.

    Attributes:
        settlement: how keys are delivered.
        token: what is paid in; None for the native coin.
    """

    settlement: Settlement
    token: ContractInstance | None

    @property
    def sealed(self) -> bool:
        """Whether keys are delivered sealed."""
        return self.settlement is SEALED

    def money(self, account: Any) -> int:
        """What an account has of the sale's currency."""
        return balance_of(account, self.token)

    def pay(self, amount: int, sender: Any) -> dict[str, Any]:
        """Keyword arguments of a call that pays; allows the token where there is one."""
        if self.token:
            self.token.approve(self.contract, amount, sender=sender)
            return {"sender": sender}
        return {"sender": sender, "value": amount}

    def one_time_key(self) -> tuple[int, int]:
        """A fresh one-time key, private and public by its x; zeros where nothing is sealed."""
        if not self.sealed:
            return 0, 0
        secret = new_secret()
        return secret, point_of(secret).x

    def delivered_key(self, delivery: ReceiptAPI, secret: int, index: int) -> bytes:
        """The key that a delivery gave whoever has the one-time secret."""
        if not self.sealed:
            (log,) = self.contract.KeyPublished.from_receipt(delivery)
            return bytes(log.key)
        (log,) = self.contract.KeySealed.from_receipt(delivery)
        words = replace(
            seal_keys(point_of(1), {}), ephemeral_x=log.ephemeralX, sealed=(bytes(log.sealedKey),)
        )
        return open_keys(secret, words, [index])[index]

    def key_evidence(self, delivery: ReceiptAPI, secret: int) -> tuple[Any, ...]:
        """What shows which key a sealed delivery gave."""
        (log,) = self.contract.KeySealed.from_receipt(delivery)
        return key_evidence(secret, log.ephemeralX, bytes(log.sealedKey))
