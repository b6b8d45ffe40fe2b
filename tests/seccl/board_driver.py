"""A session of a bulletin board as tests use it: members by number, receipts signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractInstance
from eth_account.messages import encode_typed_data

from offchain.crypto import commitments as cm
from offchain.crypto.settlement import NATIVE
from offchain.seccl.board import DIGEST_BYTES, Board
from offchain.seccl.messages import MessageKind, PostKey, Receipt, SessionTerms
from tests.kit.driver import Driver

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
KINDS = (UPLOAD, EVALUATION)
MEMBERS = 5
"""Odd, so that the trees have a level of odd width."""
ROUNDS = 3
UPLOAD_TIME, EVALUATION_TIME, RESPONSE_TIME = 1_200, 960, 600
STAKE, BOND = 5_000, 70
DOCUMENT = b"\x0d" * 32
EQUIVOCATED, ALTERED, UNPOSTED, UNANSWERED = range(4)

Signed = tuple[tuple[bytes, int, int, int], bytes, int, bytes]


def key_args(key: PostKey) -> tuple[bytes, int, int, int]:
    """A place as the contract takes it."""
    return key.session, key.round, int(key.kind), key.author


def address_of(token: ContractInstance | None) -> str:
    """The address that terms have of a token; zero for the native coin."""
    return NATIVE if token is None else token.address


def twin_of(contract: ContractInstance) -> Board:
    """The Python twin of a deployed board."""
    return Board(ape.chain.chain_id, contract.address)


def make_terms(contract: ContractInstance, server: Any, members: Sequence[Any], **changes: Any):
    """Terms of a session that starts in 100 seconds; `changes` by field name."""
    leaves = twin_of(contract).member_leaves([member.address for member in members])
    fields: dict[str, Any] = {
        "server": server.address,
        "member_root": cm.root_of(leaves),
        "members": len(members),
        "rounds": ROUNDS,
        "start": ape.chain.blocks.head.timestamp + 100,
        "upload_time": UPLOAD_TIME,
        "evaluation_time": EVALUATION_TIME,
        "response_time": RESPONSE_TIME,
        "batched_uploads": False,
        "batched_evaluations": False,
        "stake": STAKE,
        "bond": BOND,
        "document": DOCUMENT,
    }
    fields |= changes
    fields["token"] = address_of(changes.get("token"))
    if "bond" not in changes:
        fields["bond"] = min(BOND, fields["stake"] // fields["members"])
    return SessionTerms(**fields)


def open_session(
    contract: ContractInstance, server: Any, members: Sequence[Any], **changes: Any
) -> BoardDriver:
    """Opens a session on the board."""
    terms = make_terms(contract, server, members, **changes)
    coin = changes.get("token")
    value = terms.stake if coin is None else 0
    if coin is not None:
        coin.approve(contract, terms.stake, sender=server)
    receipt = contract.createSession(terms.words(), terms.document, value=value, sender=server)
    (log,) = contract.SessionCreated.from_receipt(receipt)
    return BoardDriver(contract, bytes(log.session), terms, server, tuple(members), coin)


def open_batched(contract: ContractInstance, server: Any, members: Sequence[Any], **changes: Any):
    """Opens a session with both kinds batched."""
    batched = {"batched_uploads": True, "batched_evaluations": True}
    return open_session(contract, server, members, **batched | changes)


@dataclass
class BoardDriver(Driver):
    """One session, its server and its members."""

    contract: ContractInstance
    id: bytes
    terms: SessionTerms
    server: Any
    members: tuple[Any, ...]
    coin: ContractInstance | None = None

    @property
    def twin(self) -> Board:
        """The board's Python twin."""
        return twin_of(self.contract)

    # ---------------------------------------------------------------- time

    def enter(self, key: PostKey) -> None:
        """Goes to the first second of the window of a place."""
        self.go_to(self.terms.window(key.round, key.kind)[0])

    # ---------------------------------------------------------------- what is said

    def key(self, author: int = 0, round_: int = 0, kind: MessageKind = UPLOAD) -> PostKey:
        """A place of this session."""
        return PostKey(self.id, round_, kind, author)

    def message(self, key: PostKey, content: bytes = b"content") -> bytes:
        """The hash of a message with that content."""
        return self.twin.message_hash(key, content)

    def due(self, key: PostKey) -> int:
        """The end of the window of a place."""
        return self.terms.window(key.round, key.kind)[1]

    def receipt(
        self,
        key: PostKey,
        content: bytes = b"content",
        deadline: int | None = None,
        signer: Any = None,
    ) -> Signed:
        """The server's receipt for a message, as the contract takes it."""
        due = self.due(key) if deadline is None else deadline
        return self.sign(Receipt(key, self.message(key, content), due), signer)

    def sign(self, receipt: Receipt, signer: Any = None, board: Board | None = None) -> Signed:
        """A receipt signed by the server, or by `signer`; of another board, if one is given."""
        typed = encode_typed_data(full_message=(board or self.twin).typed_data(receipt))
        signature = (signer or self.server).sign_message(typed).encode_rsv()
        return key_args(receipt.key), receipt.message, receipt.deadline, bytes(signature)

    def messages(self, round_: int = 0, kind: MessageKind = UPLOAD) -> list[bytes]:
        """A message of every member for one round and kind."""
        return [self.message(self.key(i, round_, kind)) for i in range(len(self.members))]

    def leaves(
        self, messages: Sequence[bytes | None], round_: int = 0, kind: MessageKind = UPLOAD
    ) -> list[bytes]:
        """The leaves of a batch."""
        return self.twin.batch_leaves(self.id, round_, kind, messages)

    def member_path(self, index: int) -> list[bytes]:
        """From a member's leaf to the root."""
        addresses = [member.address for member in self.members]
        return cm.path(self.twin.member_leaves(addresses), index)

    # ---------------------------------------------------------------- what is done

    def post(self, key: PostKey, message: bytes | None = None) -> ReceiptAPI:
        """The server posts one message, in its window."""
        self.enter(key)
        message = message or self.message(key)
        return self.contract.post(key_args(key), message, DOCUMENT, sender=self.server)

    def post_own(self, key: PostKey, message: bytes) -> ReceiptAPI:
        """The author posts its message itself, in its window."""
        self.enter(key)
        path = self.member_path(key.author)
        sender = self.members[key.author]
        return self.contract.postOwn(key_args(key), message, DOCUMENT, path, sender=sender)

    def post_batch(
        self,
        messages: Sequence[bytes | None],
        round_: int = 0,
        kind: MessageKind = UPLOAD,
    ) -> list[bytes]:
        """The server posts a batch; its leaves."""
        self.enter(self.key(0, round_, kind))
        leaves = self.leaves(messages, round_, kind)
        root = cm.root_of(leaves)
        words = self.id, round_, int(kind), root, DOCUMENT
        self.contract.postBatch(*words, sender=self.server)
        return leaves

    def challenge(self, key: PostKey, member: int = 0) -> int:
        """A member asks for a leaf; when the time to answer ends."""
        account, bond = self.members[member], self.terms.bond
        if self.coin is not None:
            self.coin.approve(self.contract, bond, sender=account)
        path, value = self.member_path(member), 0 if self.coin is not None else bond
        receipt = self.contract.challenge(key_args(key), member, path, value=value, sender=account)
        (log,) = self.contract.Challenged.from_receipt(receipt)
        return log.deadline

    # ---------------------------------------------------------------- what is so

    @property
    def faulty(self) -> bool:
        """Whether the server is convicted."""
        return self.contract.status(self.id)[0]

    def conviction(self, receipt: ReceiptAPI) -> tuple[Any, ...]:
        """Fault, place, what was signed and what was found, of the one conviction there is."""
        (log,) = self.contract.ServerFaulty.from_receipt(receipt)
        assert bytes(log.session) == self.id
        assert log.share == self.terms.stake // len(self.members)
        key = self.key(log.author, log.round, MessageKind(log.kind))
        return log.fault, key, bytes(log.signed), bytes(log.found)

    def is_posted(self, key: PostKey, message: bytes, path: Sequence[bytes] = ()) -> bool:
        """Whether the board says that this message counts."""
        return self.contract.isPosted(key_args(key), message, list(path))


def short(message: bytes) -> bytes:
    """What the board keeps of a hash."""
    return message[:DIGEST_BYTES]
