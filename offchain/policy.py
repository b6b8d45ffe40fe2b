"""What a seller's owner lets its role agree to, whatever terms a buyer writes.

A contract's bounds are the same for everybody: some terms that it takes are fair to one seller
and ruin another. The owner's limits are narrower, and no chain needs to know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from offchain.errors import SoukError


class TermsRefused(SoukError):
    """Terms outside the owner's limits."""


@dataclass(frozen=True)
class Limit:
    """The bounds of one quantity in the terms; the bounds themselves are allowed.

    Attributes:
        least, most: None for no bound.
        unit: of value and bounds, as it is to be read: "s", "wei", "%"; empty for none.
    """

    least: float | None = None
    most: float | None = None
    unit: str = ""

    def refusal(self, name: str, value: float) -> str | None:
        """Why `value` of the quantity `name` is outside, in one line; None if it is within."""
        if self.least is not None and value < self.least:
            return f"{name}: {self._told(value)}, at least {self._told(self.least)} is accepted"
        if self.most is not None and value > self.most:
            return f"{name}: {self._told(value)}, at most {self._told(self.most)} is accepted"
        return None

    def _told(self, value: float) -> str:
        # Amounts are integers of any size; a float's last digits would be noise.
        number = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True)
class Policy:
    """An owner's limits by the name of what they bound; without any, all terms are accepted."""

    limits: Mapping[str, Limit] = field(default_factory=dict)

    def check(self, offered: Mapping[str, float]) -> None:
        """Accepts what terms offer, by the names that limits use.

        Raises TermsRefused with every reason in one line, ValueError for a limit on a quantity
        that such terms do not have.
        """
        self.require_known(offered)
        reasons = [limit.refusal(name, offered[name]) for name, limit in self.limits.items()]
        if refused := [reason for reason in reasons if reason]:
            raise TermsRefused(f"terms refused: {'; '.join(refused)}")

    def require_known(self, names: Iterable[str]) -> None:
        """Raises ValueError for a limit on anything else than `names`."""
        if unknown := sorted(set(self.limits) - set(names)):
            raise ValueError(f"no such quantity in these terms: {', '.join(unknown)}")

    def about(self, *names: str) -> Policy:
        """The limits on these quantities alone: not all of them are known at once."""
        return Policy({name: limit for name, limit in self.limits.items() if name in names})
