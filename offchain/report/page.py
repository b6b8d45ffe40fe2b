"""A page in one file from tables, pictures and texts; it loads nothing and runs nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from offchain.report.sheets import Sheet
from offchain.report.text import plain

_LINE_CHARS = 400


@dataclass(frozen=True)
class Picture:
    """alt: what it shows. png: the file."""

    alt: str
    png: bytes

    @property
    def source(self) -> str:
        """As a page holds it."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Part:
    """A section under `heading`: pictures, tables, pairs of name and value, lines of text."""

    heading: str
    pictures: Sequence[Picture] = ()
    sheets: Sequence[Sheet] = ()
    pairs: Sequence[tuple[str, str]] = ()
    lines: Sequence[str] = ()


def environment() -> Environment:
    """The templates of this folder. All texts are escaped, and no value may be missing."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(title: str, headline: str, verdict: str, parts: Sequence[Part]) -> str:
    """The page. A policy in it forbids scripts and addresses.

    Lines are cut short and made printable here; other texts should have gone through `plain`.
    """
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            title=plain(title),
            headline=headline,
            verdict=verdict,
            parts=parts,
            line=lambda text: plain(text, _LINE_CHARS),
        )
    )
