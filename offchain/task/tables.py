"""Tables and tasks: a task's columns from its author's rows, and everybody's rows in that form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from offchain.data.imageset import DataError
from offchain.data.leftout import LeftOut, Note, shortened
from offchain.data.originals import Originals, print_of
from offchain.data.pictures import UnreadableError
from offchain.data.tables import TABLE, Rows, cells_of, record_of
from offchain.report.text import plain
from offchain.task.classes import composed, perhaps
from offchain.task.columns import (
    CATEGORY,
    LARGEST,
    MAX_CATEGORIES,
    MAX_NAME,
    NUMBER,
    Column,
    category_of,
    is_formula,
    number_of,
    width_of,
)
from offchain.task.errors import ColumnsUnknown, TaskError

COLUMNS_A_FEATURE = 2
"""Columns that stand against one number that an extractor makes of a row, at least."""
_ODD = "rows with cells that the task does not know"


@dataclass(frozen=True)
class Table:
    """Rows of a task's columns, in its order: records as `offchain/data/tables.py` has them."""

    columns: tuple[Column, ...]
    modality: str = TABLE

    @property
    def shape(self) -> tuple[int, ...]:
        """How many columns."""
        return (len(self.columns),)

    @property
    def values(self) -> tuple[int, ...]:
        """How many numbers a row becomes."""
        return (width_of(self.columns),)

    @property
    def most_features(self) -> int | None:
        """One for COLUMNS_A_FEATURE columns, at least 1."""
        return max(1, len(self.columns) // COLUMNS_A_FEATURE)

    def decoded(self, record: bytes, told: str) -> torch.Tensor:
        """float32, a place for each number and each category. Raises UnreadableError."""
        return self.numbers(cells_of(record, len(self.columns), told), told)

    def numbers(self, cells: Sequence[str], told: str, *, hint: bool = False) -> torch.Tensor:
        """What a row of these cells becomes, as `decoded` does it of their record.

        hint: whether it says which category was perhaps meant, which takes up to some tenths of a
        second: of an owner's own rows the first ends the reading, of a stranger's all may be odd.
        """
        row = np.zeros(self.values, np.float32)
        for column, place, start, cell in zip(
            self.columns, self._places, self._starts, cells, strict=True
        ):
            bare = cell.strip()
            if not bare:
                continue
            if column.kind == NUMBER:
                number = number_of(bare)
                if number is None:
                    raise UnreadableError(
                        f"{told}, column {plain(column.name)!r}: {plain(bare)!r:.60} is no number",
                        _ODD,
                    )
                scaled = (number - column.mean) / column.spread
                row[start] = min(LARGEST, max(-LARGEST, scaled))
            else:
                at = place.get(bare)  # as most are written
                if at is None and not is_formula(bare):  # written decomposed, a name may be one
                    at = place.get(category_of(bare))
                if at is None:
                    meant = perhaps(category_of(bare), column.categories) if hint else ""
                    raise UnreadableError(
                        f"{told}, column {plain(column.name)!r}: {plain(bare)!r:.60} is none of "
                        f"its {len(column.categories)} categories{meant}",
                        _ODD,
                    )
                row[start + at] = 1
        return torch.from_numpy(row + np.float32(0))  # -0.0 is 0.0

    def record_of(self, numbers: torch.Tensor) -> bytes:
        """A row that becomes these numbers, float32 (width,), up to rounding.

        A missing number comes back as the mean that it counted as, and one beyond LARGEST spreads
        as that. Raises UnreadableError for numbers and categories that no row has.
        """
        values, cells = numbers.tolist(), []
        for column, start in zip(self.columns, self._starts, strict=True):
            mine = values[start : start + column.width]
            if column.kind == NUMBER:
                if abs(mine[0]) > LARGEST:
                    raise UnreadableError(
                        f"column {plain(column.name)!r}: {mine[0]:g} is beyond {LARGEST:g} spreads",
                        _ODD,
                    )
                cells.append(f"{mine[0] * column.spread + column.mean:.7g}")
            elif sorted(mine)[:-1] == [0] * (len(mine) - 1) and max(mine) in (0, 1):
                cells.append(column.categories[mine.index(1)] if 1 in mine else "")
            else:
                raise UnreadableError(f"column {plain(column.name)!r}: no such category", _ODD)
        return record_of(cells)

    def corrupted(
        self, records: Sequence[bytes], kind: str, level: float, rng: np.random.Generator
    ) -> list[bytes]:
        """Rows made worse.

        noise: numbers get Gaussian noise of `level` spreads, and so large a share of categories is
        drawn anew. remove: a share of the cells is emptied. decimate: numbers are rounded to
        multiples of half a spread for each factor above 1. dope: a share of rows has each cell from
        another row. Raises DataError for another kind.
        """
        if kind not in ("noise", "remove", "decimate", "dope"):
            raise DataError(f"{kind} is nothing that is done to tables")
        count = len(self.columns)
        rows = [cells_of(record, count, f"row {i}") for i, record in enumerate(records)]
        grid = np.array(rows, dtype=object).reshape(len(rows), count)
        doped = rng.permutation(len(rows))[: round(level * len(rows))] if kind == "dope" else None
        for i, column in enumerate(self.columns):
            if doped is not None:
                grid[doped, i] = rng.permutation(grid[:, i])[: len(doped)]
            elif kind == "remove":
                grid[rng.random(len(rows)) < level, i] = ""
            elif column.kind == NUMBER:
                grid[:, i] = _worse(grid[:, i], column, kind, level, rng)
            elif kind == "noise":
                drawn = rng.random(len(rows)) < level
                grid[drawn, i] = rng.choice(np.array(column.categories, object), drawn.sum())
        return [record_of(row.tolist()) for row in grid]

    @cached_property
    def _places(self) -> list[dict[str, int]]:
        return [{name: i for i, name in enumerate(one.categories)} for one in self.columns]

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((column.width for column in self.columns), initial=0))[:-1]


