"""Servers that lie: each in one round, about the upload of one member."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from offchain.roles import Recover, Wallet
from offchain.seccl import actions as do
from offchain.seccl.documents import Catalogue, Entry
from offchain.seccl.journal import Journal
from offchain.seccl.messages import MessageKind, Receipt
from offchain.seccl.server import Server
from offchain.seccl.session import Session
from offchain.storage import Datastore, cid_from_digest


@dataclass(frozen=True)
class Lie:
    """round: in which it lies. victim: whose upload. witness: another member, which is told
    something else where members are told different things."""

    round: int
    victim: int
    witness: int


class LyingServer(Server):
    """Honest but for one round's upload of one member."""

    def __init__(
        self,
        session: Session,
        wallet: Wallet,
        recover: Recover,
        store: Datastore,
        journal: Journal,
        lie: Lie,
    ) -> None:
        super().__init__(session, wallet, recover, store, journal)
        self.lie = lie

    def lies_about(self, round_: int, kind: MessageKind) -> bool:
        """Whether it lies there, which needs a message to lie about."""
        if (round_, kind) != (self.lie.round, MessageKind.UPLOAD):
            return False
        return self.lie.victim in self.journal.at(round_, kind).promises

    def _replaced(self, listed: Catalogue, content: bytes) -> Catalogue:
        """The catalogue with another message of the victim, which it signs as well."""
        key = self.session.key(listed.round, listed.kind, self.lie.victim)
        message = self.session.board.message_hash(key, content)

        def told(entry: Entry) -> Entry:
            if entry.author != self.lie.victim:
                return entry
            made = Receipt(key, message, entry.deadline)
            return self._entry(self._promise(made, content, entry.authored))

        return replace(listed, entries=tuple(map(told, listed.entries)))

    def _content(self, round_: int) -> bytes:
        """What the victim uploaded in a round."""
        promised = self.journal.at(round_, MessageKind.UPLOAD).promises[self.lie.victim]
        return self._store.get(cid_from_digest(promised.content))

    def _reversed(self, round_: int) -> bytes:
        """The victim's update with the sign of every value changed."""
        content = self._content(round_)
        body = 8 + int.from_bytes(content[:8], "little")
        start, end = (body + at for at in json.loads(content[8:body])["values"]["data_offsets"])
        values = bytearray(content[start:end])
        values[3::4] = bytes(byte ^ 0x80 for byte in values[3::4])  # little-endian: sign bits
        return content[:start] + bytes(values) + content[end:]


class Alters(LyingServer):
    """Posts another message in place of the victim's."""

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        listed = super()._listed(round_, kind)
        if self.lies_about(round_, kind):
            return self._replaced(listed, self._reversed(round_))
        return listed


class Drops(LyingServer):
    """Leaves the victim's message out."""

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        listed = super()._listed(round_, kind)
        if not self.lies_about(round_, kind):
            return listed
        return replace(
            listed, entries=tuple(e for e in listed.entries if e.author != self.lie.victim)
        )


class Replays(LyingServer):
    """Posts the victim's message of the round before once more; in round 0 it cannot."""

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        listed = super()._listed(round_, kind)
        if not self.lies_about(round_, kind):
            return listed
        return self._replaced(listed, self._content(round_ - 1))


class Equivocates(LyingServer):
    """Posts the truth, and tells the witness, with its signature, of another message."""

    def hand(self, reader: int, round_: int, kind: MessageKind) -> Catalogue | None:
        """Hands the witness another catalogue than it hands all others."""
        listed = super().hand(reader, round_, kind)
        if listed is None or reader != self.lie.witness or not self.lies_about(round_, kind):
            return listed
        return self._replaced(listed, self._reversed(round_))


class Withholds(LyingServer):
    """Posts a root and shows nobody what is in it."""

    def post(self, round_: int, kind: MessageKind) -> list[do.Action]:
        """Posts a document that names no content there is."""
        found = super().post(round_, kind)
        if not self.lies_about(round_, kind):
            return found
        return [
            replace(one, document=bytes(32)) if isinstance(one, do.Post | do.PostBatch) else one
            for one in found
        ]

    def _shown(self, round_: int, kind: MessageKind) -> Catalogue | None:
        return None if self.lies_about(round_, kind) else super()._shown(round_, kind)


class Stalls(LyingServer):
    """Signs, and then does nothing any more: posts nothing, opens no round, carries no ballot."""

    def post(self, round_: int, kind: MessageKind) -> list[do.Action]:
        """Posts nothing from the round of the lie on."""
        return [] if round_ >= self.lie.round else super().post(round_, kind)

    def open_round(self, round_: int) -> list[do.Action]:
        """Opens no round from the round of the lie on."""
        return [] if round_ >= self.lie.round else super().open_round(round_)

    def relay(self, ballots: Sequence[do.Carried]) -> list[do.Action]:
        """Relays nothing from the round of the lie on."""
        late = any(ballot.round >= self.lie.round for ballot in ballots)
        return [] if late else super().relay(ballots)
