"""A member of a session: uploads, reads what others uploaded, judges, votes, and accuses.

It believes the server nothing. What it sends, it sends for a receipt; what it is shown, it compares
with the board; where the server lets it down, it posts and votes itself, and whatever the server
signed against what it posted, it takes to the board. What it sends and what it reads lies in its
own datastore from then on, so that a server that shows content to some shows it to all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from offchain.errors import SoukError
from offchain.models.canonical import DocumentError
from offchain.roles import Recover, Wallet
from offchain.seccl import actions as do
from offchain.seccl.board import same_on_board
from offchain.seccl.documents import Catalogue, Evaluation, SignedReceipt
from offchain.seccl.messages import NO_MESSAGE, MessageKind, PostKey
from offchain.seccl.reading import Reading, absent, is_signed
from offchain.seccl.session import Session
from offchain.seccl.updates import (
    SparseUpdate,
    UpdateError,
    UpdateHeader,
    decode_update,
    encode_update,
)
from offchain.seccl.voting import Voter
from offchain.storage import ContentError, Datastore, digest_of


class ReceiptRefused(SoukError):
    """A receipt that is worth nothing; one line for people."""


@dataclass(frozen=True)
class Message:
    """What a member sends: its place, its bytes, their hash as the board has it, and the member's
    signature of place and hash."""

    key: PostKey
    content: bytes
    message: bytes
    authored: bytes


class Participant:
    """Member number `index`; its state but for receipts is the chain's.

    voter: its vote, which its evaluations decide.
    """

    def __init__(
        self,
        session: Session,
        index: int,
        wallet: Wallet,
        recover: Recover,
        store: Datastore,
        secret: bytes | None = None,
    ) -> None:
        """secret: as `Voter` takes it. Raises ValueError when the wallet is not that member's."""
        if session.description.members[index].lower() != wallet.address.lower():
            raise ValueError(f"{wallet.address} is not member {index}")
        self.session = session
        self.index = index
        self.voter = Voter(session, index, wallet, secret)
        self._wallet = wallet
        self._recover = recover
        self._store = store
        self._sent: dict[PostKey, Message] = {}
        self._kept: set[str] = set()
        self.receipts: dict[PostKey, SignedReceipt] = {}

    # ---------------------------------------------------------------- what it sends

    def upload(self, round_: int, update: SparseUpdate, model: str) -> Message:
        """Its update of a round, of the global model with the digest `model`."""
        header = UpdateHeader(round_, str(self.index), model)
        return self.send(round_, MessageKind.UPLOAD, encode_update(update, header))

    def evaluation(self, round_: int, scores: Sequence[float], refused: Sequence[int]) -> Message:
        """Its evaluation of the others' uploads: macro F-scores, 0 to 1, by member."""
        said = Evaluation.of(round_, self.index, scores, refused)
        self.voter.decide(said)
        return self.send(round_, MessageKind.EVALUATION, said.to_bytes())

    def send(self, round_: int, kind: MessageKind, content: bytes) -> Message:
        """A message for its place in a round, which it remembers. Its content lies nowhere yet:
        nobody shall see an evaluation before all have committed to their ballots."""
        key = self.session.key(round_, kind, self.index)
        message = self.session.board.message_hash(key, content)
        authored = self._wallet.sign(self.session.board.authored(key, message))
        self._sent[key] = Message(key, content, message, authored)
        return self._sent[key]

    def sent(self, round_: int, kind: MessageKind) -> Message | None:
        """Its message for a place, if it has one."""
        return self._sent.get(self.session.key(round_, kind, self.index))

    def remember(self, message: Message, signed: SignedReceipt | None) -> None:
        """What it sent, and was given a receipt for, in a life before this one."""
        self._sent[message.key] = message
        if message.key.kind == MessageKind.EVALUATION:
            round_, members = message.key.round, self.session.members
            said = Evaluation.from_bytes(message.content, round_, self.index, members)
            self.voter.decide(said)
        if signed is not None:
            self.keep(signed)

    def keep(self, signed: SignedReceipt) -> None:
        """Keeps the server's receipt for what it sent, and serves the content itself from now on,
        under the CID that the server's catalogue has to name.

        Raises ReceiptRefused when it is for another message, promises the post for so late that
        no time is left to post itself, or was not signed by the server: then it posts itself.
        """
        receipt = signed.receipt
        sent = self._sent.get(receipt.key)
        if sent is None or sent.message != receipt.message:
            raise ReceiptRefused(f"a receipt for what member {self.index} did not send")
        terms, kind = self.session.terms, receipt.key.kind
        latest = terms.window(receipt.key.round, kind)[1] - terms.margin(kind)
        if receipt.deadline > latest:
            raise ReceiptRefused(f"a receipt for {receipt.deadline}, must be {latest} or before")
        if not self._is_signed(signed):
            raise ReceiptRefused("a receipt that the server did not sign")
        self._store.put(sent.content)
        self.receipts[receipt.key] = signed

    # ---------------------------------------------------------------- what it reads

    def updates(
        self, round_: int, reading: Reading, model: str
    ) -> tuple[dict[int, SparseUpdate], dict[int, str]]:
        """The updates it can use, by author, and why it can not use the others."""
        return usable_updates(self.session, round_, reading, model)

    def absences(self, round_: int, reading: Reading) -> list[do.Action]:
        """Reports members that uploaded nothing and were not reported, before it votes: so nobody
        who has nothing to add is elected. reading: of the round's uploads."""
        reported = self.session.absent.get(round_, set())
        left = [
            one for one in absent(self.session, round_, reading).items() if one[0] not in reported
        ]
        return [do.ReportAbsent(round_, tuple(left))] if left else []

    # ---------------------------------------------------------------- what it objects to

    def objections(
        self, round_: int, kind: MessageKind, reading: Reading, handed: Catalogue | None, now: int
    ) -> list[do.Action]:
        """What to do about the server's posts of a round and kind, accusations first.

        handed: what the server told this member; it may differ from what it posted. now: Unix
        seconds. Nothing when all is as it should be, or when there is time left to wait. What the
        reading found is kept, for whoever the server does not show it to.
        """
        self._keep_served(reading)
        key = self.session.key(round_, kind, self.index)
        found: list[do.Action] = []
        if self.session.fault is None:
            found += self._about_own(key, reading, now)
            found += self._about_handed(reading, handed)
            found += self._about_challenges(now)
        return found + self._own_post(key, reading, now)

    def _keep_served(self, reading: Reading) -> None:
        """Serves on what it has read."""
        for cid in reading.cids - self._kept:
            # Gone since it was read: then it is not there for this member either.
            with suppress(ContentError):
                self._store.pin(cid)
                self._kept.add(cid)

    def share(self, to: str) -> list[do.Action]:
        """Has its share of a convicted server's stake paid to an account, and its bonds returned,
        each once."""
        session = self.session
        if session.fault is None:
            return []
        mine = session.description.members[self.index].lower()
        found: list[do.Action] = [
            do.Settle(key)
            for key, asked in session.challenges.items()
            if asked.challenger.lower() == mine and key not in session.returned
        ]
        if session.fault.share and self.index not in session.shares:
            path = session.member_path(self.index)
            found.append(do.ClaimShare(session.id, self.index, path, to))
        return found

    def _about_own(self, key: PostKey, reading: Reading, now: int) -> list[do.Action]:
        kept, session = self.receipts.get(key), self.session
        if kept is None:
            return []
        mine, place = kept.receipt.message, (key.round, key.kind)
        if not session.terms.batched(key.kind):
            post = session.posted(*place, own=False).get(self.index)
            if post is not None:
                return [] if same_on_board(post.message, mine) else [do.ProveAltered(kept)]
        elif place in session.batches:
            if reading.leaves is None:
                return self._challenge(key, now)
            leaf = reading.listed.get(self.index, NO_MESSAGE)
            if leaf == mine:
                return []
            return [do.ProveAlteredInBatch(kept, leaf, reading.path(self.index))]
        due = min(kept.receipt.deadline, session.terms.window(*place)[1])
        return [do.ProveUnposted(kept)] if now >= due else []

    def _about_handed(self, reading: Reading, handed: Catalogue | None) -> list[do.Action]:
        """Two signed words for one place, or a signed word against the batch."""
        if handed is None:
            return []
        for author, signed in handed.receipts().items():
            leaf = reading.listed.get(author, NO_MESSAGE)
            if signed.receipt.message == leaf or not self._is_signed(signed):
                continue
            posted = reading.receipts.get(author)
            if posted is not None and self._is_signed(posted):
                return [do.ProveEquivocation(posted, signed)]
            if reading.leaves is not None:
                return [do.ProveAlteredInBatch(signed, leaf, reading.path(author))]
        return []

    def _challenge(self, key: PostKey, now: int) -> list[do.Action]:
        """Asks for its own leaf, unless that was asked for: another's says nothing of it. The board
        lets a member have one question open. Who was answered once asks again only where it can
        not post itself: else a server that shows nobody anything would live on the bonds."""
        session = self.session
        mine = session.description.members[self.index].lower()
        asked = [
            place for place, one in session.challenges.items() if one.challenger.lower() == mine
        ]
        waiting = any(place not in session.answers for place in asked)
        helped = now < session.terms.window(key.round, key.kind)[1] or (
            self.index in session.posted(key.round, key.kind, own=True)
        )
        if key in session.challenges or waiting or (asked and helped):
            return []
        return [do.Challenge(key, self.index, session.member_path(self.index))]

    def _about_challenges(self, now: int) -> list[do.Action]:
        """Convicts a server that did not answer, or by what it answered."""
        found: list[do.Action] = []
        for key, asked in self.session.challenges.items():
            answer = self.session.answers.get(key)
            kept = self.receipts.get(key)
            if answer is None:
                found += [do.Settle(key)] if now >= asked.deadline else []
            elif kept is not None and answer.message != kept.receipt.message:
                found.append(do.ProveAlteredInBatch(kept, answer.message, answer.path))
        return found

    def _own_post(self, key: PostKey, reading: Reading, now: int) -> list[do.Action]:
        """Posts its message itself where the server posted something else, or nothing in time."""
        sent, session = self._sent.get(key), self.session
        start, end = session.terms.window(key.round, key.kind)
        if sent is None or not start <= now < end:
            return []
        if reading.hashes.get(self.index) == sent.message and self.index in reading.contents:
            return []
        if self.index in session.posted(key.round, key.kind, own=True):
            return []
        kept = self.receipts.get(key)
        waiting = session.fault is None and kept is not None and now < kept.receipt.deadline
        if waiting and not self._something_posted(key):
            return []
        document = digest_of(self._store.put(sent.content))
        return [do.PostOwn(key, sent.message, session.member_path(self.index), document)]

    def _something_posted(self, key: PostKey) -> bool:
        if self.session.terms.batched(key.kind):
            return (key.round, key.kind) in self.session.batches
        return self.index in self.session.posted(key.round, key.kind, own=False)

    def _is_signed(self, signed: SignedReceipt) -> bool:
        return is_signed(self.session, signed, self._recover)


