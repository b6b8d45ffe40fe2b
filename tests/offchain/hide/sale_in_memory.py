"""A sale without a chain: turns actions into the events that CleanerSale would answer with.

It knows no rules: stories of the real contract show that roles keep to those.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.data.imageset import ImageSet
from offchain.hide.countermeasures import Regained
from offchain.hide.family import Family
from offchain.hide.making import Cost, MadeFamily
from offchain.hide.sale import events as ev
from offchain.hide.sale.buyer import PATIENT, Buyer
from offchain.hide.sale.preparing import prepare
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Conditions, Stock
from offchain.hide.sale.wares import Wares, task_for
from offchain.policy import Policy
from offchain.roles import Action, Clock
from offchain.task import Task
from tests.kit.memory_store import MemoryStore
from tests.offchain.hide.small import made_up, made_up_family

CHAIN_ID = 31337
CONTRACT = "0x" + "c0" * 20
SELLER = "0x" + "5e" * 20
ANNA = "0x" + "a1" * 20
PRICES = (1_000, 2_500, 7_000)
STAKE, FUNDS = 400, 10**6
DELIVERY_TIME, DISPUTE_TIME = 100, 60
CLOSING = 5_000
LICENCE = "CC-BY-4.0"


def wares_of(family: Family) -> Wares:
    """What a seller has of a family that nobody measured."""
    made = MadeFamily(family, (), {}, 0.9, 0.1, Cost())
    return Wares.of(made, "plain", Regained("JPEG", 0.2))


class SaleInMemory:
    """One listing, its seller, and Anna, who buys.

    now: Unix seconds of the next event. network: all content, by CID.
    """

    def __init__(self, folder: Any, settlement: Settlement = Settlement.SEALED, **changes: Any):
        """changes: of the conditions, and `spoil` as `prepare` takes it."""
        self.folder, self.now = folder, 1_000
        self.network: dict[str, bytes] = {}
        self.data: ImageSet = made_up()
        self.family: Family = made_up_family(self.data)
        spoil = changes.pop("spoil", None)
        conditions = Conditions(
            SELLER, NATIVE, PRICES, STAKE, FUNDS, settlement, DELIVERY_TIME, DISPUTE_TIME
        )
        self.conditions = replace(conditions, **changes)
        self.store = MemoryStore(self.network)
        self.stock: Stock = self.prepared(self.family, spoil)
        self.events: list[tuple[ev.Event, int]] = []
        self.sent: list[Action] = []

    def prepared(self, family: Family, spoil: Any = None, task: Task | None = None) -> Stock:
        """The stock of a family. task: another than that of its pictures."""
        return prepare(
            wares_of(family),
            task or task_for(family.masked, LICENCE),
            self.conditions,
            CHAIN_ID,
            CONTRACT,
            self.store,
            SecretsFile(self.folder / "seller.json"),
            spoil=spoil,
        )

    @property
    def id(self) -> bytes:
        """The listing's."""
        return self.stock.listing.id(CHAIN_ID, CONTRACT)

    @property
    def clock(self) -> Clock:
        """Now."""
        return Clock(self.now, 1)

    def session(self) -> SaleSession:
        """As the events tell it."""
        session = SaleSession(CHAIN_ID, CONTRACT, self.id)
        for event, time in self.events:
            session.apply(event, time)
        return session

    def seller(self, role: type[Seller] = Seller, **more: Any) -> Seller:
        """The seller, brought to life now."""
        return role(self.session(), self.stock, CLOSING, **more)

    def buyer(
        self, *wants: int, policy: Policy = PATIENT, role: type[Buyer] = Buyer, **more: Any
    ) -> Buyer:
        """Anna, brought to life now."""
        secrets = SecretsFile(self.folder / "anna.json")
        store = MemoryStore(self.network)
        return role(ANNA, self.session(), wants or (0,), store, secrets, policy, **more)

    def do(self, role: Seller | Buyer) -> str | None:
        """Lets a role do what it wants now; which call it made."""
        role.session = self.session()
        action = role.next_action(self.clock)
        if action is None:
            return None
        self.sent.append(action)
        for event in self._events(action):
            self.events.append((event, self.now))
        self.now += 1
        return action.call

    def all(self, role: Seller | Buyer) -> list[str]:
        """All that a role does now."""
        return list(iter(lambda: self.do(role), None))

    def _events(self, action: Action) -> list[ev.Event]:
        words, id_ = action.arguments, self.id
        match action.call:
            case "list":
                terms, task, catalogue, levels, funds = words
                return [ev.Listed(id_, task, terms, tuple(map(tuple, levels)), catalogue, funds)]
            case "buy":
                return [ev.Bought(id_, ANNA, words[1], words[4])]
            case "publishKey":
                return [ev.KeyPublished(id_, words[1], words[4], self.now + DISPUTE_TIME)]
            case "sealKey":
                return [ev.KeySealed(id_, words[1], *words[3:], self.now + DISPUTE_TIME)]
            case "accept":
                return [ev.Settled(id_, ANNA)]
            case "proveWrongKey":
                return [ev.WrongKeyProved(id_, ANNA)]
            case "proveSpoiltChunk":
                return [ev.SpoiltChunkProved(id_, ANNA, words[4][2])]
            case "refund":
                return [ev.Refunded(id_, ANNA, 0)]
            case "close":
                return [ev.ListingClosed(id_)]
            case "withdraw":
                return [ev.Withdrawn(id_, words[1])]
            case "settle":
                session = self.session()
                paid = {b: session.purchases[b].state.name == "PAID" for b, _ in words[1]}
                return [ev.Lapsed(id_, b) if was else ev.Settled(id_, b) for b, was in paid.items()]
            case _:
                raise AssertionError(action.call)
