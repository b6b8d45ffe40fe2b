"""What may be wrong with a request, a mask or a cleaner; every message is one line for people."""

from __future__ import annotations

from offchain.data.imageset import DataError


class HideError(DataError):
    """A request, a mask or a cleaner that cannot be used."""


class EpsilonError(HideError):
    """A bound on masks that is out of range."""


class ClassWithoutImages(HideError):
    """A class that has no images to mask."""


class LevelError(HideError):
    """A level that cannot be asked for."""


class CleanerError(HideError):
    """Bytes that no cleaner can be read from."""


class TruncatedCleaner(CleanerError):
    """Bytes that end too early, or are no safetensors file at all."""


class OversizedCleaner(CleanerError):
    """More bytes than a cleaner may have."""


class CleanerHeader(CleanerError):
    """Metadata that is missing, unknown or out of range."""


class CleanerShape(CleanerError):
    """Masks or numbers of another shape than the metadata says, or values out of range."""


class CleanerDtype(CleanerError):
    """Masks that are not int8, or numbers that are not int32."""


class OtherDataset(CleanerError):
    """A cleaner that was made for another dataset."""
