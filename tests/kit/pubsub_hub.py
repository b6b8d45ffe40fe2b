"""Nodes that carry messages to each other, in memory; tests say what is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from offchain.storage import DatastoreUnavailable


class Hub:
    """What joins nodes. lost: of a message, the node it is from and one it goes to."""

    def __init__(self) -> None:
        self.nodes: list[HubNode] = []
        self.lost: Callable[[bytes, HubNode, HubNode], bool] = lambda message, one, other: False

    def node(self) -> HubNode:
        return HubNode(self)


class HubNode:
    """One node. up: whether it answers. said: all that it published."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.up = hub, True
        self.said: list[bytes] = []
        self._waiting: dict[str, list[bytes]] = defaultdict(list)
        hub.nodes.append(self)

    def publish(self, topic: str, message: bytes) -> None:
        self._check()
        self.said.append(message)
        for other in self.hub.nodes:
            if topic in other._waiting and not self.hub.lost(message, self, other):
                other._waiting[topic].append(message)

    def received(self, topic: str) -> list[bytes]:
        self._check()
        came, self._waiting[topic] = self._waiting[topic], []
        return came

    def _check(self) -> None:
        if not self.up:
            raise DatastoreUnavailable("the node is down")
