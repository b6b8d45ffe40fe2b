"""The documents that a session's task names: extractor and preprocessing, by their CIDs."""

from __future__ import annotations

import torch

from offchain.data.form import IMAGES, Form
from offchain.hyperx.extractor import load_extractor
from offchain.models.extractor import Extractor
from offchain.models.preprocessing import PlainNumbers, Preprocessing
from offchain.storage import Datastore
from offchain.task import Task

EXTRACTOR, PREPROCESSING = "extractor", "preprocessing"
"""Their names in the task: the extractor's signed description, and what makes its input."""
MAX_DOCUMENT_BYTES = 64 << 10
"""Largest description read, in bytes."""


def fetch_extractor(store: Datastore, task: Task, device: torch.device) -> Extractor:
    """The extractor that a task names; executes no code of strangers."""
    description = store.get(task.document(EXTRACTOR), MAX_DOCUMENT_BYTES)
    return load_extractor(description, store.get, device)


def fetch_preprocessing(store: Datastore, task: Task, form: Form) -> Preprocessing | PlainNumbers:
    """What makes the extractor's input of records of this form: of pictures as the task names it,
    of others nothing but their numbers."""
    if form.modality != IMAGES:
        return PlainNumbers(*form.values)
    return Preprocessing.from_bytes(store.get(task.document(PREPROCESSING), MAX_DOCUMENT_BYTES))