def table_asked(rows: Originals, note: Note) -> Table:
    """The columns of a task whose author has these rows, in their order.

    A column whose cells are all numbers, or empty, is one of numbers; any other is one of
    categories. note: told of the columns that are left out, as nothing can be learned of them:
    those that are the same in all rows, and categories that are more than MAX_CATEGORIES, hardly
    ever in two rows, as names and numbers of people are, formulas, or longer than MAX_NAME.

    Raises DataError where none is left, TaskError for what no task can name.
    """
    names = _names(rows)
    found = [_Cells(name) for name in names]
    for i in range(len(rows)):
        cells = cells_of(rows.content(i), len(names), f"{rows.name}, row {i + 1}")
        for one, cell in zip(found, cells, strict=True):
            one.add(cell)
    columns: list[Column] = []
    left: dict[str, list[str]] = {}
    for one in found:
        if why := one.useless:
            left.setdefault(why, []).append(one.name)
        else:
            columns.append(one.column)
    for why, what in left.items():
        note(LeftOut(rows.name, why, tuple(what)))
    if not columns:
        raise DataError(f"{rows.name} has no column of which anything can be learned")
    return Table(tuple(columns))


def fitted(
    rows: Originals, asked: Table, names: Mapping[str, str] | None = None, note: Note | None = None
) -> Originals:
    """The same rows as a task's, whatever the order of their columns, each looked at.

    names: for a column's own name the task's. note: told of own columns that the task does not
    have, which are left out. Raises ColumnsUnknown naming columns that are missing, TaskError for a
    name that was said and is no column, UnreadableError naming the first row and column with a cell
    that the task does not know.
    """
    said = dict(names or {})
    mine = [composed(name) for name in _names(rows)]
    for name in said:
        if name not in mine:
            raise TaskError(f"column: there is no column {plain(name)!r}{perhaps(name, mine)}")
    called = [said.get(name, name) for name in mine]
    twice = [name for name, count in Counter(called).items() if count > 1]
    if twice:
        raise TaskError(f"column: {plain(twice[0])!r} is there twice")
    wanted = [column.name for column in asked.columns]
    missing = [name for name in wanted if name not in called]
    if missing:
        shown = ", ".join(f"{plain(one)!r}{perhaps(one, called)}" for one in missing[:5])
        more = f" and {len(missing) - 5:,} more" if len(missing) > 5 else ""
        raise ColumnsUnknown(
            f"columns of the task that {rows.name} does not have: {shown}{more}; it has "
            f"{shortened(tuple(map(plain, mine)))}",
            tuple(missing),
        )
    extra = tuple(own for own, name in zip(mine, called, strict=True) if name not in wanted)
    if extra and note is not None:
        note(LeftOut(rows.name, "columns that the task does not have", extra))
    order = [called.index(name) for name in wanted]
    records, prints = [], []
    for i in range(len(rows)):
        told = f"{rows.name}, row {i + 1}"
        own = cells_of(rows.content(i), len(mine), told)
        cells = [own[place] for place in order]
        records.append(record_of(cells))
        prints.append(print_of(asked.numbers(cells, told, hint=True)))
    return replace(rows, files=tuple(records), form=asked, prints=tuple(prints))


def _names(rows: Originals) -> tuple[str, ...]:
    if isinstance(rows.form, Table):
        return tuple(column.name for column in rows.form.columns)
    if not isinstance(rows.form, Rows):
        raise DataError(f"{rows.name} is no table")
    return rows.form.names


class _Cells:
    """What is seen of a column's cells."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._numeric = True
        self._numbers: list[float] = []
        self._rows = 0
        self._categories: set[str] = set()

    def add(self, cell: str) -> None:
        """One more."""
        if not cell.strip():
            return
        self._rows += 1
        if self._numeric:
            number = number_of(cell)
            self._numeric = number is not None
            self._numbers.append(number or 0.0)
        if len(self._categories) <= MAX_CATEGORIES:
            self._categories.add(category_of(cell))

    @property
    def useless(self) -> str:
        """Why nothing can be learned of it; empty where something can."""
        if len(self._categories) < 2:
            return "columns that are the same in all rows"
        if self._numeric:
            return "" if self._spread > 0 else "columns that are the same in all rows"
        if len(self._categories) > MAX_CATEGORIES:
            return f"columns of more than {MAX_CATEGORIES} categories"
        if 2 * len(self._categories) > max(self._rows, 4):
            return "columns that are other in almost every row"
        if any(is_formula(one) or len(one) > MAX_NAME for one in self._categories):
            return "columns of formulas or long texts"
        return ""

    @property
    def _spread(self) -> float:
        return float(np.std(np.array(self._numbers)))

    @property
    def column(self) -> Column:
        """As a task has it. Raises TaskError."""
        name = composed(self.name)
        if not self._numeric:
            return Column(name, CATEGORY, tuple(sorted(self._categories)))
        return Column(name, NUMBER, (), float(np.mean(self._numbers)), self._spread)


def _worse(
    cells: NDArray[Any], column: Column, kind: str, level: float, rng: np.random.Generator
) -> list[str]:
    """The cells of a column of numbers; empty ones stay empty."""
    noise = rng.normal(0, level, len(cells)) * column.spread
    step = (level - 1) / 2 * column.spread

    def one(cell: str, shift: float) -> str:
        number = number_of(cell)
        if number is None:
            return cell
        if kind == "noise":
            return repr(number + float(shift))
        return repr(column.mean + round((number - column.mean) / step) * step) if step else cell

    return [one(cell, shift) for cell, shift in zip(cells.tolist(), noise, strict=True)]
