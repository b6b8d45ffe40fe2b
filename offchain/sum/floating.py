"""Positive numbers with 128 significant bits: the twin of contracts/sum/classifiers/Floating.sol.

A number is a pair (mantissa, exponent), worth mantissa * 2**exponent, 2**127 <= mantissa < 2**128.
"""

from __future__ import annotations

Floating = tuple[int, int]


def from_integer(value: int, exponent: int) -> Floating:
    """value * 2**exponent, value > 0; bits beyond 128 are cut off."""
    shift = value.bit_length() - 128
    return (value >> shift if shift > 0 else value << -shift, exponent + shift)


def power(base: int, n: int) -> Floating:
    """base**n by squaring, base > 0, rounded down at each step."""
    result, square = (1 << 127, -127), from_integer(base, 0)
    while n:
        if n & 1:
            result = _times(result, square)
        square = _times(square, square)
        n >>= 1
    return result


def quotient_key(a: Floating, b: Floating) -> int:
    """A key that orders quotients: greater where a / b is greater; never 0."""
    shift = 127 if a[0] >= b[0] else 128
    return ((1 << 64) + a[1] - b[1] - shift) << 128 | (a[0] << shift) // b[0]


def _times(a: Floating, b: Floating) -> Floating:
    return from_integer(a[0] * b[0], a[1] + b[1])
