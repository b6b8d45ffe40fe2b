"""Rubbish under many accounts, of which those with a clean sample go on: from which share on it
does not pay.

One dataset stands under any number of accounts, some of its shards rubbish. Each account's sample
is drawn by itself, and whoever draws rubbish stays away for gas alone, since any 32 bytes pass as
features. Who goes on is asked for a review, which opens further shards; they are drawn when it is
the candidate, and it sees them before it answers. So it opens its review or stays silent,
whichever costs less, and after a loss the next account is tried. More accounts are more such
attempts: they gain nothing if one attempt does not.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from offchain.hyperx.terms import Terms

FloatArray = npt.NDArray[np.float64]


def attempt(terms: Terms, rubbish: int, missed: float | FloatArray = 0.0) -> float:
    """What a candidate with a clean sample gains on average, in the smallest unit.

    Args:
        terms: of the session; the collector samples as its role does.
        rubbish: how many of the shards are, at most those that were not sampled.
        missed: how likely the collector takes one rubbish shard for a good one, in [0, 1]; or,
            for each number of opened rubbish shards from none on, how likely it finds none of
            them, float (further + 1,).
    """
    from scipy.stats import hypergeom  # type: ignore[import-untyped, unused-ignore]

    unopened = terms.shard_count - terms.first_sample
    further = terms.sample_limit - terms.first_sample
    hits = np.arange(min(rubbish, further) + 1)
    chances = hypergeom.pmf(hits, unopened, rubbish, further)
    passes = missed[hits] if isinstance(missed, np.ndarray) else missed**hits
    opens = passes * terms.reward - (1 - passes) * terms.burn
    return float(chances @ np.maximum(opens, -terms.penalty))


def least_share(terms: Terms, missed: float | FloatArray = 0.0) -> float:
    """The smallest share of rubbish, in (0, 1], with which no number of accounts gains anything.

    With one that leaves too few good shards for a sample nobody goes on.
    """
    unopened = terms.shard_count - terms.first_sample
    counts = range(1, unopened + 1)
    found = bisect_left(counts, True, key=lambda rubbish: attempt(terms, rubbish, missed) <= 0)
    return (found + 1) / terms.shard_count


def told(terms: Terms) -> str:
    """The same in one line for people."""
    share = f"{100 * least_share(terms):.1f} %"
    return f"many accounts gain by rubbish below {share} of the shards, not above"
