"""Measurements against peers and against plain code, each a module of its own."""
