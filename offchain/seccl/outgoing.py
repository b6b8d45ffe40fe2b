"""What one member has sent: on disk before it is sent, so that a restart says nothing else."""

from __future__ import annotations

from pathlib import Path

from offchain.errors import SoukError
from offchain.files import write_whole
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.seccl.description import bytes_in
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.messages import MessageKind, PostKey, Receipt
from offchain.seccl.participant import Message

_TYPE = "souk.seccl.outgoing.v1"


class OutgoingError(SoukError):
    """A file of what was sent that cannot be used; one line for people."""


class Outgoing:
    """Messages of one member in one session, with the receipts for them, in a folder of its own.

    Contents lie there and not in the datastore: nobody shall see an evaluation before all have
    committed to their ballots.
    """

    def __init__(self, folder: Path) -> None:
        """folder: made with the first message."""
        self._folder = folder

    def keep(self, message: Message, signed: SignedReceipt | None = None) -> None:
        """A message, and the receipt for it; on disk when this returns."""
        name, receipt = self._name(message.key), signed and signed.receipt
        write_whole(self._folder / f"{name}.content", message.content, 0o600)
        said = {
            "type": _TYPE,
            "session": message.key.session.hex(),
            "author": message.key.author,
            "message": message.message.hex(),
            "authored": message.authored.hex(),
            "deadline": receipt.deadline if receipt else 0,
            "signature": signed.signature.hex() if signed else "",
        }
        write_whole(self._folder / f"{name}.json", to_canonical(said), 0o600)

    def kept(self, session: bytes, author: int) -> list[tuple[Message, SignedReceipt | None]]:
        """All of them. Raises OutgoingError where a file is none."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(self._read(path, session, author))
            except (DocumentError, OSError, KeyError, ValueError) as error:
                raise OutgoingError(f"{path} is no message that was sent: {error}") from error
        return found

    def _read(
        self, path: Path, session: bytes, author: int
    ) -> tuple[Message, SignedReceipt | None]:
        *head, message, authored, deadline, signature = take(
            from_canonical(path.read_bytes(), "a message", 4_096),
            "a message",
            type=str,
            session=str,
            author=int,
            message=str,
            authored=str,
            deadline=int,
            signature=str,
        )
        if head != [_TYPE, session.hex(), author]:
            raise DocumentError("it is of another session or member")
        round_, _, kind = path.stem.partition("-")
        key = PostKey(session, int(round_), MessageKind[kind.upper()], author)
        content = path.with_suffix(".content").read_bytes()
        sent = Message(key, content, bytes_in(message), bytes_in(authored))
        receipt = Receipt(key, sent.message, deadline)
        return sent, SignedReceipt(receipt, bytes_in(signature)) if signature else None

    @staticmethod
    def _name(key: PostKey) -> str:
        return f"{key.round}-{key.kind.name.lower()}"
