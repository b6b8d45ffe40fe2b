"""The report of a trading session."""
