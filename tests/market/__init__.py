"""All mechanisms at once, each party a bot, compared with rehearsals in one process each."""
