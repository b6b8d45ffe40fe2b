"""A datastore behind the HTTP RPC interface of any Kubo-compatible IPFS node."""

from __future__ import annotations

import contextlib
import ipaddress
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import unquote, urlsplit

import ipfshttpclient
import requests
from ipfshttpclient import exceptions
from urllib3.exceptions import HTTPError, ReadTimeoutError

from offchain.storage.checks import as_added, check_added, check_content, check_size
from offchain.storage.cid import cid_from_digest
from offchain.storage.datastore import ContentMissing, DatastoreError, DatastoreUnavailable
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
PIECE_BYTES = 1 << 16
BACKOFF_SECONDS = 0.2
"""Wait before the first new attempt; doubled before each further one."""
_PROFILE = {"cid-version": "0", "raw-leaves": "false", "chunker": f"size-{CHUNK_BYTES}"}
_NOT_THERE = ("not found", "could not find", "timeout", "timed out", "deadline", "aborted")
"""Words with which Kubo and js-ipfs say that they do not have a block."""


class IpfsDatastore:
    """The node at `endpoint`, http(s)://[USER:PASSWORD@]HOST:PORT or a multiaddr.

    `timeout`, in seconds, bounds each call: the node is told to look no longer, and the client
    gives up shortly after. A connection that fails is tried `retries` more times; an answer never.
    """

    def __init__(self, endpoint: str, timeout: float = 30.0, retries: int = 2) -> None:
        address, self.endpoint, auth = _parse_endpoint(endpoint)
        self.timeout, self.retries = timeout, retries
        try:
            # Not connect(), which refuses every node of version 0.8 and later.
            self._client = ipfshttpclient.Client(
                address, auth=auth, timeout=timeout + GRACE_SECONDS, session=True
            )
        except (exceptions.AddressError, ValueError) as error:
            raise DatastoreUnavailable(
                f"{self.endpoint!r} is neither http://HOST:PORT nor a multiaddr of a TCP port"
            ) from error

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
        return check_content(cid, self._call(lambda: self._read(cid, node_cid, max_bytes), cid))

    def get_many(self, cids: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes]:
        return _some_ahead(lambda cid: self.get(cid, max_bytes), cids)

    def pin(self, cid: str) -> None:
        node_cid = as_added(cid)
        self._call(lambda: self._client.pin.add(node_cid, opts=self._limit()), cid)

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

    def _read(self, cid: str, node_cid: str, max_bytes: int | None) -> bytes:
        """Streams a file, up to the bound and the deadline, whatever the endpoint sends."""
        deadline = time.monotonic() + self.timeout + GRACE_SECONDS
        params = [("arg", node_cid), *self._limit().items()]
        if max_bytes is not None:
            params.append(("length", str(max_bytes + 1)))
        content = bytearray()
        # Below client.cat, which reads an answer that is not chunked to its end before it yields.
        held, _ = self._client._client._request(
            "POST", "/cat", params, auth=None, data=None, headers=None, timeout=None, chunk_size=1
        )
        response = held[0]
        try:
            while piece := response.raw.read1(PIECE_BYTES):
                content += piece
                check_size(cid, len(content), max_bytes)
                if time.monotonic() > deadline:
                    raise self._too_slow()
        finally:
            response.close()
        return bytes(content)

    def _present_blocks(self, root: str) -> list[str]:
        """The CIDs of the blocks below and including `root` that the node has."""
        present, waiting = [], [root]
        while waiting:
            cid = waiting.pop()
            try:
                block = self._call(partial(self._local_block, cid), cid)
            except ContentMissing:
                continue
            present.append(cid)
            if cid.startswith("Qm"):
                with contextlib.suppress(NotUnixfs):  # nothing of ours hangs below it
                    waiting += [as_added(cid_from_digest(link)) for link in decode(block).links]
        return present

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

    def _call(self, action: Callable[[], T], cid: str | None = None) -> T:
        """One request, with new attempts when the connection fails and errors in our words."""
        for attempt in range(self.retries + 1):
            try:
                return action()
            except (exceptions.ConnectionError, exceptions.ProtocolError) as error:
                if attempt == self.retries:
                    raise DatastoreUnavailable(
                        f"no IPFS node answers at {self.endpoint} ({_why(error)}, "
                        f"{attempt + 1} attempts): start it, or name another, or none for the "
                        "embedded node"
                    ) from error
                time.sleep(BACKOFF_SECONDS * 2**attempt)
            except exceptions.ErrorResponse as error:
                if cid is not None and any(word in str(error).lower() for word in _NOT_THERE):
                    raise ContentMissing(
                        f"{cid} was not found by the IPFS node at {self.endpoint} "
                        f"within {self.timeout:g} s"
                    ) from error
                raise DatastoreError(f"the IPFS node at {self.endpoint}: {error}") from error
            except (exceptions.TimeoutError, requests.Timeout, ReadTimeoutError) as error:
                raise self._too_slow() from error
            except (exceptions.Error, requests.RequestException, HTTPError) as error:
                raise DatastoreUnavailable(
                    f"{self.endpoint} does not answer as an IPFS node does ({_why(error)}): name "
                    "the address of its RPC interface, which is port 5001 as a rule"
                ) from error
        raise AssertionError("the last attempt returns or raises")

    def _too_slow(self) -> DatastoreUnavailable:
        return DatastoreUnavailable(
            f"the IPFS node at {self.endpoint} did not answer within {self.timeout:g} s"
        )


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


def _parse_endpoint(endpoint: str) -> tuple[str, str, tuple[str, str] | None]:
    """Multiaddr, name to show (without password) and credentials of an endpoint."""
    if endpoint.startswith("/"):
        return endpoint, endpoint, None
    url = urlsplit(endpoint)
    try:
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        host = url.hostname or ""
        shown = f"{url.scheme}://{host}:{port}"
        if not host or url.path not in ("", "/") or url.query:
            raise ValueError(shown)
    except (KeyError, ValueError) as error:
        raise DatastoreUnavailable(
            f"{endpoint.rpartition('@')[2]!r} is neither http://HOST:PORT nor a multiaddr"
        ) from error
    try:
        kind = f"ip{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "dns"
    auth = (unquote(url.username), unquote(url.password or "")) if url.username else None
    return f"/{kind}/{host}/tcp/{port}/{url.scheme}", shown, auth


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
