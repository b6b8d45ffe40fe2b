"""Server and members as roles of their own, around one session in memory and one list of letters.

Each has a datastore of its own; they serve each other what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from offchain.roles import Clock
from offchain.seccl import actions as do
from offchain.seccl.global_model import GlobalModel
from offchain.seccl.journal import Journal
from offchain.seccl.member_role import MemberRole
from offchain.seccl.messages import MessageKind
from offchain.seccl.outgoing import Outgoing
from offchain.seccl.participant import Participant
from offchain.seccl.readings import Readings
from offchain.seccl.server import Server
from offchain.seccl.server_role import ServerRole
from tests.kit.peer_store import peer_stores
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import (
    CONSENSUS,
    FIRST,
    LAYOUT,
    MEMBERS,
    SERVER,
    WALLETS,
    Yard,
    made_updates,
    new_session,
)

STEP = 200
"""Seconds of the chain's time between two looks of everybody."""


@dataclass
class MemoryLine:
    """The letters of one party; lost: of (sender, content), whether it never arrives."""

    shared: list[tuple[str, bytes]]
    address: str
    lost: Callable[[str, bytes], bool] = lambda *_: False
    place: int = 0

    def send(self, content: bytes) -> None:
        self.shared.append((self.address, content))

    def received(self) -> Sequence[tuple[str, bytes]]:
        fresh, self.place = self.shared[self.place :], len(self.shared)
        return [one for one in fresh if one[0] == self.address or not self.lost(*one)]


class Made:
    """Updates and scores without training: the lower a member's index, the better."""

    def __init__(self, index: int) -> None:
        self.index, self.trained = index, 0

    def update(self, model, round_):
        self.trained += 1
        return made_updates(round_)[self.index]

    def scores(self, model, updates, members):
        return [1 - i / 10 if i in updates else 0.0 for i in range(members)]


@dataclass
class Market:
    """All parties, each of whom may be ended and begun again."""

    folder: Path
    server_class: type[Server] = Server
    batched: bool = True
    about: object = None
    absent: frozenset[int] = frozenset()
    letters: list[tuple[str, bytes]] = field(default_factory=list)
    acted: list[tuple[str, do.Action]] = field(default_factory=list)
    told: list[tuple[str, str, dict]] = field(default_factory=list)
    lost: Callable[[str, bytes], bool] = lambda *_: False
    more: dict = field(default_factory=dict)
    posted_at: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = new_session(self.batched, self.about)
        self.yard = Yard(self.session, None, None, [])
        self.stores = peer_stores(["server", *map(str, range(MEMBERS))])
        self.server = self.serving()
        self.members = {i: self.member(i) for i in range(MEMBERS) if i not in self.absent}

    def serving(self) -> ServerRole:
        """The server, as its journal has it."""
        store = self.stores["server"]
        journal = Journal(self.folder / "server", self.session.id)
        server = self.server_class(self.session, SERVER, recover, store, journal, **self.more)
        line = MemoryLine(self.letters, SERVER.address, self.lost)
        return ServerRole(server, line, store, recover, SERVER.address, self.teller("server"))

    def member(self, index: int) -> MemberRole:
        """A member, as its own files have it."""
        store, wallet = self.stores[str(index)], WALLETS[index]
        secret = bytes([index]) * 32
        return MemberRole(
            Participant(self.session, index, wallet, recover, store, secret),
            CONSENSUS,
            GlobalModel(LAYOUT, FIRST),
            Made(index),
            MemoryLine(self.letters, wallet.address, self.lost),
            Outgoing(self.folder / str(index)),
            Readings(store, recover),
            store,
            wallet.address,
            self.teller(str(index)),
        )

    def teller(self, who: str) -> Callable[..., None]:
        return lambda event, **values: self.told.append((who, event, values))

    def play(self, until: int | None = None, each: Callable[[int], None] = lambda _: None) -> None:
        """Lets time pass from the session's beginning, or the last call's end. each: called with
        the time before all look."""
        terms = self.session.terms
        now = getattr(self, "now", terms.start)
        end = until or terms.accusation_end + STEP
        while now < end:
            each(now)
            self.look(now)
            now += STEP
        self.now = now

    def look(self, now: int) -> None:
        """Everybody does what there is to do."""
        parties = [("server", self.server), *((str(i), one) for i, one in self.members.items())]
        busy = True
        while busy:
            busy = False
            for name, role in parties:
                while role is not None and (action := role.next_action(Clock(now, 1))):
                    who = SERVER.address if name == "server" else WALLETS[int(name)].address
                    self.yard.apply(action, who)
                    self.acted.append((name, action))
                    if isinstance(action, do.PostBatch):
                        self.posted_at[action.round, action.kind] = now
                    if name == "server":
                        role.sent(action)
                    busy = True

    def of(self, kind: type) -> list[str]:
        """Who did something of a kind, in order."""
        return [who for who, action in self.acted if isinstance(action, kind)]

    def model(self, index: int) -> str:
        """The digest of the model that a member has in the end."""
        role = self.members[index]
        reading = lambda n: role._readings.at(self.session, n, MessageKind.UPLOAD, self.now)  # noqa: E731
        return role.models.before(self.session, self.session.terms.rounds, reading).digest


def mean_of(winners: Sequence[int], round_: int) -> torch.Tensor:
    """What these winners change."""
    return torch.stack([made_updates(round_)[i].dense() for i in winners]).mean(dim=0)
