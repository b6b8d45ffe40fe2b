"""A session of BordaConsensus as tests use it: members by index, ballots as rankings or scores.

driver = open_session(factory, owner, voters, winners=2)
driver.open()
driver.vote(0, driver.ranking([1, 2]))
driver.carry([driver.signed(1, driver.ranking([2, 0]))])
driver.end()
driver.close()
driver.result()
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractInstance
from eth_account import Account
from eth_hash.auto import keccak

from offchain.crypto.commitments import path, root_of
from offchain.seccl import ballots as b
from offchain.seccl.board import Board
from offchain.seccl.borda import Election
from offchain.seccl.messages import MessageKind, SessionTerms
from tests.kit.driver import Driver

CONTEXT = keccak(b"no session of the bulletin board")
BALLOT_TIME = 600
REVEAL_TIME = 900
PERIOD = 3_600
LEAD = 60
"""Seconds from a session's creation to its first round."""
SALT = bytes(range(32))
MESSAGE = b"\x01" * 32
BOARD_ROUNDS = 100
_DOCUMENTS = count(1)
ALL = 256
"""More candidates than any small session has."""


@dataclass(frozen=True)
class Voter:
    """A member: its key, and its account on Ape where it calls by itself."""

    key: bytes
    address: str
    account: Any = None


def voters_of(accounts: Iterable[Any], more: int = 0) -> list[Voter]:
    """Voters for all accounts, and so many more that can only sign, in ascending order."""
    made = [Voter(bytes.fromhex(a.private_key[2:]), a.address, a) for a in accounts]
    for i in range(more):
        key = keccak(b"voter" + i.to_bytes(4, "big"))
        made.append(Voter(key, Account.from_key(key).address))
    return sorted(made, key=lambda voter: int(voter.address, 16))


@dataclass
class BordaDriver(Driver):
    """One session."""

    contract: ContractInstance
    owner: Any
    voters: Sequence[Voter]
    terms: dict[str, Any]
    created: ReceiptAPI

    @property
    def usual(self) -> Any:
        """Whoever opened the session."""
        return self.owner

    @property
    def members(self) -> int:
        """How many there are."""
        return len(self.voters)

    @property
    def newest(self) -> Any:
        """The newest round, as the contract tells it."""
        return self.contract.newestRound(skip_trace=True)

    @property
    def round(self) -> int:
        """The newest round's number."""
        return self.newest[0] - 1

    @property
    def election(self) -> Election:
        """The newest round's rules, for the twin."""
        return Election(
            self.members,
            self.terms["winners"],
            bytes(self.newest[4]),
            self.terms["quorum"],
        )

    @property
    def poll(self) -> b.Poll:
        """What ballots of the newest round are bound to."""
        chain_id = ape.chain.chain_id
        return b.Poll(chain_id, self.contract.address, self.terms["context"], self.round)

    # ------------------------------------------------------------ rounds

    def open(self, round_: int | None = None, sender: Any = None) -> ReceiptAPI:
        """Opens a round, the next unless told, when its time has come."""
        number = self.newest[0] if round_ is None else round_
        self.go_to(self.opening(number))
        return self.contract.openRound(number, sender=sender or self.owner)

    def opening(self, round_: int) -> int:
        """When the terms have a round's ballots open."""
        return self.terms["start"] + round_ * self.terms["period"]

    def end_ballots(self) -> None:
        """Goes to the first second in which no ballot is taken any more."""
        self.go_to(self.newest[2])

    def end(self) -> None:
        """Goes to the first second after all windows of the round."""
        self.go_to(self.newest[3])

    def close(self, step: int = ALL, sender: Any = None) -> list[ReceiptAPI]:
        """Closes the round, in as many calls as that takes."""
        calls = []
        while not calls or self.newest[1] == 2:
            calls.append(self.contract.close(self.round, step, sender=sender or self.owner))
        return calls

    def result(self, round_: int | None = None) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Winners and their points."""
        number = self.round if round_ is None else round_
        winners, points = self.contract.result(number, skip_trace=True)
        return tuple(winners), tuple(points)

    def points(self) -> list[int]:
        """Points of all candidates."""
        return list(self.contract.points(skip_trace=True))

    # ------------------------------------------------------------ ballots

    def ranking(self, names: Sequence[int]) -> b.Ballot:
        """A ballot that names members."""
        return b.pack_ranking(names, self.members)

    def vote(self, voter: int, ballot: b.Ballot, **options: Any) -> ReceiptAPI:
        """Casts it as the voter itself."""
        return self.contract.vote(*self.vote_args(voter, ballot), **self._by(voter, options))

    def vote_args(self, voter: int, ballot: b.Ballot) -> tuple[Any, ...]:
        """What the voter sends."""
        return self.round, voter, int(ballot.form), ballot.content

    def signed(
        self, voter: int, ballot: b.Ballot, *, poll: b.Poll | None = None, signer: int | None = None
    ) -> tuple[Any, ...]:
        """A signed ballot; for `poll` and by `signer`, where these are not the right ones."""
        data = (poll or self.poll).ballot(self.voters[voter].address, ballot)
        r, vs = self.sign(voter if signer is None else signer, data)
        return self.round, voter, int(ballot.form), ballot.content, r, vs

    def sign(self, voter: int, data: b.TypedData) -> tuple[bytes, bytes]:
        """A voter's signature of typed data."""
        made = Account.sign_typed_data(self.voters[voter].key, full_message=data)
        return b.compact(made.r, made.s, made.v)

    def signed_commitment(self, voter: int, hidden: bytes) -> tuple[Any, ...]:
        """The arguments of commitSigned."""
        data = self.poll.commitment(self.voters[voter].address, hidden)
        return self.round, voter, hidden, *self.sign(voter, data)

    def hide(self, voter: int, ballot: b.Ballot, salt: bytes) -> bytes:
        """The voter's commitment."""
        return self.poll.hide(self.voters[voter].address, ballot, salt)

    def carry(self, ballots: Iterable[tuple[Any, ...]], sender: Any = None) -> ReceiptAPI:
        """Casts signed ballots in one transaction, as the server would."""
        calls = [self.contract.voteSigned.encode_input(ballot) for ballot in ballots]
        return self.contract.batch(calls, sender=sender or self.owner)

    def _by(self, voter: int, options: dict[str, Any]) -> dict[str, Any]:
        return {"sender": self.voters[voter].account} | options


