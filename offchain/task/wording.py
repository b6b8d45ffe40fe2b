"""Text in a task document: what may stand in it, and in which one form.

Names and sentences come from strangers and are shown on terminals. So they are bounded, in
Unicode's composed form (NFC), and hold nothing that drives a terminal or turns the writing round.
"""

from __future__ import annotations

import unicodedata

from offchain.report.text import plain
from offchain.task.errors import TaskError

_FORBIDDEN = frozenset(("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Controls, surrogates, private and unassigned characters, separators of lines and paragraphs."""
_BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def check_text(what: str, text: object, most: int, *, lines: bool = False, least: int = 1) -> str:
    """`text` if it may stand in a task document.

    least, most: characters. lines: whether line breaks may be in it. Raises TaskError.
    """
    if not isinstance(text, str):
        raise TaskError(f"task: {what} is text, not {text!r:.60}")
    if not least <= len(text) <= most:
        raise TaskError(f"task: {what} has {len(text)} characters, must be {least} to {most}")
    if not unicodedata.is_normalized("NFC", text):
        raise TaskError(f"task: {what} {plain(text)!r} is not in Unicode's form NFC")
    if text != text.strip():
        raise TaskError(f"task: {what} {plain(text)!r} begins or ends with space")
    for character in text:
        if lines and character == "\n":
            continue
        if character in _BIDIRECTIONAL or unicodedata.category(character) in _FORBIDDEN:
            raise TaskError(f"task: {what} {plain(text)!r} has the character {character!a}")
    return text
