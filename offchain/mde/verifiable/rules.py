"""A price function as the contract has it: the twin of ``contracts/mde/quotes/PriceRules.sol``."""

from __future__ import annotations

from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.mde.errors import PriceError
from offchain.mde.pricing import Binary, Piecewise, PriceFunction

MAX_PRICE = 2**96 - 1
MAX_SCORE = 2**63 - 1

PriceRule = tuple[int, int, int, int, int, list[tuple[int, int]]]
"""The struct of ``PriceRules.sol``, as a call takes it."""


def price_rule(function: PriceFunction) -> PriceRule:
    """The struct. Raises PriceError where a price needs more than 96 bits, or a score than 64."""
    points = [(score, price) for score, price in function.curve.points()]
    for _, price in [(0, function.most), *points]:
        if price > MAX_PRICE:
            raise PriceError(f"a price on chain is at most 2**96 - 1, not {price}")
    for score, _ in points:
        if abs(score) > MAX_SCORE:
            raise PriceError(f"a score on chain lies within 2**63 - 1 either way, not {score}")
    curve = function.curve
    kind = 0 if isinstance(curve, Binary) else 1 if isinstance(curve, Piecewise) else 2
    return (kind, function.floor, function.most, function.harmful, function.useful, points)


def rule_hash(function: PriceFunction) -> bytes:
    """What an order names of it. Raises PriceError, see ``price_rule``."""
    *head, points = price_rule(function)
    words = [0x20, *head, 0xC0, len(points), *(number for point in points for number in point)]
    return keccak(b"".join(word(number % 2**256) for number in words))
