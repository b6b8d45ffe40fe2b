"""What a seller tells of a listing beside it: where the encrypted cleaners are, and what is free.

Nothing in it is believed. Files must match the commitments on chain; what a counter-measure regains
a buyer can measure on the masked data, which it has for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.listings import MAX_LEVELS
from offchain.models.canonical import from_canonical, take, to_canonical
from offchain.storage import digest_of

MAX_CATALOGUE_BYTES = 1 << 14
_NAME_CHARS = 80


@dataclass(frozen=True)
class Catalogue:
    """files: CID of each level's encrypted cleaner. network: on which accuracies were verified.
    masked: accuracy that the masked data gives as it is. counter, regained: the free
    counter-measure that regains most, and the accuracy that it reaches. Accuracies in [0, 1]."""

    files: tuple[str, ...]
    network: str
    masked: float
    counter: str
    regained: float

    def __post_init__(self) -> None:
        if not 1 <= len(self.files) <= MAX_LEVELS:
            raise SaleError(f"a catalogue has 1 to {MAX_LEVELS} files, not {len(self.files)}")
        for cid in self.files:
            digest_of(cid)
        for accuracy in (self.masked, self.regained):
            if not 0 <= accuracy <= 1:
                raise SaleError(f"an accuracy is 0 to 1, not {accuracy:g}")
        if max(len(self.network), len(self.counter)) > _NAME_CHARS:
            raise SaleError(f"a name in a catalogue has at most {_NAME_CHARS} characters")

    def to_bytes(self) -> bytes:
        """The document as canonical JSON, the same bytes for the same catalogue."""
        return to_canonical(
            {
                "counter": self.counter,
                "files": list(self.files),
                "masked": self.masked,
                "network": self.network,
                "regained": self.regained,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Catalogue:
        """The catalogue in untrusted bytes.

        Raises DocumentError, InvalidCid or SaleError saying what is wrong.
        """
        said = from_canonical(data, "the catalogue", MAX_CATALOGUE_BYTES)
        files, network, masked, counter, regained = take(
            said,
            "the catalogue",
            files=list,
            network=str,
            masked=float,
            counter=str,
            regained=float,
        )
        if not all(isinstance(cid, str) for cid in files):
            raise SaleError("the files of a catalogue are CIDs")
        return cls(tuple(files), network, masked, counter, regained)
