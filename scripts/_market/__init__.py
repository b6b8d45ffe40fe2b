"""The commands that all mechanisms have."""
