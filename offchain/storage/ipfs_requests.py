"""Requests to the HTTP RPC interface of an IPFS node, and what becomes of those that fail.

Whose fault a failure is decides which error it is: the connection's and the node's are
DatastoreUnavailable, the content's a ContentError.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import time
import warnings
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

import ipfshttpclient
import requests
from ipfshttpclient import exceptions, multipart
from urllib3.exceptions import HTTPError, ReadTimeoutError

from offchain.storage.checks import as_added, check_added, check_size
from offchain.storage.datastore import (
    ContentError,
    ContentMalformed,
    ContentMissing,
    DatastoreError,
    DatastoreUnavailable,
)
from offchain.storage.endpoint import parse_endpoint
from offchain.storage.ipfs_pubsub import QUIET_SECONDS, encoded, off
from offchain.storage.unixfs import CHUNK_BYTES

# ipfshttpclient 0.7 passes an argument that urllib3 2 ignores, and says so on each connection.
warnings.filterwarnings(
    "ignore", "The 'strict' parameter is no longer needed", FutureWarning, "urllib3"
)

T = TypeVar("T")

GRACE_SECONDS = 2.0
"""How much longer than the node's own timeout the client waits for its answer."""
HEALTH_SECONDS = 5.0
"""How long a node that is well may take to store some bytes, and again to return them."""
PIECE_BYTES = 1 << 16
BACKOFF_SECONDS = 0.2
"""Wait before the first new attempt; doubled before each further one."""
_FAILURES = (exceptions.Error, requests.RequestException, HTTPError)
"""Whatever the client and what it is built on raise."""
PROFILE = {"cid-version": "0", "raw-leaves": "false", "chunker": f"size-{CHUNK_BYTES}"}
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


class NodeRequests:
    """Requests to the node at `endpoint`, within `timeout` and with `retries` as IpfsDatastore
    has them.

    Attributes:
        client: of ipfshttpclient; its calls are made within `call` or one of those that rest on it.
    """

    def __init__(self, endpoint: str, timeout: float, retries: int) -> None:
        """Raises DatastoreUnavailable for what is no endpoint."""
        address, self.endpoint, auth = parse_endpoint(endpoint)
        self.timeout, self.retries = timeout, retries
        try:
            # Not connect(), which refuses every node of version 0.8 and later.
            self.client = ipfshttpclient.Client(
                address, auth=auth, timeout=timeout + GRACE_SECONDS, session=True
            )
        except (exceptions.AddressError, ValueError) as error:
            raise DatastoreUnavailable(
                f"{self.endpoint!r} is neither http://HOST:PORT nor a multiaddr of a TCP port"
            ) from error

    def limit(self) -> dict[str, str]:
        return {"timeout": f"{self.timeout * 1000:.0f}ms"}

    def accepting(self, refusal: str, action: Callable[[], T]) -> T | None:
        """What the node answers, or None when it refuses in these words."""
        try:
            return self.call(action)
        except DatastoreError as error:
            if refusal not in str(error):
                raise
            return None

    def call_for(self, cid: str, action: Callable[[], T]) -> T:
        """A request about one content. What fails is the content's fault where the node is well."""
        try:
            return self.call(action)
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
                not self.is_well()
            ):
                raise
            if said is not None:
                raise ContentMalformed(f"{cid} is not a file: {error}") from error
            raise ContentMissing(
                f"{cid} did not arrive whole within {self.timeout:g} s, while the IPFS node at "
                f"{self.endpoint} answers otherwise"
            ) from error

    def is_well(self) -> bool:
        """Whether the node stores and returns bytes that it never had before."""
        data, seconds = secrets.token_bytes(32), min(self.timeout, HEALTH_SECONDS)
        params = [*PROFILE.items(), ("pin", "false")]
        try:
            with contextlib.closing(self.stream("/add", params, seconds, data)) as pieces:
                added = b""
                for piece in pieces:
                    added += piece
                    check_size("a health check's answer", len(added), PIECE_BYTES)
            cid = check_added(str(json.loads(added)["Hash"]), data)
            return self.read(cid, as_added(cid), len(data), seconds) == data
        except (*_FAILURES, DatastoreError, ValueError, KeyError, TypeError):
            return False

    def call(self, action: Callable[[], T]) -> T:
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

    def read(self, cid: str, node_cid: str, max_bytes: int | None, seconds: float) -> bytes:
        """A file, up to the bound."""
        params = [("arg", node_cid), ("timeout", f"{seconds * 1000:.0f}ms")]
        if max_bytes is not None:
            params.append(("length", str(max_bytes + 1)))
        content = bytearray()
        with contextlib.closing(self.stream("/cat", params, seconds)) as pieces:
            for piece in pieces:
                content += piece
                check_size(cid, len(content), max_bytes)
        return bytes(content)

    def stream(
        self, path: str, params: list[tuple[str, str]], seconds: float, data: bytes | None = None
    ) -> Generator[bytes]:
        """Pieces of what the endpoint answers, until the deadline, whatever it sends."""
        limit = seconds + GRACE_SECONDS
        deadline = time.monotonic() + limit
        body, headers = (None, None) if data is None else multipart.stream_bytes(data)
        # Below the client's methods, which read an answer that is not chunked to its end before
        # they yield.
        held, _ = self.client._client._request(
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

    def by_pubsub(self, action: Callable[[], T]) -> T:
        """A request about messages. Raises PubsubOff where the node says that it carries none."""
        try:
            return self.call(action)
        except DatastoreError as error:
            if "pubsub" in str(error.__cause__).lower():
                raise off(self.endpoint, error.__cause__) from error
            raise

    def subscribe(self, topic: str) -> Any:
        """The node's answer to a subscription, which has no end."""
        subscribe = partial(
            self.client._client._request,
            *("POST", "/pubsub/sub", [("arg", encoded(topic))]),
            auth=None,
            data=None,
            headers=None,
            timeout=QUIET_SECONDS,
            chunk_size=1,
        )
        return self.by_pubsub(subscribe)[0][0]

    def told_of(self, error: Exception) -> DatastoreUnavailable:
        """An error of a subscription that broke, in our words."""
        return DatastoreUnavailable(
            f"the IPFS node at {self.endpoint} tells no more messages ({_why(error)})"
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
