"""Copies of a shared model's rules with one defence taken out, against which an attack succeeds."""

from __future__ import annotations

from tests.kit.weakened import Weakenings

INCENTIVE = "contracts/sum/incentives/StakeIncentive.sol"
MODEL = "contracts/sum/SharedModel.sol"
_WAITS = "contracts/sum/incentives/WaitingIncentive.sol"

INCENTIVES: Weakenings = {
    "reports at once": (
        _WAITS,
        "        _requireAwaited(claim);\n        _requireWord(claim, false);",
        "        _requireWord(claim, false);",
    ),
    "refunds at once": (
        _WAITS,
        "        _requireAwaited(claim);\n        _requireWord(claim, true);",
        "        _requireWord(claim, true);",
    ),
    "knows no quiet": (
        _WAITS,
        "require(block.timestamp >= from, NotQuiet(block.timestamp, from));",
        "from;",
    ),
    "leaves no author alone": (_WAITS, "            from += _authorWait;\n", ""),
    "takes over who announces": (
        _WAITS,
        "Math.max(claim.addedAt, claim.announcedAt)",
        "claim.addedAt",
    ),
}
"""Of the stake incentive."""

MODELS: Weakenings = {
    "forgets objections": (MODEL, "_contributions[key] = record.objected();", "record;"),
    "starts no wait anew": (
        MODEL,
        "_contributions[key] = record.announced(verdict, block.timestamp - addedAt);",
        "_contributions[key] = record.has(48) ? record.with(verdict)"
        " : record.announced(verdict, block.timestamp - addedAt);",
    ),
}
"""Of the shared model."""
