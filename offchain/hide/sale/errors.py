"""What may be wrong with a sale; every message is one line for people."""

from __future__ import annotations

from offchain.crypto.errors import CryptoError


class SaleError(CryptoError):
    """A listing, a request or a piece of goods that cannot be used."""
