"""Whether scores can be priced by: the model was trained, and the solver came to an end."""

from __future__ import annotations

import numpy as np

from offchain.mde.errors import NotConverged, Untrained
from offchain.mde.samples import Floats, Samples, Task


def require_trained(said: Floats, task: Task) -> None:
    """Raises Untrained where a model tells its own training data no better than their shares do.

    said: float64 (n, C), what the model believes of `task.train`. Judged by the mean squared
    distance from the labels, which no single sure mistake outweighs.
    """
    shares = np.bincount(task.train.labels.numpy(), minlength=task.classes) / len(task.train)
    model, guess = _distance(said, task.train), 1 - float(shares @ shares)
    # One class alone can be told by its share perfectly; then any model has to do as well.
    if not model < guess and not model <= 1e-6:
        raise Untrained(
            f"the model is off its own training data by {model:.3g} a sample, the shares of the "
            f"classes by {guess:.3g}: it was not trained on them"
        )


def require_converged(diagnostics: dict[str, float]) -> None:
    """Raises NotConverged where a solver's diagnostics say that it stopped short."""
    if diagnostics.get("converged", 1.0) != 1.0:
        raise NotConverged(
            f"the solver stopped after {diagnostics['iterations']:.0f} passes with a residual of "
            f"{diagnostics['residual']:.2g}: allow more passes, or state more damping"
        )


def _distance(said: Floats, samples: Samples) -> float:
    labels = samples.labels.numpy()
    right = said[np.arange(len(labels)), labels]
    return float(((said**2).sum(1) - 2 * right + 1).mean())
