"""A datastore behind the HTTP RPC interface of any Kubo-compatible IPFS node."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from offchain.storage.checks import as_added, check_added, check_content
from offchain.storage.cid import cid_from_digest
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentError,
    ContentMissing,
    DatastoreError,
    DatastoreUnavailable,
)
from offchain.storage.ipfs_pubsub import Subscription, encoded
from offchain.storage.ipfs_requests import PROFILE, NodeRequests
from offchain.storage.peering import Peering
from offchain.storage.probing import FEW, is_lie, read_drawn
from offchain.storage.unixfs import NotUnixfs, decode

if TYPE_CHECKING:  # a name only: its module loads torch
    from offchain.data.imageset import Progress

S = TypeVar("S")
T = TypeVar("T")

PARALLEL = 8
"""Requests under way at once in put_many and get_many."""
LOCAL_SECONDS = 1.0
"""How long a node may take to say that it has a block itself."""
REDIAL_SECONDS = 10.0
"""Between two calls of a peer; calling one that is connected does nothing."""


class IpfsDatastore:
    """The node at `endpoint`, http(s)://[USER:PASSWORD@]HOST:PORT or a multiaddr.

    `timeout`, in seconds, bounds each call: the node is told to look no longer, and the client
    gives up shortly after. A connection that fails is tried `retries` more times; an answer never.
    """

    def __init__(self, endpoint: str, timeout: float = 30.0, retries: int = 2) -> None:
        self._node = NodeRequests(endpoint, timeout, retries)
        self.endpoint, self.timeout = self._node.endpoint, timeout
        self._subscriptions: dict[str, Subscription] = {}
        self._subscribing = Lock()
        self._peering = Peering(self._dial, REDIAL_SECONDS)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Multiaddresses under which peers reach the node."""
        found = self._node.call(lambda: self._node.client.id(opts=self._node.limit()))
        return tuple(str(one) for one in found["Addresses"] or ())

    def connect(self, peers: Sequence[str]) -> None:
        """Stays connected to peers as long as it is open; some do not answer at times."""
        self._peering.add(peers)

    def _dial(self, peer: str) -> None:
        # Not the client's method, which sends each letter of an address as one more address.
        call = partial(self._node.client._client.request, "/swarm/connect", (peer,), decoder="json")
        with contextlib.suppress(DatastoreError):
            self._node.call(partial(call, opts=self._node.limit()))

    def publish(self, topic: str, message: bytes) -> None:
        def send() -> None:
            params = [("arg", encoded(topic))]
            with contextlib.closing(
                self._node.stream("/pubsub/pub", params, self.timeout, message)
            ) as said:
                deque(said, maxlen=0)

        self._node.by_pubsub(send)

    def received(self, topic: str) -> list[bytes]:
        with self._subscribing:
            if topic not in self._subscriptions:
                self._node.by_pubsub(
                    lambda: self._node.client._client.request("/pubsub/ls", decoder="json")
                )
                self._subscriptions[topic] = Subscription(
                    partial(self._node.subscribe, topic), self._node.told_of
                )
        return self._subscriptions[topic].take()

    def put(self, data: bytes) -> str:
        answer = self._node.call(
            lambda: self._node.client.add_bytes(data, opts={**PROFILE, "pin": "true"})
        )
        return check_added(str(answer), data)

    def put_many(self, items: Sequence[bytes], progress: Progress | None = None) -> list[str]:
        cids = []
        for cid in _some_ahead(self.put, items):
            cids.append(cid)
            if progress:
                progress(len(cids), len(items))
        return cids

    def get(self, cid: str, max_bytes: int | None = None) -> bytes:
        node_cid = as_added(cid)
        read = partial(self._node.read, cid, node_cid, max_bytes, self.timeout)
        data = self._node.call_for(cid, read)
        try:
            return check_content(cid, data)
        except ContentCorrupted:
            if not is_lie(cid, data, self._block_of):
                raise
            raise DatastoreUnavailable(
                f"the IPFS node at {self.endpoint} answers other content for {cid}"
            ) from None

    def get_many(self, cids: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes]:
        return _some_ahead(lambda cid: self.get(cid, max_bytes), cids)

    def pin(self, cid: str) -> None:
        node_cid = as_added(cid)
        self._node.call_for(
            cid, lambda: self._node.client.pin.add(node_cid, opts=self._node.limit())
        )

    def probe(self, cid: str, draw: int) -> None:
        read_drawn(cid, draw, self._block_of)

    def lost(self, cids: Sequence[str], draw: int) -> list[str]:
        return [cid for cid in cids if not self._keeps(cid, draw)]

    def remove(self, cid: str) -> None:
        root = as_added(cid)
        self._node.accepting(
            "not pinned", lambda: self._node.client.pin.rm(root, opts=self._node.limit())
        )
        for block in self._present_blocks(root):
            # js-ipfs drops blocks without looking at pins.
            pinned = self._node.accepting(
                "not pinned", partial(self._node.client.pin.ls, block, opts=self._node.limit())
            )
            if not pinned:
                self._node.accepting("not found", partial(self._remove_block, block))

    def close(self) -> None:
        self._peering.close()
        for subscription in self._subscriptions.values():
            subscription.close()
        self._node.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _keeps(self, cid: str, draw: int) -> bool:
        """Whether the node has pinned a content, and the drawn blocks themselves."""
        root = as_added(cid)
        if not self._node.accepting(
            "not pinned", partial(self._node.client.pin.ls, root, opts=self._node.limit())
        ):
            return False
        try:
            read_drawn(
                cid,
                draw,
                lambda one: self._node.call_for(cid, partial(self._local_block, as_added(one))),
                FEW,
            )
        except ContentError:
            return False
        return True

    def _present_blocks(self, root: str) -> list[str]:
        """The CIDs of the blocks below and including `root` that the node has."""
        present, waiting = [], [root]
        while waiting:
            cid = waiting.pop()
            if cid in present:
                continue
            try:
                block = self._node.call_for(cid, partial(self._local_block, cid))
            except ContentMissing:
                continue
            present.append(cid)
            if cid.startswith("Qm"):
                with contextlib.suppress(NotUnixfs):  # nothing of ours hangs below it
                    waiting += [as_added(cid_from_digest(link)) for link in decode(block).links]
        return present

    def _block_of(self, cid: str) -> bytes:
        ask = partial(self._node.client.block.get, as_added(cid), opts=self._node.limit())
        return bytes(self._node.call_for(cid, ask))

    def _local_block(self, cid: str) -> bytes:
        opts = {"timeout": f"{LOCAL_SECONDS * 1000:.0f}ms"}
        return bytes(self._node.client.block.get(cid, offline=True, opts=opts))

    def _remove_block(self, cid: str) -> None:
        # ipfshttpclient has no method for this call, but its transport.
        self._node.client._client.request(
            "/block/rm", (cid,), decoder="json", opts={"force": "true"}
        )


def _some_ahead(action: Callable[[S], T], items: Sequence[S]) -> Iterator[T]:
    """What `action` makes of each item, in order, while PARALLEL of them are under way."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        under_way: deque[Future[T]] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(action, item))
                if len(under_way) == PARALLEL:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:  # also where the reader goes no further
            pool.shutdown(wait=False, cancel_futures=True)
