"""What is asked for: the task document, published in the datastore and named in the terms."""

from offchain.task.checks import Offer, check_offer
from offchain.task.classes import ClassNames, canonical_classes
from offchain.task.document import (
    MAX_TASK_BYTES,
    MODALITIES,
    Least,
    Task,
    TaskError,
    fetch_task,
    publish_task,
)

__all__ = [
    "MAX_TASK_BYTES",
    "MODALITIES",
    "ClassNames",
    "Least",
    "Offer",
    "Task",
    "TaskError",
    "canonical_classes",
    "check_offer",
    "fetch_task",
    "publish_task",
]
