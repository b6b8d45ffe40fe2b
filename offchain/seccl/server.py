"""The server of a session: takes messages, signs for them, posts them, carries ballots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from offchain.crypto import commitments as cm
from offchain.errors import SoukError
from offchain.roles import Wallet
from offchain.seccl import actions as do
from offchain.seccl.documents import Catalogue, Entry, SignedReceipt
from offchain.seccl.messages import MessageKind, PostKey, Receipt
from offchain.seccl.reading import max_message_bytes
from offchain.seccl.session import Session
from offchain.storage import Datastore, digest_of


class MessageRefused(SoukError):
    """A message the server does not take; one line for people."""


class Server:
    """An honest server. Between rounds it remembers nothing that chain and datastore do not."""

    def __init__(self, session: Session, wallet: Wallet, store: Datastore) -> None:
        self.session = session
        self._wallet = wallet
        self._store = store
        self._entries: dict[tuple[int, MessageKind], dict[int, Entry]] = defaultdict(dict)
        self._catalogues: dict[tuple[int, MessageKind], Catalogue] = {}

    def receive(self, key: PostKey, content: bytes, now: int) -> SignedReceipt:
        """Takes a member's message, stores it and signs that it will be posted.

        It promises the post for the middle of the window, so that who is let down has the other
        half to post itself. Raises MessageRefused for another session, a place that is not there,
        a second message, one that is too long, and one that comes too late.
        """
        session = self.session
        limit = max_message_bytes(session, key.kind)
        start, end = session.terms.window(key.round, key.kind)
        deadline = (start + end) // 2
        if key.session != session.id or not 0 <= key.author < session.members:
            raise MessageRefused(f"no place of this session: {key}")
        if key.author in self._entries[key.round, key.kind]:
            raise MessageRefused(f"member {key.author} sent its message of round {key.round} twice")
        if len(content) > limit:
            raise MessageRefused(f"a message has at most {limit} bytes, not {len(content)}")
        if now >= deadline:
            raise MessageRefused(f"messages are taken until {deadline}, it is {now}")
        entry = self._entry(key, content, deadline)
        self._entries[key.round, key.kind][key.author] = entry
        return _receipt(key, entry)

    def post(self, round_: int, kind: MessageKind) -> list[do.Action]:
        """Posts what it took of a round and kind, if anything: one batch, or one call each."""
        listed = self._listed(round_, kind)
        if not listed.entries:
            return []
        self._catalogues[round_, kind] = listed
        note = self._put(listed)
        if not self.session.terms.batched(kind):
            return [
                do.Post(
                    self.session.key(round_, kind, entry.author),
                    entry.message,
                    self._put(Catalogue(listed.session, round_, kind, (entry,))),
                )
                for entry in listed.entries
            ]
        root = cm.root_of(self._leaves(listed))
        return [do.PostBatch(self.session.id, round_, kind, root, note)]

    def hand(self, reader: int, round_: int, kind: MessageKind) -> Catalogue | None:
        """What member `reader` is told of the messages of others, receipts included."""
        return self._catalogues.get((round_, kind))

    def open_round(self, round_: int) -> list[do.Action]:
        """Opens a round of ballots, once."""
        return [] if round_ in self.session.opened else [do.OpenRound(round_)]

    def relay(self, ballots: Sequence[do.Carried]) -> list[do.Action]:
        """Carries ballots, or commitments to them, or openings."""
        return [do.Relay(tuple(ballots))] if ballots else []

    def answers(self) -> list[do.Action]:
        """Shows what members ask to be shown."""
        found: list[do.Action] = []
        for key in self.session.challenges.keys() - self.session.answers.keys():
            listed = self._catalogues.get((key.round, key.kind))
            if listed is not None and self.session.fault is None:
                leaf = listed.hashes(self.session.members)[key.author] or bytes(32)
                path = tuple(cm.path(self._leaves(listed), key.author))
                found.append(do.Answer(key, leaf, path))
        return found

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        """The catalogue that is posted."""
        entries = self._entries[round_, kind]
        return Catalogue(self.session.id, round_, kind, tuple(entries.values()))

    def _entry(self, key: PostKey, content: bytes, deadline: int) -> Entry:
        """A message in the datastore, signed for."""
        message = self.session.board.message_hash(key, content)
        digest = digest_of(self._store.put(content))
        typed = self.session.board.typed_data(Receipt(key, message, deadline))
        return Entry(key.author, message, digest, deadline, self._wallet.sign(typed))

    def _put(self, listed: Catalogue) -> bytes:
        return digest_of(self._store.put(listed.to_bytes()))

    def _leaves(self, listed: Catalogue) -> list[bytes]:
        hashes = listed.hashes(self.session.members)
        return self.session.board.batch_leaves(listed.session, listed.round, listed.kind, hashes)


def _receipt(key: PostKey, entry: Entry) -> SignedReceipt:
    return SignedReceipt(Receipt(key, entry.message, entry.deadline), entry.signature)
