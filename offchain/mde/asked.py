"""What an order asks for: a task document that also names the artefact by which data is priced.

The order's `artefact` on chain is the digest in the task's CID. The task lies in the datastore for
everybody; of the artefact it has the SHA-256 alone, and who gets the file holds it against that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch

from offchain.mde.errors import ArtefactMismatch, FeatureMismatch
from offchain.mde.samples import Kind, Samples
from offchain.storage import cid_from_digest, digest_of
from offchain.storage.cid import RAW, codec_of
from offchain.task import Offer, Task, TaskError
from offchain.task.checks import fits, told
from offchain.task.columns import width_of

ARTEFACT = "artefact"
"""The pricing artefact's name among a task's documents: a raw CID that has the file's SHA-256."""

MARK = "mark"
"""Another such CID, of nothing: it tells an order from others of its buyer's that ask for the same
under the same artefact."""

_MODALITIES: Mapping[bool, str] = {True: "images", False: "table"}
"""By whether samples are images."""


def naming(task: Task, artefact: bytes, mark: bytes | None = None) -> Task:
    """The task of an order under an artefact.

    artefact: the file's digest. mark: see `MARK`; both 32 bytes.
    """
    named = {ARTEFACT: artefact} | ({} if mark is None else {MARK: mark})
    cids = {name: cid_from_digest(digest, RAW) for name, digest in named.items()}
    return replace(task, documents={**task.documents, **cids})


def artefact_named(task: Task) -> bytes:
    """The digest of the artefact file that a task names, 32 bytes. Raises TaskError."""
    cid = task.document(ARTEFACT)
    if codec_of(cid) != RAW:
        raise TaskError(f"task: the artefact's CID {cid} is no digest of a file")
    return digest_of(cid)


def values_of(task: Task) -> tuple[int, ...]:
    """The shape of one sample's numbers: of a row of named columns, each number and category."""
    return (width_of(task.columns),) if task.columns else task.shape


def offer_of(samples: Samples, task: Task) -> Offer:
    """What samples, no two alike, have to offer for a task.

    Raises FeatureMismatch or UnknownLabel for samples that no such task has.
    """
    classes = len(task.classes)
    Kind(samples.shape, samples.inputs.dtype == torch.uint8, classes).check(samples)
    counts = torch.bincount(samples.labels, minlength=classes)
    images = samples.inputs.dtype == torch.uint8
    # Rows of the right width are of the task's columns: whoever made numbers of them saw to it.
    if task.columns and samples.shape != values_of(task):
        raise FeatureMismatch(
            f"samples are {told(samples.shape)} numbers, the task's {len(task.columns)} columns "
            f"become {told(values_of(task))}"
        )
    shape = task.shape if task.columns else samples.shape
    return Offer(_MODALITIES[images], shape, counts.tolist(), len(samples))


def require_sizes(task: Task, features: int, value_bytes: int) -> None:
    """Raises FeatureMismatch unless samples of an order can be of its task's shape."""
    images = task.modality == _MODALITIES[True]
    sides = math.prod(values_of(task))
    if value_bytes != (1 if images else 4) or sides not in (0, features):
        raise FeatureMismatch(
            f"the order is for {features} values of {value_bytes} bytes, its task for "
            f"{task.modality} of {told(task.shape)}"
        )


def require_kind(task: Task, kind: Kind) -> None:
    """Raises ArtefactMismatch unless an artefact prices what its order's task asks for."""
    modality = _MODALITIES[kind.images]
    if (
        modality != task.modality
        or kind.classes != len(task.classes)
        or not fits(values_of(task), kind.shape)
    ):
        raise ArtefactMismatch(
            f"the artefact prices {modality} of {told(kind.shape)} in {kind.classes} classes, "
            f"the task asks for {task.modality} of {told(task.shape)} in {len(task.classes)}"
        )
