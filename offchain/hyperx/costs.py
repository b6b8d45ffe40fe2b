"""What taking part costs a provider: gas of its calls, from above, and what it can lose by whom.

The figures bound what `make gas` measures (benchmarks/gas.md) by little; a test compares them.
"""

from __future__ import annotations

from offchain.crypto.settlement import Settlement
from offchain.hyperx.terms import Terms
from offchain.report.outcomes import Outcome

REGISTER, SUBMIT, CLAIM_DEPOSIT, DELIVER = 52_000, 32_500, 45_000, 43_000
"""Calls that cost the same whatever the number of shards."""
REVIEW, REVIEW_SHARD = 50_000, 1_300
REVIEW_HIDDEN, REVIEW_SHARD_HIDDEN = 56_000, 6_050
"""A review, and each shard that it opens."""
CLAIM, CLAIM_SHARD = 50_000, 290
CLAIM_HIDDEN, DELIVER_HIDDEN, CLAIM_SHARD_HIDDEN = 56_000, 48_000, 1_300
"""A claim, and each shard of the dataset; a sealed delivery where addresses are hidden, too."""


def provider_gas(terms: Terms) -> dict[str, int]:
    """Gas of each call that a provider may have to pay for, at most, by the call's name."""
    if terms.published_addresses:
        review = REVIEW + REVIEW_SHARD * terms.sample_limit
        claim = CLAIM + CLAIM_SHARD * terms.shard_count
        delivery = DELIVER
    else:
        review = REVIEW_HIDDEN + REVIEW_SHARD_HIDDEN * terms.sample_limit
        shards = CLAIM_SHARD_HIDDEN * terms.shard_count
        claim, delivery = CLAIM_HIDDEN + shards, DELIVER_HIDDEN + shards
    calls = {"register": REGISTER, "submitFeatures": SUBMIT, "submitReview": review}
    if terms.settlement == Settlement.OPEN:
        calls["claimReward"] = claim
    else:
        calls["deliverKey"] = delivery
    return calls | {"claimDeposit": CLAIM_DEPOSIT}


def outcomes(terms: Terms) -> list[Outcome]:
    """All that may happen to a provider's money, best first."""
    lie = "a wrong key in your review"
    found = [
        Outcome("your dataset is bought", "the collector", terms.reward),
        Outcome(
            "your review is refused, or nobody answers it",
            "the collector's choice or silence",
            terms.compensation,
        ),
        Outcome("another is chosen, or nobody ever evaluates", "the collector", 0),
        Outcome("you open no review in time", "your silence", -terms.penalty),
        Outcome(
            "your review is declared rubbish; the collector loses as much",
            "the collector, rightly or not",
            -terms.burn,
        ),
        Outcome("you are chosen and deliver nothing in time", "your silence", -terms.deposit),
    ]
    if terms.settlement == Settlement.SEALED:
        lie += " or delivery"
    found.append(Outcome(f"{lie} is proved", "your lie", -terms.deposit))
    return sorted(found, key=lambda one: -one.gain)
