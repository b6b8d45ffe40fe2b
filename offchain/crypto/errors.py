"""Errors of the cryptographic layer."""


class CryptoError(ValueError):
    """Base of everything this package raises on bad input."""


class CommitmentError(CryptoError):
    """A value that cannot be committed to, or a proof that cannot be made."""


class SealError(CryptoError):
    """A sealed message that this key does not open."""


class ShardCipherError(CryptoError):
    """A shard that this key does not decrypt."""
