"""A page of sections, each with pictures, tables, facts or lines, in one file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.report.files import environment
from offchain.report.sheets import Sheet
from offchain.report.text import plain

_LINE_CHARS = 400


@dataclass(frozen=True)
class Picture:
    """A PNG file, and what it shows for who cannot see it."""

    png: bytes
    told: str

    @property
    def base64(self) -> str:
        """The PNG in base64, as the page embeds it."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Section:
    """What stands under one heading. Sheets are taken as they are, facts and lines made plain."""

    title: str
    pictures: tuple[Picture, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """What a command reports.

    title: for the browser's tab. headline: what it came to, in a sentence. verdict: whether it
    ended as it should, in a sentence. good: whether it did; None where there is nothing to judge.
    """

    title: str
    headline: str
    verdict: str
    good: bool | None
    sections: Sequence[Section]

    def html(self) -> str:
        """The page. It loads nothing and runs nothing: no script, no address, and a policy that
        forbids both. All texts are escaped."""
        shown = [
            Section(
                section.title,
                section.pictures,
                section.sheets,
                tuple((plain(name), plain(value, _LINE_CHARS)) for name, value in section.facts),
                tuple(plain(line, _LINE_CHARS) for line in section.lines),
            )
            for section in self.sections
        ]
        return (
            environment()
            .get_template("page.html.j2")
            .render(
                title=plain(self.title),
                headline=plain(self.headline, _LINE_CHARS),
                verdict=plain(self.verdict, _LINE_CHARS),
                mark={None: "", True: "yes", False: "no"}[self.good],
                sections=shown,
            )
        )
