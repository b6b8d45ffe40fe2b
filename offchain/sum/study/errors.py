"""What can go wrong with a study for reasons that are no bug."""

from offchain.errors import SoukError


class StudyError(SoukError):
    """Records, or a cluster, that cannot be used; the message is one line for people."""
