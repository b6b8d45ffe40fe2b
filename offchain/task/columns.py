"""Columns of a table in a task document: their names, what their cells are, and statistics.

Everything that turns a row into numbers stands here, so that it is the same for whoever asks, sells
and judges, and hangs on nobody's data but that of the task's author:

- A number is written in decimals, as 1.5, -2 or 3e-4. It becomes (number - mean) / spread, held
  within -8 to 8, so that no cell drowns the others.
- A category is one of those that the column names, spaces at either end aside, composed (NFC). It
  becomes one 1 among 0s, one place for each category.
- An empty cell is a missing value: a missing number counts as the mean, 0, a missing category as
  none of them, all 0s.
- Any other cell is refused, and with it the whole table: its owner recodes it or leaves it out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from offchain.models.canonical import DocumentError, take
from offchain.task.classes import composed
from offchain.task.errors import TaskError
from offchain.task.wording import check_text

NUMBER, CATEGORY = "number", "category"
KINDS = (NUMBER, CATEGORY)
MAX_COLUMNS = 512
MAX_CATEGORIES = 256
"""Of one column."""
MAX_WIDTH = 4_096
"""Numbers that one row becomes."""
MAX_NAME = 200
"""Characters of a column's name and of a category."""
MAX_NUMBER = 64
"""Characters of a number's cell."""
LARGEST = 8.0
"""Magnitude of a standardised number: those beyond count as this."""
MAX_STATISTIC = 1e30
"""Magnitude of a mean, and largest spread; 1 / MAX_STATISTIC is the smallest."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_FORMULA = tuple("=+-@＝＋－＠")
"""What a cell begins with that a spreadsheet computes, the last four in East Asia."""


@dataclass(frozen=True)
class Column:
    """One column. Raises TaskError.

    name: composed (NFC). kind: of KINDS. categories: of a category, sorted, each once; else none.
    mean, spread: of a number, in its own units, as the task's author has them; else 0 and 1.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        _check_cell("column", self.name)
        if self.kind not in KINDS:
            raise TaskError(f"task: a column is a {' or a '.join(KINDS)}, not {self.kind!r:.40}")
        if (self.kind == CATEGORY) != bool(self.categories):
            raise TaskError(f"task: column {self.name!r:.60} has {len(self.categories)} categories")
        if len(self.categories) > MAX_CATEGORIES:
            raise TaskError(
                f"task: column {self.name!r:.60} has {len(self.categories)} categories, at most "
                f"{MAX_CATEGORIES}"
            )
        for category in self.categories:
            _check_cell(f"category of {self.name!r:.60}", category)
        if any(one >= other for one, other in pairwise(self.categories)):
            raise TaskError(f"task: categories of {self.name!r:.60} are not sorted, each once")
        for what, value in (("mean", self.mean), ("spread", self.spread)):
            if type(value) is not float or not abs(value) <= MAX_STATISTIC:
                raise TaskError(f"task: the {what} of {self.name!r:.60} is {value!r:.40}")
        if not self.spread >= 1 / MAX_STATISTIC:
            raise TaskError(f"task: the spread of {self.name!r:.60} is {self.spread!r:.40}")

    @property
    def width(self) -> int:
        """Numbers that one cell becomes."""
        return len(self.categories) or 1

    def to_document(self) -> dict[str, Any]:
        """As a task says it."""
        own = (
            {"categories": list(self.categories)}
            if self.kind == CATEGORY
            else {"mean": self.mean, "spread": self.spread}
        )
        return {"name": self.name, "kind": self.kind, **own}

    @classmethod
    def from_document(cls, document: Any) -> Column:
        """Reads what an untrusted task says. Raises TaskError."""
        if not isinstance(document, dict):
            raise TaskError(f"task: a column is an object, not {document!r:.60}")
        try:
            if document.get("kind") == CATEGORY:
                name, kind, categories = take(
                    document, "task, column", name=str, kind=str, categories=list
                )
                return cls(name, kind, tuple(categories))
            name, kind, mean, spread = take(
                document, "task, column", name=str, kind=str, mean=float, spread=float
            )
        except DocumentError as error:
            raise TaskError(str(error)) from error
        return cls(name, kind, (), mean, spread)


def check_columns(columns: Sequence[Column]) -> None:
    """Raises TaskError unless the columns of a task have different names and are not too many."""
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise TaskError(f"task: {len(columns)} columns, must be 1 to {MAX_COLUMNS}")
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise TaskError(f"task: the column {column.name!r:.60} stands there twice")
        seen.add(column.name)
    if (width := width_of(columns)) > MAX_WIDTH:
        raise TaskError(f"task: a row becomes {width:,} numbers, at most {MAX_WIDTH:,}")


def width_of(columns: Sequence[Column]) -> int:
    """Numbers that a row becomes."""
    return sum(column.width for column in columns)


def number_of(cell: str) -> float | None:
    """The number in a cell, finite; None where there is none."""
    bare = cell.strip()
    if len(bare) > MAX_NUMBER or not _NUMBER.fullmatch(bare):
        return None
    number = float(bare)
    return number if math.isfinite(number) else None


def category_of(cell: str) -> str:
    """A cell's text as categories are compared: composed, without spaces at either end."""
    return composed(cell.strip()).strip()


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute a cell of this text."""
    return text.startswith(_FORMULA) and number_of(text) is None


def _check_cell(what: str, text: object) -> None:
    checked = check_text(what, text, MAX_NAME)
    if is_formula(checked):
        raise TaskError(f"task: {what} {checked!r:.60} is a formula to a spreadsheet")
