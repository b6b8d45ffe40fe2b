"""What the libraries complain about, turned into one line for people: the only place that does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from ape.exceptions import ApeException

from offchain.crypto.errors import CryptoError
from offchain.data.imageset import DataError
from offchain.hyperx.extractor import ExtractorError
from offchain.hyperx.manifest import ManifestError
from offchain.hyperx.obfuscation import ObfuscationError
from offchain.hyperx.review import ReviewError
from offchain.mde.errors import MdeError
from offchain.models.backbones import BackboneError
from offchain.models.canonical import DocumentError
from offchain.models.device import DeviceError
from offchain.seccl.accountant import PrivacyError
from offchain.seccl.attacks import AttackError
from offchain.seccl.audit import AuditError
from offchain.seccl.defences import DefenceError
from offchain.seccl.engine import EngineError
from offchain.seccl.messages import BoardError
from offchain.seccl.parameters import ModelError
from offchain.seccl.server import MessageRefused
from offchain.seccl.updates import UpdateError
from offchain.storage import DatastoreError
from offchain.sum.reviews import ReviewError as FilmReviewError
from offchain.sum.study.errors import StudyError

PEOPLES_ERRORS = (
    DataError,
    DatastoreError,
    BackboneError,
    DeviceError,
    DocumentError,
    ExtractorError,
    ManifestError,
    ObfuscationError,
    ReviewError,
    FilmReviewError,
    StudyError,
    CryptoError,
    MdeError,
    PrivacyError,
    AttackError,
    AuditError,
    DefenceError,
    BoardError,
    ModelError,
    EngineError,
    MessageRefused,
    UpdateError,
    ApeException,
    OSError,
)
"""What a user, a stranger or the machine may cause; anything else is a bug and shows where."""


@contextmanager
def one_line_each() -> Iterator[None]:
    """Turns each of `PEOPLES_ERRORS` into a ClickException of one line."""
    try:
        yield
    except PEOPLES_ERRORS as error:
        raise click.ClickException(" ".join(str(error).split())) from error
