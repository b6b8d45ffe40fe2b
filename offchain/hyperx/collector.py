"""The collector's role: recruits the best of many datasets (sections 3.1.1 to 3.1.6).

Like the provider's it holds no connection: `next_action` says what to do next given what the
chain has told its session. Secrets are on disk before anything rests on them; scores are computed
again after a restart, from the features in the datastore. What is wrong with a provider's content
counts against the provider; when the collector's own node fails, the error goes to the caller and
nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

import torch

from offchain.crypto.bitmap import choose, to_bitmap
from offchain.crypto.errors import CryptoError
from offchain.crypto.sealing import new_secret, point_of
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.imageset import Progress
from offchain.hyperx import actions as do
from offchain.hyperx import delivery as dl
from offchain.hyperx import draw_secrets
from offchain.hyperx import events as ev
from offchain.hyperx import manifest as mf
from offchain.hyperx.evaluation import Evaluation
from offchain.hyperx.features import FeatureError, LabelledFeatures, features_agree
from offchain.hyperx.further import rubbish_shard
from offchain.hyperx.manifests import Manifests
from offchain.hyperx.memory import MemoryShort, memory_told
from offchain.hyperx.patience import Patience
from offchain.hyperx.policy import Policy
from offchain.hyperx.purchase import Purchase, one_time_name, purchase, session_key
from offchain.hyperx.quality import QualityScore
from offchain.hyperx.review import (
    NOT_SEEN,
    ReviewError,
    ShardNotSeen,
    Verdict,
    check_distinct,
    features_of,
    fetch_shards,
    opened_keys,
)
from offchain.hyperx.safekeeping import keep_shards
from offchain.hyperx.session import Member, Session, State
from offchain.hyperx.submission import SubmissionError
from offchain.roles import Clock
from offchain.storage import ContentError, Datastore, cid_from_digest
from offchain.storage.retention import Promise
from offchain.storage.together import PARALLEL, side_by_side
from offchain.task import Task, fetch_task
from offchain.task.errors import OfferRefused
from offchain.task.forms import form_offered

ANSWER_SECONDS = 60
"""What is kept of the time to choose for the transaction that chooses."""
BAD_FEATURES = (CryptoError, FeatureError, SubmissionError)
"""What opening features raises that are not what the provider should have sealed."""


class Collector:
    """Buys the best dataset of `session` by what `evaluation` says of features.

    Attributes:
        objections: for each provider that was passed over, why; one line.
        verdicts: for each candidate that opened its review, what came of it.
    """

    def __init__(
        self,
        session: Session,
        evaluation: Evaluation,
        store: Datastore,
        secrets_file: SecretsFile,
        policy: Policy | None = None,
        progress: Progress | None = None,
        pay_to: str | None = None,
    ) -> None:
        self.session = session
        self.pay_to = pay_to
        self.evaluation = evaluation
        self.store = store
        self.secrets_file = secrets_file
        self.policy = policy or Policy()
        self.progress = progress
        self.objections: dict[str, str] = {}
        self.verdicts: dict[str, Verdict] = {}
        self._manifests = Manifests(store, self.policy.most_bytes)
        self._delivered: dict[tuple[ev.KeyDelivered, bytes], bytes | None] = {}
        self._scores: dict[str, QualityScore] = {}
        self._scored: dict[str, bytes | None] | None = None

    def next_action(self, clock: Clock) -> do.Action | None:
        """What to do now, or None while it is others' turn."""
        session = self.session.settled(clock.now)
        if self.session.is_over(clock.now):
            to = self.pay_to or self.session.terms.collector
            return do.ReclaimEscrow(to) if session.owed_to_collector() > 0 else None
        if clock.now < self.session.terms.submission_end:
            return self.sample(clock) if clock.now < self.session.terms.sampling_end else None
        if session.state == State.PENDING:
            return self.select(clock)
        if session.state == State.REVIEWING and session.disclosed:
            return self.decide(clock)
        if session.state == State.DELIVERED:
            return self.check_delivery()
        return None

    # ------------------------------------------------------------------ the steps

    def sample(self, clock: Clock) -> do.Action | None:
        """Samples a provider whose manifest is in order, or completes a draw."""
        members = list(self.session.members.values())
        for member in members:
            if member.draw_open(clock.block):
                secret = draw_secrets.shown(self.secrets_file, self.session, member)
                return do.DrawSample(member.account, secret)
        waiting = [m for m in members if m.sample is None and not m.draw_pending(clock.block)]
        ready = self._ready(waiting)
        if not ready:
            return None
        member, terms, seed = ready[0], self.session.terms, self.policy.sample_seed
        self.objections.pop(member.account, None)  # it may have been missing before
        if self.policy.draw_on_chain:
            return self.request_draw(member)
        position = members.index(member)
        shards = choose(
            terms.shard_count, terms.first_sample, None if seed is None else seed + position
        )
        return do.SampleData(member.account, tuple(to_bitmap(shards, terms.shard_count)))

    def request_draw(self, member: Member) -> do.Action | None:
        """Commits to a secret that no request before has used: an opening that failed showed it."""
        secret = draw_secrets.fresh(self.secrets_file, self.session, member)
        commitment = self.session.party(member.account).draw_commitment(secret)
        return do.RequestDraw(member.account, commitment)

    def select(self, clock: Clock) -> do.Action | None:
        """Makes the best provider that is left the candidate; closes if there is none.

        Each has its share of the time that is left, with one share for what comes after. Those
        after the best are waited for side by side, since a share may be shorter than one look of
        the datastore's. Where shards are only missing, and nobody else is left, it comes back as
        long as there is time.
        """
        time_left = self.session.terms.selection_end - clock.now
        if time_left <= 0:
            return do.Close()
        whole = Patience(time_left - ANSWER_SECONDS)
        members = [self.session.member(account) for account in self.ranking()]
        left = [member for member in members if not member.tried]
        missing = False
        for position, some in _first_alone(left):
            patience = Patience(whole.left * len(some) / (len(left) - position + 1))
            calls = [partial(self._keep_shards, member, patience) for member in some]
            for member, kept in zip(some, side_by_side(calls), strict=True):
                try:
                    kept.result()
                except (mf.ManifestError, ContentError) as error:
                    self._object(member, f"shards: {error}")
                    missing = missing or isinstance(error, NOT_SEEN)
                    continue
                self.objections.pop(member.account, None)
                key = point_of(self._one_time_secret(member.account))
                return do.SetCandidate(member.account, key.x, key.y)
        return None if missing else do.Close()

    def decide(self, clock: Clock) -> do.Action | None:
        """Accepts the candidate's review, proves its keys wrong, or declares or refuses rubbish.

        What is only missing is looked for until late in the window, and then refused: a stranger
        that keeps an honest candidate's node down must not make both of them burn money.
        """
        account = self.session.candidate
        if account is None:
            return None
        late = self.session.last_look or clock.now
        verdict = self.review(self.session.member(account), Patience(late - clock.now))
        self.verdicts[account] = verdict
        if verdict.accepted:
            return do.SetOptimal(account)
        self.objections[account] = verdict.reason
        if verdict.wrong_key is not None:
            return do.ProveWrongKey(verdict.wrong_key)
        if verdict.missing:
            return do.RefuseReview(account) if clock.now >= late else None
        if self.policy.burn_for_rubbish:
            return do.DeclareRubbish(account)
        return do.RefuseReview(account)

    def check_delivery(self) -> do.Action | None:
        """Disputes a session key that was delivered wrong; of a right one nothing need be said."""
        delivery = self.session.delivery
        if delivery is None or self.delivered(delivery) is not None:
            return None
        member = self.session.member(delivery.provider)
        secret, leaves = self._one_time_secret(member.account), self._key_leaves(member)
        shard = dl.wrong_shard(self.session.party(member.account), delivery, secret, leaves)
        self.objections[member.account] = f"delivered a session key that is wrong for shard {shard}"
        return do.ProveWrongDelivery(dl.accuse(member, delivery, leaves, secret, shard))

    # ------------------------------------------------------------------ what they rest on

    @cached_property
    def task(self) -> Task:
        """What the terms ask for, by our own node.

        Raises TaskError where it is not what features are judged by.
        """
        task = fetch_task(self.store, self.session.terms.task)
        self.evaluation.check_task(task)
        return task

    def delivered(self, delivery: ev.KeyDelivered) -> bytes | None:
        """The session key of a sealed delivery; None if it is not the committed one."""
        member = self.session.member(delivery.provider)
        # By the committed root too: after a reorganisation it may be another.
        known = delivery, member.key_root
        if known not in self._delivered:
            party, count = self.session.party(member.account), self.session.terms.shard_count
            secret = self._one_time_secret(member.account)
            self._delivered[known] = dl.right_key(party, member, delivery, secret, count)
        return self._delivered[known]

    def scores(self) -> dict[str, QualityScore]:
        """The score of every provider whose features can be read, once submissions have ended."""
        features = {m.account: m.features for m in self.session.members.values()}
        # A reorganisation may change what was submitted, and with it scores and objections.
        if self._scored == features:
            return self._scores
        self.objections.clear()
        submitted, sent = {}, []
        self._ready([m for m in self.session.members.values() if m.sample is None])
        for member in self.session.members.values():
            if member.sample is None:
                self._object(member, "was not sampled in time")
                continue
            if self._manifest(member) is None:
                continue
            if member.features is None:
                self._object(member, "submitted no features in time")
                continue
            sent.append(member)
        calls = [partial(self._features, member) for member in sent]
        for member, found in zip(sent, side_by_side(calls), strict=True):
            try:
                submitted[member.account] = found.result()
            except (ContentError, *BAD_FEATURES) as error:
                self._object(member, f"features: {error}")
        self._scores, broken = self.evaluation.score(submitted)
        self._scored = features
        for account, reason in broken.items():
            self._object(self.session.member(account), reason)
        return self._scores

    @property
    def scored(self) -> dict[str, QualityScore]:
        """The scores that were computed, without computing any."""
        return self._scores

    def ranking(self) -> Sequence[str]:
        """Accounts from the best score to the least acceptable; ties by order of registration."""
        scores, least = self.scores(), self.policy.least_accuracy
        if least is None:
            least = self.evaluation.least_accuracy
        for account, score in scores.items():
            if score.accuracy < least:
                self._object(
                    self.session.member(account), f"accuracy {score.accuracy:.3f} below {least:.3f}"
                )
        good = [a for a, s in scores.items() if s.accuracy >= least]
        return sorted(good, key=lambda a: (-scores[a].accuracy, -scores[a].macro_f1))

    def review(self, member: Member, patience: Patience | None = None) -> Verdict:
        """Checks what the candidate opened against what it committed to and what was scored."""
        manifest = self._manifest(member)
        if member.review is None or member.sample is None or manifest is None:
            return Verdict("the review cannot be checked: no manifest", missing=True)
        party, classes = self.session.party(member.account), self.task.classes
        secret = self._one_time_secret(member.account)
        try:
            leaves = mf.fetch_key_leaves(self.store, manifest, member.key_root)
            keys = opened_keys(party, member, member.review, leaves, secret)
            if not isinstance(keys, dict):
                return Verdict(f"the key of shard {keys.shard} is not the committed one", keys)
            if manifest.addresses is not None:
                published = mf.fetch_addresses(self.store, manifest, party, member.address_root)
                addresses = [published[i] for i in member.opened]
            else:
                addresses = list(member.review_addresses)
            with memory_told(f"{len(keys)} shards of {manifest.shape}"):
                shards = fetch_shards(self.store, manifest, classes, addresses, keys, patience)
                form = form_offered(self.task, manifest.shape, self.store.get)
                opened = features_of(shards, form, self.evaluation.extract, patience)
                check_distinct(opened, self.session.terms, self.task.least.distinct)
                return self._judge(member, self._features(member), opened.features)
        except (MemoryShort, ShardNotSeen, *NOT_SEEN) as error:
            return Verdict(str(error), missing=True)
        except (ReviewError, OfferRefused, mf.ManifestError, ContentError, *BAD_FEATURES) as error:
            return Verdict(str(error))

    def _judge(
        self, member: Member, submitted: LabelledFeatures, seen: LabelledFeatures
    ) -> Verdict:
        """By what was `seen` of the samples of all opened shards, in order."""
        size = self.session.terms.shard_size
        sampled = torch.tensor([i in (member.sample or ()) for i in member.opened])
        places = sampled.repeat_interleave(size)
        again = LabelledFeatures(seen.features[places], seen.labels[places])
        agreement = features_agree(submitted, again, self.policy.tolerance)
        if not agreement:
            return Verdict(agreement.reason, difference=agreement.worst)
        if sampled.all():
            return Verdict(difference=agreement.worst)
        agrees = self.evaluation.agrees(seen).view(-1, size)
        found = rubbish_shard(agrees[sampled].flatten(), agrees[~sampled], self.policy.false_alarms)
        if found is None:
            return Verdict(difference=agreement.worst)
        position, reason = found
        shard = torch.tensor(member.opened)[~sampled][position]
        return Verdict(f"shard {shard}: {reason}", difference=agreement.worst)

    def promised(self) -> Sequence[Promise]:
        """The published shards of all that may still be chosen: the rest is in its own node."""
        if self.session.deal is not None:
            return ()
        left = [m for m in self.session.members.values() if m.sample is not None and not m.tried]
        return [one for member in left for one in self._manifests.promised(self.session, member)]

    def dataset(self) -> Purchase:
        """The dataset that was bought, to be decrypted with what was published or delivered.

        Raises NothingBought if there was no deal or the delivered key went undisputed although it
        was wrong.
        """
        key = session_key(self.session, self.secrets_file)
        return purchase(self.session, self.store, self.task, key)

    def _key_leaves(self, member: Member) -> Sequence[bytes]:
        """From our own node: they were pinned before the provider became a candidate."""
        manifest = mf.fetch_manifest(self.store, member.manifest, self.session.terms)
        return mf.fetch_key_leaves(self.store, manifest, member.key_root)

    def _one_time_secret(self, account: str) -> int:
        name = one_time_name(self.session, account)
        make = lambda: new_secret().to_bytes(32, "big")  # noqa: E731
        return int.from_bytes(self.secrets_file.remember(name, make), "big")

    def _object(self, member: Member, reason: str) -> None:
        self.objections.setdefault(member.account, reason)

    def _ready(self, members: list[Member]) -> list[Member]:
        """Those of `members` whose manifest is here and in order; of the others it says why."""
        if not members:
            return []
        ready = self._manifests.ready(self.session, members, self.task)
        for member in members:
            if reason := self._manifests.objection(member):
                self._object(member, reason)
        return ready

    def _manifest(self, member: Member) -> mf.Manifest | None:
        """The provider's manifest if it is in order and fits its registration."""
        # The task first: where our own node fails at it, the provider is not to blame.
        found = self._manifests.of(self.session, member, self.task)
        if found is None:
            self._object(member, self._manifests.objection(member))
        return found

    def _keep_shards(self, member: Member, patience: Patience) -> None:
        """Fetches and pins every published shard, so that nothing can go missing after payment."""
        manifest = self._manifest(member)
        if manifest is None:
            raise mf.ManifestError("no manifest to fetch them by")
        keep_shards(self.store, self.session, member, manifest, patience, self.progress)

    def _features(self, member: Member) -> LabelledFeatures:
        """The provider's submitted features, linear and obfuscated, and labels."""
        if member.features is None or member.sample is None:
            raise SubmissionError("no features were submitted")
        opened = self.evaluation.open(
            self.store,
            self.session.party(member.account),
            member.features,
            len(member.sample) * self.session.terms.shard_size,
        )
        # The review looks at them again, and whoever submitted them may be kept away by then.
        self.store.pin(cid_from_digest(member.features))
        return opened


def _first_alone(members: list[Member]) -> Iterator[tuple[int, list[Member]]]:
    """The first, then the others, some at a time, each with its position."""
    yield from ([(0, members[:1])] if members else [])
    for start in range(1, len(members), PARALLEL):
        yield start, members[start : start + PARALLEL]
