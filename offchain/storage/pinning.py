"""Services that keep content for others: the IPFS pinning service API.

Specification: https://ipfs.github.io/pinning-services-api-spec/.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from offchain.storage.checks import digest_of_answer
from offchain.storage.cid import digest_of
from offchain.storage.datastore import DatastoreUnavailable, InvalidCid

QUEUED, PINNING, PINNED, FAILED = STATES = ("queued", "pinning", "pinned", "failed")
"""A pin's states, as services call them."""
ALIVE = (QUEUED, PINNING, PINNED)

PAGE = 1_000
"""Pins listed at once; the specification's most."""
CIDS_ASKED = 10
"""CIDs in one question; the specification's most."""
PARALLEL = 8
MOST_PAGES = 1_000
MAX_ANSWER_BYTES = 8 << 20
PIECE_BYTES = 1 << 16
MOST_DELEGATES = 16
TRIES = 4
BACKOFF_SECONDS = 0.5
"""Before the first new attempt; doubled before each further one."""
_BUSY = (429, 500, 502, 503, 504)
_HERE = ("127.0.0.1", "localhost", "::1")


class PinServiceError(DatastoreUnavailable):
    """A service that does not answer, or does not take what it is asked."""


@dataclass(frozen=True)
class Pin:
    """One request to keep content.

    Attributes:
        request: its id at the service. cid: as the service tells it. state: one of `STATES`.
        delegates: multiaddresses of the service's nodes that fetch it.
    """

    request: str
    cid: str
    state: str
    delegates: tuple[str, ...] = ()

    @property
    def digest(self) -> bytes:
        """The 32 bytes in the CID, whatever its version. Raises InvalidCid."""
        return digest_of_answer(self.cid)


def read_token(path: Path) -> str:
    """The token in a file that nobody else can read. Raises PinServiceError."""
    try:
        mode, text = path.stat().st_mode & 0o777, path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PinServiceError(f"no token in {path}: {type(error).__name__}") from error
    if mode & 0o077:
        raise PinServiceError(f"{path} has mode {mode:04o}, needs 0600: others could read it")
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise PinServiceError(f"{path} does not hold one token")
    return text


