"""Units of money, so that tests name amounts as people do."""

ETHER = 10**18
"""Wei."""
