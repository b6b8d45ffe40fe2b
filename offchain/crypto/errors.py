"""Errors of the cryptographic layer."""

from offchain.errors import SoukError


class CryptoError(SoukError):
    """Base of everything this package raises on bad input."""


class CommitmentError(CryptoError):
    """A value that cannot be committed to, or a proof that cannot be made."""


class SealError(CryptoError):
    """A sealed message that this key does not open."""


class ShardCipherError(CryptoError):
    """A shard that this key does not decrypt."""


class FileError(CryptoError):
    """A file for sale that is malformed, not the committed one, or not to be opened by this key."""


class SpoiltChunkError(FileError):
    """A chunk that the right key does not decrypt to the committed one: provable on chain.

    Attributes:
        index: which chunk.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"chunk {index} does not decrypt to the committed chunk")
        self.index = index
