"""MDE on a chain: orders, quotes and deals."""
