"""What efficacy and pricing refuse; every message is one line for people."""

from offchain.errors import SoukError


class MdeError(SoukError):
    """Base of everything that this package raises on bad input."""


class EmptySet(MdeError):
    """A set of no samples."""


class FeatureMismatch(MdeError):
    """Samples of another kind or size than the model owner's."""


class UnknownLabel(MdeError):
    """A label that the task does not have."""


class NotFinite(MdeError):
    """NaN or infinity, in data or in what a model gives."""


class NotDifferentiable(MdeError):
    """A method that needs gradients, asked of a model that has none."""


class SingularHessian(MdeError):
    """A Hessian without an inverse, and no damping that would give it one."""


class NotConverged(MdeError):
    """A solver that did not reach its tolerance, or left it for infinity."""


class Untrained(MdeError):
    """A model that was not trained on the data that its scores would refer to."""


class TooLarge(MdeError):
    """Work that exceeds its stated budget of memory."""


class PriceError(MdeError):
    """Parameters that make no price function."""


class NotMonotone(PriceError):
    """A price function that pays less for more."""


class ArtefactError(MdeError):
    """An artefact that cannot be read, or is not what it should be."""


class ArtefactMismatch(ArtefactError):
    """An artefact that is not the one committed to."""


class SessionError(MdeError):
    """Events that cannot be those of one contract."""


class QuoteRefused(MdeError):
    """A quote that a careful buyer does not sign."""
