"""Whether the further shards of a review are as good as those that were sampled.

The collector's own head, trained on its validation set, gives a label to every opened sample. In
an honest dataset shards differ by chance alone, so it agrees with the further shards as often as
with the sampled ones, however many labels are wrong or images noisy. A shard that it agrees with
far less was put there by somebody who hoped that nobody would look.

One small shard may be all wrong by chance; so may not many. So all further shards together are held
against the sample too, by Fisher's exact test, and each question has half of the false alarms.
"""

from __future__ import annotations

import torch

from offchain.hyperx.quality import CONFIDENCE


def rubbish_shard(
    sampled: torch.Tensor, further: torch.Tensor, false_alarms: float
) -> tuple[int, str] | None:
    """The worst further shard if chance does not explain it or all of them, and why; else None.

    Args:
        sampled: bool (N,), whether the head agrees with each sample of the sampled shards.
        further: bool (F, size), the same of the further shards; F at least 1.
        false_alarms: how often that may happen to an honest review, in (0, 1).
    """
    from scipy.stats import binom, binomtest, hypergeom  # type: ignore[import-untyped, unused-ignore]

    agreed, size = int(sampled.sum()), further.shape[1]
    # The least share that the sample lets one expect.
    expected = binomtest(agreed, len(sampled)).proportion_ci(CONFIDENCE, method="wilson").low
    counts = further.sum(dim=1)
    worst = int(counts.argmin())
    share = f"{agreed / len(sampled):.0%} sampled"
    if binom.cdf(int(counts[worst]), size, expected) < false_alarms / 2 / len(further):
        return worst, f"{int(counts[worst])} of {size} labels are as expected, {share}"
    right, asked = int(counts.sum()), counts.numel() * size
    # How often so few of all that are right fall to the further samples.
    if hypergeom.cdf(right, len(sampled) + asked, agreed + right, asked) < false_alarms / 2:
        return worst, f"{right} of {asked} labels of all further shards are as expected, {share}"
    return None
