"""What a role wants done on chain: one call of ICleanerSale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Action:
    """call: the method's name. arguments: as the ABI orders them, structs as tuples. pays: in the
    listing's currency, smallest unit; the adapter sends it along or lets the token be drawn."""

    call: str
    arguments: tuple[Any, ...]
    pays: int = 0
