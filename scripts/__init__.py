"""Ape's commands, and the rooms they share: `_stage` for all mechanisms, one room for each."""
