"""A datastore behind the HTTP RPC interface of any Kubo-compatible IPFS node."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import ipfshttpclient
import requests
from ipfshttpclient import exceptions, multipart
from urllib3.exceptions import HTTPError, ReadTimeoutError

from offchain.storage.checks import as_added, check_added, check_content, check_size
from offchain.storage.cid import cid_from_digest
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentError,
    ContentMalformed,
    ContentMissing,
    DatastoreError,
    DatastoreUnavailable,
)
from offchain.storage.endpoint import parse_endpoint
from offchain.storage.ipfs_pubsub import QUIET_SECONDS, Subscription, encoded, off
from offchain.storage.peering import Peering
from offchain.storage.probing import FEW, is_lie, read_drawn
from offchain.storage.unixfs import CHUNK_BYTES, NotUnixfs, decode

if TYPE_CHECKING:  # a name only: its module loads torch
    from offchain.data.imageset import Progress

# ipfshttpclient 0.7 passes an argument that urllib3 2 ignores, and says so on each connection.
warnings.filterwarnings(
    "ignore", "The 'strict' parameter is no longer needed", FutureWarning, "urllib3"
)

S = TypeVar("S")
T = TypeVar("T")

PARALLEL = 8
"""Requests under way at once in put_many and get_many."""
GRACE_SECONDS = 2.0
"""How much longer than the node's own timeout the client waits for its answer."""
LOCAL_SECONDS = 1.0
"""How long a node may take to say that it has a block itself."""
HEALTH_SECONDS = 5.0
"""How long a node that is well may take to store some bytes, and again to return them."""
PIECE_BYTES = 1 << 16
BACKOFF_SECONDS = 0.2
"""Wait before the first new attempt; doubled before each further one."""
REDIAL_SECONDS = 10.0
"""Between two calls of a peer; calling one that is connected does nothing."""
_FAILURES = (exceptions.Error, requests.RequestException, HTTPError)
"""Whatever the client and what it is built on raise."""
_PROFILE = {"cid-version": "0", "raw-leaves": "false", "chunker": f"size-{CHUNK_BYTES}"}
_NOT_THERE = ("not found", "could not find", "timeout", "timed out", "deadline", "aborted")
"""Words with which Kubo and js-ipfs say that they do not have a block."""
_ITS_MACHINE = tuple(
    os.strerror(number).lower()
    for number in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EMFILE,
        errno.ENFILE,
        errno.EIO,
        errno.EACCES,
        errno.ENOMEM,
    )
)
"""What only a node's own machine can say: no content makes a node say that its disk is full."""