def usable_updates(
    session: Session, round_: int, reading: Reading, model: str
) -> tuple[dict[int, SparseUpdate], dict[int, str]]:
    """The updates of a round that can be used, by author, and why the others cannot.

    Refused are messages that are missing, too long, of another form, shape, round, author or global
    model than `model`, and values that are NaN or infinite. It hangs on nothing but what lies on
    the board and in the datastore, so that auditors can repeat it.
    """
    updates: dict[int, SparseUpdate] = {}
    refused: dict[int, str] = dict(reading.missing)
    about = session.description
    for author in range(session.members):
        content = reading.contents.get(author)
        if content is None:
            made_up = author in reading.unsigned
            why = "the server posted what it did not sign" if made_up else "nothing was posted"
            refused.setdefault(author, why)
            continue
        header = UpdateHeader(round_, str(author), model)
        try:
            updates[author] = decode_update(content, header, about.parameters, about.share)
        except UpdateError as error:
            refused[author] = str(error)
    return updates, refused


def evaluations_of(
    session: Session, round_: int, contents: Mapping[int, bytes]
) -> tuple[dict[int, Evaluation], dict[int, str]]:
    """The evaluations of a round by author, and why others are none."""
    found, refused = {}, {}
    for author, content in contents.items():
        try:
            found[author] = Evaluation.from_bytes(content, round_, author, session.members)
        except DocumentError as error:
            refused[author] = str(error)
    return found, refused
