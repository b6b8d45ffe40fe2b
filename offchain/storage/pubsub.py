"""Short messages between IPFS nodes that listen to the same topic."""

from __future__ import annotations

from typing import Protocol

from offchain.storage.datastore import Datastore, DatastoreUnavailable

MAX_MESSAGE_BYTES = 8_192
"""Longest message that is taken."""


class PubsubOff(DatastoreUnavailable):
    """A node that carries no messages, or has that turned off."""


class Pubsub(Protocol):
    """Messages to whoever listens. All methods may be called from several threads.

    It is open to all: anybody reads, and anybody sends what he likes. A message to whom nobody
    listens is lost, and so is one of many that come faster than they are taken.
    """

    def publish(self, topic: str, message: bytes) -> None:
        """Sends a message of 1 to `MAX_MESSAGE_BYTES` bytes to those who listen to a topic, who
        drop what is longer.

        Raises DatastoreUnavailable, and PubsubOff for good.
        """

    def received(self, topic: str) -> list[bytes]:
        """What came since the last time, one's own messages included; does not wait.

        The first call begins to listen. Raises as `publish` does.
        """


class Node(Datastore, Pubsub, Protocol):
    """An IPFS node: content and messages."""
