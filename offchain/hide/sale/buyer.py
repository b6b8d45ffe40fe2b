"""The buyer's role: checks before it pays, opens what it gets, and proves what is wrong with it.

Like the seller's it holds no connection, and its one-time keys are on disk before anything rests on
them. What is wrong with the seller's content counts against the seller; when the buyer's own node
fails, the error goes to the caller and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from offchain.crypto.disputable import DEFAULT_CHUNK_BYTES, EncryptedFile, open_file
from offchain.crypto.errors import CryptoError, SealError, SpoiltChunkError
from offchain.crypto.evidence import chunk_evidence, key_evidence
from offchain.crypto.sealing import NO_POINT, SealedKeys, new_secret, open_keys, point_of
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.hide.cleaner import apply, decode_cleaner, max_cleaner_bytes
from offchain.hide.published import decode_dataset
from offchain.hide.sale.catalogue import MAX_CATALOGUE_BYTES, Catalogue
from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.session import Delivery, Purchase, SaleSession
from offchain.hide.sale.stock import MASKED
from offchain.models.canonical import DocumentError
from offchain.policy import Limit, Policy, TermsRefused
from offchain.report.text import plain
from offchain.roles import Action, Clock
from offchain.storage import ContentError, Datastore, cid_from_digest
from offchain.task import Task, TaskError, fetch_task
from offchain.task.checks import fits, told
from offchain.task.errors import LicenceRefused

BAD_GOODS = (CryptoError, DataError, DocumentError, ContentError, TaskError)
"""What fetching and opening raises that are not what the seller should have published."""

_PER_CHUNK = 2
"""A file in the smallest chunks is as long as its content and one 32-byte leaf for 32 bytes."""


MOST_BYTES = 1 << 30
"""Largest file that a buyer fetches unless its owner says otherwise."""

PATIENT = Policy({"delivery time": Limit(most=7 * 24 * 3600, unit="s")})
"""A buyer that leaves its money for a week without a key, and pays any price."""

TERMS = ("price", "delivery time", "dispute time")


@dataclass(frozen=True, eq=False)
class Opened:
    """What a delivery turned out to be.

    dataset: the level's, where all is well. wrong_key: the sealed key does not open its commitment.
    key: the right one. spoilt: the first chunk that is not as committed. objection: what is wrong,
    one line; with neither `wrong_key` nor `spoilt` no contract can tell.
    """

    dataset: ImageSet | None = None
    wrong_key: bool = False
    key: bytes | None = None
    spoilt: int | None = None
    objection: str = ""


class Buyer:
    """Buys `wants`, indices of levels, ascending, one after the other, from `account`.

    What `policy` does not accept it does not buy; limits are on "price", "delivery time" and
    "dispute time", in the smallest unit and in seconds, and on "bytes" of a file that it fetches.
    licences: under which it buys; without any, under whichever the seller gives. pay_to: 0x address
    that is paid back in its place. tokens: 0x addresses, in lower case, of what it pays in, the
    native coin's stand-in among them; None for any. Limits on money mean little in a token that
    anybody may have made.

    Attributes:
        objections: why it did not buy a level, or what was wrong with it, by level; one line each.
    """

    def __init__(
        self,
        account: str,
        session: SaleSession,
        wants: Sequence[int],
        store: Datastore,
        secrets_file: SecretsFile,
        policy: Policy = PATIENT,
        progress: Progress | None = None,
        licences: Sequence[str] = (),
        pay_to: str | None = None,
        tokens: Collection[str] | None = None,
    ) -> None:
        self.account = account
        self.session = session
        self.tokens = tokens
        self.wants = tuple(wants)
        self.store = store
        self.secrets_file = secrets_file
        self.policy = policy
        self.policy.require_known((*TERMS, "bytes"))
        self.progress = progress
        self.licences = tuple(licences)
        self.pay_to = pay_to or account
        self.objections: dict[int, str] = {}
        self._masked: ImageSet | None = None
        self._files: dict[int, EncryptedFile] = {}
        self._opened: dict[Delivery, Opened] = {}

    def next_action(self, clock: Clock) -> Action | None:
        """What to do now, or None while it is others' turn."""
        if self.session.listing is None:
            return None
        me = self.session.purchases.get(self.account)
        if me is None or me.state in (SaleState.NONE, SaleState.OWNED):
            return self.buy(me)
        if me.state in (SaleState.LAPSED, SaleState.CHEATED):
            return self.refund(me)
        if me.state is SaleState.PAID:
            return self.refund(me) if clock.now >= me.deadline else None
        if clock.now < me.deadline:
            return self.judge(me)
        return self.accept(me) if self._wants_more(me) else None

    # ------------------------------------------------------------------ the steps

    def buy(self, me: Purchase | None) -> Action | None:
        """Pays the next level it wants, once all that can be checked before has been."""
        if me is not None and me.failed:
            return None  # who failed once is not paid again
        owned = me.owned if me else 0
        level = next((level for level in self.wants if level >= owned), None)
        if level is None or level in self.objections:
            return None
        try:
            self.check(level, me.credit if me else 0)
        except (*BAD_GOODS, TermsRefused) as error:
            self.objections[level] = str(error)
            return None
        return self.pay(level, me)

    def pay(self, level: int, me: Purchase | None) -> Action:
        """Buys `level`, paying its price less what `me`, the best purchase so far, is worth."""
        listing = self.session.listed
        key = NO_POINT
        if listing.settlement is Settlement.SEALED:
            key = point_of(self._secret(me.number + 1 if me else 0))
        words = (listing.terms(), level, listing.offer(level), listing.path(level), key.x, key.y)
        return Action("buy", words, listing.levels[level].price - (me.credit if me else 0))

    def check(self, level: int, credit: int = 0) -> None:
        """Checks all that can be known of a level before it is paid.

        Raises TermsRefused where its owner does not accept the terms, SaleError where the listing
        or its funds do not serve, and one of `BAD_GOODS` where the masked data or the encrypted
        cleaner are not there, or not as committed. What passed is pinned: evidence against the
        seller must not be in the seller's hands.
        """
        session, listing = self.session, self.session.listed
        if session.closed:
            raise SaleError("the listing takes no more purchases")
        if not 0 <= level < len(listing.levels):
            raise SaleError(f"the listing has levels 1 to {len(listing.levels)}, not {level + 1}")
        if self.tokens is not None and listing.token.lower() not in self.tokens:
            raise TermsRefused(
                f"terms refused: they pay in {listing.token}, which is not among those taken"
            )
        price = listing.levels[level].price
        times = {"delivery time": listing.delivery_time, "dispute time": listing.dispute_time}
        self.policy.about(*TERMS).check({"price": price, **times})
        hold, free = listing.hold(price - credit), session.free
        me = session.purchases.get(self.account)
        if me is not None and me.state is SaleState.DELIVERED:
            free += listing.hold(me.sale.paid)  # it is accepted first
        if free < hold:
            raise SaleError(f"the seller's free funds of {free} do not answer for {hold}")
        self.check_task()
        self.masked()
        self.file(level)

    def check_task(self) -> None:
        """Looks whether its owner takes the licence. Raises LicenceRefused."""
        if self.licences and self.task.licence not in self.licences:
            raise LicenceRefused(
                f"licence: {plain(self.task.licence)!r} is given, taken is "
                f"{', '.join(self.licences)}"
            )

    def judge(self, me: Purchase) -> Action | None:
        """Accepts a delivery if a better level is to follow, proves it wrong, or says nothing.

        Of a good one nothing need be said: it settles by itself, at the seller's expense.
        """
        opened = self.open(me.deliveries[-1])
        if opened.objection:
            self.objections[me.level] = opened.objection
        if opened.wrong_key:
            return self.prove_wrong_key(me)
        if opened.spoilt is not None:
            return self.prove_spoilt_chunk(me, opened.spoilt)
        if opened.dataset is not None and self._wants_more(me):
            return self.accept(me)
        return None

    def accept(self, me: Purchase) -> Action:
        """Settles a sale itself, so that it may buy a better level."""
        return Action("accept", (self.session.listed.args(), me.sale.args()))

    def _wants_more(self, me: Purchase) -> bool:
        return any(level > me.level for level in self.wants)

    def refund(self, me: Purchase) -> Action | None:
        """Takes back what a purchase cost whose key never came."""
        return Action("refund", (self.session.listed.args(), me.sale.args(), self.pay_to))

    def prove_wrong_key(self, me: Purchase) -> Action:
        """Discloses the one-time key, which shows what was delivered."""
        listing, words = self.session.listed, me.deliveries[-1].sealed
        assert words is not None
        evidence = key_evidence(self._secret(me.number), words.ephemeral_x, words.sealed[0])
        goods = listing.goods(me.level)
        return Action("proveWrongKey", (listing.args(), me.sale.args(), goods, evidence))

    def prove_spoilt_chunk(self, me: Purchase, chunk: int) -> Action:
        """Discloses the file's key and one chunk."""
        listing, level = self.session.listed, me.level
        evidence = chunk_evidence(self.session.domain(level), self.file(level), chunk)
        key = self.open(me.deliveries[-1]).key
        goods = listing.goods(level)
        return Action("proveSpoiltChunk", (listing.args(), me.sale.args(), goods, key, evidence))

    # ------------------------------------------------------------------ what they rest on

    @cached_property
    def task(self) -> Task:
        """What is sold, pinned. Raises TaskError and what the datastore raises."""
        return fetch_task(self.store, self.session.listed.task)

    def masked(self) -> ImageSet:
        """The published dataset, from the datastore, pinned. Raises SaleError unless its classes
        and its shape are the task's, by which the buyer's own labels are told."""
        if self._masked is None:
            task = self.task
            cid = task.document(MASKED)
            found = decode_dataset(self.store.get(cid, self._most_bytes))
            if found.classes != task.classes or not fits(task.shape, found.shape):
                raise SaleError(
                    f"the task says {told(task.shape)} in {len(task.classes)} classes, the masked "
                    f"pictures are {told(found.shape)} in {len(found.classes)}, or otherwise called"
                )
            self.store.pin(cid)
            self._masked = found
        return self._masked

    @property
    def _most_bytes(self) -> int:
        most = self.policy.limits.get("bytes", Limit()).most
        return MOST_BYTES if most is None else int(most)

    def told(self) -> Catalogue:
        """What the seller says beside the listing, pinned."""
        cid = cid_from_digest(self.session.catalogue)
        told = Catalogue.from_bytes(self.store.get(cid, MAX_CATALOGUE_BYTES))
        self.store.pin(cid)
        return told

    def file(self, level: int) -> EncryptedFile:
        """A level's encrypted cleaner, held against its commitment, pinned."""
        if level not in self._files:
            files = self.told().files
            if level >= len(files):
                raise SaleError(f"the catalogue has {len(files)} files, none of level {level + 1}")
            most = _PER_CHUNK * (max_cleaner_bytes(self.masked()) + DEFAULT_CHUNK_BYTES)
            most = min(most, self._most_bytes)
            file = EncryptedFile.from_bytes(self.store.get(files[level], most))
            committed = self.session.listed.levels[level].file
            file.require_committed(self.session.domain(level), committed)
            self.store.pin(files[level])
            self._files[level] = file
        return self._files[level]

    def open(self, delivery: Delivery) -> Opened:
        """Opens a delivery: every chunk is checked, and what it holds is applied."""
        if delivery not in self._opened:
            self._opened[delivery] = self._check_delivery(delivery)
        return self._opened[delivery]

    def datasets(self) -> dict[int, ImageSet]:
        """What was delivered as it should be, by the index of its level, ascending."""
        me = self.session.purchases.get(self.account)
        opened = {got.level: self.open(got).dataset for got in me.deliveries} if me else {}
        return {level: found for level, found in opened.items() if found is not None}

    def dataset(self) -> ImageSet | None:
        """The dataset of the best level that was delivered as it should be; None without one."""
        found = self.datasets()
        return found[max(found)] if found else None

    def _check_delivery(self, delivery: Delivery) -> Opened:
        level, domain = delivery.level, self.session.domain(delivery.level)
        key = delivery.key
        if key is None:
            key = self._unsealed(delivery)
            if key is None or domain.key_hash(key) != self.session.listed.levels[level].key_hash:
                return Opened(wrong_key=True, objection="the key is not the committed one")
        try:
            content = open_file(domain, key, self.file(level), self.progress)
            masked = self.masked()
            cleaner = decode_cleaner(content, max_cleaner_bytes(masked))
            return Opened(apply(masked, cleaner), key=key)
        except SpoiltChunkError as error:
            return Opened(key=key, spoilt=error.index, objection=str(error))
        # The chunks are as committed, so that the contract finds no fault.
        except (CryptoError, DataError) as error:
            return Opened(key=key, objection=f"what was sold is no cleaner: {error}")

    def _unsealed(self, delivery: Delivery) -> bytes | None:
        sealed = delivery.sealed or SealedKeys(0, (bytes(32),))
        try:
            secret = self._secret(delivery.purchase)
            return open_keys(secret, sealed, [delivery.level])[delivery.level]
        except SealError:
            return None

    def _secret(self, purchase: int) -> int:
        """The private one-time key of a purchase."""
        session = f"{self.session.id.hex()} at {self.session.contract}"
        name = (
            f"one-time key of {self.account} for purchase {purchase} of listing {session} "
            f"on chain {self.session.chain_id}"
        )
        make = lambda: new_secret().to_bytes(32, "big")  # noqa: E731
        return int.from_bytes(self.secrets_file.remember(name, make), "big")
