"""Under what a seller sells, and which orders are for what it has."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.mde.asked import artefact_named, offer_of, require_sizes
from offchain.mde.deals import Order
from offchain.mde.samples import Samples
from offchain.report.text import plain
from offchain.task import Task, TaskError, check_offer
from offchain.task.errors import LicenceRefused


@dataclass(frozen=True)
class Stall:
    """Under what a seller sells.

    Attributes:
        token: what pays. funds: put up for stakes, smallest unit.
        quote_time: seconds that a quote stands.
        until: it sells until then and takes its money home, Unix seconds.
        classes: what the labels of its samples are called, in their order.
        order: the one under which it sells; None for all that fit.
        licences: under which it sells; without any, under whichever an order asks for.
        pay_to: 0x account that gets what it earned and its stake; None for its own.
    """

    token: str
    funds: int
    quote_time: int
    until: int
    classes: tuple[str, ...]
    order: bytes | None = None
    licences: tuple[str, ...] = ()
    pay_to: str | None = None

    def check(self, task: Task, order: Order, samples: Samples) -> None:
        """Raises TaskError or FeatureMismatch unless `samples`, no two alike, are what the task of
        an order asks for, and may be sold under it."""
        artefact_named(task)
        require_sizes(task, order.features, order.value_bytes)
        if task.classes != self.classes:
            raise TaskError("the order's classes are others than the samples are labelled by")
        if self.licences and task.licence not in self.licences:
            given = ", ".join(map(plain, self.licences))
            raise LicenceRefused(
                f"licence: the task asks for {plain(task.licence)!r}, given is {given}"
            )
        check_offer(task, offer_of(samples, task))
