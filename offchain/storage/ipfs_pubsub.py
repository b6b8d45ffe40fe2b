"""Listening to one topic of an IPFS node's, by its HTTP RPC interface."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import closing
from threading import Event, Thread
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from offchain.storage.datastore import DatastoreError, DatastoreUnavailable
from offchain.storage.inbox import Inbox
from offchain.storage.pubsub import MAX_MESSAGE_BYTES, PubsubOff

MAX_LINE_BYTES = 4 * MAX_MESSAGE_BYTES
"""A message as the node tells it: in base64, with its sender, signature and key."""
PIECE_BYTES = 1 << 16
QUIET_SECONDS = 120.0
"""How long a topic may be silent until one subscribes anew, since the connection may be dead."""
AGAIN_SECONDS = 1.0
"""Until one listens again after the connection ended."""
BEGIN_SECONDS = 10.0
"""For a node to begin telling."""


class Subscription:
    """Messages of one topic, from the time on when it is made, until it is closed.

    A connection that ends is made anew; what was said meanwhile is lost. Raises
    DatastoreUnavailable, and PubsubOff where the node says so.
    """

    def __init__(
        self, open_: Callable[[], Any], told: Callable[[Exception], DatastoreError]
    ) -> None:
        """open_: begins to listen; the response. told: an error of the connection in our words."""
        self._open, self._told = open_, told
        self._inbox = Inbox()
        self._closed = False
        self._begun = Event()
        self._trouble: DatastoreError | None = None
        Thread(target=self._listen, daemon=True).start()
        if not self._begun.wait(BEGIN_SECONDS) and self._trouble is None:
            self._trouble = DatastoreUnavailable(
                f"the IPFS node did not subscribe within {BEGIN_SECONDS:g} s"
            )
        if self._trouble is not None:
            self.close()
            raise self._trouble

    def take(self) -> list[bytes]:
        """What came since the last time. Raises DatastoreUnavailable while nobody listens."""
        if self._trouble is not None:
            raise self._trouble
        return self._inbox.take()

    def close(self) -> None:
        """Listens no more; the connection ends with the next that is heard of it."""
        self._closed = True

    def _listen(self) -> None:
        while not self._closed:
            try:
                with closing(self._open()) as response:
                    self._trouble = None
                    self._begun.set()
                    self._hear(response)
            except DatastoreError as error:
                self._trouble = error
            except (requests.RequestException, HTTPError, OSError) as error:
                self._trouble = self._told(error)
            self._begun.set()
            if not self._closed:
                Event().wait(AGAIN_SECONDS)

    def _hear(self, response: Any) -> None:
        line = b""
        while (piece := response.raw.read1(PIECE_BYTES)) and not self._closed:
            *whole, line = (line + piece).split(b"\n")
            for one in whole:
                self._read(one)
            if len(line) > MAX_LINE_BYTES:
                return  # nothing that anybody meant to be read

    def _read(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            data = _decoded(message["data"])
            if len(data) <= MAX_MESSAGE_BYTES:
                self._inbox.add(str(message.get("from")), data)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # how a node says that it began, or nothing that is a message


def encoded(topic: str) -> str:
    """A topic as nodes take it: multibase, base64url without padding."""
    return "u" + base64.urlsafe_b64encode(topic.encode()).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """Bytes in multibase, as nodes tell them. Raises ValueError."""
    if text[:1] != "u":
        raise ValueError("not base64url in multibase")
    return base64.b64decode(text[1:] + "=" * (-len(text[1:]) % 4), altchars=b"-_", validate=True)


def off(endpoint: str, reason: object) -> PubsubOff:
    """Of a node that carries no messages."""
    return PubsubOff(
        f"the IPFS node at {endpoint} has pubsub turned off ({reason}): start it with "
        "--enable-pubsub-experiment, or set Pubsub.Enabled in its config"
    )
