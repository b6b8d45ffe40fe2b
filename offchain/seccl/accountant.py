"""What training with `ImagePrivacy` costs: epsilon at a delta, by opacus's RDP accountant.

Mironov, Talwar and Zhang, "Renyi differential privacy of the sampled Gaussian mechanism", 2019:
data sets are neighbours when one has one image more, and every step draws its images by Poisson
sampling, as `Sampling` does. What it says is an upper bound. Importing opacus takes over a second,
and few who train together need it: it is imported where it is used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from offchain.errors import SoukError
from offchain.seccl.image_privacy import Sampling

_HIGH_ORDERS = (64, 80, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Orders beyond opacus's own, without which no epsilon below about 0.2 can be shown."""


class PrivacyError(SoukError):
    """A privacy that cannot be had; the message is one line for people."""


@lru_cache
def image_epsilon(noise: float, sampling: Sampling, rounds: int, delta: float) -> float:
    """The epsilon that an image of one participant has spent after so many rounds, 0 or more.

    noise: as in `ImagePrivacy`. Raises PrivacyError unless noise is above 0 and delta above 0 and
    below 1.
    """
    if not 0 < noise < math.inf:
        raise PrivacyError(f"noise must be above 0 and finite, not {noise:g}")
    _check_delta(delta)
    if not rounds:
        return 0.0
    from opacus.accountants import RDPAccountant  # type: ignore[import-untyped, unused-ignore]

    accountant = RDPAccountant()
    accountant.history = [(noise, sampling.rate, rounds * sampling.steps)]
    with _orders() as orders:
        return float(accountant.get_epsilon(delta, alphas=orders))


@lru_cache
def noise_for(epsilon: float, sampling: Sampling, rounds: int, delta: float) -> float:
    """The least noise, a multiple of the clip, by which so many rounds cost at most `epsilon`.

    Found to a hundredth of epsilon. Raises PrivacyError when no noise is enough, unless epsilon
    is above 0 and finite, and as `image_epsilon`.
    """
    from opacus.accountants.utils import (  # type: ignore[import-untyped, unused-ignore]
        get_noise_multiplier,
    )

    if not 0 < epsilon < math.inf:
        raise PrivacyError(f"epsilon must be above 0 and finite, not {epsilon:g}")
    _check_delta(delta)
    with _orders() as orders:
        try:
            found = get_noise_multiplier(
                target_epsilon=epsilon,
                target_delta=delta,
                sample_rate=sampling.rate,
                steps=rounds * sampling.steps,
                accountant="rdp",
                epsilon_tolerance=epsilon / 100,
                alphas=orders,
            )
        except ValueError as error:
            raise PrivacyError(
                f"epsilon {epsilon:g} at delta {delta:g} is out of reach, however much the noise"
            ) from error
    return float(found)


@contextmanager
def _orders() -> Iterator[list[float]]:
    """The orders at which privacy is computed; the best of them counts."""
    from opacus.accountants import RDPAccountant

    with warnings.catch_warnings():
        # That the best order is the first or last tried: the bound is less tight then, no more.
        warnings.filterwarnings("ignore", message="Optimal order is")
        yield [*RDPAccountant.DEFAULT_ALPHAS, *_HIGH_ORDERS]


def _check_delta(delta: float) -> None:
    if not 0 < delta < 1:
        raise PrivacyError(f"delta must be above 0 and below 1, not {delta:g}")
