"""Parties that break the rules, each in one point: for stories and tests.

They are the honest roles with one step replaced, so a story differs from the honest one by that
step alone.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from offchain.crypto.sealing import Point, SealedKeys, seal_keys
from offchain.data.originals import Originals
from offchain.hyperx import actions as do
from offchain.hyperx import delivery as dl
from offchain.hyperx.collector import Collector
from offchain.hyperx.delivery import seal_session_key
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Member
from offchain.roles import Clock


class OtherFeatures(Provider):
    """Submits the features of better data than it registered."""

    def __init__(self, *args: Any, better: Originals, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.better = better

    def submit_features(self, me: Member) -> do.Action | None:
        """Features of `better` under the provider's own name."""
        stand_in = Provider(
            self.account,
            self.session,
            self.better,
            self.store,
            self.secrets_file,
            self.device,
            extractors=self.extractors,
        )
        return stand_in.submit_features(me)


class SilentCandidate(Provider):
    """Becomes the candidate and opens no review."""

    def open_review(self, me: Member) -> do.Action | None:
        return None


class NeverClaims(Provider):
    """Opens its review and, chosen, never claims."""

    def claim(self, me: Member) -> do.Action | None:
        return None


class RootCopier(Provider):
    """Registers what the first other provider registered, as if it were its own."""

    def register(self) -> do.Action | None:
        """The other's roots and manifest, once there are some."""
        for other in self.session.members.values():
            return do.Register(other.key_root, other.address_root, other.manifest)
        return None

    def open_review(self, me: Member) -> do.Action | None:
        """Nothing: it has neither the keys nor leaves that name it."""
        return None

    def check_registered(self, me: Member) -> None:
        """What it registered is another's."""


class ShardMissing(Provider):
    """Takes the first sampled shard out of the datastore once its features are in."""

    def submit_features(self, me: Member) -> do.Action | None:
        """Honest features, and one shard less."""
        return self._less_one_shard(super().submit_features(me), me)

    def open_review(self, me: Member) -> do.Action | None:
        """The honest review; a role that was restarted has stored anew what was missing."""
        return self._less_one_shard(super().open_review(me), me)

    def _less_one_shard(self, action: do.Action | None, me: Member) -> do.Action | None:
        if me.sample:
            self.store.remove(self.dataset.cids[me.sample[0]])
        return action


class WrongKey(Provider):
    """Seals a key of its own making for the first opened shard."""

    def open_review(self, me: Member) -> do.Action | None:
        """The honest review with one key replaced."""
        action = super().open_review(me)
        one_time_key = self.session.one_time_key
        if not isinstance(action, do.SubmitReview) or one_time_key is None:
            return action
        lie = {me.opened[0]: secrets.token_bytes(32)}
        keys = {i: self.dataset.keys[i] for i in me.opened} | lie
        sealed = seal_keys(one_time_key, keys)
        review = replace(action.review, ephemeral_x=sealed.ephemeral_x, sealed_keys=sealed.sealed)
        return do.SubmitReview(review)


class WrongDelivery(Provider):
    """Delivers a session key of its own making; sealed settlement alone."""

    def seal_session_key(self, one_time_key: Point) -> SealedKeys:
        return seal_session_key(one_time_key, secrets.token_bytes(32))


class FalseAccuser(Collector):
    """Disputes a session key that is right, once; sealed settlement alone."""

    accused = False

    def check_delivery(self) -> do.Action | None:
        """Evidence about a shard whose key is the committed one."""
        delivery = self.session.delivery
        if delivery is None or self.accused:
            return None
        self.accused = True
        member = self.session.member(delivery.provider)
        secret, leaves = self._one_time_secret(member.account), self._key_leaves(member)
        return do.ProveWrongDelivery(dl.accuse(member, delivery, leaves, secret, 0))


class VanishingCollector(Collector):
    """Is never seen again once a candidate has opened its review."""

    def next_action(self, clock: Clock) -> do.Action | None:
        """Acts as a collector until a review was opened, and not afterwards."""
        opened = any(member.review for member in self.session.members.values())
        return None if opened else super().next_action(clock)


class IdleCollector(Collector):
    """Samples, and never evaluates; takes its escrow back at the end."""

    def select(self, clock: Clock) -> do.Action | None:
        return None
