"""The base of all errors that people can cause."""


class SoukError(ValueError):
    """What a user, a stranger or the machine may cause; anything else is a bug and shows where.

    Commands print it in one line.
    """
