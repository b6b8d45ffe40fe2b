"""The masks that a seller may choose instead of a plan's, compared in trials."""

from __future__ import annotations

from dataclasses import dataclass, replace

from offchain.hide.making import Plan
from offchain.hide.masks import MaskSettings

BASE = "as in the paper"
"""The plan's own masks: by class, made together."""

APART = "slices apart"
"""The setting under which what a buyer bought tells nothing of other masks."""

SMALL = ("plain", "small-resnet")
"""The networks that are small enough to compare others with on a CPU."""


@dataclass(frozen=True)
class Setting:
    """Masks that are stronger than the plan's, or as strong: what a seller may choose."""

    name: str
    masks: MaskSettings
    joint: tuple[str, ...] = ()


def stronger_settings(plan: Plan) -> tuple[Setting, ...]:
    """What a seller may choose instead of the plan's masks; see `MaskSettings` for each."""
    base = plan.masks
    by_sample = MaskSettings.fitting("sample", base.epsilon)
    others = tuple(name for name in SMALL if name != plan.network)
    more = 2 * base.epsilon
    return (
        Setting(APART, replace(base, apart=True)),
        Setting("grey", replace(base, grey=True)),
        Setting("grey squares of 4 pixels", replace(base, patch=4, grey=True)),
        Setting(f"epsilon {more}", replace(base, epsilon=more)),
        Setting("one mask per image", replace(by_sample, steps=max(base.steps, by_sample.steps))),
        Setting(f"made on {' and '.join((plan.network, *others))}", base, others),
        Setting(f"grey squares, epsilon {more}", replace(base, patch=4, grey=True, epsilon=more)),
        Setting(
            f"grey, epsilon {more}, slices apart",
            replace(base, grey=True, epsilon=more, apart=True),
        ),
    )
