"""Parties of each mechanism as bots, whose processes, node, datastores and clocks fail at random."""
