"""Matplotlib's figures as files. They use no global state of it, and no display."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

DPI = 150


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as a PNG file at `dpi` dots an inch."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
