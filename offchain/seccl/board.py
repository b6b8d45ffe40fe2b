"""The Python twin of a bulletin board: its hashes, its trees, and what a receipt signs.

Every hash is keccak-256 and 32 bytes. A message's hash binds chain, board, session, round, kind,
author and content, so that a message of one place can stand at no other. Batches and member lists
are trees over fixed indices (``offchain/crypto/commitments.py``) whose leaves are hashed twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto import eip712
from offchain.seccl.messages import (
    MEMBERS_LIMIT,
    NO_MESSAGE,
    BatchPosted,
    BoardError,
    MessageKind,
    Posted,
    PostKey,
    Receipt,
    SessionTerms,
)

MESSAGE_TYPE = keccak(b"souk.board.message.v1")
MEMBER_TYPE = keccak(b"souk.board.member.v1")
BATCH_TYPE = keccak(b"souk.board.batch.v1")
SESSION_TYPE = keccak(b"souk.board.session.v2")

DIGEST_BYTES = 28
"""What the board keeps of a hash; its events have all of it."""

DOMAIN_NAME = "Souk Bulletin Board"
DOMAIN_VERSION = "1"
_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_MESSAGE_FIELDS = (
    ("session", "bytes32"),
    ("round", "uint256"),
    ("kind", "uint8"),
    ("author", "uint256"),
    ("message", "bytes32"),
)
_RECEIPT_FIELDS = (
    ("session", "bytes32"),
    ("round", "uint256"),
    ("kind", "uint8"),
    ("author", "uint256"),
    ("message", "bytes32"),
    ("deadline", "uint256"),
)


@dataclass(frozen=True)
class Board:
    """One board on one chain, which every hash below binds.

    Attributes:
        chain_id: the chain's id.
        address: 0x address of the contract.
    """

    chain_id: int
    address: str

    def session_id(self, terms: SessionTerms) -> bytes:
        """The id that the board gives a session with these terms."""
        return self._hash(SESSION_TYPE, *terms.words(), terms.document)

    def session_told(self, data: bytes) -> bytes:
        """The id of the session that the data of a SessionCreated tells: of its terms and document,
        word by word, whatever they are."""
        head: tuple[int | bytes | str, ...] = SESSION_TYPE, self.chain_id, self.address
        return keccak(b"".join(map(cm.word, head)) + data)

    def message_hash(self, key: PostKey, content: bytes) -> bytes:
        """What is posted of a message: a hash of its place and its bytes."""
        return self._hash(MESSAGE_TYPE, *_words(key), keccak(content))

    def member_leaves(self, members: Sequence[str]) -> list[bytes]:
        """Leaves of the member tree, by index; root and paths as in commitments.py.

        Raises:
            BoardError: no members, too many, or one of them twice.
        """
        if not 1 <= len(members) <= MEMBERS_LIMIT:
            raise BoardError(f"{len(members)} members, must be in [1, {MEMBERS_LIMIT}]")
        words = [cm.word(member) for member in members]
        word, times = Counter(words).most_common(1)[0]
        if times > 1:
            raise BoardError(f"member 0x{word[12:].hex()} is listed {times} times")
        return _leaves(self._hash(MEMBER_TYPE), words)

    def batch_leaves(
        self, session: bytes, round_: int, kind: MessageKind, messages: Sequence[bytes | None]
    ) -> list[bytes]:
        """Leaves of a batch: the hash of every member's message by index, None for no message."""
        domain = self._hash(BATCH_TYPE, session, round_, int(kind))
        return _leaves(domain, [message or NO_MESSAGE for message in messages])

    def is_posted(
        self,
        key: PostKey,
        message: bytes,
        events: Iterable[Posted | BatchPosted],
        members: int = 0,
        path: Sequence[bytes] = (),
    ) -> bool:
        """Whether `message` is what counts at `key`: the author's own post, or else the server's.

        The twin of the contract's isPosted, which compares as many bytes as the board keeps; final
        once the window has ended.

        Args:
            events: of the board, any order; those of other places do not matter.
            members: number of members of the session, for a batch.
            path: siblings from the author's leaf to the batch's root.

        Raises:
            BoardError: the path has another length than the tree of so many members asks for.
        """
        single: dict[bool, bytes] = {}
        root = None
        for event in events:
            if isinstance(event, Posted):
                if event.key == key:
                    single[event.own] = event.message
            elif (event.session, event.round, event.kind) == (key.session, key.round, key.kind):
                root = event.root
        if single:
            return same_on_board(single[True in single], message)
        if root is None or message == NO_MESSAGE:
            return False
        domain = self._hash(BATCH_TYPE, *_words(key)[:3])
        leaf = keccak(cm.leaf(domain, key.author, message))
        return same_on_board(_path_root(members, key.author, leaf, path), root)

    def typed_data(self, receipt: Receipt) -> dict[str, Any]:
        """The receipt as EIP-712 typed data, for any wallet to sign."""
        return self._typed("Receipt", _RECEIPT_FIELDS, receipt.fields())

    def authored(self, key: PostKey, message: bytes) -> dict[str, Any]:
        """What the author of a message signs, as EIP-712 typed data: its place and its hash.

        No contract reads it. It shows readers that the server did not make the message up.
        """
        names = [name for name, _ in _MESSAGE_FIELDS]
        values = key.session, key.round, int(key.kind), key.author, message
        return self._typed("Message", _MESSAGE_FIELDS, dict(zip(names, values, strict=True)))

    def _typed(
        self, kind: str, fields: Sequence[tuple[str, str]], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "types": {
                eip712.DOMAIN: [{"name": n, "type": t} for n, t in _DOMAIN_FIELDS],
                kind: [{"name": n, "type": t} for n, t in fields],
            },
            "primaryType": kind,
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.address,
            },
            "message": dict(values),
        }

    def receipt_digest(self, receipt: Receipt) -> bytes:
        """What the server signs: the EIP-712 digest of the receipt."""
        return eip712.digest(self.typed_data(receipt))

    def _hash(self, kind: bytes, *values: int | bytes | str) -> bytes:
        return keccak(b"".join(map(cm.word, (kind, self.chain_id, self.address, *values))))


def same_on_board(one: bytes, other: bytes) -> bool:
    """Whether the board keeps the same of two hashes; of the rest a server may tell what it likes,
    and no proof speaks of it."""
    return one[:DIGEST_BYTES] == other[:DIGEST_BYTES]


def _words(key: PostKey) -> tuple[int | bytes, ...]:
    return key.session, key.round, int(key.kind), key.author


def _leaves(domain: bytes, values: Sequence[bytes]) -> list[bytes]:
    return [keccak(cm.leaf(domain, i, value)) for i, value in enumerate(values)]


def _path_root(count: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Root that leaf `index` of `count` and its siblings yield."""
    if not 0 <= index < count:
        raise BoardError(f"author {index} out of range [0, {count})")
    siblings, node, needed = iter(path), leaf, 0
    while count > 1:
        if index ^ 1 < count:
            needed += 1
            sibling = next(siblings, NO_MESSAGE)
            node = keccak(sibling + node if index & 1 else node + sibling)
        index, count = index >> 1, (count + 1) >> 1
    if len(path) != needed:
        raise BoardError(f"path has {len(path)} siblings, needs {needed}")
    return node
