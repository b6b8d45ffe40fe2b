"""A session of four members and a small network on the tests' chain, for stories of servers."""

from __future__ import annotations

import copy
from typing import Any

import ape
import torch

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from offchain.seccl.adversaries import Lie, LyingServer
from offchain.seccl.audit import Findings
from offchain.seccl.description import voting_times
from offchain.seccl.journal import Journal
from offchain.seccl.messages import SessionTerms
from offchain.seccl.parameters import model_digest
from offchain.seccl.server import Server
from offchain.seccl.updates import mean_update
from offchain.storage import cid_of, digest_of
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain, twin_of
from scripts._seccl.setup import conductor_of
from scripts._stage.chain import Receipt, now
from scripts._stage.deployments import ready
from scripts._stage.wallet import AccountWallet, recover
from tests.kit.memory_store import MemoryStore
from tests.offchain.seccl.session_in_memory import (
    FIRST,
    LAYOUT,
    MemoryJournal,
    description,
    made_updates,
)

MEMBERS, ROUNDS, WINDOW, STAKE = 4, 3, 8_000, 4_000_000
SECRET = bytes(range(32))
LIE = Lie(round=1, victim=2, witness=3)
SCORES = torch.tensor([[0.9, 0.8, 0.7, 0.6]] * MEMBERS, dtype=torch.float64)


def deployed(project: Any, deployer: Any) -> tuple[Any, Any]:
    """This version's board and its factory of consensus."""
    board, factory = ready(deployer, "BulletinBoard", "BordaConsensusFactory")
    return board, factory


def parties(accounts: Any) -> tuple[Any, list[Any]]:
    """The server's account, and the members' by index."""
    server, *members = accounts[10 : 11 + MEMBERS]
    return server, sorted(members, key=lambda one: int(one.address, 16))


class Play:
    """A session whose rounds are played, and the model that comes of it."""

    def __init__(
        self,
        contracts: Any,
        accounts: Any,
        server: type[LyingServer] | None = None,
        batched: bool = True,
        store: MemoryStore | None = None,
        rounds: int = ROUNDS,
        token: str = NATIVE,
        **agreed: Any,
    ) -> None:
        """server: one that lies. token: 0x address of the currency. agreed: of the description."""
        board, factory = contracts
        account, members = parties(accounts)
        addresses = tuple(str(member.address) for member in members)
        about = description(
            members=addresses,
            consensus=str(factory.address),
            **voting_times(WINDOW, agreed.get("ballots", "open")),
            **agreed,
        )
        terms = SessionTerms(
            server=str(account.address),
            member_root=cm.root_of(twin_of(board).member_leaves(addresses)),
            members=MEMBERS,
            rounds=rounds,
            start=now() + 100,
            upload_time=WINDOW,
            evaluation_time=WINDOW,
            response_time=WINDOW // 8,
            batched_uploads=batched,
            batched_evaluations=batched,
            stake=STAKE,
            bond=1_000,
            document=digest_of(cid_of(about.to_bytes())),
            token=token,
        )
        self.store = store or MemoryStore({})
        self.chain = FederationChain.create(board, factory, account, terms, about, self.store)
        self.model = FIRST
        self.journal: Journal = MemoryJournal(self.chain.session.id)
        self._sit(account, members, server)

    def _sit(self, account: Any, members: list[Any], lying: type[LyingServer] | None) -> None:
        """Roles for everybody; members remember nothing, the server has its journal."""
        self.sent: list[tuple[str, Receipt]] = []
        parts = self.chain.session, AccountWallet(account), recover, self.store, self.journal
        server = Server(*parts) if lying is None else lying(*parts, LIE)
        self.conductor = conductor_of(
            self.chain, server, account, members, self.store, self._note, SECRET
        )

    def round(self, number: int) -> tuple[int, ...]:
        """Plays a round; the winners."""
        updates = made_updates(number)
        digest = model_digest(LAYOUT, self.model)
        winners = self.conductor.play(number, updates, range(MEMBERS), digest, lambda _: SCORES)
        self.model = self.model + mean_update([updates[winner] for winner in winners])
        return winners

    def whole(self) -> Findings:
        """All rounds, the payout, and the audit."""
        for number in range(ROUNDS):
            self.round(number)
        self.conductor.finish()
        return audit_session(self.chain, self.store)

    def reborn(self, accounts: Any, journal: Journal | None = None) -> Play:
        """The same session with roles that know chain and datastore, and the server its journal,
        unless it is given another."""
        other = copy.copy(self)
        other.chain = FederationChain.find("0x" + self.chain.session.id.hex(), self.store)
        other.journal = journal or self.journal
        other._sit(*parties(accounts), None)
        other.conductor.begin()
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
