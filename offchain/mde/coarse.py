"""How coarsely a seller speaks: each answer about its data is one of `OUTCOMES`.

Whoever writes an artefact writes the question too: leaves that weigh 2**i make an exact price a
list of the samples in them. So a seller says how many steps above the floor its data reach, not
where between two of them, and nothing else about them before it is paid.
"""

from __future__ import annotations

from offchain.mde.pricing import PriceFunction
from offchain.policy import TermsRefused

STEPS = 25
"""Equal steps from a rule's floor to the most that it pays."""

OUTCOMES = STEPS + 3
"""No quote, nothing, the floor, or a step above it: less than 5 bits."""

QUOTES = 16
"""Artefacts that one dataset is held against unless its owner says otherwise."""


def step_of(rule: PriceFunction, price: int) -> int:
    """How many whole steps a price of `rule` is above the floor, 0..STEPS."""
    above = max(0, min(price, rule.most) - rule.floor)
    return above * STEPS // (rule.most - rule.floor)


def coarse(rule: PriceFunction, price: int) -> int:
    """The highest of 27 prices that is not above `price`: 0, the floor, or a step above it.

    A seller may ask less than the rule gives, never more.
    """
    if price < rule.floor:
        return 0
    return rule.floor + -(-step_of(rule, price) * (rule.most - rule.floor) // STEPS)


def fair(rule: PriceFunction, price: int) -> int:
    """The coarse price that a seller asks where `price` is what the rule gives.

    Who writes a rule chooses its steps: one that pays its most for what nobody has makes the first
    step so high that all else falls to the floor. Raises TermsRefused where more than half would be
    lost by that.
    """
    asked = coarse(rule, price)
    if asked and 2 * asked < price:
        raise TermsRefused(
            f"the rule's steps are too coarse: it gives {price} wei, and the step below is {asked}"
        )
    return asked