class PinService:
    """The service at `url`; its token shows in no message and no representation.

    timeout: seconds for one request. Raises PinServiceError for a URL that would show the token.
    """

    def __init__(self, url: str, token: str, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
            raise PinServiceError(
                f"a pinning service is at https://, since it is sent a token, not at {url!r:.80}"
            )
        self.url, self.timeout = url.rstrip("/"), timeout
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = requests.Session()
        self._session.trust_env = False  # no other credentials of this machine

    def __repr__(self) -> str:
        return f"PinService({self.url!r})"

    def add(self, cids: Sequence[str], origins: Sequence[str] = ()) -> list[Pin]:
        """Asks the service to keep contents that it does not keep or fetch already; those asked.

        origins: multiaddresses of nodes that have them. What failed before is asked for again.
        """
        there = {one.digest for one in self.pins(cids, ALIVE)}
        lacking = [cid for cid in dict.fromkeys(cids) if digest_of(cid) not in there]

        def ask(cid: str) -> Pin:
            body = {"cid": cid, "origins": list(origins)[:20]}
            return self._pin(self._call("POST", "/pins", body=body))

        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(ask, lacking))

    def pins(self, cids: Sequence[str] | None = None, states: Sequence[str] = STATES) -> list[Pin]:
        """Requests in these states, for some contents or all."""
        if cids is None:
            return list(self._listed({}, states))
        batches = [cids[i : i + CIDS_ASKED] for i in range(0, len(cids), CIDS_ASKED)]
        return [pin for some in batches for pin in self._listed({"cid": ",".join(some)}, states)]

    def wait(self, cids: Sequence[str], seconds: float, poll: float = 2.0) -> None:
        """Until all are kept. Raises PinServiceError for one that failed or is not kept in time."""
        deadline = time.monotonic() + seconds
        while True:
            pins = self.pins(cids)
            kept = {pin.digest for pin in pins if pin.state == PINNED}
            alive = {pin.digest for pin in pins if pin.state != FAILED}
            lacking = [cid for cid in cids if digest_of(cid) not in kept]
            if not lacking:
                return
            if failed := [cid for cid in lacking if digest_of(cid) not in alive]:
                raise PinServiceError(f"{self.url} does not keep {failed[0]}")
            if time.monotonic() > deadline:
                raise PinServiceError(
                    f"{self.url} does not keep {lacking[0]} after {seconds:g} s, and "
                    f"{len(lacking) - 1} more"
                )
            time.sleep(poll)

    def remove(self, cid: str) -> int:
        """Asks the service to keep content no more; how many requests for it there were.

        Raises InvalidCid.
        """
        digest_of(cid)
        pins = self.pins([cid])
        for pin in pins:
            self._call("DELETE", f"/pins/{pin.request}")
        return len(pins)

    def close(self) -> None:
        """Ends its connections."""
        self._session.close()

    def _listed(self, query: dict[str, str], states: Sequence[str]) -> Iterator[Pin]:
        """Page by page, the newest first."""
        query = {**query, "status": ",".join(states), "limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            answer = self._call("GET", "/pins", query=query)
            results = answer.get("results")
            if not isinstance(results, list):
                raise PinServiceError(f"{self.url} does not answer as a pinning service does")
            yield from (self._pin(one) for one in results)
            if len(results) < PAGE:
                return
            query["before"] = str(results[-1].get("created"))

    def _pin(self, answer: Any) -> Pin:
        try:
            request, state, cid = answer["requestid"], answer["status"], answer["pin"]["cid"]
            delegates = tuple(str(one) for one in answer.get("delegates") or ())
            pin = Pin(str(request), str(cid), str(state), delegates[:MOST_DELEGATES])
            if state not in STATES or "/" in pin.request or not pin.digest:
                raise ValueError(state)
        except (KeyError, TypeError, AttributeError, ValueError, InvalidCid) as error:
            raise PinServiceError(
                f"{self.url} does not answer as a pinning service does"
            ) from error
        return pin

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One request, again where the service is busy. Raises PinServiceError."""
        for attempt in range(TRIES):
            try:
                with self._session.request(
                    method,
                    self.url + path,
                    params=query,
                    json=body,
                    headers=self._headers,
                    timeout=self.timeout,
                    allow_redirects=False,  # the token is for this address alone
                    stream=True,
                ) as response:
                    status, text = response.status_code, self._read(response)
            except (requests.RequestException, HTTPError) as error:  # also while it is read
                status, text = 0, type(error).__name__.encode()
            if status and status not in _BUSY:
                break
            if attempt + 1 < TRIES:
                time.sleep(BACKOFF_SECONDS * 2**attempt)
        if 200 <= status < 300:
            try:
                answer = json.loads(text or b"{}")
            except ValueError:
                answer = None
            if isinstance(answer, dict):
                return answer
            raise PinServiceError(f"{self.url} does not answer as a pinning service does")
        raise PinServiceError(f"the pinning service at {self.url}: {_reason(status, text)}")

    def _read(self, response: requests.Response) -> bytes:
        """The answer, as it comes, for as long as a request may take."""
        text, deadline = bytearray(), time.monotonic() + self.timeout
        while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
            text += piece
            if len(text) > MAX_ANSWER_BYTES:
                raise PinServiceError(f"{self.url} answers more than {MAX_ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise requests.Timeout
        return bytes(text)


def _reason(status: int, text: bytes) -> str:
    """Why a request was refused, in one line."""
    if status == 0:
        return f"no answer ({text.decode()})"
    if status in (401, 403):
        return f"it does not take the token (status {status})"
    try:
        error = json.loads(text)["error"]
        said = " ".join(f"{error['reason']} {error.get('details', '')}".split())
    except (ValueError, KeyError, TypeError):
        said = "it does not say why"
    return f"status {status}, {said:.200}"
