"""Gas of 0xDeCA10B's contracts, measured by us: solc 0.6 optimised, 1,000 binary features.

Sparse perceptron and its stake incentive, receipts on Anvil with the rules of Prague. The peer has
each weight in a slot of its own, so which features are active makes no difference to it.
"""

from __future__ import annotations

PEER = {
    20: {
        "add, model right": 255_271,
        "add, model wrong": 305_314,
        "refund": 199_084,
        "report": 185_809,
    },
    60: {
        "add, model right": 393_591,
        "add, model wrong": 583_227,
        "refund": 307_383,
        "report": 311_177,
    },
    120: {
        "add, model right": 600_890,
        "add, model wrong": 1_000_214,
        "refund": 495_303,
        "report": 499_483,
    },
}
"""By active features and call."""

PEER_PREDICT = {20: 80_950, 60: 194_364, 120: 364_199}
"""Gas of executing a prediction, without a transaction's intrinsic gas and calldata."""
