"""Copies of the shared model's contracts with one defence taken out, for attacks to succeed on."""

from __future__ import annotations

from tests.kit.weakened import Weakenings

MODEL = "contracts/sum/SharedModel.sol"
POINTS = "contracts/sum/incentives/PointsIncentive.sol"
PERCEPTRON = "contracts/sum/classifiers/SparsePerceptron.sol"

WEAK_MODELS: Weakenings = {
    "takes a sample again": (
        MODEL,
        "require(!_contributions[key].has(ContributionLib.ADDED), AlreadyAdded(key));",
        "",
    ),
}

WEAK_INCENTIVES: Weakenings = {
    "lets anybody contribute": (POINTS, "require(joined[author], NotMember(author));", "author;"),
    "lets anybody report": (
        POINTS,
        "require(claim.goodData > 0, NoGoodData(claim.claimant));",
        "",
    ),
}

WEAK_CLASSIFIERS: Weakenings = {
    "takes the empty sample": (
        "contracts/sum/classifiers/Classifier.sol",
        "require(active > 0, NoFeatures());",
        "",
    ),
}
