"""The adapter between a SecCL session's roles and the chain: events in, transactions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ape
import click
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.exceptions import ContractLogicError
from ape.types import ContractLog

from offchain.seccl import actions as do
from offchain.seccl.board import Board
from offchain.seccl.description import MAX_DESCRIPTION_BYTES, Description
from offchain.seccl.messages import PostKey, SessionTerms
from offchain.seccl.session import Session
from offchain.storage import Datastore, cid_from_digest
from scripts._seccl.calls import call_of, key_words
from scripts._seccl.events import board_event, consensus_event, terms_in
from scripts._stage.chain import Receipt, alone, decoded, entry_of, logs_of, native, topic, transact
from scripts._stage.deployments import Deployed, address_of
from scripts._stage.permit import transact_paying

CREATED = "SessionCreated(bytes32,address,(address,bytes32,uint16,uint16,uint40,uint32,uint32,uint32,bool,bool,uint96,uint96,address),bytes32)"  # noqa: E501
"""The board's event by which a session is found wherever its board is."""


@dataclass(frozen=True)
class Contracts:
    """Whose code is believed: 0x addresses of a board, and of a factory of its consensus."""

    board: str
    factory: str

    @classmethod
    def known(cls, board: str | None = None, factory: str | None = None) -> Contracts:
        """Those of this version, which are at the same addresses on every chain, or as named."""
        return cls(
            board or address_of("BulletinBoard"), factory or address_of("BordaConsensusFactory")
        )

    def check(self, *, board: str | None = None, consensus: str | None = None) -> None:
        """Raises ClickException, one line, where a session is of another board, or of a consensus
        of another factory."""
        told = {"board": (board, self.board), "consensus": (consensus, self.factory)}
        for name, (found, known) in told.items():
            if found is not None and found.lower() != known.lower():
                raise click.ClickException(
                    f"the session's {name} is at {found}, this version's is at {known}: name it "
                    f"by --{name} if you know its code"
                )


class NoConsensus(click.ClickException):
    """A session whose server has not made its consensus, or not yet."""


