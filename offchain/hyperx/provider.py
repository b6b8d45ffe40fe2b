"""The provider's role: sells one dataset in one session (sections 3.1.3 to 3.1.6).

It holds no connection. `next_action` says what to do next given what the chain has told its
session; repeating it is harmless, and so is being killed before or after any action: the session
key is on disk before anything rests on it, and all else follows from the data and the chain.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import torch

from offchain.crypto.bitmap import bitmap_hash
from offchain.crypto.commitments import multiproof, review_hash, root_of
from offchain.crypto.errors import SealError
from offchain.crypto.sealing import Point, SealedKeys, seal, seal_keys
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import NATIVE, Settlement, delivery_margin
from offchain.crypto.shard_cipher import TAG_BYTES, encrypted_batches
from offchain.data.imageset import DataError, Progress
from offchain.data.leftout import Note
from offchain.data.originals import Originals, shown
from offchain.data.shards import PackedShards, packed_part, unpack_shard
from offchain.hyperx import actions as do
from offchain.hyperx.delivery import seal_session_key
from offchain.hyperx.documents import EXTRACTOR, fetch_extractor, fetch_preprocessing
from offchain.hyperx.features import LabelledFeatures, extract
from offchain.hyperx.manifest import Manifest, publish_manifest, put_words
from offchain.hyperx.policy import check_token, offered
from offchain.hyperx.session import Member, Session, State
from offchain.hyperx.stored import FILE, StoredShards
from offchain.hyperx.submission import seal_features
from offchain.hyperx.trust import check_extractor
from offchain.models.extractor import Extractor
from offchain.models.preprocessing import PlainNumbers, Preprocessing
from offchain.policy import Policy, TermsRefused
from offchain.report.text import plain
from offchain.roles import Clock
from offchain.storage import Datastore, cid_from_digest, digest_of
from offchain.storage.retention import Promise
from offchain.task import ClassNames, Task, check_offer, fetch_task
from offchain.task.errors import LicenceRefused
from offchain.task.forms import form_asked, in_form
from offchain.task.images import offer_of, relabelled


@dataclass(frozen=True)
class EncryptedDataset:
    """A dataset as registered: what is stored, and the leaves of both trees.

    Attributes:
        keys: the shards' keys.
        cids: where the encrypted shards are.
        addresses: the same as 32-byte digests.
        key_leaves, address_leaves: of the two trees.
    """

    keys: tuple[bytes, ...]
    cids: tuple[str, ...]
    addresses: tuple[bytes, ...]
    key_leaves: tuple[bytes, ...]
    address_leaves: tuple[bytes, ...]


class Provider:
    """Sells `data` in `session` from `account`, under terms that `policy` accepts.

    Limits are on the quantities of `offered` (offchain/hyperx/policy.py). `names` says what the
    task calls the classes of `data`, where that is not what they are called there, `columns` the
    same of the columns of a table, and `note` is told which of these are not sold. `licences` are
    those under which the data may be sold; without any, under whichever the task asks for.
    `extractors` are CIDs of extractors that the data is run through although their weights are not
    public ones (offchain/hyperx/trust.py). `tokens` are the money its owner takes.
    `pay_to` is paid its deposit in its place. `progress` is called in shards that are stored.
    Raises DataError when the data is too small for the terms.
    """

    def __init__(
        self,
        account: str,
        session: Session,
        data: Originals,
        store: Datastore,
        secrets_file: SecretsFile,
        device: torch.device,
        policy: Policy | None = None,
        names: ClassNames | None = None,
        columns: Mapping[str, str] | None = None,
        note: Note | None = None,
        licences: tuple[str, ...] = (),
        extractors: tuple[str, ...] = (),
        tokens: tuple[str, ...] = (NATIVE,),
        pay_to: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        needed = session.terms.shard_count * session.terms.shard_size
        if len(data) < needed:
            raise DataError(f"the terms ask for {needed} samples, {data.name} has {len(data)}")
        self.account = account
        self.pay_to = pay_to or account
        self.session = session
        self.own = data
        self.names = names
        self.columns = columns
        self.note = note
        self.licences = licences
        self.extractors = extractors
        self.tokens = tokens
        self.store = store
        self.secrets_file = secrets_file
        self.device = device
        self.policy = policy or Policy()
        self.progress = progress
        self.party = session.party(account)

    def next_action(self, clock: Clock) -> do.Action | None:
        """What to do now, or None while it is others' turn.

        Raises TermsRefused where it would have to register under terms that it does not accept,
        TaskError where it does not have what the task asks for, ExtractorRefused where its
        pictures could be read from what the task's extractor makes of them.
        """
        terms = self.session.terms
        me = self.session.members.get(self.account)
        if me is None:
            if clock.now >= terms.registration_end:
                return None
            self.policy.check(offered(terms, clock.now))
            check_token(terms, self.tokens)
            self._check_encryption_key()
            self.check_task()
            return self.register()
        if self.session.is_over(clock.now):
            owed = self.session.settled(clock.now).owed_to(self.account)
            return do.ClaimDeposit(self.pay_to) if owed > 0 else None
        if clock.now < terms.submission_end:
            if me.sample is None or me.features is not None:
                return None
            # The other half is for the review, which only a candidate opens, and is paid for.
            if len(me.sample) > terms.first_sample:
                return None
            self.check_registered(me)
            return self.submit_features(me)
        late = self.session.deadline - delivery_margin(terms.response_time)
        if self.session.candidate != self.account or clock.now >= late:
            return None
        if self.session.state != State.REVIEWED and self.session.disclosed:
            return None
        self.check_registered(me)
        return self.claim(me) if self.session.state == State.REVIEWED else self.open_review(me)

    # ------------------------------------------------------------------ the steps

    def check_task(self) -> None:
        """Looks whether the data is what the task asks for; nothing is stored, nothing paid.

        Raises ClassesUnknown for a class that the task does not have, OfferRefused for samples of
        another shape or too few of them, LicenceRefused for a licence that the owner does not give,
        DataError for shards that would be too large, or show the same as others.
        """
        if self.licences and self.task.licence not in self.licences:
            given = ", ".join(self.licences)
            raise LicenceRefused(
                f"licence: the task asks for {plain(self.task.licence)!r}, given is {given}"
            )
        terms = self.session.terms
        packed = packed_part(self.data, terms.shard_count, terms.shard_size)
        check_offer(self.task, offer_of(packed))
        _ = self.shards
        self._check_copies(packed)

    def _check_copies(self, packed: Originals) -> None:
        """Raises DataError for two shards that show the same: a collector takes them for copies,
        and declares a review that opens both of them rubbish."""
        size = self.session.terms.shard_size
        first: dict[tuple[bytes, ...], int] = {}
        for index in range(self.session.terms.shard_count):
            shows = tuple(sorted(packed.prints[index * size : (index + 1) * size]))
            if (original := first.setdefault(shows, index)) != index:
                raise DataError(
                    f"{self.data.name}: shard {index} of {size} samples would show the same as "
                    f"shard {original}, which counts as a copy: leave out samples that are alike"
                )

    def _check_encryption_key(self) -> None:
        try:
            seal(self.session.terms.encryption_key, b"")
        except SealError as error:
            raise TermsRefused(f"terms refused: {error}") from error

    def check_registered(self, me: Member) -> None:
        """Raises DataError unless the data is what was registered: else all that is opened would
        be wrong, and cost the deposit."""
        if root_of(self.dataset.key_leaves) != me.key_root:
            raise DataError(
                f"{self.own.name} is not the data that {self.account} registered in session "
                f"{self.session.address}: start again with that, and the secrets of then"
            )
        if root_of(self.dataset.address_leaves) != me.address_root:
            self.store_again()  # what was noted of earlier lives is wrong

    def register(self) -> do.Action | None:
        """Stores the encrypted shards and their manifest, and registers their roots.

        Makes features of one sample first: who cannot take the next step must not lock a deposit.
        """
        self._seal(self._features([self.data.content(0)], self.data.labels[:1]))
        dataset = self.dataset
        terms = self.session.terms
        manifest = Manifest(
            name=self.data.name,
            task=cid_from_digest(terms.task),
            licence=self.task.licence,
            shape=self.data.shape,
            shard_count=terms.shard_count,
            shard_size=terms.shard_size,
            shard_bytes=max(self.shards.lengths),
            total_bytes=sum(self.shards.lengths),
            key_leaves=put_words(self.store, dataset.key_leaves),
            addresses=put_words(self.store, dataset.addresses)
            if terms.published_addresses
            else None,
        )
        return do.Register(
            root_of(dataset.key_leaves),
            root_of(dataset.address_leaves),
            publish_manifest(self.store, manifest),
        )

    def submit_features(self, me: Member) -> do.Action | None:
        """Extracts the sampled shards' features and stores them sealed to the collector."""
        return do.SubmitFeatures(digest_of(self.store.put(self._seal(self.sampled_features(me)))))

    def open_review(self, me: Member) -> do.Action | None:
        """Seals the opened shards' keys to the collector's one-time key."""
        one_time_key = self.session.one_time_key
        if one_time_key is None or me.sample is None:
            return None
        dataset = self.dataset
        sealed = seal_keys(one_time_key, {i: dataset.keys[i] for i in me.opened})
        hidden = not self.session.terms.published_addresses
        return do.SubmitReview(
            do.Review(
                key_root=me.key_root,
                address_root=do.WORD_ZERO if hidden else me.address_root,
                one_time_key=one_time_key.x,
                ephemeral_x=sealed.ephemeral_x,
                bitmap=me.bitmap,
                sealed_keys=sealed.sealed,
                addresses=tuple(dataset.addresses[i] for i in me.opened) if hidden else (),
                proof=tuple(multiproof(dataset.address_leaves, me.opened)) if hidden else (),
            )
        )

    def claim(self, me: Member) -> do.Action | None:
        """Opens the whole dataset against the reward: to everybody, or sealed to the collector."""
        one_time_key, review = self.session.one_time_key, me.review
        if one_time_key is None or review is None:
            return None
        hidden = not self.session.terms.published_addresses
        sample = bitmap_hash(me.opened_bitmap)
        opened = review_hash(one_time_key.x, review.ephemeral_x, review.sealed)
        addresses = self.dataset.addresses if hidden else ()
        if self.session.terms.settlement == Settlement.OPEN:
            root = do.WORD_ZERO if hidden else me.address_root
            return do.ClaimReward(self.session_key, sample, opened, root, addresses)
        sealed = self.seal_session_key(one_time_key)
        # Published addresses need no proof, so that nothing of the commitment has to be opened.
        known = (me.key_root, sample, opened) if hidden else (do.WORD_ZERO,) * 3
        return do.DeliverKey(do.Delivery(sealed.ephemeral_x, sealed.sealed[0], *known, addresses))

    def seal_session_key(self, one_time_key: Point) -> SealedKeys:
        """The session key for the collector alone."""
        return seal_session_key(one_time_key, self.session_key)

    # ------------------------------------------------------------------ what they rest on

    @cached_property
    def session_key(self) -> bytes:
        """The key from which all shard keys derive; other data has another.

        Two shards under one key would give away how they differ.
        """
        # With the chain: equal addresses on two chains are two sessions.
        session = f"{self.session.address} on chain {self.session.chain_id}"
        data = hashlib.sha256()
        for shard in self.shards:
            data.update(shard)
        name = f"session key of {self.account} in {session} for data {data.hexdigest()}"
        return self.secrets_file.remember(name, lambda: secrets.token_bytes(32))

    @cached_property
    def task(self) -> Task:
        """What the terms ask for. Raises TaskError and what the datastore raises."""
        return fetch_task(self.store, self.session.terms.task)

    @cached_property
    def data(self) -> Originals:
        """The owner's records in the task's form, with its classes. Raises ClassesUnknown,
        ColumnsUnknown, OfferRefused, UnreadableError."""
        form = form_asked(self.task, self.own.form, self.store.get)
        labelled = relabelled(self.own, self.task.classes, self.names)
        return in_form(labelled, form, self.columns, self.note)

    @cached_property
    def shards(self) -> PackedShards:
        """The files as plain shards, of the terms' count and size, made as they are asked for."""
        terms = self.session.terms
        return PackedShards(self.data, terms.shard_count, terms.shard_size)

    @cached_property
    def dataset(self) -> EncryptedDataset:
        """The encrypted dataset, in the datastore. What was stored before a restart stays there."""
        keys = self.party.shard_keys(self.session_key, len(self.shards))
        with closing(self._stored()) as stored:
            cids = stored.kept_by(self.store)
            missing = [i for i in range(len(keys)) if i not in cids]
            for some in encrypted_batches(((i, self.shards[i]) for i in missing), keys):
                new = dict(zip(some, self.store_shards(list(some.values())), strict=True))
                stored.note(new)
                cids |= new
                if self.progress:
                    self.progress(len(cids), len(keys))
        addresses = [digest_of(cids[i]) for i in range(len(keys))]
        return EncryptedDataset(
            tuple(keys),
            tuple(cids[i] for i in range(len(keys))),
            tuple(addresses),
            tuple(self.party.key_leaves(keys)),
            tuple(self.party.address_leaves(addresses)),
        )

    @property
    def stored_bytes(self) -> int:
        """Of the encrypted shards, which its node has to keep."""
        return sum(self.shards.lengths) + len(self.shards) * TAG_BYTES

    def store_again(self) -> None:
        """Encrypts and stores all shards once more, after its node lost some."""
        with closing(self._stored()) as stored:
            stored.forget()
        self.__dict__.pop("dataset", None)
        _ = self.dataset

    def _stored(self) -> StoredShards:
        return StoredShards(self.secrets_file.path.with_name(FILE), self.session_key)

    def promised(self) -> Sequence[Promise]:
        """The documents of the task, by the collector, until nothing needs them any more."""
        me = self.session.members.get(self.account)
        if me is None or me.features is not None:
            return ()
        by = self.session.terms.collector
        return [Promise(cid, by, name) for name, cid in self.task.documents.items()]

    def store_shards(self, ciphertexts: list[bytes]) -> list[str]:
        """Stores the encrypted shards and returns their CIDs."""
        return self.store.put_many(ciphertexts)

    def sampled_features(self, me: Member) -> LabelledFeatures:
        """What the extractor makes of the sampled shards, in order, decoded one at a time."""
        count = self.session.terms.shard_size
        parts = []
        for i in me.sample or ():
            shard = unpack_shard(self.shards[i], self.data.classes, count)
            parts.append(self._features(shard.files, torch.tensor(shard.labels)))
        return LabelledFeatures(
            torch.cat([part.features for part in parts]), torch.cat([part.labels for part in parts])
        )

    def _features(self, files: Sequence[bytes], labels: torch.Tensor) -> LabelledFeatures:
        parts = [
            extract(self._extractor, self._preprocessing, pictures, self.device)
            for pictures in shown(files, self.data.form, f"{self.own.name}: sample")
        ]
        return LabelledFeatures(torch.cat(parts), labels)

    def _seal(self, features: LabelledFeatures) -> bytes:
        return seal_features(self.party, self.session.terms.encryption_key, *features)

    @cached_property
    def _extractor(self) -> Extractor:
        extractor = fetch_extractor(self.store, self.task, self.device)
        cid = self.task.document(EXTRACTOR)
        check_extractor(extractor, cid, self.extractors, self.data.form)
        return extractor

    @cached_property
    def _preprocessing(self) -> Preprocessing | PlainNumbers:
        return fetch_preprocessing(self.store, self.task, self.data.form)
