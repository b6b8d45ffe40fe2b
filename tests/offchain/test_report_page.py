"""A page from parts: everything is on it, nothing of it runs or is fetched."""

from __future__ import annotations

import base64
import re

from offchain.report.page import Part, Picture, render_page
from offchain.report.sheets import Row, Sheet

HOSTILE = '<script src="http://x.example/a.js">alert(1)</script>\x1b[2J\u202e'


def page(text: str) -> str:
    """One with that text wherever a text can be."""
    sheet = Sheet("Table", ("name", "number"), 1, (Row((text, "7"), True),), note=text)
    part = Part(
        "Part",
        pictures=(Picture(text, b"\x89PNG"),),
        sheets=(sheet,),
        pairs=(("name", text),),
        lines=(text,),
    )
    return render_page(text, text, text, (part, Part("Empty")))


def test_all_parts_are_on_the_page_in_their_order():
    """Headings, picture, table with its note, pairs and lines."""
    html = page("a word")
    places = [html.index(text) for text in ("<h2>Part</h2>", "<img", "<table>", "<dl>", "<ol>")]
    assert places == sorted(places)
    assert base64.b64encode(b"\x89PNG").decode() in html
    assert html.count("a word") == 8
    assert html.index("<ol>") < html.index("<h2>Empty</h2>")
    assert html.count("<ol>") == html.count("<dl>") == 1


def test_what_a_stranger_wrote_is_shown_and_does_nothing():
    """Texts are escaped, and the page's own policy forbids scripts and addresses."""
    html = page(HOSTILE)
    assert "<script" not in html
    assert "&lt;script" in html
    assert "default-src 'none'" in html
    assert not re.search(r'(src|href)="(?!data:)', html)
    line = re.search(r"<li>(.*)</li>", html)
    assert line is not None
    assert line[1].isprintable()
