"""Figures that the HyperX paper states in its text, to stand beside our own.

Its Figures 5 to 8 are curves without numbers in the text; what can be cited is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["collector", "provider"]

SHARDS = 100
"""Shards per provider in Table 1."""

SAMPLE_BPS = 1_000
"""Share of the shards sampled in Table 1 and Figure 5, in 1/10,000 (section 4.1)."""

GAS_PRICE_GWEI = 20
"""At which section 4.1 turns gas into ether."""

DEPLOYMENT_GAS = 1_551_635
"""Deployment of the trading contract (section 4.1); Table 1's CreateContract is another figure."""


@dataclass(frozen=True)
class CallGas:
    """One row of Table 1.

    name: the paper's. function: the contract function that does the same here.
    role: who pays. optimal_only: paid by the provider of a closed deal alone.
    """

    name: str
    function: str
    role: Role
    gas: int
    optimal_only: bool = False


TABLE_1 = (
    CallGas("CreateContract", "createSession", "collector", 212_269),
    CallGas("Registration", "register", "provider", 2_329_764),
    CallGas("SampleData", "sampleData", "collector", 276_177),
    CallGas("SubmitFeatures", "submitFeatures", "provider", 92_626),
    CallGas("SetCandidate", "setCandidate", "collector", 64_240),
    CallGas("SubmitReview", "submitReview", "provider", 875_704, optimal_only=True),
    CallGas("SetOptimal", "setOptimal", "collector", 49_353),
    CallGas("ClaimReward", "claimReward", "provider", 8_129_865, optimal_only=True),
    CallGas("ClaimDeposit", "claimDeposit", "provider", 35_079),
)
"""Gas per call on the rules of 2020, in the order of a session."""

COLLECTOR_TOTAL = 602_039
LOSING_PROVIDER_TOTAL = 2_457_469
WINNING_PROVIDER_TOTAL = 11_463_038


@dataclass(frozen=True)
class Accuracy:
    """An accuracy of the evaluation model on the validation set, a share of 1."""

    task: str
    setting: str
    accuracy: float


TABLE_5 = (
    Accuracy("MNIST", "1_block", 0.960),
    Accuracy("MNIST", "2_block", 0.929),
    Accuracy("MNIST", "3_block", 0.941),
    Accuracy("MNIST", "4_block", 0.927),
    Accuracy("MNIST", "5_block", 0.734),
    Accuracy("Cifar10", "conv2d_12", 0.645),
    Accuracy("Cifar10", "conv2d_30", 0.724),
    Accuracy("Cifar10", "conv2d_50", 0.754),
    Accuracy("Cifar10", "conv2d_60", 0.735),
    Accuracy("Cifar10", "conv2d_94", 0.681),
    Accuracy("MURA", "conv2_52", 0.683),
    Accuracy("MURA", "conv3_140", 0.681),
    Accuracy("MURA", "conv4_203", 0.716),
    Accuracy("MURA", "conv4_368", 0.727),
    Accuracy("MURA", "conv5_594", 0.624),
)
"""Uncorrupted data, by the layer after which the extractor is cut (section 5.3.1)."""

TABLE_6 = (
    Accuracy("MNIST", "0.17%", 0.845),
    Accuracy("MNIST", "0.33%", 0.883),
    Accuracy("MNIST", "0.50%", 0.920),
    Accuracy("MNIST", "0.67%", 0.946),
    Accuracy("MNIST", "0.83%", 0.960),
    Accuracy("MNIST", "100.0%", 0.998),
    Accuracy("Cifar10", "2.0%", 0.706),
    Accuracy("Cifar10", "4.0%", 0.754),
    Accuracy("Cifar10", "6.0%", 0.778),
    Accuracy("Cifar10", "8.0%", 0.795),
    Accuracy("Cifar10", "10.0%", 0.815),
    Accuracy("Cifar10", "100.0%", 0.9408),
    Accuracy("MURA", "10.0%", 0.681),
    Accuracy("MURA", "20.0%", 0.727),
    Accuracy("MURA", "30.0%", 0.731),
    Accuracy("MURA", "40.0%", 0.733),
    Accuracy("MURA", "50.0%", 0.745),
    Accuracy("MURA", "100.0%", 0.843),
)
"""Uncorrupted data, by the share of the dataset that is sampled (section 5.3.2)."""

PROVIDERS_PER_GROUP = 5
"""Providers in a group among whom the best is to be found (sections 5.1.2 to 5.1.4)."""

MISLABELLED_DATASETS, MISLABELLED_GROUPS = 11, 462
"""Synthetic datasets and groups of Figure 6, the original included."""

MUTATED_DATASETS, MUTATED_GROUPS = 10, 252
"""The same for each kind of image mutation (Figure 7) and for doping (Figure 8)."""
