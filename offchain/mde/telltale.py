"""What crosses before anybody pays, and what it tells: said to both sides before they take part.

Figures are those of benchmarks/mde_leakage.md and of `offchain.mde.coarse`.
"""

from __future__ import annotations

import math

from offchain.mde.coarse import OUTCOMES

READ_BACK = 64
"""Features up to which all rows and labels of an owner's data can be computed from an artefact."""


def artefact_tells(features: int) -> str:
    """What every seller that is invited learns of the buyer's data. features: of a sample."""
    if features <= READ_BACK:
        return "all rows and labels of your training data can be computed back"
    return "a decoder makes readable pictures of your training data"


def quote_tells() -> str:
    """What one quote tells of a seller's data."""
    return f"one of {OUTCOMES} answers, {math.log2(OUTCOMES):.1f} bits at most"


def quotes_tell(quotes: int) -> str:
    """What so many artefacts tell of a seller's data, together."""
    return f"{quotes} artefacts tell {quotes * math.log2(OUTCOMES):.0f} bits at most"
