"""What a server has promised: on disk before it signs, so that a restart forgets nothing.

A receipt is a promise that the server's stake stands for. A server that forgot one might sign
another message of the same place, or leave the first out of what it posts; either convicts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from offchain.errors import SoukError
from offchain.files import write_whole
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.seccl.messages import MEMBERS_LIMIT, MessageKind, PostKey, Receipt

_TYPE = "souk.seccl.journal.v2"
_PAGE_BYTES = 512 * (MEMBERS_LIMIT + 1)
"""Longest page read: a promise has some 290 characters."""

OPEN, CLOSED = "open", "closed"


class JournalError(SoukError):
    """A journal that cannot be used; one line for people."""


@dataclass(frozen=True)
class Promise:
    """A receipt, signed or about to be; `content` is the digest in its message's CID, `authored`
    its author's signature."""

    receipt: Receipt
    content: bytes
    authored: bytes


@dataclass(frozen=True)
class Promised:
    """What was promised of one round and kind, by author, in the order in which it was taken.

    closed: nothing is added any more, since it was posted or is about to be.
    """

    promises: Mapping[int, Promise] = field(default_factory=dict)
    closed: bool = False


class Journal:
    """The promises of one session's server: a file of mode 0600 for each round and kind.

    Only one server at a time may have it.
    """

    def __init__(self, folder: Path, session: bytes) -> None:
        """folder: made with the first promise. Raises JournalError where a page is none."""
        self._folder, self._session = folder, session
        self._pages: dict[tuple[int, MessageKind], Promised] = {}
        for path in folder.glob("*.json"):
            place = _place(path)
            self._pages[place] = self._parsed(path, *place)

    def at(self, round_: int, kind: MessageKind) -> Promised:
        """What the server promised of one kind of message in a round; empty if nothing."""
        return self._pages.get((round_, kind), Promised())

    def places(self) -> list[tuple[int, MessageKind]]:
        """Rounds and kinds of which something was promised."""
        return sorted(self._pages)

    def promise(self, made: Promise) -> None:
        """Adds a promise; it is on disk when this returns."""
        key = made.receipt.key
        page = self.at(key.round, key.kind)
        promises = {**page.promises, key.author: made}
        self._write(key.round, key.kind, replace(page, promises=promises))

    def close(self, round_: int, kind: MessageKind) -> None:
        """Adds no promise there any more; on disk when this returns."""
        page = self.at(round_, kind)
        if not page.closed:
            self._write(round_, kind, replace(page, closed=True))

    def _write(self, round_: int, kind: MessageKind, page: Promised) -> None:
        name = f"{round_}-{kind.name.lower()}.json"
        write_whole(self._folder / name, self._document(round_, kind, page), 0o600)
        self._pages[round_, kind] = page

    def _document(self, round_: int, kind: MessageKind, page: Promised) -> bytes:
        return to_canonical(
            {
                "type": _TYPE,
                "session": self._session.hex(),
                "round": round_,
                "kind": int(kind),
                "state": CLOSED if page.closed else OPEN,
                "promises": [
                    [
                        author,
                        made.receipt.message.hex(),
                        made.content.hex(),
                        made.authored.hex(),
                        made.receipt.deadline,
                    ]
                    for author, made in page.promises.items()
                ],
            }
        )

    def _parsed(self, path: Path, round_: int, kind: MessageKind) -> Promised:
        try:
            document = from_canonical(path.read_bytes(), "a journal", _PAGE_BYTES)
            *head, state, listed = take(
                document,
                "a journal",
                type=str,
                session=str,
                round=int,
                kind=int,
                state=str,
                promises=list,
            )
            if head != [_TYPE, self._session.hex(), round_, int(kind)]:
                raise DocumentError("it is of another session, round or kind")
            promises = [self._promise(item, round_, kind) for item in listed]
        except DocumentError as error:
            raise JournalError(f"{path} is no page of a journal: {error}") from error
        return Promised({made.receipt.key.author: made for made in promises}, state == CLOSED)

    def _promise(self, item: Any, round_: int, kind: MessageKind) -> Promise:
        try:
            author, message, content, authored, deadline = item
            key = PostKey(self._session, round_, kind, int(author))
            receipt = Receipt(key, bytes.fromhex(message), int(deadline))
            return Promise(receipt, bytes.fromhex(content), bytes.fromhex(authored))
        except (TypeError, ValueError) as error:
            raise DocumentError(f"{item!r:.60} is no promise") from error


def _place(path: Path) -> tuple[int, MessageKind]:
    round_, _, kind = path.stem.partition("-")
    try:
        return int(round_), MessageKind[kind.upper()]
    except (ValueError, KeyError) as error:
        raise JournalError(f"{path} is no page of a journal") from error
