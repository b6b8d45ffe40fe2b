"""Amounts as people say them."""

ETHER = 10**18
"""Wei."""