class FederationChain:
    """One session on a BulletinBoard and its BordaConsensus, and what was sent to them."""

    def __init__(
        self, board: ContractInstance, consensus: ContractInstance, session: Session, first: int
    ) -> None:
        """first: block in which the session was made."""
        self.board = board
        self.consensus = consensus
        self.session = session
        self.receipts: list[Receipt] = []
        self._first = self._read_to = first
        self._told: tuple[list[Any], list[Any]] | None = None
        self.refresh()

    # ---------------------------------------------------------------- begin and find

    @classmethod
    def create(
        cls,
        board: ContractInstance,
        factory: ContractInstance,
        server: AccountAPI,
        terms: SessionTerms,
        description: Description,
        store: Datastore,
    ) -> FederationChain:
        """Opens a session and its consensus, both by the server."""
        store.put(description.to_bytes())
        first = ape.chain.blocks.height
        words = terms.words(), terms.document
        paid = transact_paying(board, "createSession", words, server, terms.token, terms.stake)
        (event,) = board.SessionCreated.from_receipt(paid[-1][1])
        session = Session(twin_of(board), bytes(event.session), terms, description)
        chosen, made = _make_consensus(factory, server, session)
        chain = cls(board, made, session, first)
        *before, (_, opened) = paid
        chain.receipts += [entry_of(*one) for one in before]
        chain.receipts += [entry_of("createSession, board", opened), chosen]
        return chain

    @classmethod
    def find(
        cls,
        text: str,
        store: Datastore,
        missing: AccountAPI | None = None,
        contracts: Contracts | None = None,
        board: Deployed | None = None,
    ) -> FederationChain:
        """The session with that id, 0x and 64 hex digits, by its events alone.

        missing: the server, which makes the consensus where there is none yet, since it was killed
        before. contracts: whose code is believed, this version's unless given. board: where alone
        it is looked for; else whatever address tells of it. Raises ClickException, one line, where
        there is none or where it is of other contracts, NoConsensus where its server has not made
        that yet, BoardError where it is not what its id says.
        """
        id_ = id_of(text)
        known = contracts or Contracts.known()
        contract, log = _created(id_, board)
        known.check(board=str(contract.address))
        document = bytes(log.event_arguments["document"])
        terms = terms_in(log.event_arguments["terms"], document)
        content = store.get(cid_from_digest(document), MAX_DESCRIPTION_BYTES)
        description = Description.from_bytes(content)
        session = Session(twin_of(contract), id_, terms, description)
        known.check(consensus=description.consensus)
        factory = ape.project.BordaConsensusFactory.at(description.consensus)
        made = [
            found.event_arguments["session"]
            for found in decoded(factory, logs_of(str(factory.address), log.block_number, []))
            if bytes(found.event_arguments["context"]) == id_
            and found.event_arguments["owner"].lower() == terms.server.lower()
        ]
        receipts = []
        if made:
            # The first: a server that makes another later changes nothing.
            consensus = ape.project.BordaConsensus.at(made[0])
        elif missing is not None:
            chosen, consensus = _make_consensus(factory, missing, session)
            receipts.append(chosen)
        else:
            raise NoConsensus(f"session 0x{id_.hex()} has no consensus")
        rules = tuple(map(native, consensus.terms(skip_trace=True)))
        members = tuple(map(str, consensus.members(skip_trace=True)))
        if (rules, members) != (consensus_terms(session), description.members):
            raise click.ClickException(
                f"the consensus of session 0x{id_.hex()} has other rules, times or members than "
                "agreed on"
            )
        chain = cls(contract, consensus, session, log.block_number)
        chain.receipts += receipts
        return chain

    # ---------------------------------------------------------------- what happened

    def refresh(self) -> Session:
        """The session with all that has happened since, or instead: blocks may be reorganised."""
        if alone():
            self._read_on()
            return self.session
        topics = [None, "0x" + self.session.id.hex()]
        told = (
            logs_of(str(self.board.address), self._first, topics),
            logs_of(str(self.consensus.address), self._first, []),
        )
        if told != self._told:
            self._told = told
            self.session.forget()
            self._apply(*told)
        return self.session

    def _read_on(self) -> None:
        """What a chain of one's own tells since it was read last: nothing there is undone."""
        height = ape.chain.blocks.height
        if height >= self._read_to:
            topics = [None, "0x" + self.session.id.hex()]
            self._apply(
                logs_of(str(self.board.address), self._read_to, topics, height),
                logs_of(str(self.consensus.address), self._read_to, [], height),
            )
            self._read_to = height + 1

    def _apply(self, posted: list[Any], elected: list[Any]) -> None:
        for log in decoded(self.board, posted):
            for event in board_event(log):
                self.session.apply(event)
        for log in decoded(self.consensus, elected):
            for event in consensus_event(log):
                self.session.apply(event)

    def is_posted(self, key: PostKey, message: bytes, path: tuple[bytes, ...]) -> bool:
        """Whether the board says that this message counts."""
        words = key_words(key), message, list(path)
        try:
            return bool(self.board.isPosted(*words, skip_trace=True))
        # A path that is not of the batch's tree: then the batch has no such leaf.
        except ContractLogicError:
            return False

    def result(self, round_: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Winners and points as the contract keeps them."""
        winners, points = self.consensus.result(round_, skip_trace=True)
        return tuple(map(int, winners)), tuple(map(int, points))

    # ---------------------------------------------------------------- what is done

    def send(self, action: do.Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        terms = self.session.terms
        pays = terms.bond if isinstance(action, do.Challenge) else 0
        call = call_of(action, self.board, self.consensus)
        self.receipts += [
            entry_of(*one) for one in transact_paying(*call, account, terms.token, pays)
        ]
        self.refresh()
        return self.receipts[-1]

    def withdraw_bonds(self, account: AccountAPI, to: str) -> None:
        """Pays the bonds that an account is owed, if any, to an account."""
        token = self.session.terms.token
        if self.board.owed(token, account.address):
            receipt = transact(self.board.withdrawBonds, (token, to), account)
            self.receipts.append(entry_of("withdrawBonds", receipt))


def id_of(text: str) -> bytes:
    """A session's id. Raises ClickException unless it is 0x and 64 hex digits."""
    try:
        id_ = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        id_ = b""
    if len(id_) != 32:
        raise click.ClickException(f"a session is 0x and 64 hex digits, not {text!r:.80}")
    return id_


def of_word(value: bytes) -> str:
    """A word as a topic of an event."""
    return "0x" + value.hex()


def _created(id_: bytes, known: Deployed | None) -> tuple[ContractInstance, ContractLog]:
    """The board whose session has that id, and how it told of it.

    Any contract can tell of any id, even before the board: what does not yield the id is passed by.
    Raises ClickException where nothing else tells of it.
    """
    address, first = (str(known.contract.address), known.block) if known else (None, 0)
    for told in logs_of(address, first, [topic(CREATED), of_word(id_)]):
        twin = Board(ape.chain.chain_id, told["address"])
        if twin.session_told(bytes.fromhex(told["data"].removeprefix("0x"))) == id_:
            board = ape.project.BulletinBoard.at(told["address"])
            (log,) = decoded(board, [told])
            return board, log
    raise click.ClickException(f"no board on this chain has a session 0x{id_.hex()}")


def _make_consensus(
    factory: ContractInstance, server: AccountAPI, session: Session
) -> tuple[Receipt, ContractInstance]:
    arguments = consensus_terms(session), list(session.description.members)
    receipt = transact(factory.createSession, arguments, server)
    (made,) = factory.SessionCreated.from_receipt(receipt)
    entry = entry_of("createSession, consensus", receipt)
    return entry, ape.project.BordaConsensus.at(made.session)


def consensus_terms(session: Session) -> tuple[str | bytes | int, ...]:
    """The terms of its consensus, in the order of BordaTerms."""
    terms, about = session.terms, session.description
    return (
        terms.server,
        session.id,
        about.winners,
        about.quorum,
        terms.rounds,
        session.voting(0)[0],
        terms.upload_time + terms.evaluation_time,
        about.ballot_time,
        about.reveal_time,
    )


def twin_of(board: ContractInstance) -> Board:
    """The Python twin of a deployed board."""
    return Board(ape.chain.chain_id, str(board.address))