def make_terms(**changes: Any) -> dict[str, Any]:
    """Terms with open ballots, of which one decides; keyword arguments replace single ones."""
    return {
        "owner": "0x" + "00" * 20,
        "context": CONTEXT,
        "winners": 2,
        "quorum": 1,
        "rounds": BOARD_ROUNDS,
        "start": ape.chain.blocks.head.timestamp + LEAD + changes.get("period", PERIOD) // 2,
        "period": PERIOD,
        "ballotTime": BALLOT_TIME,
        "revealTime": 0,
    } | changes


def board_session(
    factory: ContractInstance,
    owner: Any,
    voters: Sequence[Voter],
    terms: dict[str, Any],
    *,
    batched: bool = False,
) -> bytes:
    """A session of the factory's board, in which all voters train at the times of `terms`."""
    (board, twin), upload_time = _board(factory), terms["period"] // 2
    agreed = SessionTerms(
        server=owner.address,
        member_root=root_of(twin.member_leaves([voter.address for voter in voters])),
        members=len(voters),
        rounds=BOARD_ROUNDS,
        start=terms["start"] - upload_time,
        upload_time=upload_time,
        evaluation_time=terms["period"] - upload_time,
        response_time=600,
        batched_uploads=batched,
        batched_evaluations=False,
        stake=0,
        bond=0,
        document=next(_DOCUMENTS).to_bytes(32, "big"),
    )
    board.createSession(agreed.words(), agreed.document, sender=owner)
    return twin.session_id(agreed)


def open_session(
    factory: ContractInstance,
    owner: Any,
    voters: Sequence[Voter],
    *,
    batched: bool = False,
    **changes: Any,
) -> BordaDriver:
    """A fresh session, and the board's that it belongs to; keyword arguments replace terms."""
    terms = make_terms(**changes)
    if "context" not in changes:
        terms["context"] = board_session(factory, owner, voters, terms, batched=batched)
    receipt = factory.createSession(terms, [v.address for v in voters], sender=owner)
    (log,) = factory.SessionCreated.from_receipt(receipt)
    contract = ape.project.BordaConsensus.at(log.session)
    return BordaDriver(contract, owner, voters, terms | {"owner": owner.address}, receipt)


def upload(factory: ContractInstance, driver: BordaDriver, voters: Iterable[int]) -> None:
    """These members post an upload of the first round themselves, in its window."""
    board, twin = _board(factory)
    leaves = twin.member_leaves([voter.address for voter in driver.voters])
    driver.go_to(driver.opening(0) - driver.terms["period"] // 2)
    for voter in voters:
        place = driver.terms["context"], 0, 0, voter
        sender = driver.voters[voter].account
        board.postOwn(place, MESSAGE, MESSAGE, path(leaves, voter), sender=sender)


def post_uploads(
    factory: ContractInstance, driver: BordaDriver, round_: int, messages: Sequence[bytes | None]
) -> list[bytes]:
    """The server posts a round's uploads as one batch, in their window; the leaves."""
    board, twin = _board(factory)
    context, kind = driver.terms["context"], MessageKind.UPLOAD
    leaves = twin.batch_leaves(context, round_, kind, messages)
    driver.go_to(driver.opening(round_) - driver.terms["period"] // 2)
    board.postBatch(context, round_, int(kind), root_of(leaves), MESSAGE, sender=driver.owner)
    return leaves


def _board(factory: ContractInstance) -> tuple[ContractInstance, Board]:
    board = ape.project.BulletinBoard.at(factory.board())
    return board, Board(ape.chain.chain_id, board.address)


HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
"""Of block hashes (EIP-2935)."""


def remember(block_hash: bytes | None) -> None:
    """The chain's history knows one hash for every block, or is not there."""
    # push32 hash, push0, mstore, push1 32, push0, return
    code = b"" if block_hash is None else b"\x7f" + block_hash + bytes.fromhex("5f5260205ff3")
    ape.chain.provider.make_request("anvil_setCode", [HISTORY, "0x" + code.hex()])


def commit(driver: BordaDriver, voter: int, ballot: b.Ballot, salt: bytes = SALT) -> ReceiptAPI:
    """The voter commits by itself."""
    args = driver.round, voter, driver.hide(voter, ballot, salt)
    return driver.contract.commit(*args, sender=driver.voters[voter].account)


def opening(
    driver: BordaDriver, voter: int, ballot: b.Ballot, salt: bytes = SALT
) -> tuple[Any, ...]:
    """The arguments of reveal."""
    return driver.round, voter, int(ballot.form), ballot.content, salt
