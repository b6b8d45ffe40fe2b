"""How task documents and what is offered for them fail."""

from __future__ import annotations

from offchain.errors import SoukError


class TaskError(SoukError):
    """Bytes that are no task document, or a task that cannot be written; one line for people."""


class ClassesUnknown(TaskError):
    """Class names that a task does not have.

    names: of the owner's, as they are written there.
    """

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


class ColumnsUnknown(TaskError):
    """Columns of a task that a table does not have. names: of the task's."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names


class LicenceRefused(TaskError):
    """A licence under which the owner does not give its data."""


class RetentionRefused(TaskError):
    """A task that asks its owner to keep content for longer than it wants."""


class OfferRefused(TaskError):
    """Data that is not what a task asks for.

    shape: that the task wants, where the data's is another.
    """

    def __init__(self, message: str, shape: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.shape = shape
