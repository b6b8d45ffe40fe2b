"""Gas of 0xDeCA10B's contracts, measured by us: solc 0.6 optimised, 1,000 binary features.

Its classifiers with its stake incentive, receipts on Anvil with the rules of Prague; a prediction
is its execution alone, without a transaction's intrinsic gas and calldata. The peer has each weight
or count in a slot of its own, so which features are active makes no difference to it. The label
does: to store a label other than 0 costs it some 20,000 more. The right label was 1 here where the
model could be brought to it, and 0 with the 20 features of the centroids and for naive Bayes, whose
probabilities are integers that vanish after a few features: it said 0 of every sample we tried.
"""

from __future__ import annotations

PEER = {
    "SparsePerceptron": {
        20: {
            "add, model right": 255_271,
            "add, model wrong": 305_314,
            "refund": 199_084,
            "report": 185_809,
            "predict": 56_746,
        },
        60: {
            "add, model right": 393_591,
            "add, model wrong": 583_227,
            "refund": 307_383,
            "report": 311_177,
            "predict": 164_173,
        },
        120: {
            "add, model right": 600_890,
            "add, model wrong": 1_000_214,
            "refund": 495_303,
            "report": 499_483,
            "predict": 325_218,
        },
    },
    "NearestCentroid": {
        20: {
            "add, model right": 311_536,
            "add, model wrong": 332_084,
            "refund": 265_402,
            "report": 260_967,
            "predict": 148_100,
        },
        60: {
            "add, model right": 609_457,
            "add, model wrong": 589_015,
            "refund": 514_678,
            "report": 518_204,
            "predict": 419_471,
        },
        120: {
            "add, model right": 1_008_395,
            "add, model wrong": 988_483,
            "refund": 925_588,
            "report": 905_092,
            "predict": 779_332,
        },
    },
    "NaiveBayes": {
        20: {
            "add, model right": 303_040,
            "add, model wrong": 323_588,
            "refund": 255_877,
            "report": 259_462,
            "predict": 130_555,
        },
        60: {
            "add, model right": 563_494,
            "add, model wrong": 582_876,
            "refund": 521_793,
            "report": 512_215,
            "predict": 365_362,
        },
        120: {
            "add, model right": 952_675,
            "add, model wrong": 972_587,
            "refund": 887_877,
            "report": 891_465,
            "predict": 717_585,
        },
    },
}
"""By classifier, active features and call."""

PEER_INITIALISE = {
    "SparsePerceptron": 22_956_124,
    "NearestCentroid": 49_239_900,
    "NaiveBayes": 48_723_748,
}
"""All weights, or all counts of both classes, 250 a call: four calls, or eight."""
