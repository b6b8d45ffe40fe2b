"""Whether data is what a task asks for: looked at before anything is stored, signed or paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.report.text import plain
from offchain.task.document import ANY, Task
from offchain.task.errors import OfferRefused, RetentionRefused

_SHOWN = 5
DAY = 86_400


@dataclass(frozen=True)
class Offer:
    """What somebody has for a task.

    Attributes:
        modality: what the samples are.
        shape: of each of them.
        counts: samples by class, in the task's order; 0 where there are none.
        distinct: samples that are no copies of others.
    """

    modality: str
    shape: tuple[int, ...]
    counts: Sequence[int]
    distinct: int


def check_offer(task: Task, offer: Offer) -> None:
    """Raises OfferRefused with every reason in one line, value and bound named."""
    if reasons := _reasons(task, offer):
        other = offer.modality == task.modality and not fits(task.shape, offer.shape)
        shape = task.shape if other else None
        raise OfferRefused(f"not what the task asks for: {'; '.join(reasons)}", shape)


def check_retention(task: Task, most: int | None) -> None:
    """most: seconds for which content is kept after the end; None for any. Raises
    RetentionRefused."""
    if most is not None and task.retention > most:
        raise RetentionRefused(
            f"retention: the task asks to keep content for {task.retention / DAY:g} days after the "
            f"end, at most {most / DAY:g} are accepted"
        )


def _reasons(task: Task, offer: Offer) -> list[str]:
    if offer.modality != task.modality:
        return [f"modality: {offer.modality}, {task.modality} are asked for"]
    reasons = []
    if not fits(task.shape, offer.shape):
        reasons.append(f"shape: {told(offer.shape)}, {told(task.shape)} is asked for")
    total = sum(offer.counts)
    if total < task.least.samples:
        reasons.append(f"samples: {total}, at least {task.least.samples} are asked for")
    few = [
        f"{plain(name)} {count}"
        for name, count in zip(task.classes, offer.counts, strict=True)
        if 0 < count < task.least.per_class
    ]
    if few:
        more = f" and {len(few) - _SHOWN:,} more" if len(few) > _SHOWN else ""
        reasons.append(
            f"samples of a class: {', '.join(few[:_SHOWN])}{more}, "
            f"at least {task.least.per_class} are asked for"
        )
    if offer.distinct < task.least.distinct:
        reasons.append(
            f"distinct samples: {offer.distinct}, at least {task.least.distinct} are asked for"
        )
    return reasons


def fits(asked: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether every side of `shape` is as asked, or may be of any length."""
    return len(asked) == len(shape) and all(
        side in (ANY, found) for side, found in zip(asked, shape, strict=True)
    )


def told(shape: tuple[int, ...]) -> str:
    """A shape for people: 3x64x64, with a question mark for a side of any length."""
    return "x".join("?" if side == ANY else str(side) for side in shape) or "-"
