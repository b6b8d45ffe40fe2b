"""The server of a session: takes messages, signs for them, posts them, carries ballots."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto import commitments as cm
from offchain.errors import SoukError
from offchain.roles import Recover, Wallet
from offchain.seccl import actions as do
from offchain.seccl.documents import Catalogue, Entry, SignedReceipt
from offchain.seccl.journal import Journal, Promise
from offchain.seccl.messages import MessageKind, PostKey, Receipt
from offchain.seccl.reading import is_authored, max_message_bytes
from offchain.seccl.session import Session
from offchain.storage import Datastore, digest_of

ANSWERS = 100
"""Leaves that one call shows at most: some 40,000 gas each."""


class MessageRefused(SoukError):
    """A message the server does not take; one line for people."""


class TooLate(MessageRefused):
    """A message that comes when all that was taken is posted, or has to be: its author posts it."""


class Server:
    """An honest server. What it has promised is in its journal, all else on the chain.

    It may be stopped at any time and built again: content is stored and a promise is in the journal
    before it is signed, and what is about to be posted is closed there before it is posted. No
    promise rests on the ballots that it carries: a member casts its own where the chain has none.
    """

    def __init__(
        self,
        session: Session,
        wallet: Wallet,
        recover: Recover,
        store: Datastore,
        journal: Journal,
    ) -> None:
        """wallet: of the session's server. recover: whose a signature is. journal: of this session,
        and no other server's."""
        self.session = session
        self._recover = recover
        self.journal = journal
        self._keys: dict[str, Wallet] = {}
        self.use(wallet)
        self._store = store
        self._signatures: dict[Receipt, bytes] = {}

    def use(self, wallet: Wallet) -> None:
        """Gives it a key to sign with in the rounds of which that is the signer."""
        self._keys[wallet.address.lower()] = wallet

    def replace_key(self, wallet: Wallet) -> list[do.Action]:
        """Has another key sign from the next round on that has not begun.

        It needs the old one still, for the rounds before; built again it is given both.
        """
        self.use(wallet)
        return [do.ReplaceSigner(self.session.id, wallet.address)]

    def receive(self, key: PostKey, content: bytes, authored: bytes, now: int) -> SignedReceipt:
        """Takes a member's message, stores it and signs that it will be posted.

        authored: its author's signature, without which no reader would use it.

        It promises the post for the middle of the window, so that who is let down has the other
        half to post itself, and promises nothing in the margin before that: a post sent then could
        come too late and convict it. The same message gets the same receipt, however often it
        comes. Raises MessageRefused for another session, a place that is not there, a signature
        that is not the author's, another message than one that it took, one that is too long, and
        one of a round whose signer's key it does not have; TooLate for one that can no more be
        posted in time.
        """
        session = self.session
        if key.session != session.id or not 0 <= key.author < session.members:
            raise MessageRefused(f"no place of this session: {key}")
        self._key(key.round)
        start, end = session.terms.window(key.round, key.kind)
        promised = Receipt(key, session.board.message_hash(key, content), (start + end) // 2)
        page = self.journal.at(key.round, key.kind)
        if key.author in page.promises:
            taken = page.promises[key.author].receipt
            if taken.message != promised.message:
                raise MessageRefused(
                    f"round {key.round}: another {key.kind.name.lower()} of member {key.author} "
                    "was taken before"
                )
            return self._sign(taken)
        if not is_authored(session, key, promised.message, authored, self._recover):
            raise MessageRefused(f"member {key.author} did not sign its {key.kind.name.lower()}")
        limit = max_message_bytes(session, key.kind)
        if len(content) > limit:
            raise MessageRefused(f"a message has at most {limit} bytes, not {len(content)}")
        latest = promised.deadline - session.terms.margin(key.kind)
        if now >= latest:
            raise TooLate(f"messages are taken until {latest}, it is {now}")
        if page.closed or self._is_posted(key.round, key.kind):
            raise TooLate(f"round {key.round}: the {key.kind.name.lower()}s taken are posted")
        self.journal.promise(self._promise(promised, content, authored))
        return self._sign(promised)

    def given(self, key: PostKey, message: bytes) -> SignedReceipt | None:
        """The receipt for a message that it took before; None where it did not."""
        taken = self.journal.at(key.round, key.kind).promises.get(key.author)
        if taken is None or taken.receipt.message != message:
            return None
        return self._sign(taken.receipt)

    def post(self, round_: int, kind: MessageKind) -> list[do.Action]:
        """Posts what it took of a round and kind and has not posted: one batch, or one call each.

        From then on it takes nothing more there.
        """
        if not self.journal.at(round_, kind).promises or self._is_posted(round_, kind):
            return []
        self.journal.close(round_, kind)
        listed = self._listed(round_, kind)
        document = self._put(listed)
        if self.session.terms.batched(kind):
            root = cm.root_of(self._leaves(listed))
            return [do.PostBatch(self.session.id, round_, kind, root, document)]
        posted = self.session.posted(round_, kind, own=False)
        return [
            do.Post(
                self.session.key(round_, kind, entry.author),
                entry.message,
                self._put(Catalogue(listed.session, round_, kind, (entry,))),
            )
            for entry in listed.entries
            if entry.author not in posted
        ]

    def overdue(self, now: int) -> list[do.Action]:
        """What it promised before it was stopped and can still post: to do first after a restart,
        since nobody knows how long members take to send the rest."""
        found: list[do.Action] = []
        for round_, kind in self.journal.places():
            start, end = self.session.terms.window(round_, kind)
            if start <= now < end and self.session.fault is None:
                found += self.post(round_, kind)
        return found

    def hand(self, reader: int, round_: int, kind: MessageKind) -> Catalogue | None:
        """What member `reader` is told of the messages of others, receipts included."""
        return self._shown(round_, kind)

    def open_round(self, round_: int) -> list[do.Action]:
        """Opens a round of ballots, once."""
        return [] if round_ in self.session.opened else [do.OpenRound(round_)]

    def relay(self, ballots: Sequence[do.Carried]) -> list[do.Action]:
        """Carries ballots, or commitments to them, or openings."""
        return [do.Relay(tuple(ballots))] if ballots else []

    def answers(self) -> list[do.Action]:
        """Shows what members ask to be shown, so many in a call as one transaction has room for."""
        found: list[do.Answer] = []
        open_ = self.session.challenges.keys() - self.session.answers.keys()
        for key in sorted(open_, key=lambda one: (one.round, one.kind, one.author)):
            listed = self._shown(key.round, key.kind)
            if listed is not None and self.session.fault is None:
                leaf = listed.hashes(self.session.members)[key.author] or bytes(32)
                path = tuple(cm.path(self._leaves(listed), key.author))
                found.append(do.Answer(key, leaf, path))
        if len(found) == 1:
            return [found[0]]
        calls = range(0, len(found), ANSWERS)
        return [do.AnswerMany(tuple(found[at : at + ANSWERS])) for at in calls]

    def _is_posted(self, round_: int, kind: MessageKind) -> bool:
        """Whether all that it took of a round and kind is on the board."""
        if self.session.terms.batched(kind):
            return (round_, kind) in self.session.batches
        promised = self.journal.at(round_, kind).promises.keys()
        posted = self.session.posted(round_, kind, own=False).keys()
        return bool(posted) and promised <= posted

    def _shown(self, round_: int, kind: MessageKind) -> Catalogue | None:
        """What it posted, or is about to post."""
        return self._listed(round_, kind) if self.journal.at(round_, kind).closed else None

    def _listed(self, round_: int, kind: MessageKind) -> Catalogue:
        """The catalogue of all that was promised, as it is posted."""
        promises = self.journal.at(round_, kind).promises.values()
        return Catalogue(self.session.id, round_, kind, tuple(map(self._entry, promises)))

    def _promise(self, receipt: Receipt, content: bytes, authored: bytes) -> Promise:
        """What it promises of a message, which is in the datastore when this returns."""
        return Promise(receipt, digest_of(self._store.put(content)), authored)

    def _entry(self, promise: Promise) -> Entry:
        signed = self._sign(promise.receipt)
        receipt = signed.receipt
        return Entry(
            receipt.key.author,
            receipt.message,
            promise.content,
            promise.authored,
            receipt.deadline,
            signed.signature,
        )

    def _sign(self, receipt: Receipt) -> SignedReceipt:
        if receipt not in self._signatures:
            typed = self.session.board.typed_data(receipt)
            self._signatures[receipt] = self._key(receipt.key.round).sign(typed)
        return SignedReceipt(receipt, self._signatures[receipt])

    def _key(self, round_: int) -> Wallet:
        """What signs a round's receipts. Raises MessageRefused where it does not have it."""
        signer = self.session.signer(round_)
        if signer.lower() not in self._keys:
            raise MessageRefused(f"round {round_}: {signer} signs receipts, whose key is not here")
        return self._keys[signer.lower()]

    def _put(self, listed: Catalogue) -> bytes:
        return digest_of(self._store.put(listed.to_bytes()))

    def _leaves(self, listed: Catalogue) -> list[bytes]:
        hashes = listed.hashes(self.session.members)
        return self.session.board.batch_leaves(listed.session, listed.round, listed.kind, hashes)
