"""Copies of a shared model's rules with one defence taken out, against which an attack succeeds."""

from __future__ import annotations

from tests.kit.weakened import Weakenings

POINTS = "contracts/sum/incentives/PointsIncentive.sol"
PERCEPTRON = "contracts/sum/classifiers/SparsePerceptron.sol"
INCENTIVE = "contracts/sum/incentives/StakeIncentive.sol"
BAYES = "contracts/sum/classifiers/NaiveBayes.sol"
MODEL = "contracts/sum/SharedModel.sol"
_RECORD = "contracts/sum/Contribution.sol"
_RECORDS = "contracts/sum/Contributions.sol"
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
    "takes over in the noise": (
        _WAITS,
        "TakeOverTooEarly(block.timestamp, from));\n"
        "        _requireQuiet(claim, 2 * uint256(_quiet));",
        "TakeOverTooEarly(block.timestamp, from));",
    ),
    "takes over as soon as it is quiet": (_WAITS, "2 * uint256(_quiet)", "_quiet"),
}
"""Of the stake incentive."""

MODELS: Weakenings = {
    "forgets objections": (MODEL, "_contributions[key] = record.objected();", "record;"),
    "lets nobody uphold": (
        MODEL,
        "_contributions[key] = record.announced(0, block.timestamp - addedAt);",
        "_contributions[key] = record;",
    ),
    "takes over who upholds": (
        MODEL,
        "_contributions[key] = record.announced(0, block.timestamp - addedAt);",
        "_contributions[key] = record.objected();",
    ),
    "upholds by what is gone": (MODEL, "require(stake.isAtStake(), NotAtStake(again));", ""),
    "upholds twice by one": (MODEL, "++since;", ""),
    "upholds for nothing": (MODEL, "require(againAt >= since, TaughtBefore(againAt, since));", ""),
    "starts no wait anew": (
        MODEL,
        "_contributions[key] = record.announced(verdict, block.timestamp - addedAt);",
        "_contributions[key] = record.has(48) ? record.with(verdict)"
        " : record.announced(verdict, block.timestamp - addedAt);",
    ),
}
"""Of the shared model."""

REPEATS: Weakenings = {
    "counts a sample again": (MODEL, "!record.has(ContributionLib.REPEATED)", "true"),
    "frees a pair that counts": (_RECORD, "!has(self, REFUNDED)", "true"),
    "keeps a pair for the first": (_RECORDS, "!first.isSpent()", "true"),
}
"""Of the shared model, too."""

INCOMES: Weakenings = {
    "shares from the start": (
        MODEL,
        "totals.rewardPerGood() > 0 || block.timestamp >= _sharesFrom",
        "true",
    ),
    "takes any cost": (MODEL, "require(cost <= maxCost, CostTooHigh(cost, maxCost));", "maxCost;"),
    "keeps a full pot": (MODEL, "totals.hasRoom(amount) ? totals : _shared(totals)", "totals"),
    "counts to the end": (
        (
            "contracts/sum/Totals.sol",
            "uint88(rewardPerGood(self) + amount / total)",
            "amount / total < type(uint88).max - rewardPerGood(self)"
            " ? rewardPerGood(self) + amount / total : type(uint88).max",
        ),
        (
            "contracts/sum/Totals.sol",
            "amount % total << 168",
            "(amount - (index - rewardPerGood(self)) * total) << 168",
        ),
    ),
    "takes money for nobody": (MODEL, "require(totals.goodData() > 0, NobodyToPay());", ""),
}
"""Of the shared model, of what it takes in."""

ALL_MODELS: Weakenings = {**MODELS, **REPEATS, **INCOMES}
"""Compiled together."""

PRICES: Weakenings = {
    "takes one in a second": (
        INCENTIVE,
        "Math.max(1, block.timestamp - lastUpdate)",
        "block.timestamp - lastUpdate",
    ),
}
"""Of the stake incentive's deposit."""

ALL_INCENTIVES: Weakenings = {**INCENTIVES, **PRICES}
"""Compiled together."""

COUNTS: Weakenings = {
    "charges for a full class": (
        "contracts/sum/classifiers/FeatureCounts.sol",
        "require(samples < MAX_SAMPLES, ClassFull(label, samples));",
        "if (samples == MAX_SAMPLES) return (predicted, false);",
    ),
}
"""Of the classifiers that count."""

GROUPS: Weakenings = {
    "lets anybody contribute": (POINTS, "require(joined[author], NotMember(author));", "author;"),
    "lets anybody report": (
        (
            POINTS,
            "require(claim.claimant == claim.author || claim.goodData > 0,"
            " NoGoodData(claim.claimant));",
            "",
        ),
        (POINTS, "        require(claim.goodData > 0, NoGoodData(claim.claimant));\n", ""),
    ),
}
"""Of the points incentive."""

CLASSIFIERS: Weakenings = {
    "takes the empty sample": (
        "contracts/sum/classifiers/Classifier.sol",
        "require(active > 0, NoFeatures());",
        "",
    ),
}
"""Of the perceptron."""
