"""A shared model as its events tell it: the twin of SharedModel.sol's records and waits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.sum import events as ev
from offchain.sum.rules import required_deposit

CONTRIBUTION_TYPE = keccak(b"souk.contribution.v2")


@dataclass(frozen=True)
class Waits:
    """The incentive's waits, in seconds (WaitingIncentive.sol)."""

    refund: int
    author: int
    verdict: int
    owner: int
    anyone: int
    quiet: int


@dataclass(frozen=True)
class Price:
    """What contributions cost, in the smallest unit of the currency.

    cost_weight: the deposit an hour after the last lesson, in units. unit: in the smallest unit.
    agree_cost, disagree_cost: what goes into the pot of one that the model agrees with beforehand,
        or not; the same under the stake incentive.
    """

    cost_weight: int
    unit: int
    agree_cost: int
    disagree_cost: int

    @property
    def largest_deposit(self) -> int:
        """A second after a lesson."""
        return self.deposit(1)

    def deposit(self, since_lesson: int) -> int:
        """So many whole seconds after the last lesson."""
        return required_deposit(self.cost_weight, since_lesson) * self.unit


@dataclass(frozen=True)
class ModelTerms:
    """What was fixed when a model was made.

    created: Unix seconds. token: the currency, NATIVE for the native coin.
    """

    owner: str
    task: bytes
    token: str
    created: int
    waits: Waits
    price: Price


@dataclass
class Contribution:
    """One contribution as it stands.

    features: words of a bitmap. repeated: whether another of the same sample and label came first,
    so that it is no good data. good, bad: whether a verdict stands announced. announced_at: when
    one was last announced, whatever came of it, or it was upheld; 0 for never. vouched: whether its
    author ever announced it as good.
    """

    key: bytes
    features: tuple[int, ...]
    label: int
    added_at: int
    author: str
    deposit: int
    left: int
    repeated: bool
    good: bool = False
    bad: bool = False
    announced_at: int = 0
    vouched: bool = False
    refunded: bool = False
    reporters: set[str] = field(default_factory=set)

    @property
    def named(self) -> tuple[tuple[int, ...], int, int, str]:
        """As `announce`, `object`, `report` and `takeOver` take it."""
        return self.features, self.label, self.added_at, self.author

    @property
    def what(self) -> tuple[tuple[int, ...], int]:
        """Sample and label."""
        return self.features, self.label

    @property
    def is_at_stake(self) -> bool:
        """Whether its whole deposit still answers for it."""
        return not self.refunded and not self.reporters and self.left == self.deposit

    @property
    def open(self) -> bool:
        """Whether somebody may still get something for it."""
        return not self.refunded and self.left > 0


@dataclass
class SharedModelState:
    """A model so far, and what it says as it stands.

    predict: the class that the model now gives a bitmap. claimable: what an account is owed now, in
        the smallest unit. Both are asked of the chain, as of the block of the last event or later.
    good: contributions of an account that proved good. outlay: deposits and costs that it paid and
        did not get back, lost ones too; what it earned does not count. taught: what an account
        ever contributed, sample and label, also where another has its place now.
    """

    chain_id: int
    address: str
    terms: ModelTerms
    predict: Callable[[tuple[int, ...]], int]
    claimable: Callable[[str], int]
    contributions: dict[bytes, Contribution] = field(default_factory=dict)
    good: Counter[str] = field(default_factory=Counter)
    outlay: Counter[str] = field(default_factory=Counter)
    taught: defaultdict[str, set[tuple[tuple[int, ...], int]]] = field(
        default_factory=lambda: defaultdict(set)
    )
    last_lesson: int = 0
    first_lesson: int = 0
    lessons: int = 0

    def __post_init__(self) -> None:
        self.last_lesson = self.last_lesson or self.terms.created

    @property
    def shares_from(self) -> int:
        """From when income is shared, in Unix seconds; 0 before the first contribution."""
        return self.first_lesson and self.first_lesson + self.terms.waits.owner

    def apply(self, event: ev.Event, at: int) -> None:
        """Notes what an event changes. at: the time of its block, Unix seconds."""
        match event:
            case ev.DataAdded():
                self._added(event)
            case ev.Announced(claimant, key, good):
                one = self.contributions[key]
                one.good, one.bad, one.announced_at = good, not good, at
                one.vouched |= good and claimant == one.author
            case ev.Objected(_, key):
                one = self.contributions[key]
                one.good = one.bad = False
            case ev.Upheld(_, key):
                one = self.contributions[key]
                one.good = one.bad = False
                one.announced_at = at
            case ev.Refunded(author, key, amount):
                one = self.contributions[key]
                one.refunded = True
                one.left -= amount
                self.good[author] += not one.repeated
                self.outlay[author] -= amount
            case ev.Reported(reporter, key, amount):
                one = self.contributions[key]
                one.left -= amount
                one.reporters.add(reporter)
            case ev.TakenOver(taker, key, amount):
                one = self.contributions[key]
                one.left -= amount
                if taker == one.author:
                    self.outlay[taker] -= amount
            case _:
                pass

    def of(self, author: str) -> list[Contribution]:
        """What an account contributed, in order; spent ones whose place another has are gone."""
        return [one for one in self.contributions.values() if one.author == author]

    def quiet_from(self, times: int = 1) -> int:
        """From when verdicts are dealt with, unless somebody teaches meanwhile."""
        return self.last_lesson + times * self.terms.waits.quiet

    def agrees(self, one: Contribution) -> bool:
        """Whether the model, as it stands, says what was contributed."""
        return self.predict(one.features) == one.label

    def _added(self, event: ev.DataAdded) -> None:
        # What replaces a spent one comes last, as the contract's record is another's now.
        self.contributions.pop(event.key, None)
        self.contributions[event.key] = Contribution(
            event.key,
            event.features,
            event.label,
            event.added_at,
            event.author,
            event.deposit,
            event.deposit,
            repeated=event.key != first_key(event.features, event.label),
        )
        self.taught[event.author].add((event.features, event.label))
        self.outlay[event.author] += event.deposit + event.cost
        self.first_lesson = self.first_lesson or event.added_at
        self.last_lesson = event.added_at
        self.lessons += 1


def first_key(features: tuple[int, ...], label: int) -> bytes:
    """Where the first contribution of a sample with a label is recorded (Contribution.sol)."""
    packed = keccak(b"".join(word(one) for one in features))
    return keccak(CONTRIBUTION_TYPE + packed + word(label))