class IpfsDatastore:
    """The node at `endpoint`, http(s)://[USER:PASSWORD@]HOST:PORT or a multiaddr.

    `timeout`, in seconds, bounds each call: the node is told to look no longer, and the client
    gives up shortly after. A connection that fails is tried `retries` more times; an answer never.
    """

    def __init__(self, endpoint: str, timeout: float = 30.0, retries: int = 2) -> None:
        address, self.endpoint, auth = parse_endpoint(endpoint)
        self.timeout, self.retries = timeout, retries
        self._subscriptions: dict[str, Subscription] = {}
        self._subscribing = Lock()
        self._peering = Peering(self._dial, REDIAL_SECONDS)
        try:
            # Not connect(), which refuses every node of version 0.8 and later.
            self._client = ipfshttpclient.Client(
                address, auth=auth, timeout=timeout + GRACE_SECONDS, session=True
            )
        except (exceptions.AddressError, ValueError) as error:
            raise DatastoreUnavailable(
                f"{self.endpoint!r} is neither http://HOST:PORT nor a multiaddr of a TCP port"
            ) from error

    @property
    def addresses(self) -> tuple[str, ...]:
        """Multiaddresses under which peers reach the node."""
        found = self._call(lambda: self._client.id(opts=self._limit()))
        return tuple(str(one) for one in found["Addresses"] or ())

    def connect(self, peers: Sequence[str]) -> None:
        """Stays connected to peers as long as it is open; some do not answer at times."""
        self._peering.add(peers)

    def _dial(self, peer: str) -> None:
        # Not the client's method, which sends each letter of an address as one more address.
        call = partial(self._client._client.request, "/swarm/connect", (peer,), decoder="json")
        with contextlib.suppress(DatastoreError):
            self._call(partial(call, opts=self._limit()))

    def publish(self, topic: str, message: bytes) -> None:
        def send() -> None:
            params = [("arg", encoded(topic))]
            with contextlib.closing(
                self._stream("/pubsub/pub", params, self.timeout, message)
            ) as said:
                deque(said, maxlen=0)

        self._by_pubsub(send)

    def received(self, topic: str) -> list[bytes]:
        with self._subscribing:
            if topic not in self._subscriptions:
                self._by_pubsub(lambda: self._client._client.request("/pubsub/ls", decoder="json"))
                self._subscriptions[topic] = Subscription(partial(self._open, topic), self._told)
        return self._subscriptions[topic].take()

    def put(self, data: bytes) -> str:
        answer = self._call(lambda: self._client.add_bytes(data, opts={**_PROFILE, "pin": "true"}))
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
        read = partial(self._read, cid, node_cid, max_bytes, self.timeout)
        data = self._call_for(cid, read)
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
        self._call_for(cid, lambda: self._client.pin.add(node_cid, opts=self._limit()))

    def probe(self, cid: str, draw: int) -> None:
        read_drawn(cid, draw, self._block_of)

    def lost(self, cids: Sequence[str], draw: int) -> list[str]:
        return [cid for cid in cids if not self._keeps(cid, draw)]

    def remove(self, cid: str) -> None:
        root = as_added(cid)
        self._accepting("not pinned", lambda: self._client.pin.rm(root, opts=self._limit()))
        for block in self._present_blocks(root):
            # js-ipfs drops blocks without looking at pins.
            pinned = self._accepting(
                "not pinned", partial(self._client.pin.ls, block, opts=self._limit())
            )
            if not pinned:
                self._accepting("not found", partial(self._remove_block, block))

    def close(self) -> None:
        self._peering.close()
        for subscription in self._subscriptions.values():
            subscription.close()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, cid: str, node_cid: str, max_bytes: int | None, seconds: float) -> bytes:
        """A file, up to the bound."""
        params = [("arg", node_cid), ("timeout", f"{seconds * 1000:.0f}ms")]
        if max_bytes is not None:
            params.append(("length", str(max_bytes + 1)))
        content = bytearray()
        with contextlib.closing(self._stream("/cat", params, seconds)) as pieces:
            for piece in pieces:
                content += piece
                check_size(cid, len(content), max_bytes)
        return bytes(content)

    def _stream(
        self, path: str, params: list[tuple[str, str]], seconds: float, data: bytes | None = None
    ) -> Generator[bytes]:
        """Pieces of what the endpoint answers, until the deadline, whatever it sends."""
        limit = seconds + GRACE_SECONDS
        deadline = time.monotonic() + limit
        body, headers = (None, None) if data is None else multipart.stream_bytes(data)
        # Below the client's methods, which read an answer that is not chunked to its end before
        # they yield.
        held, _ = self._client._client._request(
            "POST",
            path,
            params,
            auth=None,
            data=body,
            headers=headers,
            timeout=limit,
            chunk_size=1,
        )
        response = held[0]
        try:
            while piece := response.raw.read1(PIECE_BYTES):
                yield piece
                if time.monotonic() > deadline:
                    raise exceptions.TimeoutError(None)
        finally:
            response.close()

    def _by_pubsub(self, action: Callable[[], T]) -> T:
        """A request about messages. Raises PubsubOff where the node says that it carries none."""
        try:
            return self._call(action)
        except DatastoreError as error:
            if "pubsub" in str(error.__cause__).lower():
                raise off(self.endpoint, error.__cause__) from error
            raise

    def _open(self, topic: str) -> Any:
        """The node's answer to a subscription, which has no end."""
        subscribe = partial(
            self._client._client._request,
            *("POST", "/pubsub/sub", [("arg", encoded(topic))]),
            auth=None,
            data=None,
            headers=None,
            timeout=QUIET_SECONDS,
            chunk_size=1,
        )
        return self._by_pubsub(subscribe)[0][0]

    def _told(self, error: Exception) -> DatastoreUnavailable:
        """An error of a subscription that broke, in our words."""
        return DatastoreUnavailable(
            f"the IPFS node at {self.endpoint} tells no more messages ({_why(error)})"
        )

    def _keeps(self, cid: str, draw: int) -> bool:
        """Whether the node has pinned a content, and the drawn blocks themselves."""
        root = as_added(cid)
        if not self._accepting(
            "not pinned", partial(self._client.pin.ls, root, opts=self._limit())
        ):
            return False
        try:
            read_drawn(
                cid,
                draw,
                lambda one: self._call_for(cid, partial(self._local_block, as_added(one))),
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
                block = self._call_for(cid, partial(self._local_block, cid))
            except ContentMissing:
                continue
            present.append(cid)
            if cid.startswith("Qm"):
                with contextlib.suppress(NotUnixfs):  # nothing of ours hangs below it
                    waiting += [as_added(cid_from_digest(link)) for link in decode(block).links]
        return present

    def _block_of(self, cid: str) -> bytes:
        ask = partial(self._client.block.get, as_added(cid), opts=self._limit())
        return bytes(self._call_for(cid, ask))

    def _local_block(self, cid: str) -> bytes:
        opts = {"timeout": f"{LOCAL_SECONDS * 1000:.0f}ms"}
        return bytes(self._client.block.get(cid, offline=True, opts=opts))

    def _remove_block(self, cid: str) -> None:
        # ipfshttpclient has no method for this call, but its transport.
        self._client._client.request("/block/rm", (cid,), decoder="json", opts={"force": "true"})

    def _limit(self) -> dict[str, str]:
        return {"timeout": f"{self.timeout * 1000:.0f}ms"}

    def _accepting(self, refusal: str, action: Callable[[], T]) -> T | None:
        """What the node answers, or None when it refuses in these words."""
        try:
            return self._call(action)
        except DatastoreError as error:
            if refusal not in str(error):
                raise
            return None

    def _call_for(self, cid: str, action: Callable[[], T]) -> T:
        """A request about one content. What fails is the content's fault where the node is well."""
        try:
            return self._call(action)
        except ContentError:
            raise
        except DatastoreError as error:
            cause = error.__cause__
            said = str(cause).lower() if isinstance(cause, exceptions.ErrorResponse) else None
            if said is not None and any(word in said for word in _NOT_THERE):
                raise ContentMissing(
                    f"{cid} was not found by the IPFS node at {self.endpoint} "
                    f"within {self.timeout:g} s"
                ) from error
            if (said is not None and any(word in said for word in _ITS_MACHINE)) or (
                not self._is_well()
            ):
                raise
            if said is not None:
                raise ContentMalformed(f"{cid} is not a file: {error}") from error
            raise ContentMissing(
                f"{cid} did not arrive whole within {self.timeout:g} s, while the IPFS node at "
                f"{self.endpoint} answers otherwise"
            ) from error

    def _is_well(self) -> bool:
        """Whether the node stores and returns bytes that it never had before."""
        data, seconds = secrets.token_bytes(32), min(self.timeout, HEALTH_SECONDS)
        params = [*_PROFILE.items(), ("pin", "false")]
        try:
            with contextlib.closing(self._stream("/add", params, seconds, data)) as pieces:
                added = b""
                for piece in pieces:
                    added += piece
                    check_size("a health check's answer", len(added), PIECE_BYTES)
            cid = check_added(str(json.loads(added)["Hash"]), data)
            return self._read(cid, as_added(cid), len(data), seconds) == data
        except (*_FAILURES, DatastoreError, ValueError, KeyError, TypeError):
            return False

    def _call(self, action: Callable[[], T]) -> T:
        """One request, with new attempts when the connection fails and errors in our words."""
        deadline = time.monotonic() + self.timeout + GRACE_SECONDS
        for attempt in range(self.retries + 1):
            try:
                return action()
            except (exceptions.ConnectionError, exceptions.ProtocolError) as error:
                if attempt == self.retries or time.monotonic() > deadline:
                    raise DatastoreUnavailable(
                        f"no IPFS node answers at {self.endpoint} ({_why(error)}, "
                        f"{attempt + 1} attempts): start it, or name another, or none for the "
                        "embedded node"
                    ) from error
                time.sleep(BACKOFF_SECONDS * 2**attempt)
            except exceptions.ErrorResponse as error:
                raise DatastoreError(f"the IPFS node at {self.endpoint}: {error}") from error
            except (exceptions.TimeoutError, requests.Timeout, ReadTimeoutError) as error:
                raise DatastoreUnavailable(
                    f"the IPFS node at {self.endpoint} did not answer within {self.timeout:g} s"
                ) from error
            except _FAILURES as error:
                raise DatastoreUnavailable(
                    f"{self.endpoint} does not answer as an IPFS node does ({_why(error)}): name "
                    "the address of its RPC interface, which is port 5001 as a rule"
                ) from error
        raise AssertionError("the last attempt returns or raises")


def _why(error: BaseException) -> str:
    """The system's own words at the bottom of what libraries wrapped around them, else the kind
    of the error at the top: their own texts hold the objects they work with."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror.lower()
        if isinstance(inner, requests.HTTPError) and inner.response is not None:
            return f"HTTP status {inner.response.status_code}"
        inner = getattr(inner, "original", None) or inner.__cause__ or inner.__context__
    return type(error).__name__


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
