"""A market of bots whose processes, node, datastores and clocks fail at random."""
