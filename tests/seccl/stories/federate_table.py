"""A session of four members and a small network on the tests' chain, for stories of servers."""

from __future__ import annotations

import copy
from typing import Any

import ape
import torch

from offchain.crypto import commitments as cm
from offchain.seccl.adversaries import Lie
from offchain.seccl.audit import Findings
from offchain.seccl.messages import SessionTerms
from offchain.seccl.parameters import model_digest
from offchain.seccl.updates import mean_update
from offchain.storage import cid_of, digest_of
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain, Times, twin_of
from scripts._seccl.setup import seat_all
from scripts._stage.chain import Receipt, now
from tests.kit.memory_store import MemoryStore
from tests.offchain.seccl.session_in_memory import FIRST, LAYOUT, description, made_updates

MEMBERS, ROUNDS, WINDOW, STAKE = 4, 3, 800, 4_000_000
SECRET = bytes(range(32))
LIE = Lie(round=1, victim=2, witness=3)
SCORES = torch.tensor([[0.9, 0.8, 0.7, 0.6]] * MEMBERS, dtype=torch.float64)


class Play:
    """A table that plays rounds, and the model that comes of it."""

    def __init__(
        self,
        contracts: Any,
        accounts: Any,
        lie: str = "none",
        batched: bool = True,
        times: Times | None = None,
        store: MemoryStore | None = None,
        **agreed: Any,
    ) -> None:
        """times: of the consensus, those that fit unless given. agreed: of the description."""
        board, factory = contracts
        account, *others = accounts[10 : 11 + MEMBERS]
        members = sorted(others, key=lambda one: int(one.address, 16))
        addresses = tuple(str(member.address) for member in members)
        about = description(members=addresses, consensus=str(factory.address), **agreed)
        terms = SessionTerms(
            server=str(account.address),
            member_root=cm.root_of(twin_of(board).member_leaves(addresses)),
            members=MEMBERS,
            rounds=ROUNDS,
            start=now() + 100,
            upload_time=WINDOW,
            evaluation_time=WINDOW,
            response_time=WINDOW // 8,
            batched_uploads=batched,
            batched_evaluations=batched,
            stake=STAKE,
            bond=1_000,
            document=digest_of(cid_of(about.to_bytes())),
        )
        self.store = store or MemoryStore({})
        times = times or Times.within(WINDOW, about.hidden)
        self.chain = FederationChain.create(
            board, factory, account, terms, times, about, self.store
        )
        self.model = FIRST
        self._sit(account, members, lie)

    def _sit(self, account: Any, members: list[Any], lie: str = "none") -> None:
        """Roles for everybody, who remember nothing."""
        self.sent: list[tuple[str, Receipt]] = []
        about = None if lie == "none" else LIE
        self.table = seat_all(
            self.chain, account, members, self.store, self._note, lie, about, SECRET
        )

    def round(self, number: int) -> tuple[int, ...]:
        """Plays a round; the winners."""
        updates = made_updates(number)
        digest = model_digest(LAYOUT, self.model)
        winners = self.table.play(number, updates, range(MEMBERS), digest, lambda _: SCORES)
        self.model = self.model + mean_update([updates[winner] for winner in winners])
        return winners

    def whole(self) -> Findings:
        """All rounds, the payout, and the audit."""
        for number in range(ROUNDS):
            self.round(number)
        self.table.finish()
        return audit_session(self.chain, self.store)

    def reborn(self, accounts: Any) -> Play:
        """The same session with roles that know chain and datastore alone."""
        other = copy.copy(self)
        other.chain = FederationChain.find("0x" + self.chain.session.id.hex(), self.store)
        account, *others = accounts[10 : 11 + MEMBERS]
        other._sit(account, sorted(others, key=lambda one: int(one.address, 16)))
        return other

    @property
    def calls(self) -> list[str]:
        """What was called, in order."""
        return [receipt.call for _, receipt in self.sent]

    def _note(self, who: str, receipt: Receipt) -> None:
        self.sent.append((who, receipt))


def held(contract: Any) -> int:
    """What a contract holds, in wei."""
    return int(ape.chain.provider.get_balance(contract.address))
