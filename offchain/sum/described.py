"""How the samples of a task are made: of words or of columns, as its modality says."""

from __future__ import annotations

from offchain.storage import Datastore
from offchain.sum import columns, texts
from offchain.sum.columns import Columns
from offchain.sum.preprocessing import DOCUMENT, MAX_BYTES, Preprocessing, PreprocessingError
from offchain.task import Task

Prepared = Preprocessing | Columns


def preprocessing_of(task: Task, data: bytes) -> Prepared:
    """Reads the untrusted document that a task names. Raises PreprocessingError."""
    if task.modality == texts.MODALITY:
        return Preprocessing.from_bytes(data)
    if task.modality == columns.MODALITY:
        found = Columns.from_bytes(data)
        if task.shape != (len(found.vocabulary),):
            raise PreprocessingError(
                f"preprocessing: {len(found.vocabulary)} columns, the task has {task.shape}"
            )
        return found
    raise PreprocessingError(f"preprocessing: a model learns texts or tables, not {task.modality}")


def fetch_preprocessing(store: Datastore, task: Task) -> Prepared:
    """What the task names, pinned. Raises PreprocessingError, TaskError, and what stores raise."""
    cid = task.document(DOCUMENT)
    found = preprocessing_of(task, store.get(cid, MAX_BYTES))
    store.pin(cid)
    return found
