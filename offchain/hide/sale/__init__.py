"""Selling cleaners of a masked dataset: the roles of seller and buyer (Hide-and-Seek)."""
