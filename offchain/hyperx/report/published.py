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
