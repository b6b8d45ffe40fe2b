"""Everybody's own class names, and the task's: labels are told by name, never by their order.

A task has its class names sorted, in Unicode's composed form (NFC). Whoever has data has names of
their own, in an order of their own. Composing is all that is done to a name without being asked:
another case, another spelling or a class that the task does not have is refused by name.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from offchain.report.text import plain
from offchain.task.errors import ClassesUnknown, TaskError
from offchain.task.wording import check_text

MAX_CLASSES = 65_536
MAX_CLASS_NAME = 200
"""Characters."""
_LONGEST = 4 * MAX_CLASS_NAME
"""Characters that MAX_CLASS_NAME may be, decomposed. Sorting the marks that a stranger piles up on
one letter takes time with the square of their number: some seconds for 64 KiB."""
LEFT_OUT = -1
"""Where samples of a class go that its owner leaves out."""
_SHOWN = 5
_MOST_WORK = 1_000_000
"""Pairs of characters that are compared for one hint: some tenths of a second."""
_ALIKE = 0.8
"""From which ratio of difflib on two names look like one misspelt."""


def canonical_classes(names: Sequence[str]) -> tuple[str, ...]:
    """Class names as a task has them: composed (NFC) and sorted by code points.

    Raises TaskError for a name that no task can have, and for two that are one when composed.
    """
    names = [composed(name) for name in names]
    check_once(names)
    return check_classes(tuple(sorted(names)))


def check_classes(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` if they are 1 to `MAX_CLASSES`, each once, sorted, and may stand in a task.

    Raises TaskError.
    """
    if not 1 <= len(names) <= MAX_CLASSES:
        raise TaskError(f"task: {len(names)} classes, must be 1 to {MAX_CLASSES}")
    for name in names:
        check_text("class name", name, MAX_CLASS_NAME)
    for one, next_one in pairwise(names):
        if one >= next_one:
            order = "twice" if one == next_one else f"before {plain(next_one)!r}, unsorted"
            raise TaskError(f"task: class {plain(one)!r} stands there {order}")
    return names


@dataclass(frozen=True)
class ClassNames:
    """What an owner says of the names of its own classes.

    Attributes:
        as_task: for an own name the task's; empty for a class that is left out.
    """

    as_task: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, said: Sequence[str], what: str = "class name") -> ClassNames:
        """From `OWN=TASK`, or `OWN=` for a class that is left out. what: errors call them so.
        Raises TaskError.

        The last equals sign counts, so that an own name may have others.
        """
        names: dict[str, str] = {}
        for one in said:
            own, sign, theirs = one.rpartition("=")
            own = composed(own)
            if not sign or not own:
                raise TaskError(f"{what}: {plain(one)!r} is not OWN=TASK")
            if own in names:
                raise TaskError(f"{what}: {plain(own)!r} is given twice")
            names[own] = composed(theirs)
        return cls(names)

    def renamed(self, own: Sequence[str]) -> list[str]:
        """The task's name for each of the `own` ones, which are composed; empty for none."""
        return [self.as_task.get(name, name) for name in own]

    def labels(self, own: Sequence[str], task: Sequence[str]) -> tuple[int, ...]:
        """For each of the `own` classes its index in `task`, `LEFT_OUT` for none.

        A task's class may have no own one, and several own ones may be one of the task's if that
        was said. Raises ClassesUnknown naming the own classes that the task does not have, with
        the class that was perhaps meant; TaskError for a name that was said and is no own class,
        or two names that are one once composed.
        """
        mine = [composed(name) for name in own]
        check_once(mine)
        for said in self.as_task:
            if said not in mine:
                raise TaskError(
                    f"class name: there is no class {plain(said)!r} in this data"
                    f"{perhaps(said, mine)}"
                )
        at = {name: index for index, name in enumerate(task)}
        wanted = self.renamed(mine)
        unknown = [index for index, name in enumerate(wanted) if name and name not in at]
        if unknown:
            raise ClassesUnknown(
                _told([wanted[i] for i in unknown], task), tuple(own[i] for i in unknown)
            )
        return tuple(at[name] if name else LEFT_OUT for name in wanted)


def composed(name: str) -> str:
    """A name in Unicode's composed form (NFC); one too long for any task as it is."""
    return unicodedata.normalize("NFC", name) if len(name) <= _LONGEST else name


def check_once(names: Sequence[str]) -> None:
    """Raises TaskError unless each of the composed `names` is there once."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TaskError(f"class {plain(twice[0])!r} stands there twice, once composed (NFC)")


def _told(unknown: Sequence[str], task: Sequence[str]) -> str:
    """The line for own classes that the task does not have."""
    shown = ", ".join(f"{plain(one)!r}{perhaps(one, task)}" for one in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
    named = ", ".join(plain(one) for one in task[: 2 * _SHOWN])
    rest = f" and {len(task) - 2 * _SHOWN:,} more" if len(task) > 2 * _SHOWN else ""
    return f"classes that the task does not have: {shown}{more}; it has {named}{rest}"


def perhaps(name: str, names: Sequence[str]) -> str:
    """The one of `names` that was perhaps meant, in brackets; nothing where none is alike."""
    bare = {_bare(one): one for one in reversed(names)}
    alike = bare.get(_bare(name))
    if alike is None and _bare(name):
        # Names and their number are a stranger's; a hint is not worth minutes.
        work = len(_bare(name)) * sum(map(len, bare))
        near = list(bare) if work <= _MOST_WORK else []
        close = difflib.get_close_matches(_bare(name), near, n=1, cutoff=_ALIKE)
        alike = bare[close[0]] if close else None
    return f" (perhaps {plain(alike)!r})" if alike is not None else ""


def _bare(name: str) -> str:
    """A name without case, accents, spaces and signs: what misspellings leave as it is."""
    decomposed = unicodedata.normalize("NFKD", name[:_LONGEST].casefold())
    return "".join(c for c in decomposed if c.isalnum())
